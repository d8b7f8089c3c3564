"""Three parties in virtual time, each with its journal: who crashes starts again from it."""

from dataclasses import dataclass
from decimal import Decimal

from tollbridge.core.instrument import Card, InstrumentView
from tollbridge.engine.engine import Engine, Surroundings
from tollbridge.faces.iotp.api.elements import BrandItem, PaymentHandlerOrg
from tollbridge.faces.iotp.api.words import PayDirection
from tollbridge.faces.iotp.face import Begin, IotpFace, Said
from tollbridge.faces.iotp.message import codec
from tollbridge.faces.iotp.message.signing import HmacKey, Keyring
from tollbridge.faces.iotp.message.words import TransactionType
from tollbridge.faces.iotp.roles import person as wishes
from tollbridge.faces.iotp.roles import store
from tollbridge.faces.iotp.roles.consumer import Buy, Consumer
from tollbridge.faces.iotp.roles.delivery import DeliveryHandler
from tollbridge.faces.iotp.roles.goods import POST, Goods
from tollbridge.faces.iotp.roles.handler import PaymentHandler
from tollbridge.faces.iotp.roles.merchant import Merchant
from tollbridge.faces.iotp.roles.person import Arrived, Fetch, Post, Silence, Way
from tollbridge.faces.iotp.roles.sealing import Seal
from tollbridge.faces.iotp.roles.settings import (
    Address,
    DeliverySettings,
    HandlerSettings,
    Item,
    KeySettings,
    Leg,
    MerchantSettings,
    PartySettings,
)
from tollbridge.faces.iotp.schemes import card, purse, purses
from tollbridge.faces.iotp.schemes.challenge import ALGORITHM
from tollbridge.faces.iotp.schemes.offering import Offering
from tollbridge.faces.iotp.schemes.records import Records
from tollbridge.faces.iotp.schemes.wallet import Wallet, Wallets
from tollbridge.ground.flow import Party
from tollbridge.ground.ids import SeededIds
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.journal.memory import MemoryJournal
from tollbridge.sandbox.cards import BY_ACCOUNT
from tollbridge.testing import virtual
from tollbridge.testing.world import CrashingJournal, World

SHOP_URL, PAY_URL = "http://shop.test/iotp/merchant", "http://pay.test/iotp/payment"
PURSE_URL = "http://purse.test/iotp/payment"
DELIVERY_URL = "http://courier.test/iotp/delivery"
SECRET = Secret(b"a secret of tests")
OFFERS = HmacKey(b"a key of offers", "offers", of="shop.test")
RECEIPTS = HmacKey(b"a key of receipts", "receipts", of="pay.test")
PURSES = HmacKey(b"a key of the purse house", "purses", of="purse.test")
NOTES = HmacKey(b"a key of the courier", "notes", of="courier.test")
TRUSTED = {"shop.test": OFFERS, "pay.test": RECEIPTS, "purse.test": PURSES, "courier.test": NOTES}
KEYS = KeySettings(Secret("not used: keys are given"))
ACCOUNTS = {"visa": "VISA", "visa-declined": "VISA", "amex": "Amex"}
DEBIT, CREDIT = PayDirection.DEBIT, PayDirection.CREDIT
SHOP = PartySettings("shop.test", "The Shop", SHOP_URL)
PAY = PartySettings("pay.test", "The Payment Handler", PAY_URL)
COURIER = PartySettings("courier.test", "The Courier", DELIVERY_URL)
PURSE_HOUSE = PartySettings("purse.test", "The Purse House", PURSE_URL)


def handler_org(party):
    return PaymentHandlerOrg(
        org_id=party.org_id, legal_name=party.legal_name, cancel_net_locn=f"{party.url}/cancelled",
        error_net_locn=f"{party.url}/error", error_log_net_locn=f"{party.url}/log",
    )  # fmt: skip


def item(name="book", *legs, kind=TransactionType.PURCHASE, **more):
    legs = legs or (Leg(DEBIT, Decimal("11.91"), "EUR", "A book", protocols=(card.PROTOCOL_ID,)),)
    return Item(name, kind, f"1 {name}", legs, **more)


