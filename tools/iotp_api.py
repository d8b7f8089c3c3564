"""Write the Payment API's types and its bridge from the signatures of its 24 functions.

python -m tools.iotp_api          # writes both modules again
"""

import json
import re
from pathlib import Path
from typing import Any

from tollbridge.faces.iotp.api.names import ATTRIBUTES, CHILDREN, PACKAGED, PLAIN_NAMES, Kind

ROOT = Path(__file__).parents[1]
SIGNATURES = ROOT / "tests" / "vectors" / "iotp" / "api_signatures.json"
API = ROOT / "src" / "tollbridge" / "faces" / "iotp" / "api"

PURPOSE = {
    "FindAcceptedPaymentBrand": "Which brands are accepted for this amount and direction?",
    "FindAcceptedPaymentProtocol": (
        "By which protocols is a brand accepted? Without `brand_id`: brands and protocols."
    ),
    "GetPaymentInitializationData": (
        "What else do the Consumer's and the Payment Handler's software need?"
    ),
    "InquireAuthChallenge": "Give one challenge and the algorithm it belongs to. Stateless.",
    "Authenticate": "Answer a challenge.",
    "CheckAuthResponse": "Is this the right answer to the challenge? Stateless.",
    "FindPaymentInstrument": (
        "Which instruments of a brand are there? Fast, without pass phrase or dialogue."
    ),
    "CheckPaymentPossibility": "Can this instrument do it now? Locks nothing.",
    "StartPaymentConsumer": "Open the payment at the Consumer; may be issued again.",
    "StartPaymentPaymentHandler": "Open the payment at the Payment Handler; may be issued again.",
    "ResumePaymentConsumer": "Take up a suspended payment at the Consumer; may be issued again.",
    "ResumePaymentPaymentHandler": (
        "Take up a suspended payment at the Payment Handler; may be issued again."
    ),
    "ContinueProcess": "Take scheme data from the counterparty, and give the next.",
    "ChangeProcessState": "Intend a state, and learn the one the bridge agrees to.",
    "RemovePaymentLog": "The core forgot a payment; the bridge may, too.",
    "PaymentInstrumentInquiry": "Tell balance, limits, log entries of an instrument.",
    "InquirePendingPayment": "Which payments should be completed or suspended first?",
    "CheckPaymentReceipt": "Is this receipt sound? If not: BusError.",
    "ExpandPaymentReceipt": "Make a receipt fit for people.",
    "InquireProcessState": "Where does the payment stand, and what is its receipt?",
    "StartPaymentInquiry": "What does the Payment Handler need for an inquiry?",
    "InquirePaymentStatus": "Answer the Consumer's inquiry at the Payment Handler.",
    "ManagePaymentSoftware": (
        "Open the payment software, to register, change or remove an instrument."
    ),
    "CallBack": "Called by the bridge: show this to the user. A BusError asks to cancel.",
}

PYTHON = {
    Kind.TEXT: "str",
    Kind.TOKEN: "str",
    Kind.TOKENS: "tuple[str, ...]",
    Kind.AMOUNT: "Decimal",
    Kind.MOMENT: "Instant",
    Kind.PERCENT: "int",
    Kind.SECRET: "Secret[str]",
    Kind.CODE: "str",
}


def signatures() -> list[dict[str, Any]]:
    """Read the signatures."""
    found: list[dict[str, Any]] = json.loads(SIGNATURES.read_text())
    return found


