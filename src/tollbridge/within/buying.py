"""Buying from beginning to end: the ten steps of the consumer flow in two calls (seed 001).

`buy` finds what is wanted, agrees and pays; `take` is supplied, now or another day. What was paid
is in the wallet before anything else happens, so a crash between any two steps loses nothing: the
payment is asked for again with the same client token and charged once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from tollbridge.faces.within.card import HceCard
from tollbridge.faces.within.discovery import PORT
from tollbridge.faces.within.errors import (
    BadArgument,
    PeerNonsense,
    PeerRefused,
    PeerUnreachable,
)
from tollbridge.faces.within.messages import Broadcast, Price, ServiceDetails, Total
from tollbridge.faces.within.refusals import Reason
from tollbridge.ground.money import Money
from tollbridge.within import provider
from tollbridge.within.consumer import Consumer
from tollbridge.within.finding import discover
from tollbridge.within.options import Options
from tollbridge.within.wallet import Purchase, Wallet


class Step(StrEnum):
    """Where a purchase is."""

    SERVICES = "services"
    PRICES = "prices"
    TOTAL = "total"
    CARD = "card"
    PAID = "paid"
    BEGUN = "begun"
    ENDED = "ended"


Progress = Callable[[Step, str], None]
"""Hears of each step that is done, with a few words about it."""

Meanwhile = Callable[[int], Awaitable[int]]
"""While so many units are supplied; gives the units received."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to buy. `service` is an id, a name or a type; None takes the only one there is.

    `price_id` None takes the cheapest. `most` None pays whatever it comes to.
    """

    units: int
    service: int | str | None = None
    price_id: int | None = None
    most: Money | None = None


@dataclass(frozen=True, slots=True)
class Purse:
    """What to pay with: a card, the payment provider's configuration, and the wallet to keep."""

    client_id: str
    card: HceCard
    psp: Mapping[str, str]
    wallet: Wallet
    options: Options


def _silent(_: Step, __: str) -> None:
    pass


async def _all_of_them(units: int) -> int:
    await asyncio.sleep(0)
    return units


async def buy(
    producer: Broadcast, wish: Wish, purse: Purse, progress: Progress = _silent
) -> Purchase:
    """Find, agree and pay. Raises WithinError.

    After PaymentUnknown, `finish` what is in the wallet. Raises BadArgument when there is no such
    service or price, or it costs more than wished.
    """
    consumer = _consumer(producer, purse)
    try:
        services = await consumer.request_services()
        progress(Step.SERVICES, ", ".join(service.name for service in services) or "none")
        service = _service(services, wish.service)
        prices = await consumer.get_service_prices(service.service_id)
        price = _price(prices, wish.price_id)
        progress(Step.PRICES, f"{price.description}: {_per_unit(price)}")
        total = await consumer.select_service(service.service_id, wish.units, price.price_id)
        _check(total, wish)
        cost = Money.of(total.total_minor, total.currency_code)
        progress(Step.TOTAL, f"{total.units} units, {cost}")
        client_token = await consumer.prepare_payment(total)
        purchase = Purchase(
            producer=producer,
            service_id=service.service_id,
            service_name=service.name,
            total=total,
            client_token=client_token,
        )
        purse.wallet.keep(purchase)
        progress(Step.CARD, purse.card.masked_number)
        return await _pay(consumer, purchase, purse.wallet, progress)
    finally:
        await consumer.close()


async def finish(purchase: Purchase, purse: Purse, progress: Progress = _silent) -> Purchase:
    """Learn what became of a payment that was begun; it is charged once. Raises WithinError."""
    if purchase.token is not None:
        return purchase
    consumer = _consumer(purchase.producer, purse)
    try:
        if purchase.client_token is not None:
            consumer.remember(purchase.reference, purchase.client_token)
        return await _pay(consumer, purchase, purse.wallet, progress)
    finally:
        await consumer.close()


