"""What the codec keeps for any message and any bytes."""

import base64
import contextlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbridge.faces.within import codec
from tollbridge.faces.within.messages import (
    BeginRequest,
    BeginResponse,
    Broadcast,
    DeliveryToken,
    EndRequest,
    EndResponse,
    PaymentRequest,
    PaymentResponse,
    Price,
    PriceList,
    PricePerUnit,
    Refusal,
    ServiceDetails,
    ServiceList,
    Total,
    TotalRequest,
)
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import Secret

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.text(
    '&<>\u2028\u2029"\\ü€\n\0😀', max_size=8
)
numbers = st.integers(-(10**18) + 1, 10**18 - 1)
secrets = texts.map(Secret)
times = st.builds(
    "{}{}{}".format,
    st.datetimes().map(lambda at: at.isoformat(timespec="seconds")),
    st.sampled_from(["", ".1", ".123456", ".123456789"]),
    st.sampled_from(["Z", "+00:00", "-05:30", "+13:00"]),
)
signatures = st.none() | st.binary(max_size=64).map(lambda data: base64.b64encode(data).decode())
tokens = st.builds(DeliveryToken, secrets, times, times, st.booleans(), signatures)
prices = st.builds(
    Price, numbers, texts, st.builds(PricePerUnit, numbers, texts), numbers, texts, numbers
)
services = st.builds(ServiceDetails, numbers, texts, texts, texts)


def several(items):
    return st.lists(items, max_size=3).map(tuple)


messages = st.one_of(
    st.builds(
        Broadcast,
        device_description=texts,
        hostname=texts,
        port_number=numbers,
        server_id=texts,
        url_prefix=texts,
        scheme=texts,
        device_name=texts,
        service_types=st.none() | several(texts),
    ),
    services,
    st.builds(ServiceList, texts, several(services), texts),
    prices,
    st.builds(PriceList, texts, several(prices)),
    st.builds(TotalRequest, texts, numbers, numbers),
    st.builds(Total, texts, texts, numbers, numbers, numbers, texts, texts, texts),
    st.builds(PaymentRequest, texts, secrets, texts),
    tokens,
    st.builds(PaymentResponse, texts, texts, numbers, tokens),
    st.builds(BeginRequest, texts, tokens, numbers),
    st.builds(BeginResponse, texts, texts, tokens, numbers),
    st.builds(EndRequest, texts, tokens, numbers),
    st.builds(EndResponse, texts, texts, tokens, numbers, numbers),
    st.builds(Refusal, numbers, texts, numbers),
)
KINDS = [Broadcast, ServiceList, PriceList, TotalRequest, Total, PaymentRequest, PaymentResponse,
         BeginRequest, BeginResponse, EndRequest, EndResponse, Refusal]  # fmt: skip
KEYS = ["serverID", "clientID", "services", "prices", "pricePerUnit", "amount", "key", "issued",
        "signature", "serviceDeliveryToken", "unitsToSupply", "totalPrice", "serviceTypes",
        "message", "HTTPStatusCode", "portNumber", "ServiceID"]  # fmt: skip


@given(messages)
def test_what_is_written_is_read_back_the_same(message):
    assert codec.read(type(message), codec.write(message)) == message
    assert codec.read(type(message), codec.write_body(message)) == message


