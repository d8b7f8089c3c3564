"""Every request the tables allow is answered as they say; every one they forbid is refused so."""

import json

import pytest

from tests.faces.wpi.conformance import (
    FINANCIAL,
    MANAGEMENT,
    MATRIX,
    SERVICES,
    WITH_RECEIPT,
    wrong,
)
from tests.faces.wpi.terminal import (
    ABORT,
    ACQUIRER_PARAMETERS,
    CREDIT,
    DAY_END,
    DEFERRED_COMPLETION,
    FOLLOWS,
    INFORMATION,
    INTENTS,
    LAST,
    MENU,
    PAYMENT,
    PAYMENT_PARAMETERS,
    PRINT,
    RECOGNITION,
    REFUND,
    USUAL,
    Terminal,
    intent_of,
)
from tollbridge.faces.wpi.scenario import Scenario
from tollbridge.faces.wpi.tables import Condition
from tollbridge.faces.wpi.wishes import Cancelled
from tollbridge.terminal.device import Planned

PRODUCT = {
    "itemId": 55,
    "label": "Carwash full",
    "unitAmount": 1191,
    "quantity": 1,
    "totalAmount": 1191,
    "currency": "EUR",
}
RECOGNITION_OPTIONS = MATRIX["enums"]["RecognitionOption"]
OF_TYPE = {
    "String": "text",
    "Integer": 1,
    "Boolean": True,
    "Array": [],
    "Object": {},
    "fraction": 1.5,
}
AMOUNTS = [name for name in FINANCIAL if "requestedAmount" in SERVICES[name]["request"]]
ANSWERING = [name for name in SERVICES if name not in {PRINT, LAST}]
"""The services that answer a session of their own."""


@pytest.fixture
def terminal():
    return Terminal()


def usual(service):
    """A request whose fields are all right, whatever its reference stands for."""
    made = dict(USUAL.get(service, {}))
    if service in FOLLOWS:
        made["paymentSolutionReference"] = "0000000000"
    return made


def fields(presence, services=tuple(SERVICES)):
    return [
        pytest.param(
            service,
            field,
            rule,
            marks=pytest.mark.req(*filter(None, [rule.get("requirement")])),
            id=f"{service}-{field}",
        )
        for service in services
        for field, rule in SERVICES[service]["request"].items()
        if rule["presence"] in presence
    ]


def options(**more):
    """A recognition of what a following payment needs."""
    return USUAL[RECOGNITION] | {
        "currency": "EUR",
        "requestedAmount": 1191,
        "serviceType": PAYMENT,
        **more,
    }


# Requests


@pytest.mark.parametrize(("service", "field", "rule"), fields(["mandatory"]))
@pytest.mark.parametrize("null", [True, False])
@pytest.mark.req(
    "P-143", "P-237", "P-241", "P-242", "P-244", "P-245", "P-246", "P-247", "P-249", "P-250",
    "P-251", "P-252", "P-254", "P-255", "P-256", "P-258", "P-259", "P-260", "P-266", "P-267",
    "P-282", "P-283", "P-285", "P-321", "P-233", "P-234", "P-238", "P-239",
)  # fmt: skip
def test_a_missing_mandatory_field_is_named(terminal, service, field, rule, null):
    request = usual(service)
    del request[field]
    answer = terminal.send(service, request | ({field: None} if null else {}))
    assert answer.condition == "MISSING_MANDATORY_PARAMETER"
    assert field in answer.remark
    assert wrong(service, request, answer.response) == []


@pytest.mark.parametrize(("service", "field", "rule"), fields(["mandatory", "optional"]))
@pytest.mark.req("P-138", "P-235", "P-236", "P-240", "P-243", "P-248", "P-253", "P-257", "P-261",
                 "P-262", "P-263", "P-264", "P-265", "P-284", "P-101")  # fmt: skip
def test_a_field_of_another_type_is_named(terminal, service, field, rule):
    right = rule["type"].partition("<")[0].replace("Enum", "String")
    for kind, value in OF_TYPE.items():
        lenient = field == "receiptFormat" and kind == "String"
        if kind == right or lenient:
            continue
        request = (options() if service == RECOGNITION else usual(service)) | {field: value}
        answer = terminal.send(service, request)
        assert answer.condition == "INVALID_TRANSACTION_REQ", (field, kind)
        assert field in answer.remark or kind == "fraction"
        assert wrong(service, request | {field: None}, answer.response) == []
    assert terminal.world.payments == []


