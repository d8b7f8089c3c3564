"""Cards as an IOTP payment bridge, over the engine and the sandbox network."""

import asyncio
from decimal import Decimal

import pytest

from tests.faces.iotp.api.bridging import (
    AMEX,
    DAY,
    SECRET,
    VISA,
    Cards,
    Host,
    money,
    offering,
    start_consumer,
    start_handler,
    when,
)
from tollbridge.core.outcome import DeclineCode
from tollbridge.core.verbs import Verb
from tollbridge.faces.iotp.api import calls
from tollbridge.faces.iotp.api.answer import Answer, refused
from tollbridge.faces.iotp.api.elements import Algorithm, Content
from tollbridge.faces.iotp.api.perform import Parts, lacks
from tollbridge.faces.iotp.api.states import PAYMENT_CODES
from tollbridge.faces.iotp.api.words import (
    Action,
    ContStatus,
    ErrorCode,
    Obligation,
    PayDirection,
    ProcessState,
    ProcessType,
    Role,
    Severity,
)
from tollbridge.faces.iotp.schemes import card, statements
from tollbridge.faces.iotp.schemes.card_handler import CODES
from tollbridge.faces.iotp.schemes.wallet import Instrument, Phrase, Wallet, Wallets
from tollbridge.ground.flow import Exchange, Party
from tollbridge.ground.ids import SeededIds
from tollbridge.ground.secret import Secret
from tollbridge.sandbox.faults import Fault, Rule
from tollbridge.testing.world import World

OK, FAILED = ProcessState.COMPLETED_OK, ProcessState.FAILED
RUNNING, SUSPENDED = ProcessState.IN_PROGRESS, ProcessState.SUSPENDED


class Shop:
    """A world with cards in it: `ask` calls a bridge and gives its answer."""

    def __init__(self, **options):
        self.world = World()
        self.cards = Cards(self.world.clock, **options)
        self.parties = {}

    def run(self, main):
        self.world.run(main(self))

    async def ask(self, bridge, call, *hear):
        return await self.world.engine.serve(Host(), (bridge, call, *hear), self.parties)

    async def well(self, bridge, call, *hear):
        answer = await self.ask(bridge, call, *hear)
        assert answer.error is None, answer.error
        return answer.result

    async def badly(self, bridge, call, *hear):
        answer = await self.ask(bridge, call, *hear)
        assert answer.result is None
        return answer.error

    # What a core calls

    async def start(self, pay_id="c1", **more):
        call = start_consumer(self.world.clock, self.cards.scheme, pay_id, **more)
        return (await self.well(self.cards.consumer, call)).pay_scheme_packaged_content

    def opening(self, contents, pay_id="h1", **more):
        return start_handler(self.world.clock, self.cards.scheme, contents, pay_id, **more)

    async def state(self, pay_id="h1", side="handler"):
        call = calls.InquireProcessState(pay_id=pay_id)
        return await self.well(getattr(self.cards, side), call)

    async def change(self, state, pay_id="h1", side="handler", code=None, **more):
        call = calls.ChangeProcessState(
            pay_id=pay_id, process_state=state, completion_code=code, **more
        )
        return await self.well(getattr(self.cards, side), call)

    def slow(self):
        """Let the provider give no answer."""
        self.world.faults.rules.append(Rule(Fault.DROP, times=10**6))


def shop(main=None, **options):
    def test():
        Shop(**options).run(main)

    test.__name__ = main.__name__
    test.pytestmark = getattr(main, "pytestmark", [])
    return test


def with_options(**options):
    return lambda main: shop(main, **options)


@pytest.mark.req("I-020", "I-025", "I-026", "I-027", "I-028", "I-184", "I-195", "I-200", "I-211",
                 "I-218", "IX-077", "IX-079", "IX-081")  # fmt: skip
@shop
async def test_a_payment_from_the_wallet_to_the_receipt(shop):
    consumer, handler = shop.cards.consumer, shop.cards.handler
    contents = await shop.start()
    assert (await shop.state("c1", "consumer")).process_state is RUNNING
    begun = await shop.well(handler, shop.opening(contents))
    assert begun.cont_status is ContStatus.END
    assert begun.pay_scheme_packaged_content == ()
    status = await shop.state()
    assert status.process_state is OK
    assert [one.name for one in status.packaged_content] == ["CardReceipt"]
    assert status.pay_receipt_name_refs == ("CardReceipt",)
    assert (await shop.change(OK)).process_state is OK

    await shop.well(
        consumer,
        calls.CheckPaymentReceipt(pay_id="c1", packaged_content=status.packaged_content),
    )
    expanded = await shop.well(
        consumer,
        calls.ExpandPaymentReceipt(pay_id="c1", packaged_content=status.packaged_content),
    )
    assert expanded.amount == Decimal("12.50")
    assert expanded.brand_id == VISA
    assert expanded.payment_instrument_id == "visa"
    assert expanded.protocol_trans_id
    extra = await shop.state("c1", "consumer")
    assert extra.process_state is RUNNING
    assert extra.packaged_content == ()
    done = await shop.change(OK, "c1", "consumer")
    assert (done.process_state, done.status_desc) == (OK, None)
    assert shop.world.differences() == []
    (payment,) = shop.world.payments
    assert payment.opening.verb is Verb.PURCHASE
    assert payment.merchant == "shop.test"
    assert payment.opening.key.value == '["c1","h1"]'


@pytest.mark.req("IX-070")
@shop
async def test_no_card_number_leaves_the_payment_handler(shop):
    contents = await shop.start()
    numbers = [one.card.number.reveal() for one in shop.cards.register.values()]
    for wallet in shop.cards.wallets.wallets:
        for one in wallet.instruments:
            assert all(number not in repr(one) + one.token for number in numbers)
    assert all(number.encode() not in contents[0].data for number in numbers)


