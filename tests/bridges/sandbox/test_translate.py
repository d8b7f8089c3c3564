"""Our words to the network's JSON and back, without a network."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.stories import NAME, told
from tollbridge.bridges.sandbox import codes, translate
from tollbridge.core.instrument import Card, InstrumentView, Token
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import (
    Approved,
    Cause,
    DeclineCode,
    Declined,
    Pending,
    Unclear,
    Unsent,
)
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.ids import OperationId
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.sandbox import codes as network_codes
from tollbridge.wire.dump import dump
from tollbridge.wire.http import Response

URL = "http://network"
VIEW = InstrumentView("Visa", "424242******4242", entry="chip")
CARD = Card(Secret("4242424242424242"), VIEW, Secret("2712"), Secret("123"))
OP = OperationId(f"{NAME}.1")


def last(story, instrument=None, **details):
    """The last operation of a story, as a bridge is given it, and its payment."""
    payment = told(story)
    operation = payment.operations[-1]
    operation.request.details.update(details)
    return Operation(payment.id, operation.request, instrument=instrument), payment


def sent(story, instrument=None, **details):
    request = translate.operation(URL, *last(story, instrument, **details))
    assert (request.method, request.url) == ("POST", f"{URL}/v1/operations")
    assert request.headers["content-type"] == "application/json"
    assert request.moves_money
    return json.loads(request.body)


BASE = {"payment": NAME, "merchant": "corner shop"}
EURO = {"amount_minor": 100, "currency": "EUR"}


@pytest.mark.parametrize(
    ("story", "fields"),
    [
        ("purchase 100", {"verb": "purchase", **EURO}),
        ("authorize 100", {"verb": "authorize", **EURO}),
        ("credit 100", {"verb": "credit", **EURO}),
        ("verify", {"verb": "verify"}),
        ("store", {"verb": "store"}),
        ("purchase 100 partial", {"verb": "purchase", **EURO, "partial_ok": True}),
        ("authorize 500; capture 100", {"verb": "capture", **EURO}),
        ("authorize 500; capture 100 open", {"verb": "capture", **EURO, "final_capture": False}),
        ("authorize 500; increment 100", {"verb": "increment", **EURO}),
        ("purchase 500; refund 100", {"verb": "refund", **EURO}),
        ("purchase 100; void", {"verb": "void", **EURO, "target": f"{NAME}.1"}),
        (
            "purchase 1000 BGN @2025-12-30; refund",
            {"verb": "refund", "amount_minor": 511, "currency": "EUR"},
        ),
        ("purchase 500 JPY", {"verb": "purchase", "amount_minor": 500, "currency": "JPY"}),
    ],
)
def test_an_operation_is_written_with_what_it_needs_and_no_more(story, fields):
    ordinal = len(story.split(";"))
    assert sent(story) == {"operation": f"{NAME}.{ordinal}", **BASE, **fields}


def test_a_card_is_shown_by_number_and_expiry_but_not_by_its_code():
    fields = sent("purchase 100", CARD)
    assert fields["card"] == {"number": "4242424242424242", "expiry": "2712"}
    assert fields["entry"] == "chip"
    assert "123" not in json.dumps(fields)
    assert sent("verify", Card(Secret("4" * 16), VIEW))["card"] == {"number": "4" * 16}


def test_a_pin_goes_to_the_network_and_is_not_printed():
    card = Card(Secret("4242424242424242"), VIEW, pin=Secret("9876"))
    assert sent("purchase 100", card)["card"] == {"number": "4242424242424242", "pin": "9876"}
    request = translate.operation(URL, *last("purchase 100", card))
    printed = dump(request)
    assert '"pin":"***"' in printed
    assert "9876" not in printed + repr(request) + repr(card)


def test_a_token_is_shown_as_such():
    fields = sent("purchase 100", Token(Secret("tok_1"), VIEW))
    assert fields["token"] == "tok_1"
    assert "card" not in fields


def test_only_the_details_that_are_meant_for_the_network_reach_it():
    details = {translate.FAULT: "drop", translate.CODE: "05", "verified": "device", "table": "12"}
    fields = sent("purchase 100", **details)
    assert (fields["fault"], fields["code"], fields["verified"]) == ("drop", "05", "device")
    assert "12" not in json.dumps(fields)
    assert {"fault", "code", "verified"}.isdisjoint(sent("purchase 100"))
    assert (translate.FAULT, translate.CODE) == ("sandbox.fault", "sandbox.code")


def test_asking_and_taking_back_move_nothing_by_themselves():
    operation, _ = last("purchase 100")
    asked = translate.inquiry(URL, operation)
    assert (asked.method, asked.url, asked.body) == ("GET", f"{URL}/v1/operations/{OP}", b"")
    back = translate.reversal(URL, operation)
    assert (back.method, back.url) == ("POST", f"{URL}/v1/reversals")
    assert json.loads(back.body) == {"operation": OP}
    assert not asked.moves_money
    assert not back.moves_money


# Answers


def response(fields, status=200):
    return Response(status, body=json.dumps({"operation": OP, **fields}).encode())


FULL = {
    "status": "approved",
    "code": "08",
    "reference": "N1",
    "amount_minor": 1191,
    "currency": "EUR",
    "authorization": "A1B2C3",
    "details": {"action": "identification"},
    "text": "approved, honour with identification",
}


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        (
            FULL,
            Approved(Money.of(1191, "EUR"), "N1", "A1B2C3", "08", {"action": "identification"}),
        ),
        ({"status": "approved", "code": "00"}, Approved(None, "", "", "00")),
        (
            {"status": "declined", "code": "51", "text": "no funds", "reference": "N2"},
            Declined(DeclineCode.INSUFFICIENT_FUNDS, "51", "no funds", "N2"),
        ),
        (
            {"status": "declined", "code": "77"},
            Declined(DeclineCode.DO_NOT_HONOUR, "77", "", ""),
        ),
        (
            {"status": "pending", "code": "09", "text": "wait", "reference": "N3"},
            Pending("wait", "N3"),
        ),
        (
            {"status": "reversed", "code": "00"},
            Unsent("reversed at the network", Cause.REVERSED),
        ),
    ],
)
def test_an_answer_is_read(fields, outcome):
    assert translate.outcome(response(fields), OP) == outcome
    assert translate.found(response(fields), OP) == outcome
    assert translate.read(fields) == outcome


GOOD = {"status": "approved", "code": "00"}

NONSENSE = [
    {},
    {"status": "approved"},
    {"code": "00"},
    {**GOOD, "status": "maybe"},
    {**GOOD, "status": None},
    {**GOOD, "status": ["approved"]},
    {**GOOD, "code": 0},
    {**GOOD, "reference": 1},
    {**GOOD, "authorization": None},
    {**GOOD, "details": []},
    {**GOOD, "details": {"a": 1}},
    {**GOOD, "operation": f"{NAME}.2"},
    {**GOOD, "operation": None},
    {**GOOD, "amount_minor": "1", "currency": "EUR"},
    {**GOOD, "amount_minor": 1.5, "currency": "EUR"},
    {**GOOD, "amount_minor": True, "currency": "EUR"},
    {**GOOD, "amount_minor": 1},
    {**GOOD, "amount_minor": 1, "currency": 978},
    {**GOOD, "amount_minor": 1, "currency": "XXX"},
    {**GOOD, "amount_minor": 1, "currency": "euro"},
    {**GOOD, "amount_minor": 10**16, "currency": "EUR"},
    {"status": "declined", "code": "05", "text": 5},
    {"status": "pending", "code": "09", "text": None},
]


@pytest.mark.parametrize("fields", NONSENSE, ids=str)
def test_nonsense_is_no_outcome_and_whose_fault_is_clear(fields):
    for read in (translate.outcome, translate.found):
        with pytest.raises(RemoteProtocolError):
            read(response(fields), OP)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", b'{"operation": \xff\xfe'])
@pytest.mark.parametrize("status", [200, 400, 409])
def test_what_is_no_object_is_no_outcome(status, body):
    with pytest.raises(RemoteProtocolError):
        translate.outcome(Response(status, body=body), OP)


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
)


@given(
    st.sampled_from([200, 200, 200, 400, 404, 409, 500, 501, 503]),
    st.dictionaries(st.sampled_from(sorted({*FULL, "operation"})), JUNK).map(
        {"operation": OP, **FULL}.__or__
    ),
)
def test_any_answer_is_an_outcome_or_the_networks_fault(status, fields):
    answer = Response(status, body=json.dumps(fields).encode())
    for read in (translate.outcome, translate.found):
        try:
            outcome = read(answer, OP)
        except RemoteProtocolError:
            continue
        assert isinstance(outcome, Approved | Declined | Pending | Unsent | Unclear)


@pytest.mark.parametrize("status", [500, 501, 502, 503, 599])
def test_a_failing_network_has_decided_nothing(status):
    with pytest.raises(RemoteProtocolError, match=f"the network answered {status}"):
        translate.outcome(response(GOOD, status), OP)


def test_a_refused_request_is_a_decline():
    refused = Response(400, body=b'{"code":"30","text":"an amount is above zero"}')
    declined = Declined(DeclineCode.INVALID_TRANSACTION, "30", "an amount is above zero")
    assert translate.outcome(refused, OP) == declined


@pytest.mark.parametrize(
    ("status", "unclear"), [(404, Unclear.NOT_FOUND), (501, Unclear.CANNOT_KNOW)]
)
def test_an_inquiry_may_have_no_answer(status, unclear):
    assert translate.found(Response(status, body=b'{"code":"25"}'), OP) is unclear


@pytest.mark.parametrize("status", [201, 301, 400, 409, 500, 503])
def test_another_answer_to_an_inquiry_says_nothing(status):
    with pytest.raises(RemoteProtocolError, match=f"answered {status} to an inquiry"):
        translate.found(response(GOOD, status), OP)


# Codes


def test_every_code_the_network_words_is_approving_or_has_a_reason():
    declining = set(network_codes.TEXTS) - network_codes.APPROVING - {"09"}
    assert declining <= set(codes.REASONS)
    assert network_codes.PARTIAL in codes.REASONS  # where no part was wanted
    assert codes.reason("99") is codes.reason("") is DeclineCode.DO_NOT_HONOUR


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("05", "do_not_honour"),
        ("14", "invalid_card"),
        ("33", "expired_card"),
        ("54", "expired_card"),
        ("41", "lost_card"),
        ("43", "stolen_card"),
        ("51", "insufficient_funds"),
        ("55", "incorrect_pin"),
        ("61", "limit_exceeded"),
        ("65", "authentication_required"),
        ("68", "answer_too_late"),
        ("75", "pin_tries_exceeded"),
        ("91", "issuer_unavailable"),
        ("92", "no_route"),
        ("94", "duplicate"),
        ("96", "system_error"),
    ],
)
def test_a_code_has_its_reason(code, reason):
    assert codes.reason(code) == reason