OUT_OF_RANGE = [
    *((service, {"requestedAmount": amount}, condition)
      for service in AMOUNTS
      for amount, condition in (
          (0, "INVALID_AMOUNT"), (-1, "INVALID_AMOUNT"), (10**12, "INVALID_AMOUNT"),
          (10**13, "INVALID_AMOUNT"), (2**63, None))
      if not (service == DEFERRED_COMPLETION and amount == 0)),
    *((service, {"currency": code}, "INVALID_CURRENCY")
      for service in AMOUNTS for code in ("XYZ", "eur", "", "978", "SEK", "XAU", "BGN")),
    (RECOGNITION, {"recognitionTimeout": 0}, "INVALID_TRANSACTION_REQ"),
    (RECOGNITION, {"recognitionTimeout": -1}, "INVALID_TRANSACTION_REQ"),
    (RECOGNITION, {"recognitionOptions": ["WPI_RECOGNITION_OPTION_OTHER"]},
     "INVALID_TRANSACTION_REQ"),
    (RECOGNITION, {"recognitionOptions": [7]}, "INVALID_TRANSACTION_REQ"),
    (RECOGNITION, {"recognitionOptions": [[]]}, "INVALID_TRANSACTION_REQ"),
    *((RECOGNITION, {"serviceType": name}, "INVALID_TRANSACTION_REQ")
      for name in ("WPI_SVC_CANCEL_PAYMENT", CREDIT, DAY_END, RECOGNITION, "PAYMENT", "")),
    *((PRINT, {"receiptTarget": text}, "INVALID_TRANSACTION_REQ")
      for text in ("", "ALL", "cardholder", "MERCHANT ")),
    *((service, {"receiptFormat": formats}, "INVALID_TRANSACTION_REQ")
      for service in (*FINANCIAL, *WITH_RECEIPT)
      for formats in (["PDF"], ["formatted"], [7], [[]], ["JSON", "PDF"], "PDF", ["JSON"] * 201)),
    *((service, {"reference": "x" * 1001}, "INVALID_TRANSACTION_REQ")
      for service in FINANCIAL if "reference" in SERVICES[service]["request"]),
    *((service, {"paymentSolutionReference": text}, "INVALID_TRANSACTION_REQ")
      for service in FOLLOWS for text in ("", "x" * 1001, "ABCDEFGHJK", "é" * 10, "0000000001")),
    *((service, {"productRecords": records}, "INVALID_TRANSACTION_REQ")
      for service in (PAYMENT, DEFERRED_COMPLETION)
      for records in ([PRODUCT] * 201, [PRODUCT | {"label": "x" * 1001}], [[]], ["x"], [None])),
]  # fmt: skip


@pytest.mark.parametrize(("service", "field", "condition"), OUT_OF_RANGE)
@pytest.mark.req("P-083", "P-084", "P-093", "P-097", "P-098", "P-101", "P-138", "P-140", "P-141",
                 "P-265", "P-064")  # fmt: skip
def test_a_field_out_of_range_is_refused(terminal, service, field, condition):
    request = (options() if service == RECOGNITION else usual(service)) | field
    answer = terminal.send(service, request)
    # What no reader of JSON takes for a whole number is a fault of the text.
    allowed = {condition} if condition else {"INVALID_AMOUNT", "INVALID_TRANSACTION_REQ"}
    assert answer.condition in allowed
    assert not answer.remark.startswith("a bug")
    sound = {name: value for name, value in request.items() if name not in field}
    assert wrong(service, sound, answer.response) == []
    assert terminal.world.payments == []


@pytest.mark.parametrize("service", [PAYMENT, DEFERRED_COMPLETION])
@pytest.mark.req("P-085", "P-086", "P-113", "P-229", "P-230", "P-236", "P-262")
def test_long_references_and_records_come_back_unchanged(terminal, service):
    records = [PRODUCT | {"itemId": n, "label": "Ölwechsel \u2028 \n é"} for n in range(200)]
    request = terminal.request(service)
    request |= {"reference": "Bestellung 7 äöü \t" + "x" * 980, "productRecords": records}
    answer = terminal.send(service, request)
    assert answer.condition == "NONE"
    assert answer.response["reference"] == request["reference"]
    assert answer.response["productRecords"] == records
    assert terminal.verdict() == []


