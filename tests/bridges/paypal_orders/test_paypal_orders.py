"""The orders' wire, word for word, and what its answers mean."""

import asyncio
from dataclasses import replace

import pytest

from examples.providers.orders import ACCESS, NOTICE_KEY, Orders, notice
from tests.bridges.golden import spoken
from tests.bridges.living import Life
from tests.bridges.paypal_orders.test_paypal_orders_kit import SETTINGS
from tollbridge.bridges.paypal_orders import bridge
from tollbridge.core.asks import Look
from tollbridge.core.instrument import InstrumentView, Token
from tollbridge.core.operation import State
from tollbridge.core.outcome import Approved, Cause, DeclineCode
from tollbridge.core.verbs import Verb
from tollbridge.ground.errors import ConfigError, RemoteProtocolError
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.testing.world import continuing, opening

PRICE = Money.of(2596, "EUR")
WHERE = {"return_url": "https://pay.example/back", "cancel_url": "https://pay.example/no"}


def made(**more):
    return bridge(SETTINGS | more, None, None)


def made_at(url):
    return made(api_endpoint=url, answer_limit_s=1, in_flight_limit_s=0.2)


def order(name):
    return Token(Secret(name), InstrumentView(entry="online"))


def store(key="store", amount=PRICE, **details):
    return replace(opening(Verb.STORE, key, amount, details=WHERE | details), instrument=None)


def paid(name, key="pay", verb=Verb.PURCHASE, amount=PRICE):
    return opening(verb, key, amount, instrument=order(name))


async def approved(life, **details):
    """Make an order, let its customer approve it; give its name."""
    stored = await life.ask(store(**details))
    assert stored.opening.state is State.PENDING
    name = stored.opening.outcome.reference
    life.host.approve(name)
    looked = await life.engine.look(Look(payment=stored.id, fresh=True))
    assert looked.opening.outcome == Approved(PRICE, name, provider_code="APPROVED")
    return name


@pytest.mark.req("N-002")
def test_an_order_is_made_approved_taken_and_given_back_word_for_word():
    stored, taken, given = spoken(
        made(),
        "paypal_orders/purchase.json",
        [
            lambda _: store(),
            lambda p: paid(p.opening.outcome.reference),
            lambda p: continuing(Verb.REFUND, "back", p, amount=Money.of(596, "EUR")),
        ],
    )
    assert stored.opening.state is State.APPROVED
    assert taken.amounts.captured_minor == 2596
    assert given.amounts.refunded_minor == 596


@pytest.mark.req("N-002")
def test_an_order_is_authorized_captured_in_part_and_ended_word_for_word():
    payments = spoken(
        made(),
        "paypal_orders/authorization.json",
        [
            lambda _: store(intent="AUTHORIZE"),
            lambda p: paid(p.opening.outcome.reference, verb=Verb.AUTHORIZE),
            lambda p: continuing(Verb.CAPTURE, "take", p, amount=Money.of(2000, "EUR")),
            lambda p: continuing(Verb.VOID, "undo", p),
            lambda p: continuing(Verb.VOID, "end", p),
        ],
    )
    assert payments[2].amounts.captured_minor == 2000
    assert payments[4].amounts.authorized_minor == 0


@pytest.mark.req("N-002")
def test_nothing_is_taken_before_the_customer_approves(tmp_path):
    async def story(life):
        stored = await life.ask(store())
        assert stored.opening.state is State.PENDING
        name = stored.opening.outcome.reference
        assert stored.opening.outcome.next_step == f"{life.host.url}/approve/{name}"
        payment = await life.ask(paid(name))
        assert payment.opening.state is State.UNSENT
        assert payment.opening.outcome.cause is Cause.UNFIT
        assert not any(life.host.moves(each) for each in life.host.asked)

    Life(tmp_path, Orders(), made_at).run(story)


@pytest.mark.req("N-002")
def test_an_order_pays_its_own_amount_in_its_own_way_once(tmp_path):
    async def story(life):
        name = await approved(life)
        for number, wrong in enumerate((
            paid(name, "a", amount=Money.of(2595, "EUR")),
            paid(name, "b", amount=Money.of(2596, "USD")),
            paid(name, "c", verb=Verb.AUTHORIZE),
            paid("ORDER-X", "d"),
        )):  # fmt: skip
            payment = await life.ask(wrong)
            assert payment.opening.outcome.cause is Cause.UNFIT, number
        assert (await life.ask(paid(name))).opening.state is State.APPROVED
        assert (await life.ask(paid(name, "again"))).opening.outcome.cause is Cause.UNFIT
        assert str(life.host.taken["EUR"]) == "25.96"

    Life(tmp_path, Orders(), made_at).run(story)


@pytest.mark.req("N-002", "N-006")
@pytest.mark.parametrize("mood", ["approved", "lost", "deaf"])
def test_of_two_who_take_one_order_at_once_one_has_it(tmp_path, mood):
    async def story(life):
        name = await approved(life)
        life.host.moods = [mood]
        both = await asyncio.gather(life.ask(paid(name, "a")), life.ask(paid(name, "b")))
        found = [await life.found(payment.id) for payment in both]
        states = sorted(payment.opening.state for payment in found)
        assert states == ["approved", "unsent"]
        assert str(life.host.taken["EUR"]) == "25.96"

    Life(tmp_path, Orders(), made_at).run(story)


