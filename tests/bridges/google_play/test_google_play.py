"""The store's wire, word for word, and what its answers mean."""

import asyncio

import pytest

from examples.providers.store import ACCESS, Store
from tests.bridges.golden import spoken
from tests.bridges.google_play.test_google_play_kit import SETTINGS
from tests.bridges.living import Life
from tollbridge.bridges.google_play import bridge
from tollbridge.core.instrument import InstrumentView, Token
from tollbridge.core.operation import State
from tollbridge.core.outcome import Cause, DeclineCode
from tollbridge.core.verbs import Verb
from tollbridge.ground.errors import ConfigError, Unsupported
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.testing.world import continuing, opening

PRICE = Money.of(10_000, "EUR")
RECEIPT = "hundred:tok00001.AO-J1Oy"


def made(**more):
    return bridge(SETTINGS | more, None, None)


def made_at(url, **more):
    return made(api_endpoint=url, answer_limit_s=1, in_flight_limit_s=0.2, **more)


def paid(receipt, key="pay", amount=PRICE):
    token = Token(Secret(receipt), InstrumentView(entry="online"))
    return opening(Verb.PURCHASE, key, amount, instrument=token)


@pytest.mark.req("N-002")
def test_a_purchase_is_made_final_and_given_back_word_for_word():
    taken, given = spoken(
        made(),
        "google_play/purchase.json",
        [lambda _: paid(RECEIPT), lambda p: continuing(Verb.REFUND, "back", p)],
    )
    assert taken.opening.outcome.reference == "GPA.3312-4512-1100-00001"
    assert given.amounts.refunded_minor == 10_000


@pytest.mark.req("N-002")
def test_what_nobody_pays_with_is_given_back_by_the_store_and_pays_nothing(tmp_path):
    async def story(life):
        receipt = life.host.buy("hundred")
        life.host.give_back()
        payment = await life.ask(paid(receipt))
        assert payment.opening.outcome.cause is Cause.UNFIT
        kept = life.host.buy("hundred")
        await life.ask(paid(kept, "kept"))
        life.host.give_back()
        assert life.host.kept == 1

    Life(tmp_path, Store(), made_at).run(story)


@pytest.mark.req("N-002")
def test_a_receipt_pays_once_and_exactly_what_it_cost(tmp_path):
    async def story(life):
        receipt, two = life.host.buy("hundred"), life.host.buy("euro", quantity=2)
        still = life.host.buy("euro")
        life.host.bought[still.rpartition(":")[2]]["purchaseState"] = 2
        for number, wrong in enumerate((
            paid(receipt, "a", Money.of(9_999, "EUR")),
            paid(receipt, "b", Money.of(10_000, "JPY")),
            paid(receipt.replace("hundred", "euro"), "c", Money.of(12_345, "EUR")),
            paid(receipt.replace("hundred", "gift"), "d"),
            paid("hundred:invented", "e"),
            paid("hundred", "f"),
            paid(two, "g", Money.of(12_345, "EUR")),
            paid(still, "h", Money.of(12_345, "EUR")),
        )):  # fmt: skip
            outcome = (await life.ask(wrong)).opening.outcome
            assert outcome.cause is Cause.UNFIT, number
        assert life.host.kept == 0
        assert (await life.ask(paid(receipt))).opening.state is State.APPROVED
        twice = await life.ask(paid(two, "two", Money.of(24_690, "EUR")))
        assert twice.opening.state is State.APPROVED
        again = await life.ask(paid(receipt, "again"))
        assert again.opening.outcome.reason == "this purchase was used before"
        assert life.host.kept == 2

    Life(tmp_path, Store(), made_at).run(story)