@pytest.mark.parametrize("item", ["itemId", "label", "unitAmount", "quantity", "totalAmount",
                                  "currency"])  # fmt: skip
@pytest.mark.req("P-086", "P-087", "P-088", "P-089", "P-090", "P-091", "P-092")
def test_a_product_record_has_all_its_fields(terminal, item):
    for value in (None, [], {}, True, 1.5, 7 if PRODUCT[item] == str(PRODUCT[item]) else "7"):
        record = PRODUCT | {item: value}
        answer = terminal.pay(productRecords=[PRODUCT, record])
        assert answer.condition == "INVALID_TRANSACTION_REQ"
        assert item in answer.remark or value == 1.5
    less = {name: value for name, value in PRODUCT.items() if name != item}
    assert terminal.pay(productRecords=[less]).condition == "INVALID_TRANSACTION_REQ"


FOREIGN = (
    "receiptTarget",
    "receiptDelegation",
    "recognitionTimeout",
    "serviceType",
    "tipAmount",
    "x",
)


@pytest.mark.parametrize(
    ("service", "field"),
    [(s, field) for s in SERVICES for field in FOREIGN if field not in SERVICES[s]["request"]],
)
@pytest.mark.req("P-058", "P-059", "P-309")
def test_a_field_of_another_service_is_ignored_whatever_it_holds(service, field):
    terminal = Terminal(printer="none", digital_receipts=service == PRINT)
    session = None
    if service == PRINT:
        terminal.pay(session="s")
        session = "s"
    made = terminal.request(service)
    for value in (None, [], {}, "text", True, 7):
        if service in FOLLOWS:
            made = terminal.request(service)
        answer = terminal.send(service, made | {field: value}, session=session)
        if service == LAST:
            assert answer.response is None
        else:
            assert answer.condition == "NONE", (value, answer.remark)
    strict = Terminal(strict=True, printer="none", digital_receipts=True)
    answer = strict.send(service, usual(service) | {field: "text"})
    if SERVICES[service]["type"] != "INFORMATION":
        assert answer.condition == "INVALID_TRANSACTION_REQ"
        assert field in answer.remark


@pytest.mark.parametrize("service", [name for name in FINANCIAL if name != RECOGNITION])
@pytest.mark.req("P-011")
def test_a_field_that_is_null_is_absent(terminal, service):
    optional = dict.fromkeys(("reference", "productRecords", "receiptFormat", "receiptDelegation"))
    answer = terminal.send(service, terminal.request(service) | optional)
    assert answer.condition == "NONE"
    assert "formatted" in answer.response["receipt"]
    assert not {"reference", "productRecords"} & set(answer.response)


@pytest.mark.parametrize("missing", ["currency", "requestedAmount", "serviceType"])
@pytest.mark.req("P-143", "P-263", "P-264", "P-265")
def test_what_shall_follow_a_recognition_is_said_in_full_or_not_at_all(terminal, missing):
    for request in (
        options(**{missing: None}),
        {**USUAL[RECOGNITION], missing: options()[missing]},
    ):
        answer = terminal.send(RECOGNITION, request)
        assert answer.condition == "MISSING_MANDATORY_PARAMETER"
        # Presence is checked before types (P-150).
        answer = terminal.send(RECOGNITION, request | {"receiptDelegation": 7})
        assert answer.condition == "MISSING_MANDATORY_PARAMETER"


# Responses


FORMATS = [["FORMATTED"], ["JSON"], ["FORMATTED", "JSON"], [], None]
CONFIGURED = {
    "plain": ((), {}),
    "both": (("tip_active", "dcc_active"), {"tip": {}, "dcc": {"rates": {"USD": "1.0900"}}}),
}