@pytest.mark.req("WX-011")
@given(st.sampled_from(KINDS), st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_protocol_error(kind, data):
    with contextlib.suppress(RemoteProtocolError):
        assert isinstance(codec.read(kind, data), kind)


values = st.recursive(
    st.none() | st.booleans() | numbers | texts | times | st.floats(allow_nan=False).map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=12,
)


@pytest.mark.req("WX-011")
@given(st.sampled_from(KINDS), values)
def test_any_json_is_a_message_or_a_protocol_error(kind, value):
    try:
        read = codec.read(kind, json.dumps(value).encode())
    except RemoteProtocolError:
        return
    # A bare null is the empty message; of what else was read, what was said is kept.
    assert isinstance(read, kind)
    assert (value is None and read == kind()) or isinstance(value, dict)


@pytest.mark.req("WX-011")
@given(messages, st.sampled_from([str.upper, str.lower, str.swapcase]))
def test_keys_are_read_in_any_case_and_unknown_ones_are_passed_over(message, other):
    def changed(value):
        if isinstance(value, dict):
            fields = {other(key): changed(item) for key, item in value.items()}
            return {"whatever": [1.5, {}]} | fields
        return [changed(item) for item in value] if isinstance(value, list) else value

    data = json.dumps(changed(json.loads(codec.write(message)))).encode()
    assert codec.read(type(message), data) == message


@given(messages)
def test_a_missing_key_reads_as_null_does(message):
    fields = json.loads(codec.write(message))
    for key in fields:
        without = {name: item for name, item in fields.items() if name != key}
        kind = type(message)
        assert codec.read(kind, json.dumps(without).encode()) == codec.read(
            kind, json.dumps(fields | {key: None}).encode()
        )


@given(messages)
def test_what_html_could_misread_is_escaped_as_go_escapes_it(message):
    data = codec.write(message)
    assert not re.search("[&<>\u2028\u2029]", data.decode())
    assert b"\n" not in data


def test_the_escapes_are_those_of_go():
    message = Refusal(400, "a & b <c> \u2028\u2029 ü €", 1)
    text = r"a \u0026 b \u003cc\u003e \u2028\u2029 ü €"
    expected = f'{{"HTTPStatusCode":400,"message":"{text}","errorCode":1}}\n'
    assert codec.write_body(message) == expected.encode()


# Tokens


others = st.dictionaries(st.text("abcß", max_size=4), st.integers(-9, 9) | texts, max_size=3)


@given(others, tokens)
def test_a_token_is_given_back_exactly_as_it_came(more, token):
    came = more | json.loads(codec.write(token))
    asked = {"clientID": "c", "serviceDeliveryToken": came, "unitsToSupply": 1}
    read = codec.read(BeginRequest, json.dumps(asked).encode())
    back = json.loads(codec.write(BeginResponse("s", "c", read.token, 1)))
    assert back["serviceDeliveryToken"] == came
    assert list(back["serviceDeliveryToken"]) == list(came)


def test_a_bare_text_is_a_token_with_this_key():
    """Early documentation shows a token as a text."""
    data = b'{"clientID":"c","serviceDeliveryToken":"the key","unitsReceived":2}'
    read = codec.read(EndRequest, data)
    assert (read.token.key.reveal(), read.units_received) == ("the key", 2)
    assert json.loads(codec.write(read))["serviceDeliveryToken"] == {"key": "the key"}


def test_a_bare_number_is_a_price_without_a_currency():
    data = b'{"serverID":"s","prices":[{"priceID":1,"pricePerUnit":325}]}'
    assert codec.read(PriceList, data).prices[0].per_unit == PricePerUnit(325, "")
    for wrong in (b"true", b'"325"', b"3.25", b"[325]"):
        with pytest.raises(RemoteProtocolError):
            codec.read(PriceList, data.replace(b"325", wrong))


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("2031-03-04T09:15:02Z", True),
        ("2031-03-04T09:15:02.123456789Z", True),
        ("2031-03-04T09:15:02.1+05:30", True),
        ("2031-03-04T09:15:02-00:00", True),
        ("0001-01-01T00:00:00Z", True),
        ("", False),
        ("2031-03-04T09:15:02", False),
        ("2031-03-04 09:15:02Z", False),
        ("2031-03-04T09:15:02z", False),
        ("2031-03-04T09:15Z", False),
        ("2031-02-30T09:15:02Z", False),
        ("2031-03-04T09:15:02.Z", False),
        ("2031-03-04T09:15:02+0530", False),
        ("٢031-03-04T09:15:02Z", False),
    ],
)
def test_times_are_rfc_3339_with_a_zone(text, good):
    data = json.dumps({"serviceDeliveryToken": {"key": "k", "issued": text}}).encode()
    if good:
        assert codec.read(PaymentResponse, data).token.issued == text
    else:
        with pytest.raises(RemoteProtocolError, match="issued"):
            codec.read(PaymentResponse, data)


# Numbers and what stands behind


@pytest.mark.req("WX-011")
@pytest.mark.parametrize("number", ["1.0", "1e0", "1E2", '"1"', "true", "[]", "{}", "01", "1 1"])
def test_a_number_is_a_plain_integer(number):
    with pytest.raises(RemoteProtocolError):
        codec.read(TotalRequest, f'{{"selectedNumberOfUnits":{number}}}'.encode())


@pytest.mark.req("WX-011")
@pytest.mark.parametrize("behind", [b"x", b"{}", b",", b"\0", b"null"])
def test_nothing_stands_behind_a_message(behind):
    whole = b'{"clientID":"c"} \r\n\t'
    assert codec.read(TotalRequest, whole).client_id == "c"
    with pytest.raises(RemoteProtocolError):
        codec.read(TotalRequest, whole + behind)


def test_of_equal_keys_in_whatever_case_the_last_counts():
    assert codec.read(TotalRequest, b'{"clientID":"a","CLIENTID":"b"}').client_id == "b"
    assert codec.read(TotalRequest, b'{"clientID":"a","clientID":"b"}').client_id == "b"
    assert codec.read(TotalRequest, b'{"clientID":"a","clientid":null}').client_id == "a"


@pytest.mark.req("W-012", "W-013", "WX-035")
def test_no_message_shows_its_secret():
    secret = "not to be seen by anybody"
    token = {"key": secret, "signature": None}
    for kind, fields in (
        (PaymentRequest, {"clientToken": secret}),
        (PaymentResponse, {"serviceDeliveryToken": token}),
        (BeginRequest, {"serviceDeliveryToken": token}),
        (EndResponse, {"serviceDeliveryToken": secret}),
    ):
        read = codec.read(kind, json.dumps(fields).encode())
        assert secret in codec.write(read).decode()
        assert secret not in repr(read)
        assert secret not in f"{read}"
