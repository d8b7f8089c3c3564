"""Receipts as text and as data, in every language, on any paper; and the words of screens.

The texts in tests/vectors/wpi/receipts were read by people before they became the measure.
"""

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbridge.faces.contract import Seal, Tokenize, Unseal
from tollbridge.faces.wpi.profile import Acquirer, Conversion, Profile
from tollbridge.faces.wpi.receipt import HIDDEN, amount_text, copies, receipt, shop_info, text
from tollbridge.faces.wpi.screens import Shown, screen
from tollbridge.faces.wpi.slip import Slip, read_text
from tollbridge.faces.wpi.tables import SERVICES
from tollbridge.faces.wpi.wishes import (
    AddTip,
    Begin,
    ChooseApplication,
    ChooseCurrency,
    ChooseLanguage,
    EnterPassword,
    EnterPin,
    Fetch,
    Hint,
    MenuItem,
    Notice,
    Parameters,
    PresentCard,
    Print,
    ShowMenu,
    Sign,
    Topic,
    VerifyPin,
    Wish,
    Withdraw,
)
from tollbridge.faces.wpi.words import LANGUAGES, WORDS, words
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.wire import json as wire_json

VECTORS = Path(__file__).parents[2] / "vectors" / "wpi" / "receipts"

PROFILE = Profile(dcc=Conversion(ecb_percent="3.4"))
SALE = Slip(
    service="WPI_SVC_PAYMENT",
    at="2026-03-01T10:00:00+01:00",
    language="en",
    operation="op-1",
    reference="ABCDEFGH12",
    merchant_reference="order 7",
    currency="EUR",
    amount_minor=123456,
    brand="Visa",
    masked_number="424242******4242",
    card_read=True,
    application_id="A0000000031010",
    application_label="VISA CREDIT",
    entry="contactless",
    verification="none",
    cryptogram="ARQC 61BC5EDC34F63979",
    authorization_code="741451",
)
CONVERSION = {
    "currency": "USD",
    "amount_minor": 133851,
    "rate": "1.0842",
    "markup_percent": "3.0",
    "provider": "Sandbox Exchange",
}
DECLINED = replace(
    SALE, approved=False, code="51", text="insufficient funds", authorization_code=""
)
DAY_END = Slip(
    kind="day_end",
    service="WPI_SVC_DAY_END",
    at=SALE.at,
    period="17",
    totals=[
        {"brand": "Visa", "currency": "EUR", "count": 12, "amount_minor": 123456},
        {"brand": "Mastercard", "currency": "EUR", "count": 1, "amount_minor": -500},
        {"brand": "Visa", "currency": "JPY", "count": 2, "amount_minor": 5000},
    ],
)
CONFIGURATION = Slip(
    kind="configuration",
    service="WPI_SVC_ACQUIRER_PARAMETERIZATION",
    at=SALE.at,
    lines=["Acquirer SANDBOX: 2 brands", "Visa, Mastercard, Maestro, American Express, girocard"],
)
GERMAN = replace(
    SALE, language="de", entry="chip", verification="online_pin", tip_minor=10000, dcc=CONVERSION
)

GOLDEN = {
    "sale": (SALE, "client", False),
    "german-conversion-tip": (GERMAN, "client", False),
    "french-declined": (replace(DECLINED, language="fr"), "client", False),
    "declined-merchant": (replace(DECLINED, language="fr"), "merchant", False),
    "refund": (
        replace(SALE, service="WPI_SVC_REFUND", card_read=False, amount_minor=500),
        "client",
        False,
    ),
    "day-end": (DAY_END, "merchant", False),
    "day-end-empty": (replace(DAY_END, totals=[], period="18"), "merchant", False),
    "configuration": (CONFIGURATION, "merchant", False),
    "duplicate": (SALE, "client", True),
    "signature": (
        replace(
            SALE, verification="signature", signature_wanted=True, identification=True, offline=True
        ),
        "merchant",
        False,
    ),
}


