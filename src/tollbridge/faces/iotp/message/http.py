"""Trading messages over HTTP (RFC 2935): media types, headers, addresses. Nothing here is sent.

Servers are Merchant, Payment Handler, Delivery Handler and Customer Care; the Consumer is a client
that posts each message to the address in force, and whose browser goes on to a page at the end.

Shares its name with the standard library on purpose; imports are absolute.
"""

from email.message import Message
from enum import StrEnum
from urllib.parse import urlsplit

from tollbridge.faces.iotp.message import blocks as b
from tollbridge.faces.iotp.message.codec import element_of
from tollbridge.faces.iotp.message.references import NOTHING, Known
from tollbridge.ground.errors import LocalProtocolError, RemoteProtocolError
from tollbridge.wire.http import Headers, Request, Response
from tollbridge.wire.xml import LIMITS, Element

MEDIA_TYPE = "application/iotp"
MEDIA_TYPES = frozenset({MEDIA_TYPE, "application/x-iotp"})
"""What is sent, and what is read: the second is of old."""
_CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii", "utf-16"})
BODY_BYTES_MAX = LIMITS.bytes_max
TIMEOUT_S = 60
"""How long a client waits for the answer to a message before it asks or sends again."""
TRIES_MAX = 4
"""How often a message is sent, the first time included, before it is given up."""

_HEADERS = (
    ("content-type", f"{MEDIA_TYPE}; charset=utf-8"),
    ("cache-control", "no-store"),
    ("pragma", "no-cache"),
)


def request(url: str, data: bytes, *, moves_money: bool = False) -> Request:
    """Make the request that posts a message. Raises LocalProtocolError for what is no address."""
    if not is_address(url):
        raise LocalProtocolError(f"{url!r:.80} is not an address of http")
    headers = Headers((("content-type", f"{MEDIA_TYPE}; charset=utf-8"), ("accept", MEDIA_TYPE)))
    return Request("POST", url, headers, data, moves_money=moves_money)


def response(data: bytes) -> Response:
    """Make the response that carries a message; nobody on the way keeps it (2.1)."""
    return Response(200, Headers(_HEADERS), data)


def body(headers: Headers, data: bytes) -> bytes:
    """Take a message from a request or a response.

    Raises RemoteProtocolError when it is of another media type, or in letters nobody reads here.
    """
    parsed = Message()
    parsed["content-type"] = headers.get("content-type", "").partition(",")[0][:200]
    kind = parsed.get_content_type()
    if kind not in MEDIA_TYPES or "content-type" not in headers:
        raise RemoteProtocolError(f"the media type is {MEDIA_TYPE}, not {kind!r:.60}")
    charset = str(parsed.get_param("charset") or "").lower()
    if charset not in _CHARSETS:
        raise RemoteProtocolError(f"the charset {charset!r:.40} is not read here, UTF-8 is")
    return data


def accepts(accept: str) -> bool:
    """Say whether a client's Accept header says that it can handle trading messages (RFC 2936).

    One that takes anything does not say so: every browser does.
    """
    for part in accept.lower().split(","):
        kind, _, parameters = part.strip().partition(";")
        refused = any(
            one.strip() in {"q=0", "q=0.0", "q=0.00", "q=0.000"} for one in parameters.split(";")
        )
        if kind.strip() in MEDIA_TYPES and not refused:
            return True
    return False


# Addresses


def is_address(url: str, *, secure: bool = False) -> bool:
    """Say whether a text is an address that a message may be posted to: http or https, no user.

    Whether it is one of this machine or this network is not asked here: servers that post to
    addresses of strangers (an error log's) ask where the name leads.
    """
    try:
        parts = urlsplit(url)
        good = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    schemes = {"https"} if secure else {"http", "https"}
    plain = "\\" not in url and url.isprintable() and " " not in url
    return good and parts.scheme in schemes and parts.username is None and plain


def either(plain: str | None, secure: str | None, *, prefer_secure: bool = True) -> str | None:
    """Choose of a pair of net locations: the only one, or the sender's choice (RFC 2801, 3.9).

    Raises RemoteProtocolError when a message's own location is no address, or the secure one not
    of TLS.
    """
    first, second = (secure, plain) if prefer_secure else (plain, secure)
    chosen = first or second or None
    if chosen is not None and not is_address(chosen, secure=chosen == secure):
        raise RemoteProtocolError(f"{chosen!r:.80} is no net location")
    return chosen


