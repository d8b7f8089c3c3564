"""The OneAPI wire, word for word, and what its answers mean."""

import json
from decimal import Decimal

import pytest

from examples.providers.carrier import SUBSCRIBER, Carrier, error
from tests.bridges.golden import spoken
from tests.bridges.living import Life
from tests.bridges.oneapi.test_oneapi_kit import SETTINGS
from tollbridge.bridges.oneapi import bridge
from tollbridge.core.facts import Requested
from tollbridge.core.instrument import InstrumentView, Token
from tollbridge.core.operation import Operation, State
from tollbridge.core.outcome import Cause, DeclineCode, Declined
from tollbridge.core.payment import Payment
from tollbridge.core.verbs import Verb
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.ids import IdempotencyKey, PaymentId
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.testing.world import continuing, opening
from tollbridge.wire.http import Response

NAME = PaymentId("01JZZZZZZZZZZZZZZZZZZZZZZZ")


def made(**more):
    return bridge(SETTINGS | more, None, None)


def phone(name=SUBSCRIBER):
    return Token(Secret(name), InstrumentView(entry="online"))


def eur(minor):
    return Money.of(minor, "EUR")


@pytest.mark.req("N-002")
def test_a_reservation_is_raised_charged_and_given_back_word_for_word():
    payments = spoken(
        made(),
        "oneapi/reservation.json",
        [
            lambda _: opening(Verb.AUTHORIZE, "1", eur(1000), instrument=phone(),
                              bridge="oneapi", reference="order-7"),
            lambda p: continuing(Verb.INCREMENT, "2", p, amount=eur(250)),
            lambda p: continuing(Verb.CAPTURE, "3", p, amount=eur(1200)),
            lambda p: continuing(Verb.REFUND, "4", p, amount=eur(200)),
        ],
    )  # fmt: skip
    assert payments[-1].amounts.captured_minor == 1200
    assert payments[-1].amounts.refunded_minor == 200


@pytest.mark.req("N-002")
def test_a_charge_and_a_release_word_for_word():
    (charged,) = spoken(
        made(),
        "oneapi/charge.json",
        [lambda _: opening(Verb.PURCHASE, "1", eur(1050), instrument=phone("acr:4d2f"),
                           details={"description": "Alien level"})],
    )  # fmt: skip
    assert charged.opening.outcome.reference == "SRV-1"
    held, released = spoken(
        made(),
        "oneapi/release.json",
        [
            lambda _: opening(Verb.AUTHORIZE, "1", eur(500), instrument=phone()),
            lambda p: continuing(Verb.VOID, "2", p),
        ],
    )
    assert held.amounts.authorized_minor == 500
    assert released.amounts.authorized_minor == 0


@pytest.mark.req("N-002", "NX-027")
@pytest.mark.parametrize(
    ("minor", "code", "told"),
    [(1050, "EUR", "10.50"), (500, "JPY", "500"), (1234, "BHD", "1.234"), (5, "BHD", "0.005")],
)
def test_the_carrier_bills_what_was_asked_in_every_currency(tmp_path, minor, code, told):
    async def story(life):
        amount = Money.of(minor, code)
        payment = await life.ask(opening(Verb.PURCHASE, "1", amount, instrument=phone()))
        assert payment.opening.approved_amount == amount
        asked = json.loads(life.host.asked[-1].body)["amountTransaction"]["paymentAmount"]
        assert asked["chargingInformation"]["amount"] == told
        assert life.host.bills == {code: Decimal(told)}

    Life(tmp_path, Carrier(), made_at).run(story)


@pytest.mark.req("N-002", "N-006")
@pytest.mark.parametrize("mood", ["lost", "deaf"])
@pytest.mark.parametrize("verb", [Verb.PURCHASE, Verb.AUTHORIZE, Verb.CAPTURE, Verb.REFUND,
                                  Verb.INCREMENT, Verb.VOID])  # fmt: skip