@pytest.mark.req("I-029", "I-030", "I-240", "IX-094", "IX-100")
@shop
async def test_calls_are_issued_again_without_side_effects(shop):
    for _ in range(3):
        contents = await shop.start()
    for _ in range(3):
        await shop.well(shop.cards.handler, shop.opening(contents))
    assert len(shop.world.payments) == 1
    asked = await shop.well(shop.cards.consumer, calls.StartPaymentInquiry(consumer_pay_id="c1"))
    status = await shop.well(
        shop.cards.handler,
        calls.InquirePaymentStatus(
            payment_handler_pay_id="h1",
            pay_scheme_packaged_content=asked.pay_scheme_packaged_content,
        ),
    )
    assert status.process_state is OK
    end = await shop.well(
        shop.cards.consumer,
        calls.ContinueProcess(
            pay_id="c1", process_type=ProcessType.INQUIRY,
            pay_scheme_packaged_content=status.pay_scheme_packaged_content,
        ),
    )  # fmt: skip
    assert end.cont_status is ContStatus.END
    changed = await shop.change(OK, "c1", "consumer", process_type=ProcessType.INQUIRY)
    assert changed.status_desc == "no receipt was checked"


@pytest.mark.req("IX-096", "IX-111")
@shop
async def test_as_long_as_nobody_knows_the_payment_is_in_progress(shop):
    shop.slow()
    contents = await shop.start()
    opening = asyncio.ensure_future(shop.well(shop.cards.handler, shop.opening(contents)))
    begun = await opening
    assert begun.cont_status is ContStatus.CONTINUE
    assert (await shop.state()).process_state is RUNNING
    assert (await shop.state()).packaged_content == ()
    assert (await shop.state()).pay_receipt_name_refs == ("CardReceipt",)
    # Whatever anybody intends, money may have moved.
    for intended, code in ((OK, None), (FAILED, "PaymtCancelled")):
        assert (await shop.change(intended, code=code)).process_state is RUNNING
    again = await shop.well(
        shop.cards.consumer,
        calls.ContinueProcess(
            pay_id="c1", pay_scheme_packaged_content=begun.pay_scheme_packaged_content
        ),
    )
    more = calls.ContinueProcess(
        pay_id="h1", pay_scheme_packaged_content=again.pay_scheme_packaged_content
    )
    assert (await shop.well(shop.cards.handler, more)).cont_status is ContStatus.CONTINUE
    shop.world.faults.rules.clear()
    await asyncio.sleep(3600)
    assert (await shop.well(shop.cards.handler, more)).cont_status is ContStatus.END
    assert (await shop.state()).process_state is OK
    assert (await shop.change(FAILED, code="PaymtCancelled")).process_state is OK
    error = await shop.badly(shop.cards.handler, more)
    assert error.error_code == "BusError"


@pytest.mark.req("I-021", "I-264", "I-269", "I-272", "IX-056", "IX-057",
                 "IX-078")  # fmt: skip
@shop
async def test_both_sides_suspend_and_resume(shop):
    shop.slow()
    contents = await shop.start()
    await shop.well(shop.cards.handler, shop.opening(contents))
    for side, pay_id in (("consumer", "c1"), ("handler", "h1")):
        assert (await shop.change(SUSPENDED, pay_id, side)).process_state is SUSPENDED
        error = await shop.badly(
            getattr(shop.cards, side),
            calls.ContinueProcess(pay_id=pay_id, pay_scheme_packaged_content=contents),
        )
        assert error.error_code == "BusError"
        assert error.error_locations[0].att_name == "PayId"
        assert error.error_locations[0].element_ref == pay_id
    fresh = await shop.well(shop.cards.consumer, calls.ResumePaymentConsumer(consumer_pay_id="c1"))
    assert fresh.pay_scheme_packaged_content == contents
    resumed = await shop.well(
        shop.cards.handler,
        calls.ResumePaymentPaymentHandler(
            payment_handler_pay_id="h1",
            pay_scheme_packaged_content=fresh.pay_scheme_packaged_content,
        ),
    )
    assert resumed.cont_status is ContStatus.CONTINUE
    for bridge, call in (
        (shop.cards.consumer, calls.ResumePaymentConsumer(consumer_pay_id="c1")),
        (shop.cards.handler, calls.ResumePaymentPaymentHandler(payment_handler_pay_id="h1")),
    ):
        assert (await shop.badly(bridge, call)).error_code == "BusError"


@pytest.mark.req("IX-097")
@shop
async def test_what_was_suspended_before_it_began_is_not_resumed(shop):
    await shop.well(shop.cards.consumer, finding(shop))
    await shop.change(SUSPENDED, "c1", "consumer")
    error = await shop.badly(shop.cards.consumer, calls.ResumePaymentConsumer(consumer_pay_id="c1"))
    assert (error.error_code, error.names) == ("AttNotSupp", ("ConsumerPayId",))
    assert (await shop.change(ProcessState.NOT_YET_STARTED, "c1", "consumer")).process_state == (
        "NotYetStarted"
    )