@pytest.mark.req("N-002", "N-006")
@pytest.mark.parametrize("mood", ["approved", "lost", "deaf"])
def test_of_two_who_pay_with_one_receipt_at_once_one_pays(tmp_path, mood):
    async def story(life):
        receipt = life.host.buy("hundred")
        life.host.moods = [mood]
        both = await asyncio.gather(life.ask(paid(receipt, "a")), life.ask(paid(receipt, "b")))
        found = [await life.found(payment.id) for payment in both]
        approved = [each for each in found if each.opening.state is State.APPROVED]
        (declined,) = [each for each in found if each not in approved]
        assert len(approved) == life.host.kept == 1
        if declined.opening.state is State.DECLINED:
            assert declined.opening.outcome.code is DeclineCode.DUPLICATE
        else:
            assert declined.opening.outcome.cause is Cause.UNFIT

    Life(tmp_path, Store(), made_at).run(story)


@pytest.mark.req("N-002", "N-006")
@pytest.mark.parametrize("mood", ["lost", "deaf"])
@pytest.mark.parametrize("verb", [Verb.PURCHASE, Verb.REFUND])
def test_after_a_crash_the_store_tells_what_became_of_it(tmp_path, verb, mood):
    life = Life(tmp_path, Store(), made_at)
    names = []

    async def begin(life):
        ask = paid(life.host.buy("hundred"))
        if verb is Verb.REFUND:
            ask = continuing(verb, "back", await life.ask(ask))
        life.host.moods = [mood]
        payment = await life.ask(ask)
        names.append(payment.id)
        assert payment.operations[-1].state is State.DISPATCHED

    async def find(life):
        payment = await life.found(names[0])
        state = State.UNSENT if mood == "deaf" else State.APPROVED
        assert payment.operations[-1].state is state
        taken = payment.amounts.captured_minor - payment.amounts.refunded_minor
        assert life.host.kept * 10_000 == taken

    life.run(begin)
    life.make = lambda url: made_at(url, products={"another": "5.00 EUR"})
    life.run(find)


@pytest.mark.req("N-002")
def test_a_store_gives_back_all_or_nothing(tmp_path):
    async def story(life):
        payment = await life.ask(paid(life.host.buy("hundred")))
        some = continuing(Verb.REFUND, "some", payment, amount=Money.of(1, "EUR"))
        with pytest.raises(Unsupported, match="for all that is left only"):
            await life.ask(some)
        assert (await life.ask(continuing(Verb.REFUND, "all", payment))).amounts.refunded_minor
        assert life.host.kept == 0

    Life(tmp_path, Store(), made_at).run(story)


def test_the_credential_is_lent_for_each_conversation(tmp_path):
    def make(url):
        lending = {name: value for name, value in SETTINGS.items() if name != "access_token"}
        return bridge(lending | {"api_endpoint": url, "token_url": f"{url}/lend"}, None, None)

    async def story(life):
        assert (await life.ask(paid(life.host.buy("hundred")))).opening.state is State.APPROVED
        assert [each.url for each in life.host.asked].count("/lend") == 1
        assert life.host.asked[0].headers["metadata-flavor"] == "Google"

    Life(tmp_path, Store(), make).run(story)
    kept = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert ACCESS.encode() not in kept


def test_what_cannot_be_kept_is_refused_at_start():
    assert made().capabilities.currencies == {"EUR", "JPY", "KWD", "CLF"}
    for settings, problem in (
        ({"package_name": ""}, "package_name: is needed"),
        ({"products": {}}, "products: is needed"),
        ({"products": {"x": "1.999 EUR"}}, "products.x: a price such as"),
        ({"products": {"x": 199}}, "products.x: a price such as"),
        ({"products": "x"}, "products: a table"),
        ({"token_url": "https://lender.example"}, "one of them"),
        ({"access_token": "", "token_url": "http://lender.example/t"}, "token_url: https"),
        ({"access_token": ""}, "one of them is needed"),
        ({"api_endpoint": "http://store.example"}, "https is needed"),
        ({"colour": "red"}, "colour: there is no such setting"),
    ):
        with pytest.raises(ConfigError, match=problem):
            made(**settings)
