"""The receipt of a transfer between purses: `value` and `taken`, as they were said."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from tollbridge.faces.iotp.api.calls import ExpandPaymentReceiptResponse
from tollbridge.faces.iotp.api.elements import Content, PaymentProperty
from tollbridge.faces.iotp.api.words import ISO_4217, PayDirection
from tollbridge.faces.iotp.schemes import statements
from tollbridge.faces.iotp.schemes.purse import RECEIPT
from tollbridge.faces.iotp.schemes.statements import Statement
from tollbridge.ground.errors import InvalidMoney, RemoteProtocolError
from tollbridge.ground.money import Money
from tollbridge.wire import json


def packed(proofs: tuple[Statement, Statement]) -> Content:
    """Package a receipt."""
    parts = [[one.by, one.text, one.seal] for one in proofs]
    return Content.of(json.write(parts), RECEIPT)


def proofs(contents: Sequence[Content]) -> tuple[Statement, Statement] | None:
    """Give the two statements of a receipt; None when it is no receipt, or not alone there."""
    if [one.name for one in contents] != [RECEIPT]:
        return None
    try:
        parts = json.read(contents[0].data, what="receipt")
    except (ValueError, RemoteProtocolError):
        return None
    if not isinstance(parts, list) or len(parts) != 2:
        return None
    found = [
        Statement(*part)
        for part in parts
        if isinstance(part, list) and [type(one) for one in part] == [str, str, str]
    ]
    return (found[0], found[1]) if len(found) == 2 else None


def expanded(
    contents: Sequence[Content], protocol_id: str, instruments: Mapping[str, str]
) -> ExpandPaymentReceiptResponse:
    """Make a receipt fit for people; `instruments` are PaymentInstrumentIds by purse.

    Raises Refused, EncapProtErr.
    """
    found = proofs(contents)
    if found is None:
        raise statements.garbled("not a receipt of this scheme")
    try:
        terms = found[0].body["about"]
        consumer, handler = terms["consumer"], terms["handler"]
        money = Money.of(consumer["amount_minor"], consumer["currency"])
        return ExpandPaymentReceiptResponse(
            brand_id=consumer["brand"],
            payment_instrument_id=instruments.get(consumer["purse"]),
            amount=Decimal(money.decimal()),
            curr_code_type=ISO_4217,
            curr_code=money.currency.code,
            pay_direction=PayDirection(consumer["direction"]),
            protocol_id=protocol_id,
            protocol_trans_id=f"{consumer['purse']}.{consumer['counter']}",
            consumer_desc=consumer["purse"],
            payment_handler_desc=handler["purse"],
            payment_properties=(
                PaymentProperty(
                    property_type="Counters",
                    property_value=f"{consumer['counter']} {handler['counter']}",
                    property_desc="counters of both purses",
                ),
            ),
        )
    except (KeyError, TypeError, ValueError, InvalidMoney):
        raise statements.garbled("not a receipt of this scheme") from None
