"""How a producer says no: the status and words of the originals, and a number of ours for each.

`HTTPStatusCode` repeats the real status, where the originals send 0 (WIRE 2.2).
"""

from enum import Enum

from tollbridge.faces.within.messages import Refusal


class Reason(Enum):
    """Number, status and words. The numbers are stable."""

    BAD_SERVICE_ID = (1, 400, "Unable to parse input service id")
    UNREADABLE = (2, 422, "Unable to parse POST body")
    NO_SERVICE = (3, 404, "Service not found for id {}")
    NO_PRICE = (4, 404, "Price not found for id {}")
    NO_CLIENT = (5, 400, "clientID is empty")
    BAD_UNITS = (6, 400, "Number of units must be at least 1")
    TOO_MUCH = (7, 400, "Total price is above 2147483647")
    NOTHING_LEFT = (8, 409, "Service can not be supplied at this time")
    NO_ORDER = (9, 404, "Unable to find order for payment ref {}")
    OTHER_CLIENT = (10, 400, "Client ID does not match Order Client ID")
    NO_CLIENT_TOKEN = (11, 500, "Unable to process payment with gateway at this time")
    OTHER_TOKEN = (12, 409, "Order is paid or being paid with another client token")
    NOT_PAID = (13, 500, "Unable to process payment with gateway at this time")
    PAYMENT_UNKNOWN = (14, 503, "Payment outcome is not known yet, ask again with the same request")
    BEGIN_NO_ORDER = (15, 400, "Order not found for ServiceDeliveryToken")
    EXPIRED = (16, 400, "ServiceDeliveryToken has expired")
    WRONG_SERVICE = (17, 404, "Could not deliver service. Please contact service provider.")
    END_NO_ORDER = (18, 404, "Unable to find order for ServiceDeliveryToken")
    INTERNAL = (19, 500, "Internal error")

    @property
    def number(self) -> int:
        """Its number, the `errorCode` of the wire."""
        return self.value[0]


class Refused(Exception):
    """Ends an answer with a refusal; raised and caught inside the face."""

    def __init__(self, reason: Reason, about: object = "") -> None:
        number, status, words = reason.value
        self.refusal = Refusal(status, words.format(about), number)
        super().__init__(self.refusal.message)
