"""Choosing how to pay: what the Merchant takes and the wallet has (2.3, figure 4)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tollbridge.faces.iotp.api.calls import (
    CheckPaymentPossibility,
    CheckPaymentPossibilityResponse,
    FindPaymentInstrument,
    ManagePaymentSoftware,
)
from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.words import Action, ErrorCode, Transform
from tollbridge.faces.iotp.message.components import (
    BrandList,
    BrandSelBrandInfo,
    BrandSelCurrencyAmountInfo,
    BrandSelection,
    BrandSelProtocolAmountInfo,
)
from tollbridge.faces.iotp.roles import picking
from tollbridge.faces.iotp.roles.core import Cancelled, Core, Suspended
from tollbridge.faces.iotp.roles.person import Choose, Option, Way
from tollbridge.faces.iotp.roles.picking import Picked
from tollbridge.faces.iotp.roles.problems import Failed, Unusable
from tollbridge.ground.flow import Flow

WAYS = (Way.RETRY, Way.OTHER, Way.GO_ON, Way.SUSPEND, Way.CANCEL)


@dataclass(frozen=True, slots=True)
class Possible:
    """A way to pay: what was offered, and what the wallet has for it."""

    refs: tuple[str, str, str]
    picked: Picked
    option: Option


@dataclass(frozen=True, slots=True)
class Selected:
    """What was chosen, and what the bridge wants the others to know of it."""

    brands: BrandList
    possible: Possible
    checked: CheckPaymentPossibilityResponse | None

    def component(self, ids: Iterable[str]) -> BrandSelection:
        """Make the Brand Selection component (2.3, step 7)."""
        names = iter(ids)
        brand, way, amount = self.possible.refs
        made = self.checked
        info = made.brand_sel_brand_info_packaged_content if made else ()
        ways = made.brand_sel_protocol_amount_info_packaged_content if made else ()
        money = made.brand_sel_currency_amount_info_packaged_content if made else ()
        return BrandSelection(
            id=next(names),
            brand_list_ref=self.brands.id,
            brand_ref=brand,
            protocol_amount_ref=way,
            currency_amount_ref=amount,
            brand_info=BrandSelBrandInfo(id=next(names), contents=info) if info else None,
            protocol_amount_info=(
                BrandSelProtocolAmountInfo(id=next(names), contents=ways) if ways else None
            ),
            currency_amount_info=(
                BrandSelCurrencyAmountInfo(id=next(names), contents=money) if money else None
            ),
        )


def ways(brands: BrandList) -> list[tuple[tuple[str, str, str], Picked]]:
    """Give every brand, protocol and amount of a list: together exactly what is offered."""
    by_id = {way.id: way for way in brands.protocol_amounts}
    found = []
    for brand in brands.brands:
        for ref in brand.protocol_amount_refs:
            for amount in by_id[ref].currency_amount_refs if ref in by_id else ():
                selection = BrandSelection(
                    id="", brand_list_ref=brands.id, brand_ref=brand.id,
                    protocol_amount_ref=ref, currency_amount_ref=amount,
                )  # fmt: skip
                found.append(((brand.id, ref, amount), picking.picked(brands, selection)))
    return found


def possible(core: Core, brands: BrandList, pay_id: str) -> Flow[list[Possible]]:
    """Ask every bridge for instruments for every way; bridges that cannot are skipped."""
    found: list[Possible] = []
    for refs, picked in ways(brands):
        for name in core.bridges:
            call = FindPaymentInstrument(
                brand_id=picked.brand.brand_id,
                protocol_id=picked.protocol.protocol_id,
                consumer_pay_id=pay_id,
                **_common(brands, picked),
            )
            try:
                answer = yield from core.bridges.call(name, call)
            except Failed:
                continue
            instruments = [(one.id or None, one.pay_inst_name) for one in answer.pay_instruments]
            for instrument, label in instruments or [(None, "")]:
                found.append(
                    Possible(refs, picked, _option(name, brands, picked, instrument, label))
                )
    return found


def select(
    core: Core,
    brands: BrandList,
    pay_id: str,
    *,
    only: list[str] | None = None,
    check: bool = True,
) -> Flow[Selected]:
    """Let a way to pay be chosen and, unless `check` is False, check that it is possible.

    `only` are terms that must stay (the brand was agreed). Raises Suspended, Cancelled, Unusable.
    """
    without: set[Option] = set()
    while True:
        found = [
            one
            for one in (yield from possible(core, brands, pay_id))
            if (only is None or one.picked.terms == only) and one.option not in without
        ]
        if not found:
            names = ", ".join(dict.fromkeys(brand.brand_name for brand in brands.brands))
            text = f"nothing in the wallet for {names}; `wallet register` adds something"
            way = yield from core.decide(text, Way.RETRY, Way.REGISTER, Way.SUSPEND, Way.CANCEL)
            if way is Way.REGISTER:
                yield from _register(core, tuple(core.bridges), ways(brands))
            continue
        one = yield from _chosen(core, brands, found)
        if not check:
            return Selected(brands, one, None)
        try:
            checked = yield from _checked(core, brands, one, pay_id)
        except _Again:
            continue
        except _Other:
            without.add(one.option)
            continue
        return Selected(brands, one, checked)


class _Other(Exception):
    """Another way to pay is wanted."""


class _Again(Exception):
    """The wallet has something new: it is looked at again."""


def _is_unknown(failed: Failed) -> bool:
    """Say whether a bridge has nothing of the brand, so that registering something may help."""
    error = failed.error
    about = any(place.att_name == "BrandId" for place in error.error_locations)
    return error.error_code is ErrorCode.ATT_VAL_ILLEGAL and about


def _register(
    core: Core, bridges: Sequence[str], found: Sequence[tuple[tuple[str, str, str], Picked]]
) -> Flow[None]:
    """Let an instrument be registered for one of these ways, with one of these bridges (2.8)."""
    reasons = []
    for _, picked in found:
        for name in bridges:
            call = ManagePaymentSoftware(
                brand_id=picked.brand.brand_id,
                protocol_id=picked.protocol.protocol_id,
                action=Action.NEW,
                brand_packaged_content=picked.brand.contents,
                protocol_amount_packaged_content=picked.protocol_amount.contents,
                pay_protocol_packaged_content=picked.protocol.contents,
            )
            try:
                yield from core.manage(name, call)
            except Failed as failed:
                reasons.append(failed.error.error_desc)
            else:
                return
    yield from core.notice(reasons[0] if reasons else None)


def _chosen(core: Core, brands: BrandList, found: list[Possible]) -> Flow[Possible]:
    options = tuple(one.option for one in found)
    answer = yield from core.person(Choose(brands.short_desc, options))
    match answer:
        case Way.SUSPEND:
            raise Suspended("at the choice of how to pay")
        case int() if 0 <= answer < len(found):
            return found[answer]
        case Way.CANCEL:
            raise Cancelled("at the choice of how to pay")
        case _:
            raise Unusable("no way to pay was chosen")


def _checked(
    core: Core, brands: BrandList, one: Possible, pay_id: str
) -> Flow[CheckPaymentPossibilityResponse | None]:
    """Ask the chosen bridge whether it may work; the person may go on regardless (2.3, step 5)."""
    picked = one.picked
    call = CheckPaymentPossibility(
        brand_id=picked.brand.brand_id,
        payment_instrument_id=one.option.instrument_id,
        protocol_id=picked.protocol.protocol_id,
        consumer_pay_id=pay_id,
        **_common(brands, picked),
    )
    while True:
        try:
            return (yield from core.bridges.call(one.option.bridge, call))
        except Failed as failed:
            text = failed.error.error_desc
            unknown = _is_unknown(failed)
        way = yield from core.decide(text, *WAYS, *((Way.REGISTER,) if unknown else ()))
        if way is Way.OTHER:
            raise _Other
        if way is Way.REGISTER:
            yield from _register(core, (one.option.bridge,), [(one.refs, picked)])
            raise _Again
        if way is Way.GO_ON:
            return None


def _common(brands: BrandList, picked: Picked) -> dict[str, Any]:
    contents: dict[str, tuple[Content, ...]] = {
        "brand_packaged_content": picked.brand.contents,
        "protocol_amount_packaged_content": picked.protocol_amount.contents,
        "pay_protocol_packaged_content": picked.protocol.contents,
    }
    return {
        "pay_direction": brands.pay_direction,
        "curr_code_type": picked.amount.curr_code_type,
        "curr_code": picked.amount.curr_code,
        "amount": picked.amount.amount,
        "protocol_brand": picked.api_brand,
        **contents,
    }


def _option(
    name: str, brands: BrandList, picked: Picked, instrument: str | None, label: str
) -> Option:
    return Option(
        bridge=name,
        brand_id=picked.brand.brand_id,
        brand_name=picked.brand.brand_name,
        protocol_id=picked.protocol.protocol_id,
        protocol_name=picked.protocol.protocol_name,
        amount=picked.amount.amount,
        currency=picked.amount.curr_code,
        direction=brands.pay_direction,
        instrument_id=instrument,
        instrument_name=label,
        narrative=picked.brand.brand_narrative or "",
    )


INFOS = (
    ("brand_info", BrandSelBrandInfo),
    ("protocol_amount_info", BrandSelProtocolAmountInfo),
    ("currency_amount_info", BrandSelCurrencyAmountInfo),
)


def written(selection: BrandSelection) -> dict[str, Any]:
    """Give a selection as a page may hold it."""
    found: dict[str, Any] = {
        "id": selection.id,
        "refs": [selection.brand_list_ref, selection.brand_ref, selection.protocol_amount_ref,
                 selection.currency_amount_ref],
    }  # fmt: skip
    for name, _ in INFOS:
        info = getattr(selection, name)
        if info is not None:
            found[name] = [info.id, [[c.text, c.name, c.content, c.transform]
                                     for c in info.contents]]  # fmt: skip
    return found


def read(found: dict[str, Any]) -> BrandSelection:
    """Make the selection of a page again."""
    infos: dict[str, Any] = {}
    for name, kind in INFOS:
        if name in found:
            info_id, contents = found[name]
            infos[name] = kind(id=info_id, contents=tuple([
                Content(text=text, name=label, content=content, transform=Transform(transform))
                for text, label, content, transform in contents
            ]))  # fmt: skip
    names = ("brand_list_ref", "brand_ref", "protocol_amount_ref", "currency_amount_ref")
    refs = dict(zip(names, found["refs"], strict=True))
    return BrandSelection(id=found["id"], **refs, **infos)
