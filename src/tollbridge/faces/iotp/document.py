"""Any document of the protocol, examined: a trading message, or one of the Payment API."""

from tollbridge.faces.iotp.api import check as api
from tollbridge.faces.iotp.dtd import API_NAMESPACE
from tollbridge.faces.iotp.message import check as message
from tollbridge.faces.iotp.report import Report
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.wire import xml


def examine(data: bytes) -> Report:
    """Say what a document is, what it says, and what is wrong with it, by its root. Raises nothing.

    What is neither is examined as a message: the report says what the root should be.
    """
    try:
        root = xml.read(data)
    except RemoteProtocolError:
        return message.examine(data)
    is_api = root.namespace == API_NAMESPACE or root.name.startswith("IotpPaymentApi")
    return api.examine(data) if is_api else message.examine(data)