@pytest.mark.parametrize("service", [*FINANCIAL, *WITH_RECEIPT])
@pytest.mark.parametrize("formats", FORMATS)
@pytest.mark.parametrize("echoed", [True, False])
@pytest.mark.parametrize("configured", CONFIGURED)
@pytest.mark.req(
    "P-059", "P-060", "P-084", "P-093", "P-094", "P-095", "P-096", "P-105", "P-108", "P-111",
    "P-112", "P-113", "P-124", "P-125", "P-126", "P-160", "P-195", "P-196", "P-197", "P-307",
    "P-308", "P-309", "P-313", *(f"P-{n}" for n in range(216, 233)), "P-268", "P-269", "P-270",
    "P-271", "P-275", "P-276", "P-279", "P-280", "P-281", "P-311", "P-312", "P-314",
)  # fmt: skip
def test_a_success_has_exactly_the_fields_of_its_table(service, formats, echoed, configured):
    config, settings = CONFIGURED[configured]
    terminal = Terminal(**settings)
    request = terminal.request(service)
    if formats is not None:
        request["receiptFormat"] = formats
    if echoed and service in FINANCIAL and service != RECOGNITION:
        request |= {"reference": "order 7", "productRecords": [PRODUCT]}
    answer = terminal.send(service, request)
    response = answer.response
    assert answer.condition == "NONE"
    assert wrong(service, request, response, config=config) == []
    if service == RECOGNITION:
        assert "receipt" not in response
        return
    wanted = {each.lower() for each in (["FORMATTED"] if formats is None else formats)}
    assert set(response.get("receipt", {})) == wanted
    if service in FINANCIAL:
        assert response["authorizedAmount"] == 1191
    if echoed and service in FINANCIAL:
        assert response["reference"] == "order 7"
        assert response["productRecords"] == [PRODUCT]
    assert terminal.verdict() == []


@pytest.mark.parametrize("service", [MENU, ABORT, PRINT])
@pytest.mark.parametrize("formats", FORMATS)
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.req("P-032", "P-036", "P-037", "P-309", "P-310", "P-311", "P-312", "P-313", "P-314",
                 "P-322", "P-323", "P-324")  # fmt: skip
def test_a_receipt_format_changes_nothing_where_there_is_no_receipt(service, formats, strict):
    terminal = Terminal(strict=strict)
    terminal.pay(session="s")
    request = dict(USUAL.get(service, {})) | ({} if formats is None else {"receiptFormat": formats})
    answer = terminal.send(service, request, session="s" if service == PRINT else None)
    assert answer.response == {
        "result": "WPI_RESULT_SUCCESS",
        "errorCondition": "WPI_ERR_COND_NONE",
    }
    assert wrong(service, request, answer.response) == []


@pytest.mark.parametrize("request_", [None, "", "{}", {}])
@pytest.mark.parametrize("service", [MENU, DAY_END, PAYMENT_PARAMETERS, ACQUIRER_PARAMETERS, ABORT])
@pytest.mark.req("P-011", "P-309")
def test_management_needs_no_data(terminal, service, request_):
    answer = terminal.send(service, request_)
    assert answer.condition == "NONE"
    assert wrong(service, {}, answer.response) == []


@pytest.mark.parametrize(
    "card",
    [
        "visa",
        "visa-sca-online",
        "mastercard-magstripe",
        "twint",
        "mifare-ultralight",
        "mifare-classic",
        "phone",
        "visa-declined",
    ],
)
@pytest.mark.parametrize("wished", [[], RECOGNITION_OPTIONS, RECOGNITION_OPTIONS[1:]])
@pytest.mark.req(*(f"P-{n}" for n in range(268, 282)), "P-030", "P-099", "P-100", "P-114", "P-115",
                 "P-116", "P-117", "P-209", "P-211", "P-212", "P-213", "P-306")  # fmt: skip
def test_a_recognition_tells_what_its_instrument_has(terminal, card, wished):
    terminal.script.will([card])
    answer = terminal.do(RECOGNITION, {"recognitionOptions": wished})
    entry = {"mastercard-magstripe": "magstripe", "twint": "qr"}.get(card, card.partition("-")[0])
    if entry == "mifare" and not wished:
        assert answer.condition == "APP_NOT_SUPPORTED"
    else:
        assert answer.condition == "NONE"
        if entry == "mifare":
            token = "WPI_RECOGNITION_OPTION_RETURN_CUSTOMER_TOKEN" in wished
            assert ("token" in answer.response) is token
    assert wrong(RECOGNITION, {}, answer.response, entry=entry) == []
    assert terminal.last("s-1").extras == answer.extras
    assert terminal.world.payments == []


UNKNOWN = {"cashbackAmount", "par", "issuerName", "cardExpiration", "cardBalance",
           "operatorIdentifier"}  # fmt: skip
"""Fields of a receipt that this terminal has nothing to put into; all are optional."""


@pytest.mark.req("P-123", "P-168", "P-171", "P-174", "P-178", "P-188", "P-191", "P-192", "P-193",
                 "P-194")  # fmt: skip
