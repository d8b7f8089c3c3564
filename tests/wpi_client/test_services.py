"""Every service type of the standard has a method, and a terminal that offers it carries it out.

The table of the face says what is offered: what comes later is tested when it comes.
"""

import pytest

from tests.processes import TOKEN, server
from tollbridge.faces.wpi.tables import SERVICES
from tollbridge.ground.money import Money
from tollbridge.wpi_client import (
    BlockingWpiClient,
    Information,
    ManagementResult,
    Options,
    RecognitionResult,
    TransactionResult,
)

EUR = Money.of(1191, "EUR")
PRODUCT = {"itemId": 55, "label": "Carwash full", "unitAmount": 1191, "quantity": 1,
           "totalAmount": 1191, "currency": "EUR"}  # fmt: skip


def reserved(till):
    return till.pre_authorization(EUR).reference


def completed(till):
    return till.payment_completion(reserved(till), EUR).reference


def updated(till):
    return till.update_pre_authorization(reserved(till), 100, "EUR").reference


CALLS = {
    "PAYMENT": lambda till: till.payment(EUR, reference="order 7", product_records=[PRODUCT]),
    "CANCEL_PAYMENT": lambda till: till.cancel_payment(till.payment(EUR).reference),
    "REFUND": lambda till: till.refund(1191, "EUR", receipts=["JSON"]),
    "PRE_AUTHORIZATION": lambda till: till.pre_authorization(EUR, reference="room 7"),
    "CANCEL_PRE_AUTHORIZATION": lambda till: till.cancel_pre_authorization(reserved(till)),
    "UPDATE_PRE_AUTHORIZATION": lambda till: till.update_pre_authorization(
        reserved(till), 100, "EUR"
    ),
    "CANCEL_UPDATE_PRE_AUTHORIZATION": lambda till: till.cancel_update_pre_authorization(
        updated(till)
    ),
    "PAYMENT_COMPLETION": lambda till: till.payment_completion(reserved(till), EUR),
    "CANCEL_PAYMENT_COMPLETION": lambda till: till.cancel_payment_completion(completed(till)),
    "DEFERRED_PAYMENT_AUTHORIZATION": lambda till: till.deferred_authorization(10_000, "EUR"),
    "DEFERRED_PAYMENT_COMPLETION": lambda till: till.deferred_completion(
        till.deferred_authorization(10_000, "EUR").reference, EUR, product_records=[PRODUCT]
    ),
    "PAYMENT_INSTRUMENT_RECOGNITION": lambda till: till.recognition(token=True),
    "FOLLOW_ON_CREDIT": lambda till: till.follow_on_credit(till.payment(EUR).reference, EUR),
    "PAYMENT_MENU": lambda till: till.menu(),
    "DAY_END": lambda till: till.day_end(receipts=["FORMATTED", "JSON"]),
    "PAYMENT_PARAMETERIZATION": lambda till: till.payment_parameterization(),
    "ACQUIRER_PARAMETERIZATION": lambda till: till.acquirer_parameterization(),
    "PRINT_RECEIPT": lambda till: till.print_receipt(till.payment(EUR).session),
    "ABORT": lambda till: till.abort(),
    "LAST_TRANSACTION": lambda till: till.last_transaction(till.payment(EUR).session).result,
    "PAYMENT_INFORMATION": lambda till: till.information(),
}
KINDS = {"PAYMENT_INSTRUMENT_RECOGNITION": RecognitionResult, "LAST_TRANSACTION": TransactionResult,
         "PAYMENT_INFORMATION": Information}  # fmt: skip
MANAGEMENT = {"PAYMENT_MENU", "DAY_END", "PAYMENT_PARAMETERIZATION", "ACQUIRER_PARAMETERIZATION",
              "PRINT_RECEIPT", "ABORT"}  # fmt: skip


@pytest.fixture(scope="module")
def till(tmp_path_factory):
    folder = tmp_path_factory.mktemp("services")
    with server(folder) as process, BlockingWpiClient(
        process.url, token=TOKEN, package="com.example.till", journal=folder / "till.sqlite",
        options=Options(recovery_s=5),
    ) as till:  # fmt: skip
        yield till


@pytest.mark.req("P-018")
def test_every_service_type_has_a_method():
    assert {f"WPI_SVC_{name}" for name in CALLS} == set(SERVICES)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.req(f"P-{19 + place:03d}"))
        for place, name in enumerate(
            ["PAYMENT", "CANCEL_PAYMENT", "REFUND", "PRE_AUTHORIZATION", "CANCEL_PRE_AUTHORIZATION",
             "UPDATE_PRE_AUTHORIZATION", "CANCEL_UPDATE_PRE_AUTHORIZATION", "PAYMENT_COMPLETION",
             "CANCEL_PAYMENT_COMPLETION", "DEFERRED_PAYMENT_AUTHORIZATION",
             "DEFERRED_PAYMENT_COMPLETION", "PAYMENT_INSTRUMENT_RECOGNITION", "FOLLOW_ON_CREDIT",
             "PAYMENT_MENU", "DAY_END", "PAYMENT_PARAMETERIZATION", "ACQUIRER_PARAMETERIZATION",
             "PRINT_RECEIPT", "ABORT", "LAST_TRANSACTION", "PAYMENT_INFORMATION"]
        )
    ],
)  # fmt: skip
def test_what_is_offered_is_carried_out(till, name):
    done = CALLS[name](till)
    expected = ManagementResult if name in MANAGEMENT else TransactionResult
    assert isinstance(done, KINDS.get(name, expected))
    assert done.approved, done
    assert done.condition == "NONE"
    assert till.contradictions() == []


@pytest.mark.req("P-042", "P-342", "P-345", "P-346")
def test_what_is_unknown_to_the_terminal_is_told_so(till):
    assert till.last_transaction("never").fate == "not_executed"


@pytest.mark.req("P-133")
def test_a_refusal_of_the_host_is_a_result(till):
    refused = till.payment(4205, "EUR")
    assert (refused.approved, refused.condition) == (False, "HOST_REFUSAL")
    assert refused.remark
    assert till.last_transaction(refused.session).result == refused


@pytest.mark.req("P-094", "P-095", "P-096")
def test_receipts_come_as_they_are_asked_for(till):
    both = till.payment(EUR, receipts=["FORMATTED", "JSON"]).receipt
    assert both.json["amount"] == 1191
    assert "11.91" in both.client
    assert till.payment(EUR, receipts=["JSON"]).receipt.client == ""
    assert till.payment(EUR, receipts=[]).receipt is None