@pytest.mark.req("I-271", "IX-104")
@pytest.mark.parametrize("side", ["consumer", "handler", "merchant"])
def test_unknown_payments_are_named(side):
    contents = (Content(text="x", name="Card"),)
    asked = [
        (calls.InquireProcessState(pay_id="no"), "PayId"),
        (calls.ChangeProcessState(pay_id="no", process_state=OK), "PayId"),
        (calls.RemovePaymentLog(pay_id="no"), "PayId"),
    ]
    if side != "merchant":
        more = calls.ContinueProcess(pay_id="no", pay_scheme_packaged_content=contents)
        asked += [(more, "PayId"), (calls.CheckPaymentReceipt(pay_id="no"), "PayId"),
                  (calls.ExpandPaymentReceipt(pay_id="no"), "PayId")]  # fmt: skip
    if side == "consumer":
        asked += [(calls.ResumePaymentConsumer(consumer_pay_id="no"), "ConsumerPayId"),
                  (calls.StartPaymentInquiry(consumer_pay_id="no"), "ConsumerPayId")]  # fmt: skip
    if side == "handler":
        name = "PaymentHandlerPayId"
        asked += [(calls.ResumePaymentPaymentHandler(payment_handler_pay_id="no"), name),
                  (calls.InquirePaymentStatus(payment_handler_pay_id="no"), name)]  # fmt: skip

    async def main(shop):
        for call, name in asked:
            error = await shop.badly(getattr(shop.cards, side), call)
            assert error.error_code == "AttValIllegal", call
            assert error.names == (name,)
            assert error.error_locations[0].element_ref == "no"

    Shop().run(main)


@pytest.mark.req("IX-101", "IX-102")
@shop
async def test_final_states_stay(shop):
    contents = await shop.start(instrument="visa-declined")
    await shop.well(shop.cards.handler, shop.opening(contents))
    for intended in (OK, SUSPENDED, RUNNING, ProcessState.PROCESS_ERROR):
        answer = await shop.change(intended)
        assert (answer.process_state, answer.completion_code) == (FAILED, "Unspecified")
    await shop.change(FAILED, "c1", "consumer", "Unspecified")
    answer = await shop.change(OK, "c1", "consumer")
    assert answer.process_state is FAILED
    assert answer.status_desc == "the counterparty says CompletedOk, here it is Failed"


@pytest.mark.parametrize(
    ("instrument", "code"),
    [("visa-declined", "Unspecified"), ("visa-no-funds", "InsuffFunds"),
     ("visa-lost", "InstNotValid")],
)  # fmt: skip
@pytest.mark.req("IX-082")
def test_declines_have_their_completion_codes(instrument, code):
    async def main(shop):
        contents = await shop.start(instrument=instrument)
        begun = await shop.well(shop.cards.handler, shop.opening(contents))
        assert begun.cont_status is ContStatus.END
        state = await shop.state()
        assert (state.process_state, state.completion_code) == (FAILED, code)
        assert state.packaged_content == ()

    Shop().run(main)


def test_every_decline_has_a_completion_code_of_payments():
    assert set(CODES) == set(DeclineCode)
    assert set(CODES.values()) <= PAYMENT_CODES


@with_options(patience_s=2.0)
async def test_who_has_no_patience_is_told_that_it_failed(shop):
    shop.slow()
    contents = await shop.start()
    begun = await shop.well(shop.cards.handler, shop.opening(contents))
    assert begun.cont_status is ContStatus.END
    assert (await shop.state()).process_state is FAILED


@shop
async def test_what_a_card_said_pays_once(shop):
    contents = await shop.start()
    await shop.well(shop.cards.handler, shop.opening(contents))
    error = await shop.badly(shop.cards.handler, shop.opening(contents, "h2"))
    assert error.error_code == "EncapProtErr"
    assert len(shop.world.payments) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"amount": Decimal("12.51")},
        {"curr_code": "JPY", "amount": Decimal(1250)},
        {"pay_direction": PayDirection.CREDIT},
        {"brand_id": AMEX},
        {"consumer_pay_id": "c2"},
    ],
    ids=lambda one: next(iter(one)),
)
def test_what_a_card_did_not_say_is_refused(change):
    async def main(shop):
        contents = await shop.start()
        error = await shop.badly(shop.cards.handler, shop.opening(contents, **change))
        assert error.error_code == "EncapProtErr"
        assert shop.world.payments == []

    Shop().run(main)


@pytest.mark.parametrize(
    "content",
    [
        Content(text="?", name="Card"),
        Content(text="[1]", name="Card"),
        Content(text='["t","not json","s"]', name="Card"),
        Content(text='["t","{}","s"]', name="Other"),
    ],
)
def test_garbled_scheme_data_is_refused(content):
    async def main(shop):
        error = await shop.badly(shop.cards.handler, shop.opening((content,)))
        assert error.error_code == "EncapProtErr"
        assert error.error_locations[0].element_type == "PaySchemePackagedContent"

    Shop().run(main)


@shop
async def test_a_forged_statement_is_refused(shop):
    (content,) = await shop.start()
    statement = statements.read(content)
    forged = statements.Statement(statement.by, statement.text.replace("1250", "1"), statement.seal)
    call = shop.opening((forged.packed("Card"),), **money("0.01"))
    assert (await shop.badly(shop.cards.handler, call)).error_code == "EncapProtErr"


@pytest.mark.parametrize(
    ("change", "code", "name"),
    [
        ({"amount": Decimal("0.001")}, "AttValIllegal", "Amount"),
        ({"amount": Decimal(0)}, "AttValIllegal", "Amount"),
        ({"curr_code": "USD"}, "AttValIllegal", "CurrCode"),
        ({"curr_code_type": "IOTP"}, "AttValIllegal", "CurrCodeType"),
        ({"brand_id": "Mondex"}, "AttValIllegal", "BrandId"),
        ({"protocol_id": "SETv1.0"}, "AttValIllegal", "ProtocolId"),
        ({"payment_instrument_id": "nothing"}, "AttValIllegal", "PaymentInstrumentId"),
        ({"payment_instrument_id": None}, "AttMissing", "PaymentInstrumentId"),
        ({"wallet_id": "w9"}, "AttValIllegal", "WalletId"),
        ({"ok_to": 1, "ok_from": 0}, "ValueTooLarge", "OkTo"),
        ({"ok_from": 9 * 10**15, "ok_to": 9 * 10**15 + 1}, "ValueTooSmall", "OkFrom"),
    ],
)
@pytest.mark.req("I-186")
def test_a_start_names_what_it_cannot_take(change, code, name):
    async def main(shop):
        call = start_consumer(shop.world.clock, shop.cards.scheme, **change)
        error = await shop.badly(shop.cards.consumer, call)
        assert (error.error_code, error.names) == (code, (name,))

    Shop().run(main)