@pytest.mark.parametrize("service", [*FINANCIAL, *WITH_RECEIPT])
def test_a_receipt_leaves_out_what_this_terminal_does_not_know(terminal, service):
    if service == RECOGNITION:
        return
    answer = terminal.do(service, {"receiptFormat": ["JSON"]})
    data = answer.response["receipt"]["json"]
    table = MATRIX["objects"]["JsonReceipt"]
    assert set(data) <= set(table) - UNKNOWN
    assert "logo" not in data["shopInfo"]
    assert all(table[name]["presence"] == "optional" for name in UNKNOWN)
    # And the judge would take each of them, of the right type only.
    samples = {"String": "x", "Integer": 1}
    for name in UNKNOWN - {"cardBalance"}:
        right = samples[table[name]["type"]]
        for value, found in ((right, False), ([], True)):
            receipt = {"json": data | {name: value}}
            assert bool(wrong(service, {}, answer.response | {"receipt": receipt})) is found


@pytest.mark.parametrize("service", FINANCIAL)
@pytest.mark.parametrize(
    ("config", "settings"),
    [(("tip_active",), {"tip": {}}), (("dcc_active",), {"dcc": {"rates": {"USD": "1.0900"}}})],
)
@pytest.mark.req("P-111", "P-112", "P-231", "P-232")
def test_tip_and_conversion_are_told_each_by_itself(service, config, settings):
    answer = Terminal(**settings).do(service)
    assert answer.condition == "NONE"
    assert wrong(service, {}, answer.response, config=config) == []


# Failures

TROUBLES = {
    "version": "WPI_VERSION_NOT_SUPPORTED",
    "session": "SESSION_ID_ALREADY_IN_USE",
    "initialized": "NOT_INITIALIZED",
    "json": "INVALID_TRANSACTION_REQ",
    "intent": "SERVICE_NOT_SUPPORTED",
    "disabled": "SERVICE_NOT_SUPPORTED",
    "stop": "USER_CANCEL",
    "refusal": "HOST_REFUSAL",
    "down": "NETWORK_ISSUE",
    "silence": "TRANSACTION_TIMEOUT",
    "internal": "INTERNAL",
}
HOSTLESS = {RECOGNITION, MENU, DAY_END, PAYMENT_PARAMETERS, ACQUIRER_PARAMETERS, ABORT, INFORMATION}
UNINITIALIZED = {PAYMENT_PARAMETERS, ACQUIRER_PARAMETERS, ABORT}


def _possible(service, trouble):
    people = SERVICES[service]["card_presented"] or service == MENU
    host = service not in HOSTLESS
    return {
        "session": service != INFORMATION,
        "initialized": service not in UNINITIALIZED,
        "json": service != INFORMATION,
        "disabled": service != INFORMATION,
        "stop": people,
        "refusal": host,
        "down": host or service in {PAYMENT_PARAMETERS, ACQUIRER_PARAMETERS},
        "silence": host,
        "internal": host,
    }.get(trouble, True)


@pytest.mark.parametrize(
    ("service", "trouble"),
    [(s, trouble) for s in ANSWERING for trouble in TROUBLES if _possible(s, trouble)],
)
@pytest.mark.req("P-042", "P-071", "P-072", "P-106", "P-125", "P-127", "P-131", "P-133", "P-134",
                 "P-135", "P-139", "P-145", "P-146", "P-147", "P-151", "P-218", "P-219", "P-228",
                 "P-230", "P-281", "P-314", "P-367", "P-368", "P-017", "P-040")  # fmt: skip
def test_a_failure_has_exactly_the_fields_of_its_table(service, trouble):
    terminal = Terminal(patience_s=3)
    request = terminal.request(service)
    extras = {"session": "mine"}
    if "reference" in SERVICES[service]["request"]:
        request["reference"] = "order 7"
    match trouble:
        case "version":
            extras["WPI_VERSION"] = "9.9"
        case "session":
            terminal.pay(session="mine")
        case "initialized":
            terminal.settings["initialized"] = False
            terminal.restart()
        case "json":
            extras["WPI_REQUEST"] = "{"
        case "intent":
            extras["intent"] = "com.example.OTHER"
        case "disabled":
            terminal.settings["services"] = [name for name in SERVICES if name != service]
            terminal.restart()
        case "stop":
            terminal.script.will([Cancelled()])
        case "refusal":
            terminal.device.plan([Planned(Scenario(code="05"))])
        case "down":
            terminal.world.faults.down = True
        case "silence":
            terminal.device.plan([Planned(Scenario(fault="late_delivery:20"))])
        case "internal":
            terminal.device.plan([Planned(Scenario(condition=Condition.INTERNAL))])
    answer = terminal.send(service, request, **extras)
    assert answer.condition == TROUBLES[trouble], answer.remark
    if trouble == "json":
        request = {}
    assert wrong(service, request, answer.response) == []
    assert answer.extras["WPI_SERVICE_TYPE"] == service
    assert answer.extras["WPI_SESSION_ID"] == "mine"
    assert answer.extras["WPI_VERSION"] == extras.get("WPI_VERSION", "2.0")
    assert terminal.verdict() == []


