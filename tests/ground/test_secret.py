"""Secrets do not show themselves, and text that may be read holds no card number."""

import copy
import json
import logging
import pickle
import re
import traceback
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbridge.ground.secret import Secret, luhn, mask_number, scrub

VALUE = "4000-tell-nobody"


def check_digit(body):
    return next(digit for digit in "0123456789" if luhn(body + digit))


NUMBERS = st.text("0123456789", min_size=11, max_size=18).map(lambda b: b + check_digit(b))
CLOSE = st.text('0123456789 -:,=/"\\nxA%;', max_size=30)
AROUND = st.one_of(st.text(), CLOSE)
GAPS = st.sampled_from(["", "", "", " ", "-", "  ", " - "])


@st.composite
def written(draw):
    """A card number, and how somebody may have written it."""
    number = draw(NUMBERS)
    text = number[0] + "".join(draw(GAPS) + digit for digit in number[1:])
    return number, text


# Secret


def showings(secret):
    """Every way in which a value gets into text by accident."""

    @dataclass(frozen=True, slots=True)
    class Holder:
        secret: Secret[str]

    return [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!s:>40}",
        f"{secret!r}",
        f"{secret:>40}",
        format(secret, "x"),
        "%s %r" % (secret, secret),  # noqa: UP031 - this way too
        "{}".format(secret),  # noqa: UP032
        repr([secret]),
        repr({secret: secret}),
        repr(Holder(secret)),
        str(ValueError(secret)),
        repr(ValueError(secret)),
        ascii(secret),
    ]


def test_a_secret_shows_itself_only_when_it_is_revealed():
    secret = Secret(VALUE)
    assert secret.reveal() == VALUE
    for text in showings(secret):
        assert VALUE not in text
        assert "Secret(…)" in text or "Secret(\\u2026)" in text


@pytest.mark.parametrize(
    "take",
    [
        pickle.dumps,
        lambda secret: pickle.dumps(secret, 0),
        lambda secret: pickle.dumps([secret]),
        copy.copy,
        copy.deepcopy,
        json.dumps,
        vars,
    ],
)
def test_a_secret_is_not_pickled_copied_or_taken_apart(take):
    with pytest.raises(TypeError) as refused:
        take(Secret(VALUE))
    assert VALUE not in str(refused.value)


def test_a_secret_is_not_logged(caplog):
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").debug("%s %r", Secret(VALUE), Secret(VALUE))
        logging.getLogger("test").debug(Secret(VALUE))
    assert "Secret(…)" in caplog.text
    assert VALUE not in caplog.text


def test_a_secret_is_not_in_a_traceback_even_with_its_locals():
    def fail(secret):
        raise ValueError(secret)

    try:
        fail(Secret(VALUE))
    except ValueError as error:
        shown = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
    assert "Secret(…)" in shown
    assert "secret = " in shown
    # The line of code that names the value is not the value.
    assert VALUE not in shown


def test_secrets_of_one_value_are_equal_and_found():
    assert Secret(1) == Secret(1)
    assert Secret(1) != Secret(2)
    assert Secret(1) != 1
    assert {Secret("a"): 1}[Secret("a")] == 1
    assert hash(Secret("a")) != hash("a")


# Card numbers


@pytest.mark.parametrize(
    ("number", "right"),
    [
        ("4242424242424242", True),
        ("378282246310005", True),
        ("6799998900000099990", True),
        ("79927398713", True),
        ("0", True),
        ("4242424242424241", False),
        ("79927398710", False),
        ("1", False),
    ],
)
def test_luhn_knows_a_right_check_digit(number, right):
    assert luhn(number) is right


@given(st.text("0123456789", min_size=1, max_size=19), st.data())
def test_luhn_notices_every_wrong_digit(body, data):
    number = body + check_digit(body)
    place = data.draw(st.integers(0, len(number) - 1))
    wrong = data.draw(st.sampled_from("0123456789").filter(lambda d: d != number[place]))
    assert not luhn(number[:place] + wrong + number[place + 1 :])


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("4242424242424242", "424242******4242"),
        ("378282246310005", "378282*****0005"),
        ("6799998900000099990", "679999*********9990"),
        ("123456789012", "123456**9012"),
        ("12345678901", "***********"),
        ("", ""),
    ],
)
def test_a_mask_shows_the_first_six_and_the_last_four(number, masked):
    assert mask_number(number) == masked


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("4242424242424242", "424242******4242"),
        ("4242 4242 4242 4242", "4242 42** **** 4242"),
        ("4242-4242-4242-4242.", "4242-42**-****-4242."),
        ("card=378282246310005;", "card=378282*****0005;"),
        ("2026-03-01 4242424242424242", "2026-03-01 424242******4242"),
        ("4242424242424242 12/27", "424242******4242 12/27"),
        ("4242424242424242 1227", "424242******4242 1227"),
        ('"line\\n4242424242424242"', '"line\\n424242******4242"'),
        ("PAN4242424242424242D", "PAN424242******4242D"),
        ("4242424242424242,4000056655665556", "424242******4242,400005******5556"),
        ("4242424242424242 4000056655665556", "424242******4242 400005******5556"),
        ("4242424242424241", "4242424242424241"),
        ("order 1234567", "order 1234567"),
        ("", ""),
    ],
)
def test_a_card_number_in_a_text_is_masked_and_the_rest_stays(text, clean):
    assert scrub(text) == clean