def finding(shop, brand=VISA, **more):
    values = {**money(), "brand_id": brand, "protocol_id": shop.cards.scheme.protocol_id,
              "consumer_pay_id": "c1"}  # fmt: skip
    return calls.FindPaymentInstrument(**values | more)


def possible(shop, **more):
    values = {**money(), "brand_id": VISA, "protocol_id": shop.cards.scheme.protocol_id,
              "consumer_pay_id": "c1", "payment_instrument_id": "visa"}  # fmt: skip
    return calls.CheckPaymentPossibility(**values | more)


@pytest.mark.req("I-015", "I-016", "I-139", "I-143", "I-151", "I-163", "IX-076", "IX-103")
@with_options(phrase="open sesame")
async def test_instruments_are_found_without_a_pass_phrase_and_checked_with_one(shop):
    found = await shop.well(shop.cards.consumer, finding(shop))
    assert [one.id for one in found.pay_instruments] == [
        "visa", "visa-declined", "visa-no-funds", "visa-lost"
    ]  # fmt: skip
    assert (await shop.state("c1", "consumer")).process_state == "NotYetStarted"
    phrase = {"passphrase": Secret("open sesame")}
    checked = await shop.well(shop.cards.consumer, possible(shop, **phrase))
    assert checked.brand_sel_brand_info_packaged_content[0].text == "TollbridgeCard-1.0"
    assert (await shop.state("c1", "consumer")).process_state == "NotYetStarted"
    done = await shop.change(FAILED, "c1", "consumer", "ConsCancelled")
    assert (done.process_state, done.completion_code) == (FAILED, "ConsCancelled")


@pytest.mark.req("I-138", "IX-089")
@shop
async def test_instruments_fit_what_was_asked(shop):
    other = await shop.well(shop.cards.consumer, finding(shop, protocol_id="SETv1.0"))
    assert other.pay_instruments == ()
    error = await shop.badly(shop.cards.consumer, finding(shop, "Mondex"))
    assert (error.error_code, error.names) == ("AttValIllegal", ("BrandId",))
    amex = await shop.well(shop.cards.consumer, finding(shop, AMEX))
    assert [one.id for one in amex.pay_instruments] == ["amex"]


@pytest.mark.req("IX-054", "I-154", "I-189", "I-232", "I-231")
@with_options(phrase="open sesame")
async def test_wallets_are_asked_for_before_pass_phrases(shop):
    wrong = Secret("open barley")
    begin = start_consumer(shop.world.clock, shop.cards.scheme)
    await shop.well(shop.cards.consumer, start_consumer(
        shop.world.clock, shop.cards.scheme, passphrase=Secret("open sesame")))  # fmt: skip
    for call in (
        begin,
        possible(shop),
        calls.StartPaymentInquiry(consumer_pay_id="c1"),
        calls.ResumePaymentConsumer(consumer_pay_id="c1"),
    ):
        values = {name: getattr(call, name) for name in call.__dataclass_fields__}
        for given, code, name in (
            ({"wallet_id": "w9", "passphrase": wrong}, "AttValIllegal", "WalletId"),
            ({}, "AttMissing", "Passphrase"),
            ({"passphrase": wrong}, "AttValIllegal", "Passphrase"),
        ):
            error = await shop.badly(shop.cards.consumer, type(call)(**values | given))
            assert (error.error_code, error.names) == (code, (name,))


def test_with_several_wallets_one_is_named():
    wallets = Wallets((Wallet("a", ()), Wallet("b", (), Phrase.of("x", b"s"))))
    shop = Shop()
    bridge = card.consumer(shop.cards.scheme, "c", wallets, shop.world.clock)

    async def main(shop):
        error = await shop.badly(bridge, finding(shop))
        assert (error.error_code, error.names) == ("AttMissing", ("WalletId",))
        found = await shop.well(bridge, finding(shop, wallet_id="a"))
        assert found.pay_instruments == ()
        error = await shop.badly(bridge, possible(shop, wallet_id="a"))
        assert error.names == ("BrandId",)

    shop.run(main)


@pytest.mark.req("I-155", "I-183")
def test_an_expired_card_is_a_business_error_and_inquire_process_state_says_so():
    shop = Shop()
    old = Instrument("old", "old", VISA, "t", Secret(b"k"), expires=shop.world.clock.now() - DAY)
    wallets = Wallets((Wallet("w", (old,)),))
    shop.cards.consumer = card.consumer(shop.cards.scheme, "c", wallets, shop.world.clock)

    async def main(shop):
        for call in (
            possible(shop, payment_instrument_id="old"),
            start_consumer(shop.world.clock, shop.cards.scheme, instrument="old"),
        ):
            assert (await shop.badly(shop.cards.consumer, call)).error_code == "BusError"
            state = await shop.state("c1", "consumer")
            assert (state.process_state, state.completion_code) == (
                "NotYetStarted", "InstNotValid"
            )  # fmt: skip

    shop.run(main)


