"""Challenges: asked when the policy says so, answered once, by who was asked, in time."""

import asyncio
import re
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.faces.webinos.counter import ADA, BILL, QUIET, Counter, answered, customer
from tollbridge.faces.webinos import challenges, pictures
from tollbridge.ground.secret import Secret

ALWAYS = {"amount_minor": 0}
NUMBERS = {word: str(n) for n, word in enumerate(pictures.WORDS)}


def with_kind(kind, **more):
    return Counter(policy=ALWAYS | {"kinds": [kind]} | more.pop("policy", {}), **more)


def in_words(alt):
    """Answer a picture by its alternative in words, as who cannot see it would."""
    sums = re.search(r"what is (\w+) and (\w+) together", alt)
    if sums:
        return str(sum(int(NUMBERS[word]) for word in sums.groups()))
    spoken = re.search(r"type these digits: ([\w, ]+)\.", alt)[1]
    return "".join(NUMBERS[word] for word in spoken.split(", "))


# When


@pytest.mark.req("N-070", "N-073", "N-076", "N-083")
def test_nothing_moves_until_it_is_answered():
    counter = with_kind("text")
    asked = counter.pay()
    assert asked["state"] == "challenge_required"
    challenge = asked["challenge"]
    assert (challenge["type"], challenge["attempts_left"], challenge["input"]) == (
        "text", 3, "digits",
    )  # fmt: skip
    assert "25.96 EUR to The Shop" in challenge["challenge"]
    assert counter.house.code not in repr(asked)
    assert counter.house.sent[-1].contact == "+15551234"
    assert "25.96 EUR to The Shop" in counter.house.sent[-1].text.reveal()
    counter.settle()
    assert counter.taken() == 0
    assert counter.show(asked)["state"] == "challenge_required"
    assert counter.answer(asked, f" {counter.house.code} ")[1]["state"] == "succeeded"
    assert counter.verdict() == []


@pytest.mark.req("N-081", "N-083")
def test_the_policy_says_when():
    counter = Counter(policy=QUIET | {"amount_minor": 3000})
    assert counter.pay()["state"] == "succeeded"
    assert counter.pay(BILL | {"itemPrice": 30})["state"] == "challenge_required"
    counter = Counter(policy=QUIET | {"new_instrument": True})
    first = counter.pay()
    assert first["state"] == "challenge_required"
    assert counter.answer(first, counter.house.code)[1]["state"] == "succeeded"
    assert counter.pay()["state"] == "succeeded"
    counter = Counter(policy=QUIET | {"every": 3})
    states = [counter.pay()["state"] for _ in range(3)]
    assert states == ["succeeded", "succeeded", "challenge_required"]
    counter = Counter(policy=QUIET | {"refunds": True})
    counter.pay()
    back = counter.pay(BILL | {"itemPrice": "-1.00"})
    assert back["state"] == "challenge_required"
    assert "to be given back" in back["challenge"]["challenge"]
    assert counter.answer(back, counter.house.code)[1]["state"] == "succeeded"
    assert counter.taken() == 2496


@pytest.mark.req("N-024", "N-072", "N-080", "N-084")
def test_only_kinds_that_the_page_can_show_are_used():
    counter = Counter(policy=ALWAYS)
    kinds = {
        None: "text",
        ("text",): "text",
        ("url", "later"): "url",
        ("image",): "image",
        ("image", "url"): "url",
    }
    for shown, kind in kinds.items():
        more = {} if shown is None else {"challenges": list(shown)}
        assert counter.pay(**more)["challenge"]["type"] == kind
    problem = counter.fails(challenges=[])
    assert problem["code"] == "payment_authentication_failed"
    assert (problem["reason"], problem["retryPossible"]) == ("no_challenge_possible", False)
    assert counter.fails(challenges=["later"])["reason"] == "no_challenge_possible"


def test_without_a_contact_or_a_way_to_send_the_next_kind_is_tried():
    counter = Counter(policy=ALWAYS)
    counter.house.can_send = False
    assert counter.pay()["challenge"]["type"] == "url"
    counter = Counter(policy=ALWAYS, customers={ADA: customer(contact="")})
    assert counter.pay(challenges=["text", "image"])["challenge"]["type"] == "image"
    assert counter.house.sent == []


