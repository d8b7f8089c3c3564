"""Messages are values; a printed one shows no card data."""

import pytest

from tollbridge.wire.dump import BODY_LETTERS_MAX, dump
from tollbridge.wire.http import JSON, NO_HEADERS, Headers, Limits, Request, Response

SOME = Headers([("Content-Type", "text/plain"), ("X-One", "1"), ("x-one", "2")])


@pytest.mark.parametrize("name", ["content-type", "Content-Type", "CONTENT-TYPE"])
def test_header_names_have_no_case(name):
    assert SOME[name] == "text/plain"
    assert name in SOME
    assert SOME.get(name) == "text/plain"


def test_the_first_of_two_values_counts():
    assert SOME["X-ONE"] == "1"
    assert list(SOME) == ["content-type", "x-one"]
    assert len(SOME) == 2


def test_a_missing_header_is_missing():
    assert "x-two" not in SOME
    assert SOME.get("x-two", "default") == "default"
    with pytest.raises(KeyError):
        _ = SOME["x-two"]


def test_headers_are_values_and_show_only_their_names():
    same = Headers([("x-one", "1"), ("content-type", "text/plain")])
    assert same == SOME
    assert hash(same) == hash(SOME)
    assert NO_HEADERS != SOME
    assert repr(SOME) == "Headers(['content-type', 'x-one'])"


def test_a_message_does_not_show_its_body():
    for message in (Request("POST", "/", JSON, b"4242"), Response(200, JSON, b"4242")):
        assert "4242" not in repr(message)
        assert hash(message) == hash(message)


def test_a_request_moves_no_money_unless_it_says_so():
    assert not Request("POST", "/").moves_money
    assert Limits().body_bytes_max == 65_536


def test_a_request_is_printed_with_its_fields_and_body():
    request = Request("POST", "http://host/v1", JSON, b'{"amount_minor":1}', moves_money=True)
    assert dump(request).splitlines() == [
        "POST http://host/v1  (moves money)",
        "content-type: application/json",
        "",
        '{"amount_minor":1}',
    ]


def test_an_answer_without_body_is_one_line():
    assert dump(Response(204)) == "204"


@pytest.mark.parametrize("name", ["Authorization", "cookie", "SET-COOKIE", "Proxy-Authorization"])
def test_what_lets_somebody_in_is_hidden(name):
    printed = dump(Request("GET", "/", Headers([(name, "Bearer abc")])))
    assert printed == f"GET /\n{name.lower()}: [hidden]"


def test_no_card_number_is_printed_wherever_it_stands():
    number = "4242424242424242"
    request = Request(
        "POST",
        f"http://host/cards/{number}?pan={number}",
        Headers([("x-card", number)]),
        b'{"number":"%b","cvc":"123"}' % number.encode(),
    )
    printed = dump(request)
    assert number not in printed
    assert "123" not in printed
    assert printed.count("424242******4242") == 4


def test_a_number_at_the_cut_of_a_long_body_is_masked_before_the_cut():
    number = b"4242424242424242"
    for place in range(BODY_LETTERS_MAX - 20, BODY_LETTERS_MAX + 5):
        printed = dump(Response(200, NO_HEADERS, b"a" * place + number))
        assert len(printed) <= BODY_LETTERS_MAX + len("200\n\n")
        assert "4242424" not in printed


def test_bytes_that_are_no_text_are_printed_nevertheless():
    assert dump(Response(200, NO_HEADERS, b"\xff\xfeabc")) == "200\n\n\ufffd\ufffdabc"