@pytest.mark.req("I-183")
def test_what_is_said_of_a_payment_stays_within_256_characters():
    shop = Shop()
    name = "n" * 300
    old = Instrument("old", name, VISA, "t", Secret(b"k"), expires=shop.world.clock.now() - DAY)
    wallets = Wallets((Wallet("w", (old,)),))
    shop.cards.consumer = card.consumer(shop.cards.scheme, "c", wallets, shop.world.clock)

    async def main(shop):
        call = start_consumer(shop.world.clock, shop.cards.scheme, instrument="old")
        assert (await shop.badly(shop.cards.consumer, call)).error_code == "BusError"
        assert len((await shop.state("c1", "consumer")).status_desc) == 256

    shop.run(main)


@pytest.mark.req("I-024", "IX-107")
@with_options(phrase="open sesame")
async def test_pending_payments_are_told_with_the_pass_phrase(shop):
    consumer = shop.cards.consumer
    ask = calls.InquirePendingPayment()
    assert (await shop.well(consumer, ask)).payment_ids == ()
    phrase = Secret("open sesame")
    await shop.start(passphrase=phrase)
    error = await shop.badly(consumer, ask)
    assert (error.error_code, error.names) == ("AttMissing", ("Passphrase",))
    told = await shop.well(consumer, calls.InquirePendingPayment(passphrase=phrase))
    assert [one.pay_id for one in told.payment_ids] == ["c1"]
    await shop.change(SUSPENDED, "c1", "consumer")
    await shop.change(FAILED, "c1", "consumer", "ConsCancelled")
    assert (await shop.well(consumer, ask)).payment_ids == ()


@pytest.mark.req("I-280", "I-281")
@with_options(one_at_a_time=True)
async def test_a_bridge_may_deny_payments_while_another_is_pending(shop):
    await shop.start()
    call = start_consumer(shop.world.clock, shop.cards.scheme, "c2")
    error = await shop.badly(shop.cards.consumer, call)
    assert error.error_code == "BusError"
    assert error.error_locations[0].element_ref == "c1"


@shop
async def test_the_payment_handler_tells_what_is_pending(shop):
    shop.slow()
    contents = await shop.start()
    await shop.well(shop.cards.handler, shop.opening(contents))
    told = await shop.well(shop.cards.handler, calls.InquirePendingPayment())
    assert [one.pay_id for one in told.payment_ids] == ["h1"]


@pytest.mark.req("I-022")
@shop
async def test_logs_are_removed_when_the_payment_is_over(shop):
    contents = await shop.start()
    await shop.well(shop.cards.handler, shop.opening(contents))
    for side, pay_id in (("consumer", "c1"), ("handler", "h1")):
        remove = calls.RemovePaymentLog(pay_id=pay_id)
        bridge = getattr(shop.cards, side)
        assert (await shop.badly(bridge, remove)).error_code == "BusError"
        await shop.change(OK, pay_id, side)
        await shop.well(bridge, remove)
        assert (await shop.badly(bridge, remove)).error_code == "AttValIllegal"
    error = await shop.badly(shop.cards.handler, shop.opening(contents))
    assert error.error_code in {"EncapProtErr", "AttValIllegal"}
    assert len(shop.world.payments) == 1


@pytest.mark.req("IX-109", "I-025")
@shop
async def test_receipts_of_other_payments_are_refused(shop):
    for name in ("1", "2"):
        contents = await shop.start(f"c{name}")
        await shop.well(shop.cards.handler, shop.opening(contents, f"h{name}"))
    receipt = (await shop.state("h2")).packaged_content
    forged = Content(text=receipt[0].text[:-8] + "AAAAAAA=", name="CardReceipt",
                     transform=receipt[0].transform)  # fmt: skip
    for given in (receipt, (), receipt * 2):
        call = calls.CheckPaymentReceipt(pay_id="c1", packaged_content=given)
        assert (await shop.badly(shop.cards.consumer, call)).error_code == "BusError"
        call = calls.CheckPaymentReceipt(pay_id="h1", packaged_content=given)
        assert (await shop.badly(shop.cards.handler, call)).error_code == "BusError"
    call = calls.CheckPaymentReceipt(pay_id="c2", packaged_content=(forged,))
    assert (await shop.badly(shop.cards.consumer, call)).error_code in {"BusError", "EncapProtErr"}
    for side, pay_id in (("consumer", "c2"), ("handler", "h2")):
        call = calls.CheckPaymentReceipt(pay_id=pay_id, packaged_content=receipt)
        await shop.well(getattr(shop.cards, side), call)
        call = calls.ExpandPaymentReceipt(pay_id=pay_id, packaged_content=receipt)
        expanded = await shop.well(getattr(shop.cards, side), call)
        assert expanded.curr_code == "EUR"
    call = calls.ExpandPaymentReceipt(
        pay_id="h2", packaged_content=(statements.said("x", {}, b"").packed("CardReceipt"),)
    )
    assert (await shop.badly(shop.cards.handler, call)).error_code == "EncapProtErr"


@pytest.mark.req("I-224", "I-256", "I-257", "I-240")
@shop
async def test_what_the_counterparty_says_is_compared_with_the_receipt(shop):
    contents = await shop.start()
    await shop.well(shop.cards.handler, shop.opening(contents))
    receipt = (await shop.state()).packaged_content
    await shop.well(
        shop.cards.consumer, calls.CheckPaymentReceipt(pay_id="c1", packaged_content=receipt)
    )
    answer = await shop.change(FAILED, "c1", "consumer", "Unspecified")
    assert answer.process_state is OK
    assert answer.status_desc == "the counterparty says Failed, but its receipt is here"


# Credits and refunds