def destination(message: b.IotpMessage, known: Known = NOTHING) -> str | None:
    """Say where a Consumer posts a message: to the address that the transaction says.

    None when nothing says so: a ping's, and what is no Consumer's. A Cancel, an Error Block and a
    Payment Exchange go where the caller's last message went; after a completed exchange a Cancel
    goes to the sender of the options, see `sender_of_options`.
    """
    root = element_of(message)
    here = known.under(root)
    for block in message.blocks:
        match block:
            case b.TpoSelectionBlk() | b.AuthRespBlk():
                return sender_of_options(here)
            case b.PayReqBlk():
                return _of_payment(here, block.brand_selection.protocol_amount_ref)
            case b.DeliveryReqBlk() if block.delivery.data is not None:
                data = block.delivery.data
                return either(data.deliv_req_net_locn, data.sec_deliv_req_net_locn)
            case b.PayExchBlk():
                return _of_selected(here)
            case b.InquiryReqBlk():
                return _of_inquiry(block, here)
    return None


def sender_of_options(known: Known) -> str | None:
    """Say where TPO Selections, and Cancels after a completed exchange, go (RFC 2801, 3.10)."""
    for _, one in known.named("ProtocolOptions"):
        return _pair(one, "SenderNetLocn", "SecureSenderNetLocn")
    return None


def _of_payment(known: Known, amount_ref: str) -> str | None:
    amount = known.get(amount_ref)
    protocol = known.get(amount.get("PayProtocolRef")) if amount else None
    return _pair(protocol, "PayReqNetLocn", "SecPayReqNetLocn") if protocol else None


def _of_selected(known: Known) -> str | None:
    chosen = [one.get("ProtocolAmountRef") for _, one in known.named("BrandSelection")]
    return _of_payment(known, chosen[-1]) if chosen else None


def _of_inquiry(block: b.InquiryReqBlk, known: Known) -> str | None:
    match block.inquiry_type.type:
        case "Offer":
            return sender_of_options(known)
        case "Payment":
            return _of_selected(known)
        case "Delivery":
            for _, one in known.named("Delivery"):
                data = one.find("DeliveryData")
                return _pair(data, "DelivReqNetLocn", "SecDelivReqNetLocn") if data else None
    return None


def _pair(element: Element, plain: str, secure: str) -> str | None:
    return either(element.get(plain), element.get(secure))


class Ending(StrEnum):
    """How a transaction ended for the Consumer, by the attribute that says which page follows."""

    SUCCESS = "SuccessNetLocn"
    ERROR = "ErrorNetLocn"
    CANCEL = "CancelNetLocn"


def page_after(ending: Ending, known: Known, trading_role: str | None = None) -> str | None:
    """Say which page the Consumer's browser goes to at the end (2.3).

    After an error or a Cancel it is that of the role it came from or went to: `trading_role` is the
    id of its TradingRole element.
    """
    if ending is Ending.SUCCESS:
        return next((one.get(ending) or None for _, one in known.named("ProtocolOptions")), None)
    role = known.get(trading_role) if trading_role else None
    return role.get(ending) or None if role is not None else None


def error_log(known: Known, trading_role: str | None) -> str | None:
    """Say where a copy of an Error Block goes, beside its sender (RFC 2801, 7.21)."""
    role = known.get(trading_role) if trading_role else None
    return role.get("ErrorLogNetLocn") or None if role is not None else None


# Logos (RFC 2801, 10)


class LogoSize(StrEnum):
    """How large a logo is; the first letters of its file's name."""

    EXTRA_SMALL = "exsmall"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"
    EXTRA_LARGE = "exlarge"


class LogoDepth(StrEnum):
    """How many bits a dot of a logo has; the last letters of its file's name."""

    FOUR = "4"
    EIGHT = ""
    TWENTY_FOUR = "24"


def logo_address(
    net_locn: str, size: LogoSize = LogoSize.MEDIUM, depth: LogoDepth = LogoDepth.EIGHT
) -> str:
    """Give the address of a logo: the location, one slash, size and depth."""
    return f"{net_locn.removesuffix('/')}/{size}{depth}.gif"
