"""Two purses, two notebooks and a way between them that loses, repeats and reorders."""

from dataclasses import dataclass, field

from tests.faces.iotp.api.bridging import money, start_consumer, start_handler
from tollbridge.faces.iotp.api import calls
from tollbridge.faces.iotp.api.perform import perform
from tollbridge.faces.iotp.api.words import PayDirection, ProcessState, ProcessType
from tollbridge.faces.iotp.schemes import purse, purses
from tollbridge.faces.iotp.schemes.book import transfer_of
from tollbridge.faces.iotp.schemes.purse import MOVED, UNDONE, Phase
from tollbridge.faces.iotp.schemes.records import Records
from tollbridge.faces.iotp.schemes.wallet import Wallet, Wallets
from tollbridge.ground.flow import Browse, Page, Recall, Remember
from tollbridge.ground.ids import SeededIds
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.testing.clock import ManualClock

MASTER = Secret(b"the scheme's master secret")
BRAND = purses.BRAND


class Crash(BaseException):
    """The process is gone."""


@dataclass
class Notebook:
    """A notebook that survives; `moments` until the process does not (None: it lives on)."""

    pages: dict = field(default_factory=dict)
    moments: int | None = None

    def step(self):
        if self.moments is not None:
            if self.moments == 0:
                self.moments = None
                raise Crash
            self.moments -= 1

    def do(self, wanted):
        match wanted:
            case Recall():
                return self.pages.get(wanted.key)
            case Browse():
                found = sorted(
                    key for key in self.pages
                    if key.startswith(wanted.prefix) and key > wanted.after
                )  # fmt: skip
                return [(key, self.pages[key]) for key in found[: wanted.limit]]
            case Remember():
                self.step()
                done = self.remember(wanted)
                self.step()
                return done
        raise AssertionError(wanted)

    def remember(self, wanted):
        for note in wanted.notes:
            page = self.pages.get(note.key)
            if note.expected not in (None, page.version if page else 0):
                return False
        for note in wanted.notes:
            page = self.pages.get(note.key)
            if note.value is None:
                self.pages.pop(note.key, None)
            else:
                self.pages[note.key] = Page(note.value, page.version + 1 if page else 1)
        return True

    def run(self, flow):
        try:
            wanted = next(flow)
            while True:
                wanted = flow.send(self.do(wanted))
        except StopIteration as end:
            return end.value


class Till:
    """A Consumer with 100.00 EUR in the purse, and a shop with 50.00."""

    def __init__(self, direction=PayDirection.DEBIT, amount="12.50", **options):
        self.clock = ManualClock()
        self.direction, self.amount = direction, amount
        keys = purse.keys_from(MASTER)
        self.scheme = purses.scheme(["EUR"])
        own = purses.instrument("purse-1", "my purse", keys)
        self.wallets = Wallets((Wallet("w", (own,)),))
        self.mine, self.theirs = Notebook(), Notebook()
        self.consumer = purses.consumer(
            self.scheme, "c", self.wallets, self.clock, SeededIds(1), **options
        )
        merchants = {"shop.test": "shop", "": "bank"}
        self.handler = purses.handler(self.scheme, "h", merchants, keys, self.clock, SeededIds(2))
        self.mine.run(purses.value_of("c").issue("purse-1", Money.of(10000, "EUR"), "1"))
        self.theirs.run(purses.value_of("h").issue("shop", Money.of(5000, "EUR"), "1"))

    # Calls

    def c(self, call):
        return self.mine.run(perform(self.consumer, call))

    def h(self, call):
        return self.theirs.run(perform(self.handler, call))

    def start(self, pay_id="c1", **more):
        values = money(self.amount, direction=self.direction) | more
        return start_consumer(self.clock, self.scheme, pay_id, "purse-1", BRAND, **values)

    def opening(self, contents, pay_id="h1", **more):
        values = money(self.amount, direction=self.direction) | more
        return start_handler(self.clock, self.scheme, contents, pay_id, BRAND, **values)

    def change(self, side, state, code=None, **more):
        pay_id = "c1" if side == "c" else "h1"
        call = calls.ChangeProcessState(
            pay_id=pay_id, process_state=state, completion_code=code, **more
        )
        return getattr(self, side)(call)

    def state(self, side):
        pay_id = "c1" if side == "c" else "h1"
        return getattr(self, side)(calls.InquireProcessState(pay_id=pay_id)).result

    def inquire(self):
        """Inquire as a core does: the evidence travels there and back."""
        asked = self.c(calls.StartPaymentInquiry(consumer_pay_id="c1"))
        if asked.result is None:
            return asked
        told = self.h(
            calls.InquirePaymentStatus(
                payment_handler_pay_id="h1",
                pay_scheme_packaged_content=asked.result.pay_scheme_packaged_content,
            )
        )
        if told.result and told.result.pay_scheme_packaged_content:
            self.c(
                calls.ContinueProcess(
                    pay_id="c1", process_type=ProcessType.INQUIRY,
                    pay_scheme_packaged_content=told.result.pay_scheme_packaged_content,
                )
            )  # fmt: skip
        return told

    def settle(self):
        """Bring a torn payment to an end: both give up, and inquire until both know."""
        for _ in range(4):
            for side in "ch":
                if self.transfer(side) is not None and not self.over(side):
                    self.change(side, ProcessState.FAILED, "Unspecified")
            self.inquire()

    # Looking

    def transfer(self, side, pay_id=None):
        book, records = (self.mine, Records("c")) if side == "c" else (self.theirs, Records("h"))
        name = pay_id or ("c1" if side == "c" else "h1")
        return transfer_of(book.run(records.find(name)))

    def over(self, side):
        transfer = self.transfer(side)
        return transfer is not None and transfer.phase in MOVED | UNDONE

    def balances(self):
        mine = self.mine.run(purses.value_of("c").purse("purse-1")).balances["EUR"]
        theirs = self.theirs.run(purses.value_of("h").purse("shop")).balances["EUR"]
        return mine, theirs

    def on_its_way(self):
        """What left one purse and did not enter the other."""
        mine, theirs = self.transfer("c"), self.transfer("h")
        sides = [one for one in (mine, theirs) if one is not None]
        payers = [one for one in sides if one.pays]
        paid = [one for one in sides if not one.pays]
        left = any(one.phase in {Phase.SENT, Phase.DONE} for one in payers)
        entered = any(one.phase in MOVED for one in paid)
        assert left or not entered, "value entered that never left"
        return sides[0].amount_minor if left and not entered else 0

    def check(self):
        """Hold the value together: it is in a purse, or on its way, and nowhere twice."""
        assert sum(self.balances()) + self.on_its_way() == 15000
        for transfer in (self.transfer("c"), self.transfer("h")):
            if transfer is not None and transfer.pays and transfer.phase is Phase.DONE:
                other = self.transfer("c" if transfer.at_handler else "h")
                assert other.phase in MOVED