# What is offered


@pytest.mark.req("P-018", "P-127", "P-371")
@pytest.mark.parametrize("service", [*FINANCIAL, *MANAGEMENT, "WPI_SVC_LOTTERY"])
def test_what_is_not_offered_answers_service_not_supported(service):
    terminal = Terminal(services=[name for name in SERVICES if name != service])
    answer = terminal.send(service, usual(service))
    assert answer.condition == "SERVICE_NOT_SUPPORTED"
    assert answer.extras["WPI_SERVICE_TYPE"] == service
    assert service not in announced(terminal)


def announced(terminal):
    information = terminal.send(INFORMATION).response
    return information["paymentSolutionSupportedServiceTypes"]


@pytest.mark.req(*(f"P-{n:03}" for n in range(19, 40)), "P-204", "P-205", "P-369", "P-370", "P-371")
@pytest.mark.parametrize("missing", [(), (CREDIT,), ("WPI_SVC_CANCEL_PAYMENT",), (PAYMENT, PRINT)])
def test_what_is_announced_works(missing):
    services = [name for name in SERVICES if name not in missing]
    terminal = Terminal(services=services)
    information = terminal.send(INFORMATION).response
    told = information["paymentSolutionSupportedServiceTypes"]
    assert set(told) == set(services) - {LAST, INFORMATION}
    for brand in information["paymentInformation"]:
        assert set(brand["supportedServiceTypes"]) <= set(told)
        assert set(brand["cancellableServiceTypes"]) <= set(brand["supportedServiceTypes"])
        for name in brand["cancellableServiceTypes"]:
            assert name.replace("WPI_SVC_", "WPI_SVC_CANCEL_") in told
    for service in told:
        if FOLLOWS.get(service, service) not in told:
            continue
        if service == PRINT:
            terminal.pay(session="s")
        answer = terminal.do(service, session="s" if service == PRINT else None)
        assert answer.condition == "NONE", service
    assert terminal.verdict() == []


@pytest.mark.req(
    "P-005", "P-339", "P-081", "P-118", "P-119", "P-120", "P-121", "P-122",
    *(f"P-{n}" for n in range(199, 216)),
    *(f"P-{n}" for n in range(348, 367)),
)  # fmt: skip
def test_payment_information_has_exactly_the_fields_of_its_table():
    for settings, delegation in (
        ({"printer": "none"}, False),
        ({"printer": "none", "digital_receipts": True}, True),
        ({"printer": "virtual"}, True),
        ({"dcc": {"rates": {}}, "languages": ["de", "fr"], "acquirer_protocol": "ZVT"}, True),
    ):
        terminal = Terminal(**settings)
        said = []

        async def before(party, saying, said=said):
            said.append(saying)

        terminal.before_exchange = before
        answer = terminal.send(INFORMATION)
        assert wrong(INFORMATION, {}, answer.response) == []
        assert answer.response["supportReceiptDelegation"] is delegation
        assert answer.response["supportsReceiptDelegation"] is delegation
        brand = answer.response["paymentInformation"][0]
        assert brand["supportsDCC"] is ("dcc" in settings)
        assert brand["brandIdentifer"] == brand["brandIdentifier"]
        assert said == []  # a background action shows nothing


@pytest.mark.req("P-334", "P-331", "P-326", "P-127")
def test_print_receipt_is_announced_where_receipts_are_delivered():
    assert PRINT in announced(Terminal())
    assert PRINT in announced(Terminal(printer="none", digital_receipts=True))
    nowhere = Terminal(printer="none")
    assert PRINT not in announced(nowhere)
    nowhere.pay(session="s")
    answer = nowhere.send(PRINT, {"receiptTarget": "BOTH"}, session="s")
    assert answer.condition == "SERVICE_NOT_SUPPORTED"