def test_after_a_crash_the_carriers_list_tells_what_became_of_it(tmp_path, verb, mood):
    life = Life(tmp_path, Carrier(), made_at)
    names = []

    async def begin(life):
        if verb in (Verb.PURCHASE, Verb.AUTHORIZE):
            life.host.moods = [mood]
            payment = await life.ask(opening(verb, "1", eur(1000), instrument=phone()))
        else:
            first = Verb.PURCHASE if verb is Verb.REFUND else Verb.AUTHORIZE
            before = await life.ask(opening(first, "1", eur(1000), instrument=phone()))
            life.host.moods = [mood]
            some = None if verb is Verb.VOID else eur(400)
            payment = await life.ask(continuing(verb, "2", before, amount=some))
        names.append(payment.id)
        assert payment.operations[-1].state is State.DISPATCHED

    async def find(life):
        payment = await life.found(names[0])
        happened = mood != "deaf"
        state = State.APPROVED if happened else State.UNSENT
        assert payment.operations[-1].state is state
        taken = payment.amounts.captured_minor - payment.amounts.refunded_minor
        assert life.host.bills.get("EUR", 0) * 100 == taken

    life.run(begin)
    life.run(find)


def told(status, body):
    """Give what a charge becomes when the carrier answers so."""
    view = InstrumentView(reference=SUBSCRIBER)
    request = Requested(ordinal=1, at=0, verb=Verb.PURCHASE, key=IdempotencyKey("t", "1"),
                        merchant="m", bridge="oneapi", amount=eur(1000), tender=eur(1000),
                        view=view)  # fmt: skip
    operation = Operation(NAME, request, instrument=phone())
    flow = made().perform(operation, Payment(NAME, "m", "oneapi", (operation,), 1))
    next(flow)
    with pytest.raises(StopIteration) as end:
        flow.send(Response(status, body=json.dumps(body).encode()))
    return end.value.value


@pytest.mark.parametrize(
    ("kind", "code", "why"),
    [
        ("policyException", "POL0254", DeclineCode.LIMIT_EXCEEDED),
        ("serviceException", "SVC0270", DeclineCode.INSUFFICIENT_FUNDS),
        ("serviceException", "SVC0007", DeclineCode.INVALID_AMOUNT),
        ("policyException", "POL9999", DeclineCode.DO_NOT_HONOUR),
    ],
)
def test_exceptions_of_the_api_are_declines(kind, code, why):
    assert told(403, error(kind, code, "no")) == Declined(why, code, "no")


def test_who_is_no_subscriber_is_not_charged(tmp_path):
    async def story(life):
        payment = await life.ask(opening(Verb.PURCHASE, "1", eur(1), instrument=phone("0550100")))
        assert payment.opening.outcome.cause is Cause.UNFIT
        assert not life.host.asked

    Life(tmp_path, Carrier(), made_at).run(story)


def test_an_increment_is_not_released_alone(tmp_path):
    async def story(life):
        held = await life.ask(opening(Verb.AUTHORIZE, "1", eur(100), instrument=phone()))
        await life.ask(continuing(Verb.INCREMENT, "2", held, amount=eur(50)))
        payment = await life.ask(continuing(Verb.VOID, "3", held, target=2))
        assert payment.operations[-1].state is State.UNSENT
        assert payment.amounts.authorized_minor == 150

    Life(tmp_path, Carrier(), made_at).run(story)


def test_what_cannot_be_kept_is_refused_at_start():
    for settings, problem in (
        ({"username": ""}, "username: is needed"),
        ({"password": 7}, "password: a text"),
        ({"api_endpoint": "http://carrier.example"}, "https is needed"),
        ({"api_endpoint": ""}, "address of the API"),
        ({"answer_limit_s": "soon"}, "a number of seconds"),
        ({"colour": "red"}, "colour: there is no such setting"),
    ):
        with pytest.raises(ConfigError, match=problem):
            made(**settings)


def made_at(url):
    return made(api_endpoint=f"{url}/oneapi/3", answer_limit_s=1, in_flight_limit_s=0.2)
