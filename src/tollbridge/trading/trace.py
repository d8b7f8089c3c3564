"""A transaction's messages drawn as a sequence: as text, for Mermaid, as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tollbridge.faces.iotp.message import codec
from tollbridge.faces.iotp.message.blocks import (
    AuthStatusBlk,
    CancelBlk,
    DeliveryRespBlk,
    InquiryRespBlk,
    OfferRespBlk,
    PayRespBlk,
)
from tollbridge.faces.iotp.message.components import Status
from tollbridge.faces.iotp.message.faults import Unreadable
from tollbridge.faces.iotp.roles.store import Letter
from tollbridge.ground.clock import iso

CONSUMER = "Consumer"
COLUMN, ROW, TOP = 260, 46, 60
WORDS = {
    "TpoBlk": "Trading Protocol Options",
    "TpoSelectionBlk": "TPO Selection",
    "OfferRespBlk": "Offer Response",
    "AuthReqBlk": "Authentication Request",
    "AuthRespBlk": "Authentication Response",
    "AuthStatusBlk": "Authentication Status",
    "PayReqBlk": "Payment Request",
    "PayExchBlk": "Payment Exchange",
    "PayRespBlk": "Payment Response",
    "DeliveryReqBlk": "Delivery Request",
    "DeliveryRespBlk": "Delivery Response",
    "InquiryReqBlk": "Inquiry Request",
    "InquiryRespBlk": "Inquiry Response",
    "PingReqBlk": "Ping Request",
    "PingRespBlk": "Ping Response",
    "ErrorBlk": "Error",
    "CancelBlk": "Cancel",
}


@dataclass(frozen=True, slots=True)
class Arrow:
    """One message: who to whom, its id, its blocks in words, and what it says of the outcome."""

    at: str
    sender: str
    receiver: str
    msg_id: str
    blocks: str
    note: str = ""

    @property
    def label(self) -> str:
        """What stands at the arrow."""
        return f"{self.msg_id}  {self.blocks}" + (f"  ({self.note})" if self.note else "")


def arrows(letters: Sequence[Letter]) -> list[Arrow]:
    """Say who sent what to whom, in the order it was put on file."""
    found = []
    for one in letters:
        ends = (one.other, CONSUMER) if one.incoming else (CONSUMER, one.other)
        blocks = " + ".join(WORDS.get(kind, kind) for kind in one.kinds) or "nothing"
        found.append(Arrow(iso(one.at), *ends, one.msg_id, blocks, _note(one)))
    return found


def parties(drawn: Sequence[Arrow]) -> list[str]:
    """Name who takes part, the Consumer first."""
    names = [name for one in drawn for name in (one.sender, one.receiver)]
    return list(dict.fromkeys([CONSUMER, *names]))


def text(drawn: Sequence[Arrow]) -> str:
    """Draw lines of text, one for each message."""
    width = max([len(name) for name in parties(drawn)] or [1])
    lines = []
    for one in drawn:
        arrow = "──▶"
        lines.append(
            f"{one.at}  {one.sender:>{width}} {arrow} {one.receiver:<{width}}  {one.label}"
        )
    return "\n".join(lines)


def mermaid(drawn: Sequence[Arrow]) -> str:
    """Draw a sequence diagram for Mermaid."""
    names = {name: f"P{place}" for place, name in enumerate(parties(drawn))}
    lines = ["sequenceDiagram"]
    lines += [f"    participant {short} as {_plain(name)}" for name, short in names.items()]
    lines += [
        f"    {names[one.sender]}->>{names[one.receiver]}: {_plain(one.label)}" for one in drawn
    ]
    return "\n".join(lines)


def svg(drawn: Sequence[Arrow]) -> str:
    """Draw an SVG picture that needs nothing from outside."""
    names = parties(drawn)
    place = {name: 130 + COLUMN * number for number, name in enumerate(names)}
    width, height = COLUMN * len(names), TOP + ROW * (len(drawn) + 1)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
        ),
        "<title>Messages of a transaction</title>",
        (
            '<defs><marker id="a" markerWidth="9" markerHeight="7" refX="9" refY="3.5" '
            'orient="auto">'
            '<path d="M0,0 L9,3.5 L0,7 z"/></marker></defs>'
        ),
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for name, x in place.items():
        parts.append(f'<text x="{x}" y="28" text-anchor="middle" font-weight="bold">'
                     f"{escape(name)}</text>")  # fmt: skip
        parts.append(f'<line x1="{x}" y1="40" x2="{x}" y2="{height - 10}" stroke="#999"/>')
    for number, one in enumerate(drawn):
        y = TOP + ROW * number + 20
        start, end = place[one.sender], place[one.receiver]
        middle = (start + end) // 2
        parts.append(f'<text x="{middle}" y="{y - 6}" text-anchor="middle">'
                     f"{escape(one.label)}</text>")  # fmt: skip
        parts.append(f'<line x1="{start}" y1="{y}" x2="{end}" y2="{y}" stroke="black" '
                     f'marker-end="url(#a)"><title>{escape(one.at)}</title></line>')  # fmt: skip
    parts.append("</svg>")
    return "\n".join(parts)


def _note(letter: Letter) -> str:
    """Say the outcome that a message tells, if it tells one."""
    try:
        message = codec.read(letter.body)
    except Unreadable:
        return "cannot be read"
    if message.error is not None:
        return f"{message.error.errors[0].severity}: {message.error.errors[0].error_code}"
    for kind in (
        PayRespBlk,
        DeliveryRespBlk,
        InquiryRespBlk,
        AuthStatusBlk,
        CancelBlk,
        OfferRespBlk,
    ):
        status: Status | None = getattr(message.block(kind), "status", None)
        if status is not None:
            return f"{status.process_state}" + (
                f", {status.completion_code}" if status.completion_code else ""
            )
    return ""


def _plain(label: str) -> str:
    return "".join(letter if letter.isalnum() or letter in " .,()+-" else " " for letter in label)