async def find_again(
    purchase: Purchase, timeout_s: float, *, mdns: bool = False, port: int = PORT
) -> Purchase:
    """Look for the producer of a purchase, which may have another address by now.

    Gives the purchase with the address that is broadcast under the same id. Raises PeerUnreachable
    when nobody broadcasts it.
    """
    wanted = purchase.producer.server_id
    for found in await discover(timeout_s, mdns=mdns, port=port):
        if found.server_id == wanted:
            return replace(purchase, producer=found)
    raise PeerUnreachable("SCANFORSERVICE", "WPW", "the device is not around")


async def take(
    purchase: Purchase,
    units: int,
    purse: Purse,
    meanwhile: Meanwhile = _all_of_them,
    progress: Progress = _silent,
) -> Purchase:
    """Be supplied with what was paid: at most so many units, once. Raises WithinError.

    `meanwhile` runs while the producer supplies, and gives what was received.
    """
    if purchase.token is None:
        raise BadArgument("NO_DATA", "DATA", "it is not known yet whether this was paid")
    consumer = _consumer(purchase.producer, purse)
    try:
        service, token = purchase.service_id, purchase.token
        begun = await consumer.begin_service_delivery(service, token, units)
        if not begun.units:
            # A delivery that a crash cut off still holds them: it is ended, as far as it came.
            await consumer.end_service_delivery(service, token, 0)
            begun = await consumer.begin_service_delivery(service, token, units)
        progress(Step.BEGUN, f"{begun.units} units")
        received = await meanwhile(begun.units) if begun.units else 0
        ended = await consumer.end_service_delivery(service, token, received)
        left = ended.units_remaining
        progress(Step.ENDED, f"{ended.units_just_supplied} units, {left} to come")
        return purse.wallet.keep(purchase.supplied(left))
    finally:
        await consumer.close()


async def _pay(
    consumer: Consumer, purchase: Purchase, wallet: Wallet, progress: Progress
) -> Purchase:
    try:
        paid = await consumer.make_payment(purchase.total)
    except PeerRefused as refused:
        if refused.number in (Reason.NOT_PAID.number, Reason.NO_ORDER.number):
            wallet.forget(purchase.reference)
        raise
    purchase = wallet.keep(purchase.paid(paid.token))
    progress(Step.PAID, f"{purchase.price}, reference {purchase.reference}")
    return purchase


def _consumer(producer: Broadcast, purse: Purse) -> Consumer:
    tokens = provider.tokens(purse.psp, allow_plain=purse.options.allow_plain_provider)
    return Consumer(producer, purse.client_id, purse.card, tokens, purse.options)


def _service(services: list[ServiceDetails], wanted: int | str | None) -> ServiceDetails:
    found = [
        service
        for service in services
        if wanted in (None, service.service_id, service.name, service.service_type)
    ]
    if len(found) != 1:
        there = ", ".join(f"{service.service_id} {service.name}" for service in services) or "none"
        raise BadArgument("NILSERVISERESPONSE", "WPW", f"choose a service; there are: {there}")
    return found[0]


def _price(prices: list[Price], wanted: int | None) -> Price:
    found = [price for price in prices if wanted in (None, price.price_id)]
    if not found:
        raise BadArgument("PRICESNIL", "WPW", f"there is no price {wanted}")
    return min(found, key=lambda price: price.per_unit.amount_minor)


def _per_unit(price: Price) -> str:
    cost = Money.of(price.per_unit.amount_minor, price.per_unit.currency_code)
    return f"{cost} for {price.unit_description or 'a unit'}"


def _check(total: Total, wish: Wish) -> None:
    if wish.most is None:
        return
    cost = Money.of(total.total_minor, total.currency_code)
    if cost.currency != wish.most.currency or cost.amount_minor > wish.most.amount_minor:
        raise BadArgument("UNKNOWN", "GENERAL", f"{cost} is more than {wish.most}")


def cheapest(offers: list[tuple[Broadcast, Price]]) -> tuple[Broadcast, Price]:
    """Choose the offer whose unit costs least; all must be in one currency.

    Raises PeerNonsense without offers or with several currencies.
    """
    currencies = {price.per_unit.currency_code for _, price in offers}
    if len(currencies) != 1:
        raise PeerNonsense("PRICESNIL", "WPW", "no offers that can be compared")
    return min(offers, key=lambda offer: offer[1].per_unit.amount_minor)