@pytest.mark.req("P-145", "P-368", "P-367")
@pytest.mark.parametrize("service", [*FINANCIAL, MENU, DAY_END, INFORMATION])
def test_without_a_configuration_nothing_works(service):
    terminal = Terminal(initialized=False)
    answer = terminal.send(service, usual(service))
    assert answer.condition == "NOT_INITIALIZED"
    assert wrong(service, {}, answer.response) == []


# Extras and bytes (2)


@pytest.mark.req("P-010", "P-012", "P-013", "P-042", "P-014", "P-016", "P-017")
@pytest.mark.parametrize("name", ["WPI_SERVICE_TYPE", "WPI_VERSION", "WPI_SESSION_ID"])
def test_a_missing_extra_is_named_and_the_others_come_back(terminal, name):
    for value in (None, ""):
        extras = {"session": "s-9", name: value}
        answer = terminal.send("WPI_SVC_PAYMENT", usual(PAYMENT), **extras)
        assert answer.condition == "MISSING_MANDATORY_PARAMETER"
        assert name in answer.response["remark"]
        assert answer.extras.get("WPI_SESSION_ID", "s-9") == "s-9"


@pytest.mark.req("P-011")
def test_wpi_request_is_mandatory_for_financial_services(terminal):
    answer = terminal.send("WPI_SVC_PAYMENT", None)
    assert answer.condition == "MISSING_MANDATORY_PARAMETER"
    assert "WPI_REQUEST" in answer.response["remark"]


@pytest.mark.req("P-011", "P-342")
@pytest.mark.parametrize("request_", [None, "", "{}", {}])
def test_where_there_is_no_data_any_empty_request_will_do(terminal, request_):
    answer = terminal.send("WPI_SVC_PAYMENT_INFORMATION", request_)
    assert answer.condition == "NONE"


@pytest.mark.req("P-052", "P-053", "P-054", "P-055", "P-056", "P-057", "P-146")
@pytest.mark.parametrize("version", ["1.0", "2.1", "2.2", "3.0", "v2.0", "2", "2.0.1", "2.2ko", 2])
def test_another_version_is_refused_with_the_supported_ones(terminal, version):
    answer = terminal.send("WPI_SVC_PAYMENT", usual(PAYMENT), WPI_VERSION=version)
    assert answer.condition == "WPI_VERSION_NOT_SUPPORTED"
    assert "supported: 2.0" in answer.response["remark"]
    assert answer.extras["WPI_VERSION"] == (version if isinstance(version, str) else "2.0")


MALFORMED = [
    "{",
    "nonsense",
    "[]",
    "7",
    '"text"',
    '{"currency":"EUR","currency":"EUR","requestedAmount":1}',
    '{"currency":"EUR","requestedAmount":NaN}',
    '{"currency":"EUR","requestedAmount":1e3}',
    '{"currency":"EUR","requestedAmount":11.91}',
    '{"currency":"EUR","requestedAmount":1234567890123456789}',
    '{"currency":"EUR","requestedAmount":true}',
    '{"currency":"EUR","requestedAmount":1,"reference":"\\ud800"}',
    '{"a":' * 30 + "1" + "}" * 30,
]


@pytest.mark.req("P-082", "P-138", "P-139")
@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_json_is_an_invalid_request(terminal, text):
    answer = terminal.send("WPI_SVC_PAYMENT", text)
    assert answer.condition == "INVALID_TRANSACTION_REQ"
    assert answer.response["remark"]
    assert terminal.world.payments == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'{"a":1,"a":2}', b"null"])
def test_malformed_extras_are_answered_in_wpi_words(terminal, body):
    answers = []

    async def main():
        answers.append(await terminal.post(body, INTENTS["FINANCIAL"]))

    terminal.world.run(main())
    assert answers[0].status == 400
    assert answers[0].condition == "INVALID_TRANSACTION_REQ"


@pytest.mark.req("P-049")
@pytest.mark.parametrize("package", [None, "", "till", "com..example", "com.example/../x", "1.2"])
def test_without_a_package_name_nobody_is_served(terminal, package):
    answers = []
    extras = {"WPI_SERVICE_TYPE": "WPI_SVC_PAYMENT", "WPI_VERSION": "2.0", "WPI_SESSION_ID": "s"}

    async def main():
        body = json.dumps(extras)
        answers.append(await terminal.post(body, INTENTS["FINANCIAL"], package))

    terminal.world.run(main())
    assert answers[0].condition == "MISSING_MANDATORY_PARAMETER"
    assert "WPI-Package" in answers[0].response["remark"]