@pytest.mark.req("N-002", "N-006")
@pytest.mark.parametrize("mood", ["lost", "deaf"])
@pytest.mark.parametrize("verb", [Verb.PURCHASE, Verb.AUTHORIZE, Verb.CAPTURE, Verb.REFUND,
                                  Verb.VOID])  # fmt: skip
def test_after_a_crash_the_order_tells_what_became_of_it(tmp_path, verb, mood):
    life = Life(tmp_path, Orders(), made_at)
    names = []

    async def begin(life):
        holds = verb in (Verb.AUTHORIZE, Verb.CAPTURE, Verb.VOID)
        name = await approved(life, **({"intent": "AUTHORIZE"} if holds else {}))
        ask = paid(name, verb=Verb.AUTHORIZE if holds else Verb.PURCHASE)
        if verb in (Verb.CAPTURE, Verb.REFUND, Verb.VOID):
            before = await life.ask(ask)
            some = None if verb is Verb.VOID else Money.of(596, "EUR")
            ask = continuing(verb, "then", before, amount=some)
        life.host.moods = [mood]
        payment = await life.ask(ask)
        names.append(payment.id)
        assert payment.operations[-1].state is State.DISPATCHED

    async def find(life):
        payment = await life.found(names[0])
        state = State.UNSENT if mood == "deaf" else State.APPROVED
        assert payment.operations[-1].state is state
        taken = payment.amounts.captured_minor - payment.amounts.refunded_minor
        assert life.host.taken.get("EUR", 0) * 100 == taken

    life.run(begin)
    life.run(find)


@pytest.mark.req("N-002")
def test_an_order_that_nobody_approves_is_forgotten_and_declined(tmp_path):
    async def story(life):
        stored = await life.ask(store())
        life.host.orders.clear()
        looked = await life.engine.look(Look(payment=stored.id, fresh=True))
        assert looked.opening.state is State.DECLINED
        assert looked.opening.outcome.code is DeclineCode.AUTHENTICATION_REQUIRED

    Life(tmp_path, Orders(), made_at).run(story)


@pytest.mark.req("N-002")
def test_what_the_provider_puts_off_is_found_later(tmp_path):
    async def story(life):
        name = await approved(life)
        life.host.moods = ["pending"]
        payment = await life.ask(paid(name))
        assert payment.opening.state is State.PENDING
        assert payment.opening.outcome.next_step == "PENDING_REVIEW"
        (made,) = life.host.orders[name]["purchase_units"][0]["payments"]["captures"]
        made["status"] = "COMPLETED"
        assert (await life.found(payment.id)).amounts.captured_minor == 2596

    Life(tmp_path, Orders(), made_at).run(story)


@pytest.mark.req("N-002")
def test_notices_are_believed_with_the_key_and_about_operations_only(tmp_path):
    async def story(life):
        stored = await life.ask(store())
        resource = life.host.orders[stored.opening.outcome.reference]
        resource["status"] = "APPROVED"
        kind = "CHECKOUT.ORDER.APPROVED"
        for wrong in (
            notice(kind, resource, "wrong"),
            notice(kind, resource, ""),
            notice("BILLING.PLAN.CREATED", resource),
            notice(kind, {}),
            notice("PAYMENT.CAPTURE.COMPLETED", {"id": "X1", "status": "COMPLETED"}),
        ):
            with pytest.raises(RemoteProtocolError):
                await life.engine.hear("paypal_orders", wrong)
        assert life.engine.load(stored.id).opening.state is State.PENDING
        await life.engine.hear("paypal_orders", notice(kind, resource))
        assert life.engine.load(stored.id).opening.state is State.APPROVED
        payment = await life.ask(paid(stored.opening.outcome.reference))
        life.host.moods = ["pending"]
        refund = await life.ask(continuing(Verb.REFUND, "back", payment))
        assert refund.operations[-1].state is State.PENDING
        (made,) = resource["purchase_units"][0]["payments"]["refunds"]
        told = notice("PAYMENT.CAPTURE.REFUNDED", {**made, "status": "COMPLETED"})
        await life.engine.hear("paypal_orders", told)
        assert life.engine.load(payment.id).amounts.refunded_minor == 2596

    Life(tmp_path, Orders(), made_at).run(story)


def test_without_a_key_in_the_settings_no_notice_is_heard():
    empty = notice("CHECKOUT.ORDER.APPROVED", {}, "")
    with pytest.raises(RemoteProtocolError, match="the key"):
        made(notice_key="").hear(empty)


def test_a_provider_that_does_not_know_us_takes_nothing(tmp_path):
    async def story(life):
        stored = await life.ask(store())
        assert stored.opening.state is State.UNSENT

    wrong = Life(tmp_path, Orders(), lambda url: made(api_endpoint=url, client_secret="wrong"))
    wrong.run(story)


def test_the_journal_keeps_the_order_and_no_credential(tmp_path):
    async def story(life):
        await life.ask(paid(await approved(life)))

    Life(tmp_path, Orders(), made_at).run(story)
    kept = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert b"ORDER" in kept
    for secret in (ACCESS, SETTINGS["client_secret"], NOTICE_KEY):
        assert secret.encode() not in kept


def test_what_cannot_be_kept_is_refused_at_start():
    for settings, problem in (
        ({"client_id": ""}, "client_id: is needed"),
        ({"notice_key": "short"}, "at least 16 letters"),
        ({"api_endpoint": "http://provider.example"}, "https is needed"),
        ({"colour": "red"}, "colour: there is no such setting"),
    ):
        with pytest.raises(ConfigError, match=problem):
            made(**settings)
    assert "HUF" not in made().capabilities.currencies
