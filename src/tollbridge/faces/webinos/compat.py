"""The original client's words: JSON-RPC in envelopes over a WebSocket, as webinos spoke it in 2013.

Texts in, what to do, texts out; whoever holds the socket does it. Unlike the original, every call
is answered, an address belongs to its socket, and a client that says so is challenged: a truthy
fifth parameter of pay() announces it, `<id>.onchallenge` asks, `answerChallenge` answers. The error
of an answer carries the members of PaymentError on top, because the client hands it to the page
as it is (NX-051).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tollbridge.faces.webinos.discovery import found as services_for
from tollbridge.faces.webinos.outcome import Problem, charge
from tollbridge.faces.webinos.policy import KINDS
from tollbridge.faces.webinos.settings import Provider
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import Secret
from tollbridge.wire import json

RPC_CODE = -31000
NAME_LETTERS_MAX = 200
NUMBERS = 101
FIND = "ServiceDiscovery.findServices"
NOTHING_FOUND = charge("unknown_service", "There is no such service.")
SECURITY_ERROR = 18
WRONG_ADDRESS = charge("wrong_address", "This address is not this page's.")
NO_METHOD = charge("unknown_method", "The service has no such method.")


@dataclass(frozen=True, slots=True)
class Link:
    """One socket: the device it reached, the address of its page ("" before it registered), and
    what tells its calls from those of others."""

    device: str
    secret: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Register:
    """A page wants an address: answer with `registered` for a Link that has it."""

    address: str


@dataclass(frozen=True, slots=True)
class Find:
    """Services are looked for: answer with `services`."""

    call: str
    api: str


@dataclass(frozen=True, slots=True)
class Pay:
    """A payment: begin it with Begin(…, key, fields, Manner.COMPAT), then answer with `outcome`
    whenever it changed."""

    call: str
    api: str
    key: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AnswerChallenge:
    """An answer for the payment whose open challenge this is: answer with `accepted`."""

    call: str
    challenge: str
    answer: Secret[str]


@dataclass(frozen=True, slots=True)
class Say:
    """Send these texts; there is nothing else to do."""

    texts: tuple[str, ...] = ()


@dataclass(slots=True)
class Told:
    """What a page was told of one of its payments: at most one outcome, each challenge once."""

    challenge: str = ""
    over: bool = False


Do = Register | Find | Pay | AnswerChallenge | Say


def config(port: int) -> dict[str, Any]:
    """Give the contents of /webinosConfig.json."""
    return {"websocketPort": port}


def address(device: str, page: str, number: int) -> str:
    """Make the address of a page: the device, the page's path as a digest, a number to 100."""
    path = hashlib.md5(page.encode(), usedforsecurity=False).hexdigest()
    return f"{device}/BID{path}:{number % NUMBERS}"


def read(text: str, link: Link, provider: Provider, number: int = 0) -> Do:
    """Say what a text wants. `number` is for the address of a page that registers.

    Raises RemoteProtocolError for what is no frame; such a thing cannot be answered.
    """
    frame = json.read_object(text, what="frame")
    payload = frame.get("payload")
    if not isinstance(payload, Mapping):
        raise RemoteProtocolError("a frame has a payload", path=["payload"])
    if frame.get("type") == "prop":
        return _property(payload, link, number)
    call, method = payload.get("id"), payload.get("method")
    if frame.get("type") != "JSONRPC" or not isinstance(call, str):
        return Say()
    if not 0 < len(call) <= NAME_LETTERS_MAX:
        return Say()
    if not isinstance(method, str):
        return Say() if "result" in payload or "error" in payload else _no(link, call, NO_METHOD)
    if not link.address or frame.get("from") != link.address:
        return _denied(link, call)
    params = payload.get("params")
    listed: Sequence[Any] = params if isinstance(params, list) else []
    if method == FIND:
        asked = listed[0] if listed else None
        api = asked.get("api") if isinstance(asked, Mapping) else None
        return Find(call, api if isinstance(api, str) else "")
    return _called(link, provider, call, method, listed)


def _property(payload: Mapping[str, Any], link: Link, number: int) -> Do:
    if payload.get("status") != "registerBrowser":
        return Say()
    page = payload.get("value")
    return Register(address(link.device, page if isinstance(page, str) else "/", number))


def _called(link: Link, provider: Provider, call: str, method: str, params: Sequence[Any]) -> Do:
    """Take `<api>@<id>.<method>` apart, at the last dot and then at the @."""
    target, _, name = method.rpartition(".")
    api, _, service = target.partition("@")
    if not any((each.api, each.id) == (api, service) for each in provider.services):
        return _no(link, call, NOTHING_FOUND)
    match name:
        case "pay":
            seen = f"{link.secret}\0{link.address}\0{call}"
            key = hashlib.sha256(seen.encode()).hexdigest()[:40]
            return Pay(call, api, key, pay_fields(service, params))
        case "answerChallenge":
            given = [*params, None, None]
            if isinstance(given[0], str) and isinstance(given[1], str):
                return AnswerChallenge(call, given[0], Secret(given[1]))
            return Say(accepted(link, call, yes=False))
        case _:
            return _no(link, call, NO_METHOD)


