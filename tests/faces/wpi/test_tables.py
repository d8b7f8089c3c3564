"""The face's tables say what the standard's tables say."""

import pytest

from tests.faces.wpi.conformance import MATRIX, SERVICES
from tollbridge.core.outcome import Cause, DeclineCode
from tollbridge.faces.wpi import outcome, tables
from tollbridge.ground import errors


@pytest.mark.req("P-001", "P-002", "P-003", *(s["requirement"] for s in SERVICES.values()))
def test_every_service_type_is_known_with_its_intent():
    assert set(tables.SERVICES) == set(SERVICES)
    for name, service in SERVICES.items():
        assert tables.SERVICES[name].kind.intent == service["intent"]
        assert tables.SERVICES[name].section == service["section"]


@pytest.mark.parametrize("name", list(SERVICES))
def test_request_fields_are_those_of_the_standard(name):
    ours, theirs = tables.SERVICES[name], SERVICES[name]
    # A recognition may have a reference as well: the text names it, the table does not.
    more = {"reference"} if name == "WPI_SVC_PAYMENT_INSTRUMENT_RECOGNITION" else set()
    assert set(ours.request) - more == set(theirs["request"])
    for field, rule in theirs["request"].items():
        mine = ours.request[field]
        assert mine.mandatory is (rule["presence"] == "mandatory"), field
        assert rule["type"].replace("Enum", "String").startswith(mine.type), field
    assert ours.card_presented is theirs["card_presented"]
    assert ours.password_protected is theirs["password_protected"]
    assert bool(ours.cancels) is bool(theirs["cancels"])


def test_objects_and_enumerations_are_those_of_the_standard():
    for name, fields in tables.OBJECTS.items():
        assert list(fields) == list(MATRIX["objects"][name])
    assert [c.wire for c in tables.Condition] == MATRIX["enums"]["ErrorCondition"]
    assert [a.value for a in tables.Action] == MATRIX["enums"]["ActionCode"]
    assert set(tables.ENTRY_MODES.values()) == set(MATRIX["enums"]["EntryMode"])
    assert list(tables.RECEIPT_FORMATS) == MATRIX["enums"]["ReceiptFormat"]
    assert list(tables.ACQUIRER_PROTOCOLS) == MATRIX["enums"]["AcquirerProtocol"]


def test_every_decline_cause_and_error_has_a_condition():
    assert set(outcome.DECLINES) == set(DeclineCode)
    assert set(outcome.CAUSES) == set(Cause)
    for kind in (*errors.UsageError.__subclasses__(), *errors.JournalError.__subclasses__()):
        assert outcome.condition_of(kind("x")) in tables.Condition
    assert outcome.condition_of(errors.UsageError("x")) is tables.Condition.INTERNAL
