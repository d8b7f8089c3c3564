"""From settings to roles: a shop, a payment handler, and the bridges that both need.

Without settings it is the demonstration: one shop with a few items, test cards, purses of an issuer
that everybody can load. Whoever leaves `secret` out uses the one that is printed here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from tollbridge.core.brands import brand_of
from tollbridge.core.instrument import Card, InstrumentView
from tollbridge.faces.iotp.api import formats
from tollbridge.faces.iotp.api.bridge import PaymentBridge
from tollbridge.faces.iotp.api.elements import BrandItem, PaymentHandlerOrg
from tollbridge.faces.iotp.api.remote import Remote
from tollbridge.faces.iotp.api.words import PayDirection
from tollbridge.faces.iotp.message.signing import Keyring
from tollbridge.faces.iotp.message.words import TransactionType
from tollbridge.faces.iotp.roles.delivery import DeliveryHandler
from tollbridge.faces.iotp.roles.goods import POST, WEB, Goods
from tollbridge.faces.iotp.roles.handler import PaymentHandler
from tollbridge.faces.iotp.roles.merchant import Merchant
from tollbridge.faces.iotp.roles.settings import (
    DeliverySettings,
    HandlerSettings,
    Item,
    KeySettings,
    Leg,
    MerchantSettings,
    PartySettings,
)
from tollbridge.faces.iotp.roles.software import PATH, First, Software
from tollbridge.faces.iotp.schemes import card, purse, purses
from tollbridge.faces.iotp.schemes.book import Book
from tollbridge.faces.iotp.schemes.offering import Offering
from tollbridge.faces.iotp.schemes.records import Records
from tollbridge.faces.iotp.schemes.terms import Scheme
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.flow import Flow
from tollbridge.ground.ids import IdSource
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret, mask_number

DEMONSTRATION = "tollbridge demonstration, for tests only"
"""The secret of the demonstration: tokens and keys of its instruments follow from it."""
MERCHANT, PAYMENT, DELIVERY, SOFTWARE = "merchant", "payment", "delivery", "software"
ROLES = (MERCHANT, PAYMENT, DELIVERY)
DEBIT, CREDIT = PayDirection.DEBIT, PayDirection.CREDIT
CARDS, PURSES = "card", "purse"
ISSUER = "issuer"
LOGOS = "http://logos.invalid"
URL = "http://127.0.0.1:8700"
BRANDS: Mapping[str, str] = {
    "Visa": "VISA", "Mastercard": "MasterCard", "American Express": "Amex", "JCB": "JCB",
    "Maestro": "Maestro",
}  # fmt: skip
"""Our names of brands and the registered ones (RFC 2801, 12.1)."""
TEST_CARDS: Mapping[str, str] = {
    "visa": "4242424242424242",
    "mastercard": "5555555555554444",
    "amex": "378282246310005",
    "declined": "4000000000000002",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What is opened: which roles, where, and with what.

    `roles` are some of merchant, payment and delivery. `url` is where this process is reached,
    `payment_url` where the Payment Handler is, `purse_url` where another one takes payments by
    purse, `delivery_url` where the Delivery Handler is, when it is not this process. `secret` is
    what tokens and keys of instruments follow from: Merchant and Payment Handlers share it.
    `signing_key` and its like are as in `KeySettings`. `software_url` is where the payment software
    runs, when it is not this process, and `software_token` what it is shown. `cards` are numbers by
    name, `issued_minor` what the issuer's purse holds at first, `bridge` where card payments go
    ("": the first one), `members` pass phrases by name.
    """

    roles: tuple[str, ...] = ROLES
    url: str = URL
    payment_url: str = ""
    org_id: str = "shop.example"
    legal_name: str = "The Demonstration Shop"
    payment_org_id: str = "pay.example"
    payment_legal_name: str = "The Demonstration Payment Handler"
    purse_url: str = ""
    purse_org_id: str = "purse.example"
    purse_legal_name: str = "The Demonstration Purse House"
    delivery_url: str = ""
    delivery_org_id: str = "delivery.example"
    delivery_legal_name: str = "The Demonstration Courier"
    secret: Secret[str] = field(default_factory=lambda: Secret(DEMONSTRATION))
    currencies: tuple[str, ...] = ("EUR", "GBP", "USD")
    cards: Mapping[str, str] = field(default_factory=lambda: TEST_CARDS)
    items: Mapping[str, Item] = field(default_factory=lambda: DEMONSTRATION_ITEMS)
    issued_minor: int = 1_000_000
    bridge: str = ""
    patience_s: float | None = None
    close_after_s: float | None = None
    members: Mapping[str, Secret[str]] = field(default_factory=dict)
    signing_key: str = ""
    signing_certificate: str = ""
    trust_anchors: str = ""
    trusted: Mapping[str, str] = field(default_factory=dict)
    software_url: str = ""
    software_token: Secret[str] = field(default_factory=lambda: Secret(""))

    @property
    def keys(self) -> KeySettings:
        """Where keys of signatures come from."""
        return KeySettings(
            self.secret, self.signing_key, self.signing_certificate, self.trusted,
            self.trust_anchors,
        )  # fmt: skip

    @property
    def payment_locn(self) -> str:
        """Where Payment Requests go."""
        return self.payment_url or f"{self.url.rstrip('/')}/iotp/payment"

    @property
    def courier(self) -> PartySettings | None:
        """Who delivers, if somebody does."""
        url = self.delivery_url
        if not url and "delivery" in self.roles:
            url = f"{self.url.rstrip('/')}/iotp/delivery"
        return PartySettings(self.delivery_org_id, self.delivery_legal_name, url) if url else None

    @property
    def goods(self) -> Mapping[str, Goods]:
        """What is delivered, by item."""
        return {name: one.goods for name, one in self.items.items() if one.goods is not None}