def data_of(slip, profile=PROFILE, **more):
    return receipt(("JSON",), profile, slip, **more)["json"]


def more_of(data):
    return {item["key"]: item["value"] for item in data["additionalData"]}


# The text


@pytest.mark.req("P-154", "P-155", "P-159", "P-317")
@pytest.mark.parametrize("name", GOLDEN)
def test_a_receipt_reads_as_it_was_agreed(name):
    slip, copy, duplicate = GOLDEN[name]
    expected = (VECTORS / f"{name}.txt").read_text(encoding="utf-8").removesuffix("\n")
    assert text(PROFILE, slip, copy, duplicate=duplicate) == expected


SAMPLE = """\
This is to confirm your transaction
registered at:
----------------------------------------
SPS-Softpos Pilot 02
Grzybowska 4/246
00-131 Warszawa
----------------------------------------
15.02.2023 22:36
0,03 PLN
Visa **** **** **** 7984
Transaction details:
Status:                       AUTHORIZED
Authorization code:           (0) 741451
ARQC:                   61BC5EDC34F63979
AID:                      A0000000031010
Contactless
Type:                               Sale
POS ID:                         APP00002
MID:                           103810047
VISA CARD"""


@pytest.mark.req("P-159", "P-157")
def test_the_sample_of_the_standard_comes_out_as_it_is_printed_there():
    shop = replace(
        PROFILE.shop,
        name="SPS-Softpos Pilot 02",
        address="Grzybowska 4/246",
        zip_code="00-131",
        city="Warszawa",
    )
    acquirers = (Acquirer(id="PL", terminal_id="APP00002"),)
    profile = Profile(
        shop=shop,
        acquirers=acquirers,
        merchant="103810047",
        receipt_width=40,
        merchant_language="pl",
    )
    slip = replace(
        SALE,
        at="2023-02-15T22:36:00+01:00",
        currency="PLN",
        amount_minor=3,
        masked_number="************7984",
        authorization_code="(0) 741451",
        application_label="VISA CARD",
        verification="",
        reference="",
        merchant_reference="",
    )
    lines = [line.strip() for line in text(profile, slip, "merchant").split("\n")]
    assert lines == [*SAMPLE.split("\n"), "", "Merchant copy"]


@pytest.mark.req("P-157")
def test_each_copy_is_in_the_language_of_whom_it_is_for():
    both = receipt(("FORMATTED",), PROFILE, replace(SALE, language="fr"))["formatted"]
    assert "Status:               AUTHORIZED" in both["merchant"]
    assert "Statut :                ACCEPTÉE" in both["client"]
    german = replace(PROFILE, languages=("de", "en"), merchant_language="it")
    for unknown in ("", "pl", "xx"):
        slip = replace(SALE, language=unknown)
        assert "GENEHMIGT" in text(german, slip, "client")
        assert "AUTORIZZATA" in text(german, slip, "merchant")


@pytest.mark.req("P-154")
@pytest.mark.parametrize("language", LANGUAGES)
def test_both_copies_are_the_same_made_together_or_alone(language):
    profile = replace(PROFILE, merchant_language=language)
    for slip in (SALE, GERMAN, DECLINED, replace(DECLINED, code="59"), DAY_END, CONFIGURATION):
        for spoken in (language, "en"):
            said = replace(slip, language=spoken)
            both = receipt(("FORMATTED",), profile, said)["formatted"]
            assert both == {copy: text(profile, said, copy) for copy in ("merchant", "client")}


@pytest.mark.req("P-333")
def test_only_a_transaction_has_a_copy_for_the_cardholder():
    assert copies(SALE) == ("merchant", "client")
    for slip in (DAY_END, CONFIGURATION):
        assert copies(slip) == ("merchant",)
        assert text(PROFILE, slip, "client") == ""
        assert data_of(slip)["receiptTargets"]["client"] == []


def test_no_format_no_receipt():
    assert receipt((), PROFILE, SALE) is None


