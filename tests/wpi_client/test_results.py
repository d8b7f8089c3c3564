"""Every answer the standard allows is read, also as people misspell it; nothing is thrown away."""

import json
import subprocess
import sys

import pytest

from tests.wpi_client.crooked import failure, success
from tollbridge import wpi_client
from tollbridge.faces.wpi.tables import SERVICES
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.money import Money
from tollbridge.wpi_client import results
from tollbridge.wpi_client.results import CardUsed, Receipt

FULL = success(
    {"currency": "EUR", "requestedAmount": 1310},
    tipAmount=119,
    dccUsed=False,
    reference="order 7",
    brandName="Visa",
    applicationIdentifier="A0000000031010",
    applicationLabel="VISA CREDIT",
    customerLanguage="de",
    timestamp="2026-03-01T10:30:00+01:00",
    actionCode="WPI_ACTION_CODE_ASK_SIGNATURE",
    receipt={"formatted": {"merchant": "M\n", "client": "C\n"}, "json": {"amount": 1310}},
    somethingNew={"of": ["later", 2]},
)


@pytest.mark.req("P-108", "P-109", "P-110", "P-111", "P-112", "P-113", "P-153", "P-154", "P-156",
                 "P-216", "P-217", *(f"P-{n}" for n in range(219, 233)))  # fmt: skip
def test_a_transaction_is_read_whole():
    read = results.transaction("WPI_SVC_PAYMENT", "s", FULL)
    assert read.approved
    assert (read.reference, read.merchant_reference) == ("ABC0000001", "order 7")
    assert (read.authorized, read.tip) == (Money.of(1310, "EUR"), Money.of(119, "EUR"))
    assert read.dcc_used is False
    assert read.card == CardUsed("Visa", "A0000000031010", "VISA CREDIT", "de")
    assert read.receipt == Receipt("M\n", "C\n", {"amount": 1310})
    assert (read.action, read.timestamp) == ("signature", "2026-03-01T10:30:00+01:00")
    assert read.raw["somethingNew"] == {"of": ["later", 2]}


@pytest.mark.parametrize("name", [*FULL, "remark"])
@pytest.mark.parametrize("value", [None, 5.5, [], {}, True, "text", -1, "WPI_RESULT"])
def test_no_field_of_the_wrong_kind_costs_an_approval(name, value):
    if name == "result":
        return
    read = results.transaction("WPI_SVC_PAYMENT", "s", FULL | {name: value})
    assert read.approved
    assert read.raw[name] == value


@pytest.mark.req("P-124", "P-126", "P-151", "P-218")
def test_a_failure_is_read():
    response = failure("HOST_REFUSAL", "05", actionCode="WPI_ACTION_CODE_NONE")
    read = results.transaction("WPI_SVC_PAYMENT", "s", response)
    assert (read.approved, read.condition, read.remark, read.action) == (
        False, "HOST_REFUSAL", "05", "")  # fmt: skip
    assert (read.card, read.receipt, read.authorized, read.tip) == (None, None, None, None)


@pytest.mark.req("P-152")
def test_identification_may_be_asked():
    asked = FULL | {"actionCode": "WPI_ACTION_CODE_ASK_LEGAL_IDENTIFICATION"}
    assert results.transaction("WPI_SVC_PAYMENT", "s", asked).action == "identification"


@pytest.mark.req("P-114", "P-115", "P-116", "P-117", *(f"P-{n}" for n in range(268, 282)))
def test_a_recognition_is_read():
    response = {
        "result": "WPI_RESULT_SUCCESS",
        "errorCondition": "WPI_ERR_COND_NONE",
        "entryMode": "WPI_ENTRY_MODE_MAGSTRIPE",
        "customerLanguage": "en",
        "isoTrack1": "1",
        "isoTrack2": "2",
        "isoTrack3": "3",
        "token": "t0k3n",
        "pan": "************4242",
        "waitForNextAction": True,
        "nextActionWaitTime": 10_000,
    }
    read = results.read("WPI_SVC_PAYMENT_INSTRUMENT_RECOGNITION", "s", response)
    assert (read.entry, read.pan, read.tracks) == ("MAGSTRIPE", "************4242", ("1", "2", "3"))
    assert (read.waits_ms, read.token) == (10_000, "t0k3n")
    assert "t0k3n" not in repr(read)
    mifare = {"mediaType": "MIFARE Classic", "mediaUniqueIdentifier": "04A2", "pan": None}
    read = results.recognition("", "s", response | mifare | {"waitForNextAction": False})
    assert (read.media, read.media_id, read.waits_ms, read.pan) == (
        "MIFARE Classic", "04A2", 0, "")  # fmt: skip


@pytest.mark.req("P-311", "P-312", "P-313", "P-314")
def test_a_management_answer_is_read():
    response = success({}) | {"receipt": {"formatted": {"merchant": "totals"}}}
    read = results.read("WPI_SVC_DAY_END", "s", response)
    assert (read.approved, read.receipt) == (True, Receipt("totals", "", None))


@pytest.mark.parametrize("delegation", ["supportsReceiptDelegation", "supportReceiptDelegation"])
@pytest.mark.parametrize("identifier", ["brandIdentifier", "brandIdentifer"])
@pytest.mark.parametrize("formats", ["FORMATTED", ["FORMATTED"]])
@pytest.mark.req("P-202", "P-363", "P-366", *(f"P-{n}" for n in range(348, 368)))
def test_information_is_read_in_every_spelling(delegation, identifier, formats):
    response = {
        "result": "WPI_RESULT_SUCCESS",
        "errorCondition": "WPI_ERR_COND_NONE",
        "supportedTicketFormats": formats,
        delegation: True,
        "paymentInformation": [
            {identifier: "A1", "brandName": "Visa", "numberOfCancellableTransactions": 20,
             "supportedTechnologies": ["WPI_ENTRY_MODE_CHIP"], "supportsDCC": True},
            "nonsense",
        ],
    }  # fmt: skip
    read = results.read("WPI_SVC_PAYMENT_INFORMATION", "s", response)
    assert (read.receipt_formats, read.delegates_receipts) == (("FORMATTED",), True)
    [brand] = read.brands
    assert (brand.id, brand.cancellable_last, brand.technologies, brand.supports_dcc) == (
        "A1", 20, ("CHIP",), True)  # fmt: skip


@pytest.mark.req("P-124")
@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"result": "YES"}', 5, '{"a":1,"a":2}'])
def test_what_is_no_response_is_not_read(text):
    if text == "":
        assert results.response_of({"WPI_RESPONSE": text}) is None
        return
    with pytest.raises(RemoteProtocolError):
        results.response_of({"WPI_RESPONSE": text})


@pytest.mark.req("P-018")
@pytest.mark.parametrize("service", SERVICES)
def test_every_service_type_has_a_result(service):
    read = results.read(service, "s", success({}))
    assert (read.service, read.approved) == (service, True)


def test_the_door_opens_to_what_it_names():
    assert wpi_client.__all__ == sorted(wpi_client.__all__)
    assert set(wpi_client._ROOM_OF) == set(wpi_client.__all__)
    for name in wpi_client.__all__:
        assert getattr(wpi_client, name) is not None
    with pytest.raises(AttributeError):
        wpi_client.nothing  # noqa: B018


def test_the_door_of_the_house_does_not_open_this_one():
    look = "import sys, tollbridge; print([m for m in sys.modules if 'wpi' in m])"
    said = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert json.loads(said.stdout) == []
