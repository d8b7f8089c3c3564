"""What a scheme takes: brands, its protocol, currencies, amounts, and the time an offer is good."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from tollbridge.faces.iotp.api.answer import Refused, refused
from tollbridge.faces.iotp.api.formats import write_amount
from tollbridge.faces.iotp.api.words import ISO_4217, ErrorCode, PayDirection
from tollbridge.ground.clock import Instant
from tollbridge.ground.errors import InvalidMoney
from tollbridge.ground.money import Money


class Wanted(Protocol):
    """What calls about an amount have."""

    @property
    def pay_direction(self) -> PayDirection: ...

    @property
    def curr_code_type(self) -> str: ...

    @property
    def curr_code(self) -> str: ...

    @property
    def amount(self) -> Decimal: ...


class Timed(Protocol):
    """What calls about an offer have."""

    @property
    def ok_from(self) -> Instant: ...

    @property
    def ok_to(self) -> Instant: ...


@dataclass(frozen=True, slots=True)
class Scheme:
    """One scheme as its bridges offer it.

    `brands` by BrandId; `currencies` empty: every one; `directions` what it does.
    """

    protocol_id: str
    protocol_name: str
    brands: tuple[str, ...]
    currencies: frozenset[str] = frozenset()
    directions: frozenset[PayDirection] = frozenset(PayDirection)

    def money(self, call: Wanted) -> Money:
        """Give the amount of a call. Raises Refused, AttValIllegal."""
        element = type(call).__name__
        if call.pay_direction not in self.directions:
            raise illegal("PayDirection", element, f"{call.pay_direction} is not done")
        if call.curr_code_type != ISO_4217:
            raise illegal("CurrCodeType", element, f"currencies are those of {ISO_4217}")
        if self.currencies and call.curr_code not in self.currencies:
            raise illegal("CurrCode", element, f"{call.curr_code:.14} is not taken")
        try:
            money = Money.parse(write_amount(call.amount), call.curr_code)
        except InvalidMoney as error:
            name = "Amount" if _is_currency(call.curr_code) else "CurrCode"
            raise illegal(name, element, str(error)) from None
        if money.amount_minor < 1:
            raise illegal("Amount", element, "an amount above zero is expected")
        return money

    def fits(self, call: Wanted) -> bool:
        """Say whether the amount of a call is taken."""
        try:
            self.money(call)
        except Refused:
            return False
        return True

    def named(self, element: str, brand_id: str, protocol_id: str) -> None:
        """Check brand and protocol. Raises Refused, AttValIllegal."""
        if brand_id not in self.brands:
            raise illegal("BrandId", element, f"the brand {brand_id:.40} is not known here")
        if protocol_id != self.protocol_id:
            raise illegal("ProtocolId", element, f"the protocol is {self.protocol_id}")


def in_time(call: Timed, now: Instant) -> None:
    """Check that an offer is good now. Raises Refused: ValueTooSmall or ValueTooLarge."""
    element = type(call).__name__
    if now < call.ok_from:
        text = "the offer is not good yet"
        raise refused(ErrorCode.VALUE_TOO_SMALL, text, "OkFrom", element=element)
    if now > call.ok_to:
        text = "the offer is not good any more"
        raise refused(ErrorCode.VALUE_TOO_LARGE, text, "OkTo", element=element)


def illegal(name: str, element: str, text: str) -> Refused:
    """Make the refusal of a value that breaks the rules."""
    return refused(ErrorCode.ATT_VAL_ILLEGAL, text, name, element=element)


def _is_currency(code: str) -> bool:
    try:
        Money.of(0, code)
    except InvalidMoney:
        return False
    return True