def organisations() -> tuple[str, ...]:
    """Name everybody of the demonstration who signs."""
    shown = Opening()
    return (shown.org_id, shown.payment_org_id, shown.purse_org_id, shown.delivery_org_id)


def plastics(cards: Mapping[str, str]) -> list[card.Plastic]:
    """Make cards to enrol of their numbers. Raises ValueError for a brand nobody knows."""
    found = []
    for name, number in cards.items():
        brand = brand_of(number)
        if brand is None:
            raise ValueError(f"cards.{name}: no brand has such numbers")
        view = InstrumentView(brand.name, mask_number(number), entry="online")
        label = f"{brand.name} {mask_number(number)[-4:]}"
        named = BRANDS.get(brand.name, f"x-{brand.name}".replace(" ", ""))
        found.append(card.Plastic(name, label, named, Card(Secret(number), view)))
    return found


def card_scheme(opening: Opening) -> Scheme:
    """Make the card scheme with the brands of the cards."""
    brands = dict.fromkeys(one.brand_id for one in plastics(opening.cards))
    return card.scheme(brands, opening.currencies)


def purse_scheme(opening: Opening) -> Scheme:
    """Make the purse scheme."""
    return purses.scheme(opening.currencies)


def key_of(secret: Secret[str]) -> purse.KeyOf:
    """Give the keys of purses."""
    return purse.keys_from(Secret(secret.reveal().encode()))


