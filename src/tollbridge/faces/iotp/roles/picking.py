"""Which brand, protocol and amount a selection means: each once, each in the list (12.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from tollbridge.faces.iotp.api.elements import ProtocolBrand as ApiProtocolBrand
from tollbridge.faces.iotp.api.formats import write_amount
from tollbridge.faces.iotp.api.words import ErrorCode
from tollbridge.faces.iotp.message.components import (
    Brand,
    BrandList,
    BrandSelection,
    CurrencyAmount,
    Payment,
    PayProtocol,
    ProtocolAmount,
    ProtocolBrand,
)
from tollbridge.faces.iotp.roles.problems import Problem


class _Named(Protocol):
    @property
    def id(self) -> str: ...


N = TypeVar("N", bound=_Named)


@dataclass(frozen=True, slots=True)
class Picked:
    """What a selection means."""

    brand: Brand
    protocol_amount: ProtocolAmount
    amount: CurrencyAmount
    protocol: PayProtocol

    @property
    def protocol_brand(self) -> ProtocolBrand | None:
        """The brand's code in the protocol, if it has one."""
        name = self.protocol.protocol_id
        return next((one for one in self.brand.protocol_brands if one.protocol_id == name), None)

    @property
    def api_brand(self) -> ApiProtocolBrand | None:
        """The same for a bridge."""
        found = self.protocol_brand
        if found is None:
            return None
        return ApiProtocolBrand(
            protocol_id=found.protocol_id,
            protocol_brand_id=found.protocol_brand_id,
            protocol_brand_packaged_content=found.contents,
        )

    @property
    def terms(self) -> list[str]:
        """What must not change while a payment goes on."""
        money = [self.amount.curr_code_type, self.amount.curr_code]
        return [self.brand.brand_id, self.protocol.protocol_id, *money,
                write_amount(self.amount.amount)]  # fmt: skip


def picked(brands: BrandList, selection: BrandSelection, payment: Payment | None = None) -> Picked:
    """Find what a selection means. Raises Problem naming the reference that leads nowhere."""
    if selection.brand_list_ref != brands.id or (
        payment is not None and payment.brand_list_ref != brands.id
    ):
        raise _wrong(selection, "BrandListRef", selection.brand_list_ref)
    brand = _one(brands.brands, selection.brand_ref, selection, "BrandRef")
    way = _one(
        brands.protocol_amounts, selection.protocol_amount_ref, selection, "ProtocolAmountRef"
    )
    amount = _one(
        brands.currency_amounts, selection.currency_amount_ref, selection, "CurrencyAmountRef"
    )
    protocol = _one(brands.pay_protocols, way.pay_protocol_ref, selection, "ProtocolAmountRef")
    if way.id not in brand.protocol_amount_refs:
        raise _wrong(selection, "ProtocolAmountRef", way.id)
    if amount.id not in way.currency_amount_refs:
        raise _wrong(selection, "CurrencyAmountRef", amount.id)
    return Picked(brand, way, amount, protocol)


def _one(found: Sequence[N], name: str, selection: BrandSelection, attribute: str) -> N:
    matching = [one for one in found if one.id == name]
    if len(matching) != 1:
        raise _wrong(selection, attribute, name)
    return matching[0]


def _wrong(selection: BrandSelection, attribute: str, value: str) -> Problem:
    text = f"{attribute} {value!r:.40} is not what was offered"
    return Problem(ErrorCode.EL_INCONSISTENT, text, element="BrandSelection", ref=selection.id,
                   attribute=attribute, value=value)  # fmt: skip