def method_of(request: str) -> str:
    """Name the method of a function: its request's name in Python's way of writing."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", request).lower()


def _field(attribute: dict[str, str]) -> str:
    named = ATTRIBUTES[attribute["name"]]
    kind = named.choice.__name__ if named.kind is Kind.CHOICE and named.choice else ""
    kind = kind or PYTHON[named.kind]
    default = attribute["default"]
    if default == "#REQUIRED":
        return f"    {named.python}: {kind}"
    if default == "#IMPLIED":
        if named.kind is Kind.TOKENS:
            return f"    {named.python}: {kind} = ()"
        return f"    {named.python}: {kind} | None = None"
    value = default.strip("'")
    if named.choice is not None:
        return f"    {named.python}: {kind} = {kind}.{value.upper()}"
    return f"    {named.python}: {kind} = ISO_4217"


def _child(child: dict[str, str]) -> str:
    tag, occurs = child["element"], child["occurs"]
    kind = "Content" if tag in PACKAGED else tag
    one, many = CHILDREN[tag]
    match occurs:
        case "1":
            return f"    {one}: {kind}"
        case "?":
            return f"    {one}: {kind} | None = None"
        case "+":
            return f"    {many}: tuple[{kind}, ...]"
        case _:
            return f"    {many}: tuple[{kind}, ...] = ()"


def _attributes(signature: dict[str, Any], side: str) -> list[dict[str, str]]:
    return [item for item in signature[f"{side}_attributes"] if item["name"] not in PLAIN_NAMES]


def _row(signature: dict[str, Any], side: str) -> str:
    words = []
    for item in _attributes(signature, side):
        default = item["default"]
        mark = {"#REQUIRED": "!", "#IMPLIED": ""}.get(default, f"={default.strip(chr(39))}")
        words.append(item["name"] + mark)
    children = [item["element"] + item["occurs"] for item in signature[f"{side}_content"]]
    return " ".join([*words, *(["|", *children] if children else [])])


def _class(signature: dict[str, Any], side: str) -> list[str]:
    name, request = signature[side], signature["request"]
    section = f"RFC 3867, {signature['section']}"
    bases, text = "", f'    """The answer to {request} ({section})."""'
    if side == "request":
        bases = f"(Call[{signature['response']}])"
        text = f'    """{PURPOSE[request]} ({section})"""'
        if len(text) > 100:
            text = f'    """{PURPOSE[request]}\n\n    {section}.\n    """'
    fields = [_field(item) for item in _attributes(signature, side)]
    fields += [_child(item) for item in signature[f"{side}_content"]]
    head = ["@dataclass(frozen=True, slots=True, kw_only=True)", f"class {name}{bases}:", text]
    return [*head, *([""] if fields else []), *fields, "", ""]


def _import(module: str, names: list[str]) -> list[str]:
    return [f"from {module} import (", *[f"    {name}," for name in names], ")"]


def calls() -> str:
    """Write `calls.py`: a type for each request and each response, and the rows they came from."""
    found = signatures()
    elements = sorted({
        item["element"] for one in found for side in ("request", "response")
        for item in one[f"{side}_content"] if item["element"] not in PACKAGED
    } | {"Content"})  # fmt: skip
    words = sorted({
        named.choice.__name__ for one in found for side in ("request", "response")
        for item in _attributes(one, side)
        if (named := ATTRIBUTES[item["name"]]).kind is Kind.CHOICE and named.choice
    })  # fmt: skip
    lines = [
        '"""The 24 functions of the Payment API, typed. Written by `python -m tools.iotp_api`."""',
        "",
        "from dataclasses import dataclass",
        "from decimal import Decimal",
        "from typing import Any",
        "",
        "from tollbridge.faces.iotp.api.answer import Call",
        *_import("tollbridge.faces.iotp.api.elements", elements),
        *_import("tollbridge.faces.iotp.api.words", ["ISO_4217", *words]),
        "from tollbridge.ground.clock import Instant",
        "from tollbridge.ground.secret import Secret",
        "",
        "",
    ]
    for one in found:
        lines += _class(one, "response") + _class(one, "request")
    lines += [
        "@dataclass(frozen=True, slots=True)",
        "class Row:",
        '    """One function as the standard writes it: name, section, types, what stands in them',
        "    (`!` required, `=` default, `?`, `*`, `+`, `1` how often), and its line of table 1.",
        '    """',
        "",
        "    name: str",
        "    section: str",
        "    request: type[Call[Any]]",
        "    response: type[Any]",
        "    asked: str",
        "    answered: str",
        "    roles: str",
        "",
        "",
        "ROWS: tuple[Row, ...] = (",
    ]
    for one in found:
        roles = " ".join(f"{role}={word}" for role, word in one["roles"].items())
        lines += [
            "    Row(",
            f'        "{one["function"]}",',
            f'        "{one["section"]}",',
            f"        {one['request']},",
            f"        {one['response']},",
            *_text(_row(one, "request")),
            *_text(_row(one, "response")),
            f'        "{roles}",',
            "    ),",
        ]
    return "\n".join([*lines, ")", ""])


def _text(row: str) -> list[str]:
    """Write a long text as several."""
    lines, line = [], ""
    for word in row.split(" "):
        if len(line) + len(word) > 80:
            lines.append(line)
            line = ""
        line += f"{word} "
    lines.append(line.rstrip())
    if len(lines) == 1:
        return [f'        "{lines[0]}",']
    return ["        (", *[f'            "{line}"' for line in lines], "        ),"]


def bridge() -> str:
    """Write `bridge.py`: the protocol of a payment bridge, and the skeleton."""
    found = signatures()
    names = sorted({one[side] for one in found for side in ("request", "response")})
    lines = [
        '"""What a payment bridge is. Written by `python -m tools.iotp_api`.',
        "",
        "A bridge is passive: one answer for each call, nothing unasked but Call Back (1.2).",
        '"""',
        "",
        "from abc import ABC, abstractmethod",
        "from typing import Protocol, TypeVar",
        "",
        "from tollbridge.faces.iotp.api.answer import Answer, Call",
        *_import("tollbridge.faces.iotp.api.calls", names),
        "from tollbridge.ground.flow import Flow",
        "",
        'R = TypeVar("R")',
        "",
        "",
        "class PaymentBridge(Protocol):",
        '    """The Payment API: a flow for each function.',
        "",
        "    Flows yield Ask, Look, Recall, Browse, Remember, Exchange, and CallBack for progress.",
        "    They may raise Refused. Call them through `perform`: it checks calls and answers,",
        "    makes an Answer of every failure and hands call backs to the core.",
        '    """',
        "",
    ]
    for one in found:
        lines += [
            f"    def {method_of(one['request'])}(",
            f"        self, call: {one['request']}, /",
            f"    ) -> Flow[Answer[{one['response']}]]:",
            f'        """{PURPOSE[one["request"]].partition("; ")[0].rstrip(".")}."""'.replace(
                '?."""', '?"""'
            ),
            "        ...",
            "",
        ]
    lines += [
        "",
        "class Skeleton(ABC):",
        '    """All 24 functions by way of one method, which decides who does it."""',
        "",
        "    @abstractmethod",
        "    def do(self, call: Call[R]) -> Flow[Answer[R]]:",
        '        """Do what is called."""',
        "",
    ]
    for one in found:
        lines += [
            f"    def {method_of(one['request'])}(",
            f"        self, call: {one['request']}, /",
            f"    ) -> Flow[Answer[{one['response']}]]:",
            "        return self.do(call)",
            "",
        ]
    return "\n".join(lines)


def main() -> None:
    """Write both modules."""
    (API / "calls.py").write_text(calls())
    (API / "bridge.py").write_text(bridge())


if __name__ == "__main__":
    main()
