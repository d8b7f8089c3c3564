"""JSON is read strictly, or refused with the rule that was broken; nothing else happens."""

import json as standard
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.wire import json

LETTERS = st.characters(exclude_categories=["Cs"])
INTEGERS = st.integers(1 - 10**18, 10**18 - 1)
PLAIN = st.none() | st.booleans() | INTEGERS | st.text(LETTERS)
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(LETTERS), inner, max_size=5)
    ),
    max_leaves=20,
)
# Texts that are nearly JSON find more than bytes that are nothing at all.
CLOSE = st.lists(
    st.sampled_from(
        [*'{}[]",:\\', *"0123456789eE+-. \n", "\\u", "d83d", "true", "null", "NaN", "a"]
    ),
    max_size=60,
).map("".join)
ANYTHING = st.one_of(st.binary(), CLOSE.map(str.encode), CLOSE, st.text())


def decimals(value):
    match value:
        case Decimal():
            return True
        case list():
            return any(map(decimals, value))
        case dict():
            return any(map(decimals, value.values()))
    return False


@given(ANYTHING)
@example(b"1e1000000000000000000")
@example(b"[1E-99999999999999999999]")
@example(b'"\\ud800"')
@example('{"\ud800": 1}')
@example(b"[" * 5000)
@example(b'{"a":' * 5000)
@example(b"\xef\xbb\xbf{}")
@example(b"-")
def test_any_bytes_are_a_value_or_a_protocol_error(data):
    try:
        value = json.read(data)
    except RemoteProtocolError as error:
        refusal = str(error)
        assert 0 < len(refusal) < 200
    else:
        if not decimals(value):
            assert json.read(json.write(value)) == value


@given(VALUES)
def test_what_is_written_is_read_back(value):
    assert json.read(json.write(value)) == value


@given(VALUES)
def test_the_standard_library_understands_what_is_written(value):
    written = json.write(value)
    assert standard.loads(written) == value
    assert len(written) <= len(standard.dumps(value, ensure_ascii=False).encode())


@given(VALUES)
def test_bytes_and_text_are_read_alike(value):
    assert json.read(json.write(value).decode()) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.10", Decimal("1.10")),
        ("-0.5", Decimal("-0.5")),
        ("1e3", Decimal("1E+3")),
        ("2.5E-3", Decimal("0.0025")),
        ("1e308", Decimal("1e308")),
        ("1e-324", Decimal("1e-324")),
        ("123456789012345678.123456789012345678", Decimal("123456789012345678.123456789012345678")),
    ],
)
def test_a_number_with_a_fraction_keeps_all_its_digits(text, value):
    read = json.read(text)
    assert isinstance(read, Decimal)
    assert str(read) == str(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("999999999999999999", 10**18 - 1),
        ("-999999999999999999", 1 - 10**18),
        ("-0", 0),
        (' {"a" : [ ] } ', {"a": []}),
        ('"\\ud83d\\ude00"', "😀"),
        ('"\\u0000"', "\0"),
        ('{"a": 1, "A": 2}', {"a": 1, "A": 2}),
    ],
)
def test_what_is_within_the_rules_is_read(text, value):
    assert json.read(text) == json.read(text.encode()) == value


# rule, text
BROKEN = [
    ("not UTF-8 at byte 1", b'"\xff"'),
    ("not JSON", b""),
    ("not JSON", b"\xef\xbb\xbf1"),
    ("not JSON", b"{}{}"),
    ("not JSON", b"[1,]"),
    ("not JSON", b"{'a': 1}"),
    ("not JSON", b"01"),
    ("not JSON", b'"a\nb"'),
    ("not JSON", b"// no\n1"),
    ("NaN is not JSON", b"NaN"),
    ("-Infinity is not JSON", b"[-Infinity]"),
    ("appears twice", b'{"a": 1, "b": {"c": 1, "c": 1}}'),
    ("appears twice", b'{"a": 1, "\\u0061": 1}'),
    ("more than 18 digits", b"1000000000000000000"),
    ("more than 18 digits", b"-1000000000000000000"),
    ("more than 18 digits", b"9" * 5000),
    ("too long a number", b"0." + b"1" * 100),
    ("too long a number", b"1e1000"),
    ("too long a number", b"1e-1000"),
    ("too long a number", b"1e99999999999999999999"),
    ("too long a number", b"1e+0000000000000000000001"),
    ("nested deeper than 16", b"[" * 17 + b"]" * 17),
    ("nested deeper than 16", b'{"a":' * 17 + b"1" + b"}" * 17),
    ("nested deeper than 16", b"[" * 100_000),
    ("half of a surrogate pair", b'"\\ud800"'),
    ("half of a surrogate pair", b'["\\udc00\\ud800"]'),
    ("half of a surrogate pair", b'{"a": {"\\ud800": 1}}'),
    ("half of a surrogate pair", '"\ud800"'),
    ("longer than", b" " * (1 << 20) + b"1"),
]


@pytest.mark.parametrize(("rule", "data"), BROKEN, ids=range(len(BROKEN)))
def test_a_broken_rule_is_named(rule, data):
    with pytest.raises(RemoteProtocolError, match=rule):
        json.read(data)


def test_the_message_says_what_was_read():
    with pytest.raises(RemoteProtocolError, match=r"^notice: not JSON"):
        json.read(b"?", what="notice")


@pytest.mark.parametrize("depth", [1, 15, 16])
def test_what_is_nested_to_the_limit_is_read(depth):
    text = "[" * depth + "]" * depth
    assert json.write(json.read(text)) == text.encode()


@pytest.mark.parametrize(
    "text", ['"[[[[[[[[[[[[[[[[[[[["', '"\\"[[[[[[[[[[[[[[[[[[["', "[[],[]" + ",[]" * 50 + "]"]
)
def test_brackets_side_by_side_or_within_texts_are_not_depth(text):
    assert json.read(text) == standard.loads(text)


@pytest.mark.parametrize("data", [b"[]", b"1", b'"{}"', b"null"])
def test_an_object_is_expected_where_one_is_read(data):
    with pytest.raises(RemoteProtocolError, match="answer: a JSON object is expected"):
        json.read_object(data, what="answer")


def test_an_object_is_read():
    assert json.read_object(b'{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object(), Decimal(1)])
def test_what_is_not_json_is_not_written(value):
    with pytest.raises((ValueError, TypeError)):
        json.write({"a": value})