@pytest.mark.parametrize("code", sorted(HIDDEN))
def test_nobody_reads_on_paper_that_a_card_is_stolen(code):
    slip = replace(DECLINED, code=code, text="suspected fraud")
    both = receipt(("FORMATTED", "JSON"), PROFILE, slip)
    assert "DECLINED" in both["formatted"]["client"]
    assert "Reason:" not in both["formatted"]["client"]
    assert "fraud" not in json.dumps(both)
    assert f"Response code:                {code}" in both["formatted"]["merchant"]
    assert code not in both["formatted"]["client"].split("Payment reference:")[1].split()
    assert "responseCode" not in more_of(both["json"])


def test_what_nobody_decided_was_not_declined():
    slip = replace(DECLINED, code="", text="no answer in time; an approval is being undone")
    assert "NOT COMPLETED" in text(PROFILE, slip, "client")
    assert "undone" not in text(PROFILE, slip, "client")
    assert "undone" in text(PROFILE, slip, "merchant")
    assert "DECLINED" in text(PROFILE, replace(slip, offline=True), "client")


def test_an_unverified_pin_is_not_called_verified():
    wrong = replace(DECLINED, verification="online_pin", code="55")
    assert "PIN verified" not in text(PROFILE, wrong, "client")
    assert "wrong PIN" in text(PROFILE, wrong, "client")


def test_a_line_to_sign_on_is_on_the_merchants_copy_of_what_must_be_signed():
    line = "Signature:\n\n\n" + "_" * 32
    asked = replace(SALE, signature_wanted=True)
    by_method = replace(SALE, verification="signature")
    for slip in (asked, by_method):
        assert line in text(PROFILE, slip, "merchant")
        assert "____" not in text(PROFILE, slip, "client")
    signed = replace(by_method, signature="M0 0L1 1")
    assert "____" not in text(PROFILE, signed, "merchant")
    assert "Signed on screen" in text(PROFILE, signed, "merchant")
    on_screen = replace(PROFILE, signature="screen")
    assert "____" not in text(on_screen, by_method, "merchant")
    for slip in (SALE, replace(asked, approved=False)):
        assert "____" not in text(PROFILE, slip, "merchant")


def test_an_offline_approval_says_so():
    assert "Approved offline" in text(PROFILE, replace(SALE, offline=True), "client")
    assert "Approved offline" not in text(PROFILE, replace(DECLINED, offline=True), "client")


@pytest.mark.req("P-159")
def test_only_the_last_four_digits_of_a_card_are_told():
    both = json.dumps(receipt(("FORMATTED", "JSON"), PROFILE, SALE))
    assert "424242" not in both
    assert "**** **** **** 4242" in both


def test_a_conversion_discloses_all_that_must_be():
    for language in LANGUAGES:
        profile = replace(PROFILE, merchant_language=language)
        written = text(profile, replace(GERMAN, tip_minor=None), "merchant")
        point = words(language).point
        for told in (
            amount_text(Money.of(123456, "EUR"), language),
            amount_text(Money.of(133851, "USD"), language),
            f"1 EUR = 1{point}0842 USD",
            f"3{point}0 %",
            f"3{point}4 %",
            "Sandbox Exchange",
        ):
            assert told in written
        statement = words(language).dcc_statement.format(local="EUR", foreign="USD")
        assert statement in " ".join(written.split())
    outside = Profile(dcc=Conversion())
    assert "ECB" not in text(outside, GERMAN, "merchant")
    assert "3.9 %" in text(outside, replace(GERMAN, dcc={**CONVERSION, "ecb_percent": "3.9"}),
                           "merchant")  # fmt: skip


