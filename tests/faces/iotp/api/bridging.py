"""Bridges to test: cards and purses over one engine, called as a core calls them."""

from decimal import Decimal

from tollbridge.core.instrument import Card, InstrumentView
from tollbridge.faces.iotp.api import calls
from tollbridge.faces.iotp.api.elements import BrandItem, PaymentHandlerOrg
from tollbridge.faces.iotp.api.perform import perform
from tollbridge.faces.iotp.api.words import PayDirection
from tollbridge.faces.iotp.schemes import card
from tollbridge.faces.iotp.schemes.offering import Offering
from tollbridge.faces.iotp.schemes.records import Records
from tollbridge.faces.iotp.schemes.wallet import Phrase, Wallet, Wallets
from tollbridge.ground.clock import Instant
from tollbridge.ground.ids import SeededIds
from tollbridge.ground.secret import Secret
from tollbridge.sandbox.cards import BY_ACCOUNT

VISA, AMEX = "VISA", "Amex"
SECRET = Secret(b"a secret of tests")
DAY = 86_400_000_000


class Host:
    """A face that calls a bridge: a message is (bridge, call), the answer is the Answer."""

    name = "iotp"

    def endpoints(self):
        return []

    def answer(self, message):
        bridge, call, *hear = message
        return perform(bridge, call, *hear)


def plastic(account="visa", brand=VISA, label=""):
    own = BY_ACCOUNT[account]
    view = InstrumentView(own.brand.name, f"{own.number[:6]}******{own.number[-4:]}")
    return card.Plastic(account, label or f"my {account}", brand, Card(Secret(own.number), view))


ACCOUNTS = ("visa", "visa-declined", "visa-no-funds", "visa-lost")


class Cards:
    """The card scheme with its three parties. `clock` as the world's."""

    def __init__(self, clock, *, phrase=None, one_at_a_time=False, patience_s=None):
        instruments, self.register = card.enrolled(
            SECRET, [*map(plastic, ACCOUNTS), plastic("amex", AMEX)]
        )
        self.clock = clock
        kept = Phrase.of(phrase, b"salt") if phrase else None
        self.wallets = Wallets((Wallet("w1", instruments, kept),))
        self.scheme = card.scheme([VISA, AMEX], ["EUR", "JPY"])
        self.consumer = card.consumer(
            self.scheme, "c", self.wallets, clock, one_at_a_time=one_at_a_time
        )
        self.handler = card.handler(self.scheme, "h", self.register, clock, patience_s=patience_s)
        self.merchant = card.merchant(
            offering(self.scheme, clock), SECRET,
            {token: one.key for token, one in self.register.items()}, SeededIds(7),
        )  # fmt: skip


def offering(scheme, clock, wallets=None):
    brands = tuple(
        BrandItem(brand_id=name, brand_name=name, brand_logo_net_locn="https://shop.test/logo")
        for name in scheme.brands
    )
    return Offering(
        scheme=scheme,
        records=Records("m"),
        brands=brands,
        handler=PaymentHandlerOrg(org_id="pay.test", legal_name="Payments Ltd"),
        locations=("", "https://pay.test/iotp"),
        clock=clock,
        wallets=wallets,
    )


def money(amount="12.50", currency="EUR", direction=PayDirection.DEBIT):
    return {"amount": Decimal(amount), "curr_code": currency, "pay_direction": direction}


def when(clock):
    now = clock.now()
    return {"ok_from": Instant(now - DAY), "ok_to": Instant(now + DAY)}


def start_consumer(clock, scheme, pay_id="c1", instrument="visa", brand=VISA, **more):
    values = {**money(), **when(clock), "brand_id": brand, "protocol_id": scheme.protocol_id,
              "consumer_pay_id": pay_id, "payment_instrument_id": instrument}  # fmt: skip
    return calls.StartPaymentConsumer(**values | more)


def start_handler(clock, scheme, contents, pay_id="h1", brand=VISA, **more):
    values = {**money(), **when(clock), "brand_id": brand, "protocol_id": scheme.protocol_id,
              "payment_handler_pay_id": pay_id, "merchant_org_id": "shop.test",
              "pay_scheme_packaged_content": contents}  # fmt: skip
    return calls.StartPaymentPaymentHandler(**values | more)