# Answers


@pytest.mark.req("N-068", "N-077")
def test_a_wrong_answer_makes_another_question_and_at_last_an_end():
    counter = with_kind("text")
    asked = counter.pay()
    seen = {asked["challenge"]["id"]}
    for left in (2, 1):
        first = counter.house.code
        status, asked = counter.answer(asked, "wrong")
        asked["client_token"] = counter.call(counter.begin(key="key-000001"))[1]["client_token"]
        assert (status, asked["state"]) == (200, "challenge_required")
        assert asked["challenge"]["attempts_left"] == left
        assert asked["challenge"]["id"] not in seen
        seen.add(asked["challenge"]["id"])
        assert counter.house.code != first
    _, failed = counter.answer(asked, "000000x")
    assert failed["state"] == "failed"
    assert failed["error"]["code"] == "payment_authentication_failed"
    assert (failed["error"]["reason"], failed["error"]["retryPossible"]) == ("wrong_answer", False)
    assert counter.taken() == 0
    assert counter.unfinished() == ()


@pytest.mark.req("N-077")
def test_two_payments_never_have_the_same_question():
    counter = with_kind("image")
    asked = [counter.pay()["challenge"] for _ in range(20)]
    assert len({each["id"] for each in asked}) == 20
    assert len({each["challenge"] for each in asked}) == 20
    assert all(len(each["id"].rpartition("_")[2]) == 32 for each in asked)


@pytest.mark.req("N-077", "N-097")
def test_an_answer_is_taken_once_and_its_replay_refused_and_noted():
    counter = with_kind("text")
    asked = counter.pay()
    right = answered(asked, counter.house.code)
    assert counter.call(right)[1]["state"] == "succeeded"
    status, answer = counter.call(right)
    assert (status, answer["error"]["reason"]) == (409, "challenge_closed")
    (checkout,) = counter.checkouts()
    assert checkout.audit[-1][1:] == ["replay refused", asked["challenge"]["id"]]
    for _ in range(30):
        counter.call(right)
    (checkout,) = counter.checkouts()
    assert len(checkout.audit) < 40
    assert checkout.state == "succeeded"
    assert counter.taken() == 2596


@pytest.mark.req("N-077")
def test_an_answer_for_one_payment_is_none_for_another():
    counter = with_kind("text")
    one = counter.pay()
    code = counter.house.code
    two = counter.pay()
    status, _ = counter.answer(two, code, challenge=one["challenge"]["id"])
    assert status == 409
    assert counter.answer(one, code, token=two["client_token"])[0] == 401
    assert counter.answer(two, code)[1]["state"] == "challenge_required"
    assert counter.taken() == 0


@pytest.mark.req("N-068", "N-076", "N-077")
def test_an_answer_after_its_time_is_refused():
    counter = with_kind("text", policy={"expires_s": 60})
    asked = counter.pay()
    counter.world.clock.advance(60)
    status, answer = counter.answer(asked, counter.house.code)
    assert (status, answer["error"]["reason"]) == (409, "challenge_closed")
    failed = counter.show(asked)
    assert (failed["state"], failed["error"]["reason"]) == ("failed", "challenge_expired")
    assert failed["error"]["code"] == "payment_authentication_failed"
    assert failed["error"]["retryPossible"] is True
    assert counter.taken() == 0


@pytest.mark.req("N-077")
def test_an_answer_is_bound_to_the_bill_the_seller_and_the_customer():
    for member, other in (("bill_hash", "x"), ("seller", "grace"), ("customer", "eve"),
                          ("id", "wp_other")):  # fmt: skip
        counter = with_kind("text")
        asked = counter.pay()
        (checkout,) = counter.checkouts()
        setattr(checkout, member, other)
        challenge = checkout.challenge

        async def main(counter=counter, checkout=checkout, challenge=challenge):
            class Face:
                name = "webinos"

                def answer(self, code):
                    return challenges.right(counter.face.house, checkout, challenge, Secret(code))

            said = await counter.world.engine.serve(Face(), counter.house.code, counter.parties)
            assert said is False

        counter.world.run(main())
        assert counter.answer(asked, counter.house.code)[1]["state"] == "succeeded"