@pytest.mark.req("P-155")
@given(
    width=st.integers(16, 60),
    language=st.sampled_from(LANGUAGES),
    name=st.sampled_from(sorted(GOLDEN)),
    words=st.text(max_size=80),
    minor=st.integers(0, 10**12),
)
def test_no_line_is_longer_than_the_paper_and_nothing_vanishes(width, language, name, words, minor):
    slip, copy, duplicate = GOLDEN[name]
    profile = replace(PROFILE, receipt_width=width, merchant_language=language)
    if slip.kind == "transaction":
        slip = replace(slip, amount_minor=minor, tip_minor=None)
    slip = replace(slip, language=language, merchant_reference=words, application_label=words)
    written = text(profile, slip, copy, duplicate=duplicate)
    assert max(len(line) for line in written.split("\n")) <= width
    assert all(line.isprintable() for line in written.split("\n"))
    if slip.kind == "transaction":
        seen = "".join(letter for letter in words if letter.isprintable()).replace(" ", "")
        assert seen in "".join(written.split())


@pytest.mark.req("P-158")
def test_what_others_write_makes_no_lines_and_commands_no_printer():
    slip = replace(SALE, merchant_reference="a\nStatus: AUTHORIZED\x1b@\x1dV\0\u202e")
    written = text(PROFILE, slip, "merchant")
    assert "\x1b" not in written
    assert "\u202e" not in written
    assert sum(line.startswith("Status:") for line in written.split("\n")) == 1
    told = json.dumps(receipt(("FORMATTED",), PROFILE, SALE))
    assert "\n" not in told
    assert "\\n" in told


@pytest.mark.parametrize(
    ("amount", "language", "written"),
    [
        (Money.of(123456789, "EUR"), "en", "1,234,567.89 EUR"),
        (Money.of(123456789, "EUR"), "de", "1.234.567,89 EUR"),
        (Money.of(123456789, "EUR"), "fr", "1 234 567,89 EUR"),
        (Money.of(123456789, "EUR"), "nl", "1.234.567,89 EUR"),
        (Money.of(123456789, "EUR"), "it", "1.234.567,89 EUR"),
        (Money.of(123456789, "EUR"), "es", "1.234.567,89 EUR"),
        (Money.of(123456789, "PLN"), "pl", "1 234 567,89 PLN"),
        (Money.of(5, "EUR"), "en", "0.05 EUR"),
        (Money.of(-5, "EUR"), "de", "-0,05 EUR"),
        (Money.of(5000, "JPY"), "de", "5.000 JPY"),
        (Money.of(999, "KWD"), "en", "0.999 KWD"),
        (Money.of(1234567, "KWD"), "xx", "1,234.567 KWD"),
    ],
)
def test_amounts_are_written_as_a_language_does(amount, language, written):
    assert amount_text(amount, language) == written


def test_every_language_has_every_word():
    assert tuple(WORDS) == LANGUAGES
    for said in WORDS.values():
        for field in fields(said):
            assert getattr(said, field.name), (said.language, field.name)
        english = WORDS["en"]
        for name in ("types", "entries", "verifications", "reasons"):
            assert getattr(said, name).keys() == getattr(english, name).keys()
            assert all(getattr(said, name).values())
        assert not HIDDEN & said.reasons.keys()
        statement = said.dcc_statement.format(local="EUR", foreign="USD")
        assert "EUR" in statement
        assert "USD" in statement
    silent = {"LAST_TRANSACTION", "PAYMENT_INFORMATION", "PAYMENT_MENU", "PRINT_RECEIPT", "ABORT"}
    assert {name.removeprefix("WPI_SVC_") for name in SERVICES} - silent == {
        name.removeprefix("WPI_SVC_") for name in WORDS["en"].types
    }
    assert words("de-CH") is WORDS["de"]
    assert words("pl") is words("") is WORDS["en"]


# The data


@pytest.mark.req(*(f"P-{n}" for n in (156, 160, 161, 162, 163, 165, 166, 167, 169, 170, 172, 173,
                 175, 176, 177, 179, 180, 181, 182, 183, 184, 185, 186, 187, 189, 190, 192, 193,
                 194, 195, 197)))  # fmt: skip