@shop
async def test_a_credit_without_a_payment_is_a_credit(shop):
    credit = money(direction=PayDirection.CREDIT)
    contents = await shop.start(**credit)
    await shop.well(shop.cards.handler, shop.opening(contents, **credit))
    assert [one.opening.verb for one in shop.world.payments] == [Verb.CREDIT]


async def refunding(shop, amount, pay_id, of="h1", **more):
    data = (Content(text=of, name="Payment:RefundOf"),)
    credit = money(amount, direction=PayDirection.CREDIT)
    contents = await shop.start(f"c{pay_id}", **credit)
    return shop.opening(contents, pay_id, trading_role_data_packaged_content=data, **credit | more)


@shop
async def test_a_credit_with_a_payment_refunds_it(shop):
    contents = await shop.start()
    await shop.well(shop.cards.handler, shop.opening(contents))
    done = await shop.well(shop.cards.handler, await refunding(shop, "2.50", "r1"))
    assert done.cont_status is ContStatus.END
    assert (await shop.state("r1")).process_state is OK
    (payment,) = shop.world.payments
    assert payment.amounts.refunded_minor == 250
    error = await shop.badly(shop.cards.handler, await refunding(shop, "99.00", "r2"))
    assert error.error_code == "BusError"
    state = await shop.state("r2")
    assert (state.process_state, state.completion_code) == (FAILED, "Unspecified")
    for change in ({"of": "h9"}, {"merchant_org_id": "other.test"}):
        call = await refunding(shop, "1.00", "r3", **change)
        error = await shop.badly(shop.cards.handler, call)
        assert error.error_code == "ElContIllegal"
        assert error.error_locations[0].element_type == "TradingRoleDataPackagedContent"
    assert shop.world.differences() == []


@shop
async def test_a_refund_waits_for_the_payment_to_be_decided(shop):
    shop.slow()
    contents = await shop.start()
    await shop.well(shop.cards.handler, shop.opening(contents))
    error = await shop.badly(shop.cards.handler, await refunding(shop, "2.50", "r1"))
    assert (error.error_code, error.severity) == ("SystemBusy", "TransientError")


# The Merchant


def brands(shop, **more):
    return calls.FindAcceptedPaymentBrand(**money() | {"merchant_pay_id": "m1"} | more)


@pytest.mark.req("I-007", "I-008", "I-009", "I-010", "I-011", "I-012", "I-099", "I-105", "I-106",
                 "I-108", "IX-069", "IX-072", "IX-073", "IX-083", "IX-084", "IX-085")  # fmt: skip
@shop
async def test_the_merchant_compiles_brands_protocols_and_data(shop):
    merchant, scheme = shop.cards.merchant, shop.cards.scheme
    found = await shop.well(merchant, brands(shop))
    assert [one.brand_id for one in found.brand_items] == [VISA, AMEX]
    assert (await shop.state("m1", "merchant")).process_state is RUNNING
    none = await shop.well(merchant, brands(shop, curr_code="USD"))
    assert none.brand_items == ()
    values = money() | {"merchant_pay_id": "m1"}
    one = await shop.well(merchant, calls.FindAcceptedPaymentProtocol(brand_id=VISA, **values))
    (item,) = one.protocol_items
    assert item.protocol_id == "TollbridgeCard-1.0"
    assert item.payment_handler_org.org_id == "pay.test"
    assert item.sec_pay_req_net_locn == "https://pay.test/iotp"
    assert item.pay_protocol_packaged_content
    assert one.brand_items == ()
    every = await shop.well(merchant, calls.FindAcceptedPaymentProtocol(**values))
    assert len(every.brand_items) == 2
    assert [one.brand_id for one in every.protocol_items[0].brands] == [VISA, AMEX]
    for change, name in (({"brand_id": "Mondex"}, "BrandId"), ({"curr_code": "USD"}, "CurrCode")):
        call = calls.FindAcceptedPaymentProtocol(**values | change)
        error = await shop.badly(merchant, call)
        assert (error.error_code, error.names) == ("AttValIllegal", (name,))
    initial = calls.GetPaymentInitializationData(
        **values, **when(shop.world.clock), brand_id=VISA, protocol_id=scheme.protocol_id,
        merchant_data=(Content(text="h1", name="RefundOf"),),
    )  # fmt: skip
    data = await shop.well(merchant, initial)
    assert data.order_packaged_content == ()
    names = [one.name for one in data.trading_role_data_packaged_content]
    assert names == ["Payment:RefundOf", "Payment:Terms"]
    assert (await shop.change(OK, "m1", "merchant")).process_state is OK
    assert (await shop.change(FAILED, "m1", "merchant", "MerchCancelled")).process_state is OK
    await shop.well(merchant, calls.RemovePaymentLog(pay_id="m1"))


@pytest.mark.req("IX-074", "IX-075")
@shop
async def test_the_merchant_suspends_and_fails_before_the_offer(shop):
    merchant = shop.cards.merchant
    await shop.well(merchant, brands(shop))
    assert (await shop.change(SUSPENDED, "m1", "merchant")).process_state is SUSPENDED
    error = await shop.badly(merchant, calls.ChangeProcessState(pay_id="m1", process_state=OK))
    assert error.error_code == "BusError"
    await shop.well(merchant, brands(shop))
    assert (await shop.state("m1", "merchant")).process_state is RUNNING
    done = await shop.change(FAILED, "m1", "merchant", "MerchCancelled")
    assert (done.process_state, done.completion_code) == (FAILED, "MerchCancelled")