@pytest.mark.req("N-077", "N-062")
def test_of_many_answers_at_once_one_is_judged():
    counter = with_kind("text")
    asked = counter.pay()
    code = counter.house.code
    requests = [answered(asked, f"{n:06d}") for n in range(20)] + [answered(asked, code)] * 2
    answers = counter.call(*requests)
    taken = [answer for status, answer in answers if status == 200]
    assert len(taken) == 1, "twenty guesses at once are one guess"
    assert taken[0]["state"] == "challenge_required"
    assert counter.taken() == 0
    assert counter.verdict() == []


# Pictures


@pytest.mark.req("N-074", "N-084")
@pytest.mark.parametrize("mark", ["", "lighthouse teal"])
def test_a_picture_can_be_answered_by_its_words(mark):
    counter = with_kind("image", customers={ADA: customer(mark=mark)})
    for _ in range(6):
        asked = counter.pay()
        challenge = asked["challenge"]
        assert challenge["challenge"].startswith("data:image/svg+xml,")
        assert challenge["alt"]
        assert counter.show(asked)["challenge"] == challenge
        status, paid = counter.answer(asked, in_words(challenge["alt"]))
        assert (status, paid["state"]) == (200, "succeeded")
    assert counter.verdict() == []


@pytest.mark.req("N-082")
def test_the_customers_own_mark_shows_who_asks_for_what():
    counter = with_kind("image", customers={ADA: customer(mark="lighthouse teal")})
    asked = counter.pay(seller="grace")
    picture = unquote(asked["challenge"]["challenge"])
    for part in ("lighthouse", pictures.COLOURS["teal"], "25.96 EUR", "Grace"):
        assert part in picture
    assert "lighthouse" in asked["challenge"]["alt"]
    assert "teal" not in picture


@pytest.mark.req("N-074", "N-077")
@given(some.text(max_size=20))
def test_pictures_follow_from_their_seed(seed):
    for draw in (pictures.count, pictures.digits):
        picture = draw(seed)
        assert picture == draw(seed)
        svg = unquote(picture.url.partition(",")[2])
        ET.fromstring(svg)
        assert in_words(picture.alt) == picture.answer
        assert "<text" not in svg
        assert len(picture.url) < 16_000
    drawn = pictures.mark(seed, "fox <b>", "A & B", "1.00 EUR")
    ET.fromstring(unquote(drawn.url.partition(",")[2]))
    assert in_words(drawn.alt) == drawn.answer


@pytest.mark.req("N-074")
def test_what_is_counted_is_what_is_drawn():
    for seed in range(60):
        picture = pictures.count(str(seed))
        svg = unquote(picture.url.partition(",")[2])
        shapes = {"circles": svg.count(" 0 1 0 ") // 2, "squares": len(re.findall(r"v\d+h-", svg)),
                  "triangles": len(re.findall(r'd="M\d+ \d+l', svg))}  # fmt: skip
        wanted = re.search("How many (\\w+)", picture.question)[1]
        assert shapes[wanted] == int(picture.answer)


@pytest.mark.req("N-077")
def test_a_crash_between_answer_and_money_asks_again():
    moment = 0
    while True:
        counter = with_kind("text")
        asked = counter.pay()

        crashed = counter.call(answered(asked, counter.house.code), crash_at=moment) is None
        counter.settle()
        now = counter.show(asked)
        if now["state"] == "challenge_required":
            assert now["challenge"]["id"] != asked["challenge"]["id"] or moment == 0
            now = counter.answer(asked | now, counter.house.code)[1]
            assert now["state"] == "succeeded"
        # What was written to be sent, and was not when the process died, never arrived.
        assert counter.taken() == (2596 if now["state"] == "succeeded" else 0)
        assert now["error"] is None or now["error"]["reason"] == "never_arrived"
        assert counter.verdict() == []
        if not crashed:
            break
        moment += 1
    assert moment > 5


def test_a_sent_code_is_never_the_same_for_two():
    counter = with_kind("text")

    async def main():
        await asyncio.gather(*(counter.one(counter.begin()) for _ in range(10)))

    counter.world.run(main())
    assert len({wish.text.reveal() for wish in counter.house.sent}) == 10