def pay_fields(service: str, params: Sequence[Any]) -> dict[str, Any]:
    """Turn the parameters of pay() into the body of a request for one (N-020, N-024, N-030). A bill
    that is a text is a signed one."""
    items, bill, customer, seller, can_answer = [*params[:5], None, None, None, None, None][:5]
    signed = isinstance(bill, str)
    return {
        "service": service,
        "sellerID": _identity(seller),
        "customerID": _identity(customer) or None,
        "bill": None if signed else bill,
        "signedBill": bill if signed else None,
        "itemList": items,
        "challenges": list(KINDS) if can_answer else [],
    }


def registered(link: Link) -> str:
    """Tell a page its address and the device's."""
    message = {
        "connectedDevices": [],
        "state": {"Pzh": "not_connected", "Pzp": "not_connected"},
        "enrolled": False,
    }
    frame = {
        "type": "prop",
        "from": link.device,
        "to": link.address,
        "payload": {"status": "registeredBrowser", "message": message},
    }
    return _text(frame)


def services(link: Link, provider: Provider, wanted: Find, ids: Sequence[str]) -> tuple[str, ...]:
    """Tell each service that was found, or that there is none. `ids` name the calls."""
    texts = []
    hits = services_for(provider, wanted.api, link.device)
    for call, hit in zip(ids, hits, strict=False):
        seen = ("id", "api", "displayName", "description", "serviceAddress")
        params = {name: hit[name] for name in seen}
        texts.append(_request(link, call, f"{wanted.call}.onservicefound", params))
    if not hits:
        texts.append(_request(link, ids[0], f"{wanted.call}.onError", []))
    return tuple(texts)


def outcome(
    link: Link, wanted: Pay, told: Told, view: Mapping[str, Any], call: str
) -> tuple[str, ...]:
    """Tell what there is to tell of a payment now: a new challenge, its one outcome, or nothing.

    `call` names the call that asks. `told` remembers.
    """
    if told.over:
        return ()
    challenge, problem = view["challenge"], view["error"]
    if view["state"] == "succeeded":
        told.over = True
        return (_response(link, wanted.call, {"result": view["proofOfPurchase"]}),)
    if problem is not None:
        told.over = True
        return (_response(link, wanted.call, {"error": merged(problem)}),)
    if challenge is not None and challenge["id"] != told.challenge:
        told.challenge = challenge["id"]
        params = {
            "challengeId": challenge["id"],
            "challengeType": challenge["type"],
            "challenge": challenge["challenge"],
        }
        return (_request(link, call, f"{wanted.call}.onchallenge", params),)
    return ()


def refused(link: Link, call: str, fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Tell that a call failed: `fields` are the members of its PaymentError."""
    return (_response(link, call, {"error": merged(fields)}),)


def accepted(link: Link, call: str, *, yes: bool) -> tuple[str, ...]:
    """Tell whether an answer to a challenge was taken."""
    return (_response(link, call, {"result": {"accepted": yes}}),)


def merged(problem: Mapping[str, Any]) -> dict[str, Any]:
    """Make an error that is a PaymentError and a JSON-RPC error at once (WIRE, 6.6)."""
    three = {name: problem[name] for name in ("code", "message", "retryPossible")}
    data = three | {"reason": problem.get("reason", "")}
    return three | {"data": data, "rpcCode": RPC_CODE}


def _no(link: Link, call: str, problem: Problem) -> Say:
    return Say(refused(link, call, problem.fields()))


def _denied(link: Link, call: str) -> Say:
    """Deny a call as the original's policy did, and say it as a PaymentError as well (NX-056)."""
    error = merged(WRONG_ADDRESS.fields())
    error["data"] |= {"name": "SecurityError", "code": SECURITY_ERROR}
    return Say((_response(link, call, {"error": error}),))


def _identity(value: object) -> str:
    """Read an identity as the original clients send it: numbers too, and 0 for none (NX-035)."""
    if isinstance(value, bool) or value is None or value == 0:
        return ""
    if isinstance(value, int | Decimal):
        return str(value)
    return value if isinstance(value, str) else ""


def _request(link: Link, call: str, method: str, params: object) -> str:
    return _frame(link, {"jsonrpc": "2.0", "id": call, "method": method, "params": params})


def _response(link: Link, call: str, ending: Mapping[str, Any]) -> str:
    return _frame(link, {"jsonrpc": "2.0", "id": call, **ending})


def _frame(link: Link, payload: Mapping[str, Any]) -> str:
    frame = {
        "type": "JSONRPC",
        "from": link.device,
        "to": link.address,
        "resp_to": link.device,
        "payload": payload,
    }
    return _text(frame)


def _text(frame: Mapping[str, Any]) -> str:
    return json.write(frame).decode()