def test_the_data_of_a_receipt_carry_all_we_know():
    records = [{"itemId": 1, "label": "tea", "quantity": 1}]
    slip = replace(GERMAN, token="t-1", sequence="01", product_records=records, offline=True)
    data = data_of(slip)
    assert data["shopInfo"] == shop_info(PROFILE)
    expected = {
        "duplicate": False,
        "terminalIdentifier": "T1",
        "transactionIdentifier": "op-1",
        "currency": "EUR",
        "amount": 123456,
        "tipAmount": 10000,
        "token": "t-1",
        "brandName": "Visa",
        "applicationIdentifier": "A0000000031010",
        "pan": "************4242",
        "maskedPan": "************4242",
        "cardSequence": "01",
        "serviceName": "Sale",
        "timestamp": "2026-03-01T10:00:00+01:00",
        "authorizationCode": "741451",
        "reference": "order 7",
        "acquirerIdentifier": "SANDBOX",
        "entryMode": "WPI_ENTRY_MODE_CHIP",
        "cardDataInput": "Chip",
        "cardholderVerificationMethod": "PIN verified",
        "legalIdentificationRequired": False,
        "paymentSolutionReference": "ABCDEFGH12",
        "productRecords": records,
        "cardholderReceiptText": "GENEHMIGT",
        "acquirerReceiptText": "AUTHORIZED",
    }
    assert {name: data[name] for name in expected} == expected
    assert [line["line"] for line in data["footerLines"]][1:] == ["Offline genehmigt"]
    assert more_of(data) == {
        "posId": "SBX00001",
        "mid": "merchant-1",
        "applicationLabel": "VISA CREDIT",
        "cryptogram": "ARQC 61BC5EDC34F63979",
        "offline": True,
        "dcc": {
            "currency": "USD",
            "amount": 133851,
            "rate": "1.0842",
            "markupPercent": "3.0",
            "provider": "Sandbox Exchange",
            "ecbPercent": "3.4",
        },
    }
    for item in data["additionalData"]:
        assert set(item) == {"key", "value"}


@pytest.mark.req("P-160")
def test_each_copy_names_its_fields_and_none_names_the_expiry():
    data = data_of(replace(SALE, token="t-1"))
    targets = data.pop("receiptTargets")
    for names in targets.values():
        assert set(names) <= set(data)
        assert "cardExpiration" not in names
    assert "token" not in targets["client"]
    assert "acquirerReceiptText" not in targets["client"]
    assert "cardholderReceiptText" not in targets["merchant"]
    assert set(targets["client"]) | set(targets["merchant"]) == set(data) - {"duplicate"}


@pytest.mark.req("P-164", "P-195", "P-317")
def test_a_day_end_has_its_totals_as_data():
    data = data_of(DAY_END)
    assert data["period"] == "17"
    assert more_of(data)["totals"] == [
        {"brandName": "Visa", "currency": "EUR", "count": 12, "amount": 123456},
        {"brandName": "Mastercard", "currency": "EUR", "count": 1, "amount": -500},
        {"brandName": "Visa", "currency": "JPY", "count": 2, "amount": 5000},
    ]
    assert more_of(data_of(replace(DAY_END, totals=[])))["totals"] == []
    assert "amount" not in data


def test_a_configuration_has_its_lines_as_data():
    lines = [item["line"] for item in data_of(CONFIGURATION)["footerLines"]]
    assert lines == CONFIGURATION.lines


@pytest.mark.req("P-161")
def test_a_duplicate_is_marked():
    assert data_of(SALE, duplicate=True)["duplicate"] is True
    for language, mark in zip(LANGUAGES, ("DUPLICATE", "KOPIE", "DUPLICATA", "DUPLICAAT",
                                          "DUPLICATO", "DUPLICADO"), strict=True):  # fmt: skip
        profile = replace(PROFILE, merchant_language=language)
        assert mark in text(profile, SALE, "merchant", duplicate=True)
        assert mark not in text(profile, SALE, "merchant")