def merchants_bridges(opening: Opening, clock: Clock, ids: IdSource) -> dict[str, PaymentBridge]:
    """Make the payment software of a shop."""
    taker = (opening.payment_org_id, opening.payment_legal_name, opening.payment_locn)
    purse_taker = taker
    if opening.purse_url:
        purse_taker = (opening.purse_org_id, opening.purse_legal_name, opening.purse_url)
    secret = Secret(opening.secret.reveal().encode())
    _, register = card.enrolled(secret, plastics(opening.cards))
    keys = {token: one.key for token, one in register.items()}
    bridges: dict[str, PaymentBridge] = {}
    for name, scheme, make, (org_id, legal_name, where) in (
        (CARDS, card_scheme(opening), card.merchant, taker),
        (PURSES, purse_scheme(opening), purses.merchant, purse_taker),
    ):
        items = tuple([
            BrandItem(brand_id=one, brand_name=one.removeprefix("x-"), brand_logo_net_locn=LOGOS)
            for one in scheme.brands
        ])  # fmt: skip
        offering = Offering(
            scheme=scheme,
            records=Records(f"m/{name}"),
            brands=items,
            handler=PaymentHandlerOrg(
                org_id=org_id,
                legal_name=legal_name,
                cancel_net_locn=f"{where}/cancelled",
                error_net_locn=f"{where}/error",
                error_log_net_locn=f"{where}/log",
            ),
            locations=(where, "") if where.startswith("http:") else ("", where),
            clock=clock,
        )
        bridges[name] = make(offering, secret, keys, ids)
    return bridges


def merchant(opening: Opening, clock: Clock, ids: IdSource) -> Merchant:
    """Open the shop."""
    url = f"{opening.url.rstrip('/')}/iotp/merchant"
    party = PartySettings(opening.org_id, opening.legal_name, url)
    sold = {
        name: one for name, one in opening.items.items()
        if one.goods is None or one.goods.at_once or opening.courier is not None
    }  # fmt: skip
    settings = MerchantSettings(
        party, sold, signed_receipts=True, deliverer=opening.courier, members=opening.members
    )
    bridges = _elsewhere(opening, MERCHANT) or merchants_bridges(opening, clock, ids)
    return Merchant(settings, bridges, clock, ids)


def handlers_bridges(
    opening: Opening, clock: Clock, ids: IdSource, first: First
) -> dict[str, PaymentBridge]:
    """Make the payment software of a payment handler; `first` is to be done before it works."""
    secret = Secret(opening.secret.reveal().encode())
    _, register = card.enrolled(secret, plastics(opening.cards))
    book = purses.value_of(f"h/{PURSES}")
    for code in opening.currencies:
        money = Money.of(opening.issued_minor, code)
        first.steps.append(partial(_issued, book, money))
    return {
        CARDS: card.handler(
            card_scheme(opening), f"h/{CARDS}", register, clock,
            bridge=opening.bridge, patience_s=opening.patience_s,
        ),
        PURSES: purses.handler(
            purse_scheme(opening), f"h/{PURSES}", {"": ISSUER}, key_of(opening.secret), clock, ids
        ),
    }  # fmt: skip


def handler(opening: Opening, clock: Clock, ids: IdSource) -> PaymentHandler:
    """Open the payment handler."""
    party = PartySettings(opening.payment_org_id, opening.payment_legal_name, opening.payment_locn)
    settings = HandlerSettings(
        party,
        {card.PROTOCOL_ID: CARDS, purse.PROTOCOL_ID: PURSES},
        (opening.org_id,),
        Keyring(),  # believes nobody, until it is given keys
        goods=opening.goods,
        close_after_s=opening.close_after_s,
    )
    first = First()
    bridges = _elsewhere(opening, PAYMENT) or handlers_bridges(opening, clock, ids, first)
    return PaymentHandler(settings, bridges, clock, ids, first)


def software(opening: Opening, clock: Clock, ids: IdSource) -> Software:
    """Open the payment software of cores in other processes."""
    first = First()
    own = {
        MERCHANT: merchants_bridges(opening, clock, ids),
        PAYMENT: handlers_bridges(opening, clock, ids, first),
    }
    bridges = {f"{role}/{name}": one for role, made in own.items() for name, one in made.items()}
    return Software(bridges, first, clock)


def _elsewhere(opening: Opening, role: str) -> dict[str, PaymentBridge]:
    """Name the bridges of a role in another process; none when they are here."""
    if not opening.software_url:
        return {}
    base = f"{opening.software_url.rstrip('/')}{PATH}/{role}"
    return {name: Remote(f"{base}/{name}", opening.software_token) for name in (CARDS, PURSES)}