BOOK = item()
COFFEE = item("coffee", Leg(DEBIT, Decimal("2.50"), "EUR", "Coffee", ("VISA",)))
_PURSE = (purse.PROTOCOL_ID,)
TEA = item("tea", Leg(DEBIT, Decimal("3.00"), "EUR", "Tea", (), _PURSE))
LOAD = item(
    "load", Leg(DEBIT, Decimal("20.00"), "EUR", "Paid", (), (card.PROTOCOL_ID,)),
    Leg(CREDIT, Decimal("20.00"), "EUR", "Loaded", (), _PURSE),
    kind=TransactionType.VALUE_EXCHANGE,
)  # fmt: skip
REFUND = item("refund", Leg(CREDIT, Decimal("2.50"), "EUR", "Back", ("VISA",)),
              kind=TransactionType.REFUND)  # fmt: skip
DEPOSIT = item("deposit", Leg(DEBIT, Decimal("4.00"), "EUR", "In", (), _PURSE),
               kind=TransactionType.DEPOSIT)  # fmt: skip
CASH = item("cash", Leg(CREDIT, Decimal("6.00"), "EUR", "Out", (), _PURSE),
            kind=TransactionType.WITHDRAWAL)  # fmt: skip
LOGIN = Item("login", TransactionType.AUTHENTICATION, "Who are you?", (),
             authentication=(ALGORITHM,))  # fmt: skip
MEMBER = item("member", authentication=(ALGORITHM,), wants_org=True)
EVERYTHING = (BOOK, COFFEE, TEA, LOAD, REFUND, DEPOSIT, CASH, LOGIN, MEMBER)
CARD = Leg(DEBIT, Decimal("4.00"), "EUR", "Paid", ("VISA",), (card.PROTOCOL_ID,))
EBOOK = item("ebook", CARD, goods=Goods("Chapter one."))
SONG = item("song", CARD, goods=Goods("La la la.", at_once=True))
PARCEL = item("parcel", CARD, goods=Goods("in a box", POST, ships_s=3600))
PICTURE = item("picture", Leg(DEBIT, Decimal("3.00"), "EUR", "Paid", (), _PURSE),
               goods=Goods("A picture."))  # fmt: skip
DELIVERED = (EBOOK, SONG, PARCEL, PICTURE)
ADDRESS = Address("Ada", "1 High Street", "Bath", "GB", "BA1 1AA")
SERVES = {"M": "merchant", "P": "payment", "R": "payment", "D": "delivery"}
ISSUER_HOLDS, PURSE_HOLDS = 100_000, 5_000


def plastic(account, brand):
    own = BY_ACCOUNT[account]
    view = InstrumentView(own.brand.name, f"{own.number[:6]}******{own.number[-4:]}")
    return card.Plastic(account, f"my {account}", brand, Card(Secret(own.number), view))


class Died(Exception):
    """One of the processes is gone, now; the others live on."""


@dataclass
class Steps:
    """Counts the moments at which a crash makes a difference; dies at one of them."""

    crash_at: int | None = None
    taken: int = 0
    dead: bool = False

    def take(self):
        if self.dead or self.taken == self.crash_at:
            self.dead = True
            raise Died
        self.taken += 1


class Person:
    """The Consumer: takes the first way to pay that fits, says yes, and remembers what it saw."""

    def __init__(self, instrument=None, brand=None, decide=(), choose=None, confirm=Way.GO_ON):
        self.instrument, self.brand = instrument, brand
        self.decisions, self.choose, self.confirm = list(decide), choose, confirm
        self.seen = []

    async def __call__(self, wish):
        self.seen.append(wish)
        match wish:
            case wishes.Choose():
                if self.choose is not None:
                    answer, self.choose = self.choose, None
                    return answer
                for place, option in enumerate(wish.options):
                    if self.instrument in {None, option.instrument_id}:
                        if self.brand in {None, option.brand_id}:
                            return place
                return Way.CANCEL
            case wishes.Confirm():
                answer, self.confirm = self.confirm, Way.GO_ON
                return answer
            case wishes.Trouble():
                return self.decisions.pop(0) if self.decisions else Way.SUSPEND
            case wishes.NeedPassphrase():
                return Secret("open sesame")
            case wishes.NeedWallet():
                return "w1"
        return None

    def of(self, kind):
        return [one for one in self.seen if isinstance(one, kind)]

    @property
    def notices(self):
        return [one.text for one in self.of(wishes.Notice)]