def test_a_merchant_with_wallets_is_asked_for_one():
    shop = Shop()
    wallets = Wallets((Wallet("a", ()), Wallet("b", (), Phrase.of("x", b"s"))))
    part = offering(shop.cards.scheme, shop.world.clock, wallets)
    bridge = card.merchant(part, SECRET, {}, SeededIds(1))
    values = money() | when(shop.world.clock) | {
        "merchant_pay_id": "m1", "brand_id": VISA, "protocol_id": shop.cards.scheme.protocol_id
    }  # fmt: skip

    async def main(shop):
        error = await shop.badly(bridge, brands(shop))
        assert (error.error_code, error.names) == ("AttMissing", ("WalletId",))
        await shop.well(bridge, brands(shop, wallet_id="b"))
        error = await shop.badly(
            bridge, calls.GetPaymentInitializationData(**values, wallet_id="b")
        )
        assert (error.error_code, error.names) == ("AttMissing", ("Passphrase",))
        late = values | {"ok_from": 0, "ok_to": 1}
        error = await shop.badly(bridge, calls.GetPaymentInitializationData(**late, wallet_id="a"))
        assert error.error_code == "ValueTooLarge"

    shop.run(main)


# Authentication


async def challenged(shop, **more):
    return await shop.well(
        shop.cards.merchant, calls.InquireAuthChallenge(authentication_id="a1", **more)
    )


async def authenticated(shop, given, **more):
    call = calls.Authenticate(
        authentication_id="a1",
        algorithm=given.algorithm,
        auth_req_packaged_content=given.auth_req_packaged_content,
        **more,
    )
    return (await shop.well(shop.cards.consumer, call)).auth_res_packaged_content


async def judged(shop, given, response, **more):
    values = {"authentication_id": "a1", "algorithm": given.algorithm,
              "auth_req_packaged_content": given.auth_req_packaged_content,
              "auth_res_packaged_content": response}  # fmt: skip
    return await shop.well(shop.cards.merchant, calls.CheckAuthResponse(**values | more))


@pytest.mark.req("I-013", "I-014", "I-017", "I-075", "IX-086", "IX-087", "IX-088")
@shop
async def test_an_instrument_authenticates_its_consumer(shop):
    given = await challenged(shop)
    response = await authenticated(shop, given)
    assert (await judged(shop, given, response)).process_state is OK
    other = await challenged(shop)
    assert other.auth_req_packaged_content != given.auth_req_packaged_content
    for change in (
        {"auth_req_packaged_content": other.auth_req_packaged_content},
        {"authentication_id": "a2"},
        {"auth_res_packaged_content": ()},
        {"auth_res_packaged_content": given.auth_req_packaged_content},
        {"auth_res_packaged_content": (statements.said("x", {}, b"").packed("Response"),)},
        {"auth_req_packaged_content": (statements.said("", {}, b"").packed("Challenge"),)},
    ):
        result = await judged(shop, given, response, **change)
        assert (result.process_state, result.completion_code) == (FAILED, "AuthFailed"), change
    await asyncio.sleep(3601)
    assert (await judged(shop, given, response)).process_state is FAILED


@pytest.mark.req("I-076")
@shop
async def test_a_choice_of_algorithms_is_narrowed(shop):
    own, other = (
        Algorithm(id="A7", name="x-tollbridge-hmac"), Algorithm(id="A8", name="sha1"),
    )  # fmt: skip
    assert (await challenged(shop, algorithms=(other, own))).algorithm == own
    call = calls.InquireAuthChallenge(authentication_id="a1", algorithms=(other,))
    assert (await shop.badly(shop.cards.merchant, call)).error_code == "BusError"
    call = calls.Authenticate(authentication_id="a1", algorithm=other)
    assert (await shop.badly(shop.cards.consumer, call)).error_code == "ElNotSupp"
    given = await challenged(shop)
    call = calls.Authenticate(
        authentication_id="a2", algorithm=own,
        auth_req_packaged_content=given.auth_req_packaged_content,
    )  # fmt: skip
    assert (await shop.badly(shop.cards.consumer, call)).error_code == "BusError"


# Other functions


@pytest.mark.req("I-023", "IX-106")
@shop
async def test_properties_of_a_card(shop):
    values = {"brand_id": VISA, "protocol_id": shop.cards.scheme.protocol_id,
              "payment_instrument_id": "visa"}  # fmt: skip
    call = calls.PaymentInstrumentInquiry(property_type_list=("Identifier", "Balance"), **values)
    found = await shop.well(shop.cards.consumer, call)
    (one,) = found.payment_instrument_properties
    assert one.property_value == "424242******4242"
    assert found.unavailable_property_list == ("Balance",)
    call = calls.PaymentInstrumentInquiry(property_type_list=("all",), **values)
    found = await shop.well(shop.cards.consumer, call)
    assert len(found.payment_instrument_properties) == 1


@pytest.mark.req("I-031", "I-077", "I-282", "IX-113", "IX-114", "IX-115")
@shop
async def test_the_payment_software_is_the_hosts(shop):
    said = []
    answers = [
        calls.ManagePaymentSoftwareResponse(
            action=Action.NEW, wallet_id="w2", auth_names=("x-tollbridge-hmac",)
        ),
        None,
    ]

    async def dialog(call):
        said.append(call)
        return answers.pop(0)

    shop.parties = {Party.CARDHOLDER: dialog}
    new = calls.ManagePaymentSoftware(
        action=Action.NEW, brand_id=VISA, protocol_id=shop.cards.scheme.protocol_id
    )
    done = await shop.well(shop.cards.consumer, new)
    assert (done.wallet_id, done.auth_names) == ("w2", ("x-tollbridge-hmac",))
    error = await shop.badly(shop.cards.consumer, calls.ManagePaymentSoftware())
    assert error.error_code == "ReqRefused"
    assert said == [new, calls.ManagePaymentSoftware()]
    wrong = calls.ManagePaymentSoftware(
        action=Action.NEW, brand_id=VISA, protocol_id="P", wallet_id="w9", passphrase=Secret("x")
    )
    error = await shop.badly(shop.cards.consumer, wrong)
    assert (error.error_code, error.names) == ("AttUnexpected", ("Passphrase",))
    error = await shop.badly(shop.cards.consumer, calls.ManagePaymentSoftware(brand_id="Mondex"))
    assert error.names == ("BrandId",)