def deliverer(opening: Opening, clock: Clock, ids: IdSource) -> DeliveryHandler:
    """Open the delivery handler."""
    party = opening.courier
    assert party is not None, "it is one of the roles"
    settings = DeliverySettings(party, opening.goods, (opening.org_id,), Keyring())
    return DeliveryHandler(settings, clock, ids)


def _issued(book: Book, money: Money) -> Flow[bool]:
    return book.issue(ISSUER, money, f"opening {money.currency.code}")


# Reading settings


def opening(settings: Mapping[str, object]) -> Opening:  # noqa: C901, PLR0912 - one check each
    """Read settings, whose names are those of Opening. Raises ConfigError listing all problems."""
    problems: list[str] = []
    values: dict[str, Any] = {}
    for name, value in settings.items():
        kind, expected = _SETTINGS.get(name, (None, ""))
        if kind is None:
            problems.append(f"{name}: there is no such setting")
        elif not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            problems.append(f"{name}: {expected} is expected")
        else:
            values[name] = value
    roles = values.get("roles", ROLES)
    if not roles or not set(roles) <= {*ROLES, SOFTWARE}:
        problems.append(f"roles: some of {', '.join((*ROLES, SOFTWARE))}")
    for name in ("roles", "currencies"):
        if name in values:
            values[name] = tuple(values[name])
    if "members" in values:
        values["members"] = {name: Secret(str(one)) for name, one in values["members"].items()}
    for name in ("secret", "software_token"):
        if name in values:
            values[name] = Secret(values[name])
    if "items" in values:
        values["items"] = _items(values["items"], problems)
    if "cards" in values and not problems:
        try:
            plastics(values["cards"])
        except (ValueError, AttributeError) as error:
            problems.append(str(error))
    if problems:
        raise ConfigError(problems)
    return Opening(**values)


_TEXT = (str, "a text")
_SETTINGS: Mapping[str, tuple[Any, str]] = {
    "roles": (list, "a list"),
    "url": _TEXT,
    "payment_url": _TEXT,
    "org_id": _TEXT,
    "legal_name": _TEXT,
    "payment_org_id": _TEXT,
    "payment_legal_name": _TEXT,
    "purse_url": _TEXT,
    "purse_org_id": _TEXT,
    "purse_legal_name": _TEXT,
    "secret": _TEXT,
    "currencies": (list, "a list of codes"),
    "cards": (Mapping, "a table of numbers"),
    "items": (Mapping, "a table"),
    "issued_minor": (int, "a whole number"),
    "bridge": _TEXT,
    "patience_s": (int | float, "a number of seconds"),
    "close_after_s": (int | float, "a number of seconds"),
    "members": (Mapping, "a table of pass phrases"),
    "delivery_url": _TEXT,
    "delivery_org_id": _TEXT,
    "delivery_legal_name": _TEXT,
    "signing_key": _TEXT,
    "signing_certificate": _TEXT,
    "trust_anchors": _TEXT,
    "trusted": (Mapping, "a table of files"),
    "software_url": _TEXT,
    "software_token": _TEXT,
}


def _items(tables: Mapping[str, object], problems: list[str]) -> dict[str, Item]:
    found: dict[str, Item] = {}
    for name, table in tables.items():
        if not isinstance(table, Mapping):
            problems.append(f"items.{name}: a table is expected")
            continue
        payments = table.get("payments", [table])
        try:
            kind = TransactionType(f"Baseline{table.get('kind', 'Purchase')}")
            description = str(table.get("description", name))
            legs = tuple([_leg(one, kind, description) for one in payments])
            goods = _goods(table.get("goods"), kind)
        except KeyError as error:
            problems.append(f"items.{name}.goods: {error.args[0]} is missing")
            continue
        except (ValueError, TypeError, AttributeError) as error:
            problems.append(f"items.{name}: {error}")
            continue
        found[name] = Item(
            name,
            kind,
            description,
            legs,
            independent=bool(table.get("independent")),
            authentication=tuple(table.get("authentication", ())),
            wants_org=bool(table.get("wants_org")),
            valid_s=int(table.get("valid_s", 1800)),
            apart=bool(table.get("apart")),
            goods=goods,
        )
    if not found:
        problems.append("items: at least one, or leave the table out")
    return found


