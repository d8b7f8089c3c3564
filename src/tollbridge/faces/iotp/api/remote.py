"""A payment software in another process, called by documents of the Payment API (RFC 3867, 3).

`Remote` is what a core calls, `answered` what the other process does with a document. How documents
travel is not said here. Progress is not told across: Call Back is of no use without a core at hand.
"""

from dataclasses import dataclass, field

from tollbridge.faces.iotp.api import codec
from tollbridge.faces.iotp.api.answer import Answer, Call, refused
from tollbridge.faces.iotp.api.bridge import PaymentBridge, R, Skeleton
from tollbridge.faces.iotp.api.codec import Request, Response
from tollbridge.faces.iotp.api.faults import Unreadable
from tollbridge.faces.iotp.api.perform import Limit, perform
from tollbridge.faces.iotp.api.words import ErrorCode, Severity
from tollbridge.ground.flow import Exchange, Flow, Party
from tollbridge.ground.secret import Secret


@dataclass(frozen=True, slots=True)
class Carry:
    """Carry a request document to a payment software, and show it the token there.

    Answer: the response document (bytes), or Lost.
    """

    url: str
    token: Secret[str]
    document: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer came; the call may have been done."""

    reason: str


class Remote(Skeleton):
    """The bridge that is a payment software somewhere else.

    Where no answer comes, a call fails with a transient TransportError, and whoever calls again
    calls the same payment: the software knows it by its PayId.
    """

    def __init__(self, url: str, token: Secret[str]) -> None:
        self.url = url
        self._token = token

    def do(self, call: Call[R]) -> Flow[Answer[R]]:
        document = codec.write(Request(call))
        came: bytes | Lost = yield Exchange(Party.DEVICE, Carry(self.url, self._token, document))
        if isinstance(came, Lost):
            transient = Severity.TRANSIENT_ERROR
            text = "the payment software does not answer"
            raise refused(ErrorCode.TRANSPORT_ERROR, text, severity=transient)
        try:
            answer: Answer[R] = codec.read_response(came, call).answer
        except Unreadable as unreadable:
            text = f"the payment software answered against the rules: {unreadable}"
            raise refused(ErrorCode.UNKNOWN_ERROR, text) from None
        return answer


def answered(bridge: PaymentBridge, document: bytes, limit: Limit) -> Flow[bytes]:
    """Let a bridge answer a document with one; what cannot be read is refused in its words."""
    answer: Answer[object]
    try:
        call: Call[object] = codec.read_request(document).call
    except Unreadable as unreadable:
        answer = Answer(error=unreadable.error)
    else:
        answer = yield from perform(bridge, call, limit=limit)
    return codec.write(Response(answer))