@pytest.mark.req("I-032", "IX-118", "IX-119")
@pytest.mark.parametrize("cancels", [False, True])
def test_progress_is_shown_and_the_user_may_cancel(cancels):
    heard = []

    def hear(call):
        yield from ()
        heard.append(call)
        if cancels:
            return Answer(error=refused(ErrorCode.BUS_ERROR, "stop").error)
        return Answer(calls.CallBackResponse())

    async def main(shop):
        call = start_consumer(
            shop.world.clock, shop.cards.scheme, call_back_function="core",
            call_back_language_list=("de", "en"),
        )  # fmt: skip
        answer = await shop.ask(shop.cards.consumer, call, hear)
        (shown,) = heard
        assert (shown.lang, shown.status_desc) == ("de", "Kartenzahlung")
        assert shown.pay_id == "c1"
        state = await shop.state("c1", "consumer")
        if cancels:
            assert answer.error.error_code == "BusError"
            assert (state.process_state, state.completion_code) == (FAILED, "ConsCancelled")
        else:
            assert answer.result
            assert state.process_state is RUNNING

    Shop().run(main)


@pytest.mark.parametrize("role", Role)
def test_the_card_bridges_do_what_table_1_demands(role):
    shop = Shop()
    bridge = {Role.CONSUMER: shop.cards.consumer, Role.PAYMENT_HANDLER: shop.cards.handler,
              Role.MERCHANT: shop.cards.merchant}[role]  # fmt: skip
    missing = lacks(bridge, role)
    missing.pop("CallBack", None)  # the core's own
    assert set(missing.values()) <= {Obligation.MAY}


# Crashes


@pytest.mark.req("IX-093")
def test_after_a_crash_at_any_moment_the_payment_is_what_the_provider_says():
    moment = None
    while True:
        world = World()
        cards = Cards(world.clock)
        told = []

        async def main(world=world, cards=cards, told=told):
            async def ask(bridge, call):
                return await world.engine.serve(Host(), (bridge, call), {})

            call = start_consumer(world.clock, cards.scheme, ok_from=0, ok_to=10**16)
            contents = (await ask(cards.consumer, call)).result.pay_scheme_packaged_content
            call = start_handler(world.clock, cards.scheme, contents, ok_from=0, ok_to=10**16)
            answer = await ask(cards.handler, call)
            told.append(answer.result.cont_status)
            state = await ask(cards.handler, calls.InquireProcessState(pay_id="h1"))
            told.append(state.result.process_state)
            await ask(cards.handler, calls.ChangeProcessState(pay_id="h1", process_state=OK))

        crashed = world.run(main(), moment)
        world.recover()
        told.clear()
        world.run(main())
        assert world.differences() == []
        moved = sum(movement.taken_minor for movement in world.movements)
        assert len(world.movements) <= 1
        assert told[0] is ContStatus.END
        assert (told[1] is OK) == (moved == 1250), f"crash at {moment}"
        if moment is not None and not crashed:
            return
        moment = 0 if moment is None else moment + 1


# What a check may signal

SIGNALS = [
    pytest.param("TransportError", "TransientError", (), marks=pytest.mark.req("I-152"),
                 id="no card reader"),
    pytest.param("TransportError", "HardError", (), marks=pytest.mark.req("I-153"), id="no issuer"),
    pytest.param("AttMissing", "HardError", ("Passphrase",), marks=pytest.mark.req("I-154"),
                 id="a pass phrase"),
    pytest.param("BusError", "HardError", (), marks=pytest.mark.req("I-155"), id="no funds"),
    pytest.param("ReqRefused", "TransientError", ("PaymentInstrumentId",),
                 marks=pytest.mark.req("I-156"), id="card unreadable"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "severity", "names"), SIGNALS)
def test_a_bridge_may_signal_why_a_payment_cannot_be(code, severity, names):
    class Reader:
        def check_payment_possibility(self, call):
            yield from ()
            raise refused(ErrorCode(code), "see", *names, severity=Severity(severity))

    async def main(shop):
        error = await shop.badly(Parts(Reader()), possible(shop))
        assert (error.error_code, error.severity, error.names) == (code, severity, names)

    Shop().run(main)


@pytest.mark.req("I-162", "I-185")
@shop
async def test_a_bridge_may_ask_the_user_which_instrument(shop):
    class Chooser:
        def check_payment_possibility(self, call):
            chosen = yield Exchange(Party.CARDHOLDER, "which card?")
            info = (Content(text=chosen),)
            return Answer(
                calls.CheckPaymentPossibilityResponse(brand_sel_brand_info_packaged_content=info)
            )

    async def choose(question):
        return "the red one"

    shop.parties = {Party.CARDHOLDER: choose}
    result = await shop.well(Parts(Chooser()), possible(shop))
    assert result.brand_sel_brand_info_packaged_content[0].text == "the red one"


@shop
async def test_an_instrument_that_is_not_registered_any_more_is_an_error(shop):
    contents = await shop.start()
    await shop.well(shop.cards.handler, shop.opening(contents))
    shop.cards.register.clear()
    error = await shop.badly(shop.cards.handler, calls.InquireProcessState(pay_id="h1"))
    assert error.error_code == "UnknownError"