def _goods(table: Mapping[str, Any] | None, kind: TransactionType) -> Goods | None:
    if table is None:
        return None
    if kind is not TransactionType.PURCHASE:
        raise ValueError("goods come with a Purchase only")
    method = str(table.get("method", WEB))
    if method not in {WEB, POST}:
        raise ValueError(f"goods.method: {WEB} or {POST}")
    ships_s = int(table.get("ships_s", 0))
    return Goods(str(table["text"]), method, bool(table.get("at_once")), ships_s)


def _leg(table: Mapping[str, Any], kind: TransactionType, description: str) -> Leg:
    amount = _amount(table.get("amount", ""))
    discounted = {name: _amount(text) for name, text in table.get("discounted", {}).items()}
    credit = kind in {TransactionType.REFUND, TransactionType.WITHDRAWAL}
    direction = PayDirection(table.get("direction", CREDIT if credit else DEBIT))
    return Leg(
        direction,
        amount,
        str(table.get("currency", "EUR")),
        str(table.get("description", description)),
        tuple(table.get("brands", ())),
        tuple(table.get("protocols", ())),
        discounted,
    )


def _amount(text: object) -> Decimal:
    amount = formats.amount(str(text))
    if amount is None:
        raise ValueError("an amount is expected, as a text")
    return amount


_CARD, _PURSE = (card.PROTOCOL_ID,), (purse.PROTOCOL_ID,)


def _item(name: str, kind: TransactionType, text: str, *legs: Leg, **more: Any) -> Item:
    return Item(name, kind, text, legs, **more)


def _money(direction: PayDirection, amount: str, text: str, protocols: tuple[str, ...] = ()) -> Leg:
    return Leg(direction, Decimal(amount), "EUR", text, (), protocols)


DEMONSTRATION_ITEMS: Mapping[str, Item] = {
    one.name: one
    for one in (
        _item("book", TransactionType.PURCHASE, "A book", _money(DEBIT, "11.91", "A book")),
        _item("coffee", TransactionType.PURCHASE, "A cup of coffee",
              _money(DEBIT, "2.50", "Coffee, by purse", _PURSE)),
        _item("ebook", TransactionType.PURCHASE, "A book to read at once",
              _money(DEBIT, "4.00", "A book to read at once"),
              goods=Goods("It was a dark and stormy night; the toll keeper counted his coins.")),
        _item("poem", TransactionType.PURCHASE, "A poem",
              _money(DEBIT, "1.50", "A poem"),
              goods=Goods("A penny for the bridge, a penny for the view.", at_once=True)),
        _item("parcel", TransactionType.PURCHASE, "A lantern, by post",
              _money(DEBIT, "19.90", "A lantern, by post"),
              goods=Goods("A lantern, in a box", POST, ships_s=24 * 60 * 60)),
        _item("refund", TransactionType.REFUND, "A book, given back",
              _money(CREDIT, "11.91", "A book, given back", _CARD)),
        _item("deposit", TransactionType.DEPOSIT, "Into the account",
              _money(DEBIT, "5.00", "From the purse into the account", _PURSE)),
        _item("withdrawal", TransactionType.WITHDRAWAL, "From the account",
              _money(CREDIT, "10.00", "From the account into the purse", _PURSE)),
        _item("load", TransactionType.VALUE_EXCHANGE, "Card money into the purse",
              _money(DEBIT, "20.00", "Paid by card", _CARD),
              _money(CREDIT, "20.00", "Into the purse", _PURSE)),
        _item("member", TransactionType.PURCHASE, "Members only",
              _money(DEBIT, "1.00", "A member's badge"),
              authentication=("x-tollbridge-hmac",), wants_org=True),
        _item("login", TransactionType.AUTHENTICATION, "Say who you are",
              authentication=("x-tollbridge-hmac",)),
    )
}  # fmt: skip