@given(AROUND, written(), AROUND)
def test_any_card_number_in_any_text_is_masked(before, card, after):
    number, text = card
    if before[-1:].isdigit() or after[:1].isdigit():
        before, after = before + "|", "|" + after
    clean = scrub(before + text + after)
    assert number not in re.sub("[ -]", "", clean)


@given(st.text(st.characters(exclude_categories=["Nd"])))
def test_a_text_without_digits_stays_as_it_is(text):
    assert scrub(text) == text


def test_a_long_row_of_digits_is_read_in_good_time():
    scrub("1 " * 30_000)
    scrub("1" * 60_000)


# Tracks and codes


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("%B4242424242424242^DOE/JOHN^27121010000012300000?", "[track]"),
        ("%B4242424242424242^DOE/JOHN A          ^27121010000012300000?", "[track]"),
        ("%B4242424242424242^DOE/JOHN", "[track]"),
        (";4242424242424241=27?", "[track]"),
        ("a %B378282246310005^DOE/J^2712101123? b", "a [track] b"),
        (";4242424242424242=27121010000012300000?", "[track]"),
        ('"track2":"4242424242424242=27121010000012300000"', '"track2":"[track]"'),
        ("4242424242424242D27121010000012300000F", "[track]F"),
        ("/pay?name=%C3%A9clair&code=1", "/pay?name=%C3%A9clair&code=1"),
        ("total 123456789012=5", "total 123456789012=5"),
    ],
)
def test_a_track_is_not_shown_at_all(text, clean):
    assert scrub(text) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ('{"cvc":"123"}', '{"cvc":"***"}'),
        ('{"CVV2" : 1234}', '{"CVV2" : ***}'),
        ("pin=1234&x=1", "pin=***&x=1"),
        ("pin=1&x=1", "pin=***&x=1"),
        ('{"pin":"12"}', '{"pin":"***"}'),
        ('{"pin" : "12ab 7"}', '{"pin" : "***"}'),
        ('{"pin":"\\uff11\\uff12"}', '{"pin":"***"}'),
        ('"{\\"pin\\": \\"12a4\\"}"', '"{\\"pin\\": \\"***\\"}"'),
        ("pin: '12345678901234567890'", "pin: '***'"),
        ('{"pin":""}', '{"pin":""}'),
        ("cid: '123'", "cid: '***'"),
        ("pin_block=04124389999AAABC", "pin_block=***"),
        ('"pin_block": "AC12438999900000"', '"pin_block": "***"'),
        ("card_cvc=123", "card_cvc=***"),
        ('"{\\"cvc\\": \\"123\\"}"', '"{\\"cvc\\": \\"***\\"}"'),
        ("security_code: 123", "security_code: ***"),
        ("spin=1234", "spin=1234"),
        ("pin: added", "pin: added"),
    ],
)
def test_a_security_code_is_not_shown_at_all(text, clean):
    assert scrub(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        '{"token":"TEST_SU_aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"}',
        '{"clientToken": "e63260de-bd61-4f5b-4fbe-f6d495ec0c9c"}',
        r"{\"paymentMethodId\":\"1a9ae1b0-5cc4-4a3f-9d04-6f3e1c2b7d55\"}",
        "no order with TEST_SU_aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "key T_S_55555555-6666-7777-8888-999999999999 refused",
        "key L_S_55555555-6666-7777-8888-999999999999 refused",
    ],
)
def test_payment_tokens_and_service_keys_are_masked(text):
    assert not re.search(r"[0-9a-f]{4,}-[0-9a-f]{4}", scrub(text)), scrub(text)


def test_public_keys_and_words_about_tokens_stay():
    for text in ("T_C_97e8cbaa-14e0-4b1c-b2af-469daf8f1356", "token: expired", "a token is needed"):
        assert scrub(text) == text