@pytest.mark.parametrize("name", ["WPI_SERVICE_TYPE", "WPI_SESSION_ID", "WPI_REQUEST"])
@pytest.mark.parametrize("value", [7, True, [], {"currency": "EUR"}])
def test_an_extra_that_is_no_string_is_named(terminal, name, value):
    answer = terminal.send("WPI_SVC_PAYMENT", usual(PAYMENT), **{name: value})
    assert answer.condition == "INVALID_TRANSACTION_REQ"
    assert name in answer.response["remark"]


@pytest.mark.req("P-040")
def test_a_service_type_through_another_intent():
    request = usual(PAYMENT)
    for strict, condition in ((False, "NONE"), (True, "SERVICE_NOT_SUPPORTED")):
        terminal = Terminal(strict=strict)
        answer = terminal.send("WPI_SVC_PAYMENT", request, intent=INTENTS["MANAGEMENT"])
        assert answer.condition == condition
    terminal = Terminal()
    answer = terminal.send("WPI_SVC_PAYMENT", request, intent="com.example.OTHER")
    assert answer.condition == "SERVICE_NOT_SUPPORTED"
    assert intent_of("WPI_SVC_PAYMENT") in answer.response["remark"]


@pytest.mark.req("P-058")
def test_an_unknown_field_is_ignored_unless_strict():
    assert Terminal().pay(loyaltyPoints=3).condition == "NONE"
    answer = Terminal(strict=True).pay(loyaltyPoints=3)
    assert answer.condition == "INVALID_TRANSACTION_REQ"
    assert "loyaltyPoints" in answer.response["remark"]


@pytest.mark.req("P-094")
def test_a_lone_receipt_format_is_taken_unless_strict():
    assert Terminal().pay(receiptFormat="JSON").response["receipt"]["json"]
    assert Terminal(strict=True).pay(receiptFormat="JSON").condition == "INVALID_TRANSACTION_REQ"
    assert Terminal().pay(receiptFormat=["PDF"]).condition == "INVALID_TRANSACTION_REQ"
    assert set(Terminal().pay(receiptFormat=["JSON", "JSON"]).response["receipt"]) == {"json"}


@pytest.mark.req("P-077", "P-078", "P-079", "P-080", "P-149")
@pytest.mark.parametrize(
    ("settings", "delegation", "condition"),
    [
        ({"printer": "none"}, None, "NONE"),
        ({"printer": "none"}, False, "NONE"),
        ({"printer": "none"}, True, "RECEIPT_DELEGATION_NOT_SUPPORTED"),
        ({"printer": "none", "digital_receipts": True}, True, "NONE"),
        ({}, True, "NONE"),
        ({}, False, "NONE"),
        ({}, None, "NONE"),
    ],
)
@pytest.mark.parametrize("service", [name for name in FINANCIAL if name != RECOGNITION])
def test_receipt_delegation(service, settings, delegation, condition):
    terminal = Terminal(**settings)
    request = terminal.request(service)
    before = len(terminal.papers())
    more = {} if delegation is None else {"receiptDelegation": delegation}
    answer = terminal.send(service, request | more)
    assert answer.condition == condition
    prints = settings == {} and delegation is not False
    assert len(terminal.papers()) - before == (2 if prints else 0)


@pytest.mark.req("P-083", "P-084", "P-140", "P-141")
@pytest.mark.parametrize(
    ("amount", "currency", "condition"),
    [
        (10**12 - 1, "EUR", "NONE"),
        (1, "EUR", "NONE"),
        (500, "JPY", "NONE"),
        (1000, "KWD", "NONE"),
        (1191, "BGN", "INVALID_CURRENCY"),
    ],
)
def test_amounts_and_currencies(terminal, amount, currency, condition):
    assert terminal.pay(amount, currency).condition == condition


def test_every_condition_is_one_of_the_standard():
    assert set(MATRIX["error_conditions"]) == set(MATRIX["enums"]["ErrorCondition"])
    assert len(MANAGEMENT) == 6
    assert REFUND in FINANCIAL