@pytest.mark.req("P-183")
def test_pos_and_acquirer_are_those_of_the_brand():
    other = Acquirer(id="OTHER", terminal_id="OT1", brands=("Mastercard",))
    profile = replace(PROFILE, acquirers=(Acquirer(), other))
    slip = replace(SALE, brand="Mastercard")
    assert data_of(slip, profile)["acquirerIdentifier"] == "OTHER"
    assert "POS ID:                      OT1" in text(profile, slip, "merchant")
    assert data_of(SALE, profile)["acquirerIdentifier"] == "SANDBOX"


@pytest.mark.parametrize("name", GOLDEN)
def test_a_slip_that_was_kept_prints_the_same_again(name):
    slip, copy, _ = GOLDEN[name]
    kept = read_text(wire_json.write(slip.written()))
    assert kept == slip
    assert text(PROFILE, kept, copy) == text(PROFILE, slip, copy)


# The screens

EURO = Money.of(1191, "EUR")
WISHES = [
    *(PresentCard(service="WPI_SVC_PAYMENT", amount=EURO, entries=("chip", "contactless"),
                  hint=hint) for hint in Hint),
    PresentCard(service="WPI_SVC_PAYMENT_INSTRUMENT_RECOGNITION", amount=None, entries=("mifare",)),
    ChooseApplication(("VISA CREDIT", "GIROCARD")),
    EnterPin(amount=EURO, online=True),
    EnterPin(amount=EURO, online=False, wrong=True, tries_left=2),
    EnterPin(amount=EURO, online=False, wrong=True, tries_left=1),
    AddTip(EURO, (5, 10), 500),
    ChooseCurrency(local=EURO, foreign=Money.of(1291, "USD"), rate="1.0842", markup_percent="3.0",
                   provider="Sandbox Exchange"),
    ChooseLanguage(LANGUAGES),
    Sign(EURO),
    *(Notice(topic, EURO) for topic in Topic),
    EnterPassword(2, wrong=True),
    ShowMenu(tuple(MenuItem), ("done",)),
    Begin("WPI_SVC_PAYMENT", EURO),
    VerifyPin(Secret("1234")),
    Tokenize(Secret("4242424242424242")),
    Seal(Secret("x")),
    Unseal("x"),
    Print(slip=SALE, copies=("merchant",), texts={}),
    Fetch(Parameters.PAYMENT),
    Withdraw(),
]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: type(wish).__name__)
def test_every_wish_has_a_screen_in_every_language(wish, language):
    shown = screen(wish, language)
    assert shown.title
    assert all(shown.lines)
    assert all(shown.choices)
    assert not any("{" in line for line in (shown.title, *shown.lines, *shown.choices))


def test_no_wish_is_forgotten():
    assert {type(wish) for wish in WISHES} == set(Wish.__args__)


def test_screens_say_what_is_wanted():
    present = screen(WISHES[0], "en")
    assert present == Shown("Present card", ("Sale", "11.91 EUR", "insert, tap"))
    assert screen(WISHES[1], "de").title == "Karte einstecken"
    wrong = screen(EnterPin(amount=EURO, online=False, wrong=True, tries_left=1), "fr")
    assert wrong.lines == ("11,91 EUR", "Code faux", "Dernier essai")
    tip = screen(AddTip(EURO, (5, 10), 500), "en")
    assert tip.choices == ("5 % (0.60 EUR)", "10 % (1.19 EUR)", "Other amount", "No tip")
    currency = screen(WISHES[WISHES.index(ChooseLanguage(LANGUAGES)) - 1], "nl")
    assert currency.choices == ("11,91 EUR", "12,91 USD")
    assert "Wisselkoers: 1 EUR = 1,0842 USD" in currency.lines
    assert screen(ChooseLanguage(("de", "fr")), "en").choices == ("Deutsch", "Français")
    assert screen(ShowMenu((MenuItem.DAY_END,), ("a",)), "it").choices == ("Chiusura giornaliera",)


def test_a_notice_keeps_the_merchants_text_to_the_merchant():
    shown = screen(Notice(Topic.DECLINED, EURO, "59 suspected fraud"), "en")
    assert shown == Shown("Declined", ("11.91 EUR",))
