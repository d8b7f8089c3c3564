"""A consumer's requests, as flows that yield a Request and are sent the Response.

The six exchanges of seed 000, each ending with the peer's answer or a typed error. What the peer
says is held against what was asked: a producer on the network is not a friend.
"""

from typing import TypeVar

from tollbridge.faces.within import codec
from tollbridge.faces.within.errors import PeerNonsense, PeerRefused
from tollbridge.faces.within.messages import (
    BeginRequest,
    BeginResponse,
    EndRequest,
    EndResponse,
    PaymentRequest,
    PaymentResponse,
    PriceList,
    Refusal,
    ServiceList,
    Total,
    TotalRequest,
)
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.flow import Flow
from tollbridge.ground.secret import Secret, scrub
from tollbridge.wire import json
from tollbridge.wire.http import JSON, Request, Response

M = TypeVar("M")
MESSAGE_LETTERS_MAX = 200


def services(url: str) -> Flow[ServiceList]:
    """Ask what there is (E1)."""
    answer: Response = yield Request("GET", f"{url}/service/discover")
    return _read(ServiceList, answer)


def prices(url: str, service_id: int) -> Flow[PriceList]:
    """Ask for the prices of a service (E2)."""
    answer: Response = yield Request("GET", f"{url}/service/{service_id}/prices")
    return _read(PriceList, answer)


def total(url: str, service_id: int, wanted: TotalRequest) -> Flow[Total]:
    """Select a price and an amount (E3). The answer may be for fewer units, never for more."""
    answer: Response = yield _post(f"{url}/service/{service_id}/requestTotal", wanted)
    found = _read(Total, answer)
    if not 0 < found.units <= wanted.units or found.price_id != wanted.price_id:
        raise _unfitting("the total is not for what was selected")
    if found.total_minor < 0 or not found.payment_reference:
        raise _unfitting("the total has no amount or no payment reference")
    return found


def payment(url: str, agreed: Total, client_token: Secret[str]) -> Flow[PaymentResponse]:
    """Pay what was agreed, with the provider's token for the card (E4)."""
    wanted = PaymentRequest(agreed.client_id, client_token, agreed.payment_reference)
    answer: Response = yield _post(f"{url}/payment", wanted, moves_money=True)
    found = _read(PaymentResponse, answer)
    if found.total_paid_minor != agreed.total_minor:
        raise _unfitting("another amount was paid than was agreed")
    if not found.token.key.reveal():
        raise _unfitting("there is no delivery token")
    return found


def begin(url: str, service_id: int, wanted: BeginRequest) -> Flow[BeginResponse]:
    """Ask to be supplied (E5); 0 units granted: everything was."""
    answer: Response = yield _post(f"{url}/service/{service_id}/delivery/begin", wanted)
    found = _read(BeginResponse, answer)
    if not 0 <= found.units <= wanted.units:
        raise _unfitting("more units are granted than were asked for")
    return found


def end(url: str, service_id: int, wanted: EndRequest) -> Flow[EndResponse]:
    """Confirm what was received (E6)."""
    answer: Response = yield _post(f"{url}/service/{service_id}/delivery/end", wanted)
    return _read(EndResponse, answer)


def _post(url: str, message: object, *, moves_money: bool = False) -> Request:
    return Request("POST", url, JSON, codec.write(message), moves_money=moves_money)


def _read(kind: type[M], answer: Response) -> M:
    if answer.status != 200:
        raise _refused(answer)
    try:
        return codec.read(kind, answer.body)
    except RemoteProtocolError as error:
        raise PeerNonsense("DECODE_JSON", "JSON", "failed to decode json", error) from None


def _refused(answer: Response) -> PeerRefused:
    """Read why, from an object, a bare string, or whatever it is (WIRE 2.2)."""
    try:
        refusal = codec.read(Refusal, answer.body)
        text, number = refusal.message, refusal.code
    except RemoteProtocolError:
        number = 0
        try:
            found = json.read(answer.body)
            text = found if isinstance(found, str) else ""
        except RemoteProtocolError:
            text = answer.body.decode("utf-8", "replace")
    return PeerRefused(answer.status, scrub(text.strip())[:MESSAGE_LETTERS_MAX], number)


def _unfitting(text: str) -> PeerNonsense:
    return PeerNonsense("HTTP_REQUEST_POST", "HTTP", text)