class House:
    """The three parties: Merchant M, Payment Handler P, Consumer C; with `two` a second Payment
    Handler R, who takes payments by purse; with `delivers` a Delivery Handler D. `bridges` may be
    wrapped by `around(role, name, bridge)`."""

    def __init__(self, *items, seed=0, around=None, two=False, delivers=False, **settings):
        self.world = World(seed)
        self.clock = self.world.clock
        standard = DELIVERED if delivers else EVERYTHING
        self.items = {one.name: one for one in (items or standard)}
        self.goods = {name: one.goods for name, one in self.items.items() if one.goods}
        self.around = around or (lambda role, name, bridge: bridge)
        self.settings = settings
        self.handling = {}  # settings of the Payment Handlers
        self.roles = f"MP{'R' if two else ''}{'D' if delivers else ''}C"
        self.purse_role = "R" if two else "P"
        self.steps = {role: Steps() for role in self.roles}
        self.journals = {role: MemoryJournal() for role in self.roles}
        self.journals["P"] = self.world.journal
        self.engines, self.faces = {}, {}
        self.ids = {role: SeededIds(f"{role}{seed}") for role in self.roles}
        self.posts = []  # (url, body, answer)
        self.logged = []  # what was posted to logs of errors
        self.meddle = None  # changes what the peer is sent, or answers in its place
        self.crashes = 0
        self.person = Person()
        self.trusted, self.signer = TRUSTED, RECEIPTS
        self.instruments, self.register = card.enrolled(
            SECRET, [plastic(*one) for one in ACCOUNTS.items()]
        )
        self.scheme = card.scheme(["VISA", "Amex"], ["EUR"])
        self.purses = purses.scheme(["EUR"])
        self.key_of = purse.keys_from(SECRET)

    # Making parties

    def bridges(self, role):
        made = self._bridges(role)
        return {name: self.around(role, name, bridge) for name, bridge in made.items()}

    def _bridges(self, role):
        match role:
            case "D":
                return {}
            case "M":
                items = tuple(
                    BrandItem(brand_id=name, brand_name=name, brand_logo_net_locn="http://l.test")
                    for name in self.scheme.brands
                )
                offering = Offering(
                    scheme=self.scheme, records=Records("m/card"), brands=items,
                    handler=handler_org(PAY), locations=(PAY_URL, ""), clock=self.clock,
                )  # fmt: skip
                house = PAY if self.purse_role == "P" else PURSE_HOUSE
                stored = Offering(
                    scheme=self.purses, records=Records("m/purse"),
                    brands=(BrandItem(brand_id=purses.BRAND, brand_name="Purse",
                                      brand_logo_net_locn="http://l.test"),),
                    handler=handler_org(house), locations=(house.url, ""), clock=self.clock,
                )  # fmt: skip
                keys = {token: one.key for token, one in self.register.items()}
                return {
                    "card": card.merchant(offering, SECRET, keys, self.ids[role]),
                    "purse": purses.merchant(stored, SECRET, keys, self.ids[role]),
                }
            case "P" | "R":
                return {
                    "card": card.handler(self.scheme, "h/card", self.register, self.clock),
                    "purse": purses.handler(self.purses, "h/purse", {"": "issuer"}, self.key_of,
                                            self.clock, self.ids[role]),
                }  # fmt: skip
            case _:
                wallets = Wallets((Wallet("w1", self.instruments),))
                own = (purses.instrument("p1", "my purse", self.key_of),)
                return {
                    "card": card.consumer(self.scheme, "c/card", wallets, self.clock),
                    "purse": purses.consumer(self.purses, "c/purse",
                                             Wallets((Wallet("w1", own),)), self.clock,
                                             self.ids[role]),
                }  # fmt: skip

    def face(self, role):
        bridges, ids = self.bridges(role), self.ids[role]
        match role:
            case "M":
                more = {"seal": Seal(OFFERS), "signed_receipts": True, "deliverer": COURIER,
                        "verifier": Keyring(*TRUSTED.values()),
                        **self.settings}  # fmt: skip
                settings = MerchantSettings(SHOP, self.items, **more)
                return IotpFace(Merchant(settings, bridges, self.clock, ids), None, KEYS)
            case "P" | "R":
                believed = Keyring(*TRUSTED.values())
                party, key = (PAY, self.signer) if role == "P" else (PURSE_HOUSE, PURSES)
                own = {"verifier": believed, "seal": key and Seal(key), **self.handling}
                settings = HandlerSettings(party, self.protocols(), goods=self.goods, **own)
                return IotpFace(None, PaymentHandler(settings, bridges, self.clock, ids), KEYS)
            case "D":
                given = DeliverySettings(
                    COURIER, self.goods, ("shop.test",), Keyring(*TRUSTED.values()), Seal(NOTES)
                )
                return IotpFace(None, None, KEYS, DeliveryHandler(given, self.clock, ids))
            case _:
                return Consumer(bridges, self.clock, ids, self.trusted)

    def protocols(self):
        return {card.PROTOCOL_ID: "card", purse.PROTOCOL_ID: "purse"}

    async def start(self, role, crash_at=None):
        """Start a party, as a process starts: only its journal is what it was."""
        self.steps[role] = steps = Steps(crash_at)
        if role == "P":
            self.world.steps = steps
            engine = self.world.engine = self.world._engine()
        else:
            journal = CrashingJournal(self.journals[role], steps)
            engine = Engine(
                Surroundings(journal, {}, None, self.clock, self.ids[role]), threaded=False
            )
        self.engines[role], self.faces[role] = engine, self.face(role)
        await engine.start()

    # Talking

    async def peer(self, wanted):
        """Carry a message to a party, over a network that may be meddled with."""
        consumer = self.steps["C"]
        consumer.take()
        answer = await self._carried(wanted)
        consumer.take()
        return answer

    async def _carried(self, wanted):
        if self.meddle is not None:
            changed = await self.meddle(wanted)
            if isinstance(changed, (Arrived, Silence)):
                return changed
            wanted = changed or wanted
        if isinstance(wanted, Fetch):
            return await self.reach("M", wanted)
        if wanted.url.endswith("/log"):
            self.logged.append(wanted)
            return Arrived(204, b"")
        role = {SHOP_URL: "M", PAY_URL: "P", PURSE_URL: "R", DELIVERY_URL: "D"}[wanted.url]
        answer = await self.reach(role, wanted)
        self.posts.append((role, wanted.body, getattr(answer, "body", None)))
        return answer

    async def reach(self, role, wanted):
        face = self.faces[role]
        if isinstance(wanted, Fetch):
            name = wanted.url.rpartition("=")[2]
            flow = face.answer(Begin(name, ADDRESS if name == "parcel" else None))
        else:
            flow = face.answer(Said(SERVES[role], wanted.body))
        try:
            self.steps[role].take()
            response = await self.engines[role].serve(_Once(face.name, flow), None, {})
            self.steps[role].take()
        except Died:
            self.crashes += 1
            await self.start(role)
            return Silence("connection reset", left=True)
        return Arrived(response.status, response.body)

    async def order(self, wanted):
        """Let the Consumer do something."""
        parties = {Party.CARDHOLDER: self.person, Party.PEER: self.peer}
        return await self.engines["C"].serve(self.faces["C"], wanted, parties)

    async def buy(self, name="book"):
        return await self.order(Buy(f"{SHOP_URL}?item={name}"))

    def run(self, main, **crash_at):
        """Run a coroutine function in a world with three parties just started."""

        async def whole():
            for role in self.roles:
                await self.start(role)
            await self.issue(self.purse_role, "h/purse", "issuer", ISSUER_HOLDS)
            await self.issue("C", "c/purse", "p1", PURSE_HOLDS)
            for role in self.roles:
                await self.start(role, crash_at.get(role))
            return await main()

        return virtual.run(whole(), self.clock)

    # Judging

    async def flow(self, role, flow):
        """Run a flow over a party's notes."""
        return await self.engines[role].serve(_Once(self.faces[role].name, flow), None, {})

    async def letters(self, role, name):
        """Every message of a transaction that a party has on file."""
        return await self.flow(role, store.letters(role, name))

    async def issue(self, role, prefix, name, minor):
        flow = purses.value_of(prefix).issue(name, Money.of(minor, "EUR"), "opening")
        await self.flow(role, flow)

    async def purse(self, role, prefix, name):
        found = await self.flow(role, purses.value_of(prefix).purse(name))
        return found.balances.get("EUR", 0)

    async def balances(self):
        """What the Consumer's purse and the issuer's hold."""
        return (
            await self.purse("C", "c/purse", "p1"),
            await self.purse(self.purse_role, "h/purse", "issuer"),
        )

    def name_of(self, body=None):
        """The transaction of a message (default: the first that was posted)."""
        return codec.read(body or self.posts[0][1]).trans_id

    def crashed(self, role):
        """Whether somebody crashed (only one of them was told to)."""
        return bool(self.crashes)

    def taken(self):
        return sum(movement.taken_minor for movement in self.world.movements)


class _Once:
    """A face of one flow."""

    def __init__(self, name, flow):
        self.name, self.flow = name, flow

    def endpoints(self):
        return ()

    def answer(self, _):
        return self.flow


__all__ = ["BOOK", "COFFEE", "House", "Person", "Post", "item"]
