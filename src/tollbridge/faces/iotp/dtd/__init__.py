"""The document types that messages are held to: those of this package, never a message's own.

`iotp.dtd` is RFC 2801, section 13, with the errata of RFC 3504; `payment-api.dtd` is RFC 3867. Each
says at its top where it differs from what is printed.
"""

from functools import lru_cache
from importlib import resources

from tollbridge.wire.xml import Dtd

MESSAGE_NAMESPACE = "iotp:ietf.org/iotp-v1.0"
API_NAMESPACE = "http://www.iotp.org/2000/08/PaymentAPI"


@lru_cache(maxsize=1)
def message_dtd() -> Dtd:
    """Give the document type of trading messages."""
    return _dtd("iotp.dtd", MESSAGE_NAMESPACE)


@lru_cache(maxsize=1)
def api_dtd() -> Dtd:
    """Give the document type of the Payment API."""
    return _dtd("payment-api.dtd", API_NAMESPACE)


def _dtd(name: str, namespace: str) -> Dtd:
    return Dtd(resources.files(__package__).joinpath(name).read_bytes(), namespace)
