"""Wallets: who the customers are, and what they pay with.

Instruments of the settings are stored at the provider when they are first used, and never again;
others come from the provider's own page. A wallet's page keeps the provider's token of each,
sealed by the device.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tollbridge.core.asks import Ask
from tollbridge.core.brands import brand_of
from tollbridge.core.instrument import Card, Instrument, InstrumentView, Token
from tollbridge.core.outcome import Approved
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.faces.webinos import sessions
from tollbridge.faces.webinos.house import House, Talk
from tollbridge.faces.webinos.messages import Refused
from tollbridge.faces.webinos.outcome import UNREACHABLE, Failed, charge, of_error, of_outcome
from tollbridge.faces.webinos.settings import Customer
from tollbridge.faces.webinos.settings import Instrument as Configured
from tollbridge.ground.clock import Instant, day
from tollbridge.ground.errors import Unsupported, UsageError
from tollbridge.ground.flow import Note, Page, Recall, Remember
from tollbridge.ground.ids import IdempotencyKey
from tollbridge.ground.secret import Secret, luhn, mask_number
from tollbridge.wire import json

INSTRUMENTS_MAX = 20
_EXPIRY = re.compile(r"(\d\d)/(\d\d)", re.ASCII)
_NUMBER = re.compile(r"\d{12,19}", re.ASCII)
_CODE = re.compile(r"\d{3,4}", re.ASCII)


@dataclass(slots=True, kw_only=True)
class Held:
    """An instrument of a wallet. `sealed` holds the token of it by bridge, as far as it is stored;
    `used`: it has paid before."""

    id: str
    brand: str
    masked: str
    label: str = ""
    sealed: dict[str, str] = field(default_factory=dict)
    used: bool = False

    @property
    def view(self) -> InstrumentView:
        """What may be shown of it."""
        return InstrumentView(self.brand, self.masked, entry="online")


@dataclass(slots=True, kw_only=True)
class Wallet:
    """A customer. `payments` counts what was paid; `failed` how often storing an instrument was
    refused, by the instrument's id. `cards` are those of the settings, in memory only, and
    `tokens` the settings' instruments that one bridge's provider knows."""

    customer: str
    name: str = ""
    contact: str = ""
    mark: str = ""
    payments: int = 0
    instruments: list[Held] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)
    version: int = 0
    cards: dict[str, Card] = field(default_factory=dict, repr=False)
    tokens: dict[tuple[str, str], Secret[str]] = field(default_factory=dict, repr=False)

    def find(self, instrument: str) -> Held | None:
        """Find an instrument by its name."""
        return next((held for held in self.instruments if held.id == instrument), None)

    def usable(self, bridge: str) -> list[Held]:
        """List what can pay through a bridge."""
        return [
            held
            for held in self.instruments
            if bridge in held.sealed or held.id in self.cards or (held.id, bridge) in self.tokens
        ]

    def choose(self, bridge: str, instrument: str = "") -> Held | None:
        """Find an instrument that can pay through a bridge; the first one for ""."""
        found = self.usable(bridge)
        return next((held for held in found if instrument in ("", held.id)), None)

    def note(self) -> Note:
        """Give the write of its page, on top of the version it was read with."""
        fields = asdict(replace(self, cards={}, tokens={}))
        del fields["version"], fields["cards"], fields["tokens"]
        fields["instruments"] = [
            each for each in fields["instruments"] if each["sealed"] or each["used"]
        ]
        return Note(sessions.wallet(self.customer), json.write(fields), expected=self.version)


def load(house: House, customer: str) -> Talk[Wallet | None]:
    """Find a customer: of the settings, or made on the provider's page."""
    found: Page | None = yield Recall(sessions.wallet(customer))
    configured = house.provider.customers.get(customer)
    if found is None:
        if configured is None:
            return None
        wallet = Wallet(customer=customer)
    else:
        fields = json.read_object(found.value, what="wallet")
        instruments = [Held(**each) for each in fields.pop("instruments")]
        wallet = Wallet(**fields, instruments=instruments, version=found.version)
    if configured is not None:
        yield from _configured(house, wallet, configured)
    return wallet


def mark_of(house: House, customer: str) -> Talk[str]:
    """Give a customer's own mark, "" where there is none."""
    configured = house.provider.customers.get(customer)
    if configured is not None:
        return configured.mark
    found: Page | None = yield Recall(sessions.wallet(customer))
    mark = json.read_object(found.value, what="wallet")["mark"] if found else ""
    return str(mark)


def _configured(house: House, wallet: Wallet, customer: Customer) -> Talk[None]:
    wallet.name, wallet.contact, wallet.mark = customer.name, customer.contact, customer.mark
    for instrument in customer.instruments:
        if instrument.bridge:
            known = yield from _known(house, instrument)
            if wallet.find(known.id) is None:
                wallet.instruments.append(known)
            wallet.tokens[known.id, instrument.bridge] = instrument.token
            continue
        card = card_of(instrument.number, instrument.expiry, None)
        held = yield from new(house, card, instrument.label)
        if wallet.find(held.id) is None:
            wallet.instruments.append(held)
        wallet.cards[held.id] = card


def _known(house: House, instrument: Configured) -> Talk[Held]:
    """Name an instrument that a provider knows; of a long token the last letters are shown."""
    plain = instrument.token.reveal()
    token = yield from house.token(f"instrument\0{instrument.bridge}\0{plain}")
    masked = f"****{plain[-4:]}" if len(plain) > len("****") * 2 else ""
    return Held(id=f"in_{token[:16].lower()}", brand="", masked=masked, label=instrument.label)


def new(house: House, card: Card, label: str = "") -> Talk[Held]:
    """Give a card the name it has in wallets: the same card, the same name."""
    token = yield from house.token(f"instrument\0{card.number.reveal()}")
    return Held(
        id=f"in_{token[:16].lower()}",
        brand=card.view.brand,
        masked=card.view.masked_number,
        label=label,
    )


class NotStored(Failed):
    """The provider said no to an instrument; asking the same again would find the same answer."""


def instrument_of(house: House, wallet: Wallet, held: Held, bridge: str) -> Talk[Instrument]:
    """Give what an instrument of a wallet pays with, stored if it was not. Raises Failed."""
    known = wallet.tokens.get((held.id, bridge))
    if known is not None:
        return Token(known, held.view)
    if bridge not in held.sealed:
        card = wallet.cards.get(held.id)
        if card is None:
            raise Failed(charge("instrument_missing", "There is no such instrument."))
        sealed = yield from _stored(house, wallet, held, card, bridge)
        if not sealed:
            return card
        held.sealed[bridge] = sealed
        # Where the wallet was changed meanwhile, the token is as good, and is kept next time.
        yield Remember((wallet.note(),))
    plain = yield from house.unsealed(held.sealed[bridge])
    return Token(plain, held.view)


def _stored(house: House, wallet: Wallet, held: Held, card: Card, bridge: str) -> Talk[str]:
    """Have an instrument of the settings stored, and count what failed, so that it can be tried
    anew. What was broken off by a crash is tried anew at once."""
    for again in (True, False):
        attempt = wallet.failed.get(held.id, 0)
        name = f"{wallet.customer}/{bridge}/{held.id}/{attempt}"
        try:
            return (yield from stored(house, card, bridge, name))
        except NotStored as failed:
            wallet.failed[held.id] = attempt + 1
            if (yield Remember((wallet.note(),))):
                wallet.version += 1
            if not (again and failed.problem.retry):
                raise
    raise AssertionError("the second attempt ends it")


def stored(house: House, card: Card, bridge: str, name: str) -> Talk[str]:
    """Have a card stored at the provider, once for each name; give its token, sealed.

    "" where the bridge cannot store: then cards pay themselves and are not kept. Raises Failed.
    """
    try:
        payment: Payment = yield Ask(
            verb=Verb.STORE,
            key=IdempotencyKey(f"{sessions.SCOPE}.store", name),
            instrument=card,
            merchant=house.provider.name,
            bridge=bridge,
        )
    except Unsupported:
        return ""
    except UsageError as error:
        raise Failed(of_error(error)) from None
    outcome = payment.opening.outcome
    if payment.opening.unresolved or outcome is None:
        raise Failed(UNREACHABLE)
    if not isinstance(outcome, Approved):
        raise NotStored(of_outcome(outcome) or UNREACHABLE)
    token = outcome.details.get("token") or outcome.reference
    return (yield from house.sealed(Secret(token)))


def card_of(number: Secret[str], expiry: Secret[str], code: Secret[str] | None) -> Card:
    """Make a card of a number and an expiry written MM/YY."""
    digits = number.reveal()
    brand = brand_of(digits)
    view = InstrumentView(brand.name if brand else "", mask_number(digits), entry="online")
    month, _, year = expiry.reveal().partition("/")
    return Card(number, view, Secret(year + month), code)


def read_card(fields: object, now: Instant) -> Card:
    """Read a card as the provider's page sends it. Raises Refused."""
    value = fields if isinstance(fields, Mapping) else {}
    number = _digits(value.get("number"))
    if not _NUMBER.fullmatch(number) or not luhn(number):
        raise _card_is_wrong("The card number is not right.")
    expiry = value.get("expiry")
    date = _EXPIRY.fullmatch(expiry) if isinstance(expiry, str) else None
    if date is None or not 1 <= int(date[1]) <= 12:
        raise _card_is_wrong("The card's expiry is written MM/YY.")
    today = day(now)
    if (2000 + int(date[2]), int(date[1])) < (today.year, today.month):
        raise _card_is_wrong("The card is expired.")
    code = value.get("code")
    if code not in (None, "") and not (isinstance(code, str) and _CODE.fullmatch(code)):
        raise _card_is_wrong("The security code has three or four digits.")
    secret = Secret(code) if code else None
    return card_of(Secret(number), Secret(f"{date[1]}/{date[2]}"), secret)


def _digits(value: Any) -> str:
    return value.replace(" ", "").replace("-", "") if isinstance(value, str) else ""


def _card_is_wrong(message: str) -> Refused:
    return Refused(422, charge("card_invalid", message))
