"""Messages examined: what they are, what they say, everything that is wrong; nothing is raised."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faces.iotp.message import trading as t
from tollbridge.faces.iotp import document
from tollbridge.faces.iotp.api.words import ErrorCode
from tollbridge.faces.iotp.dtd import API_NAMESPACE
from tollbridge.faces.iotp.message import codec
from tollbridge.faces.iotp.message.check import examine, examine_conversation

TALK = t.purchase()
DATA = [codec.write(one) for one in TALK.messages]


def test_a_message_is_explained():
    report = examine(DATA[0])
    assert report.valid
    assert report.kind == "TpoBlk"
    told = "\n".join(report.explained)
    for words in ("a BaselinePurchase", "one payment, Debit", "bank.example, Bank plc, is Pay",
                  "24.90 EUR, 21.40 GBP with Visa, Mondex, by CARDv1.0"):  # fmt: skip
        assert words in told


def test_signatures_are_explained_and_their_digests_compared():
    told = "\n".join(examine(DATA[2]).explained)
    assert "A signature of type OfferResponse covers 13 parts: 6 are here, 7 elsewhere" in told
    assert "forged" not in told
    old = "\n".join(examine(codec.write(t.legacy_offer().messages[0])).explained)
    assert "with digests that can be forged" in old
    spoilt = DATA[2].replace(b"Two books &amp;", b"Two boots &amp;")
    assert any("digest of" in one.rule for one in examine(spoilt).violations)


def test_errors_are_explained():
    reports = [examine(codec.write(one)) for one in t.broken_off().messages]
    assert any("TransientError SystemBusy at IotpMessage in C2" in one
               for one in reports[4].explained)  # fmt: skip
    assert "The message may come again after 30 seconds." in reports[4].explained
    assert reports[5].kind == "ErrorBlk"


@pytest.mark.parametrize(
    ("data", "kind", "code"),
    [
        (b"", "", ErrorCode.XML_NOT_WELL_FRMD),
        (b"<a/>", "", ErrorCode.XML_NOT_VALID),
        (b"<IotpMessage/>", "IotpMessage", ErrorCode.XML_NOT_VALID),
        (b"x" * 300_000, "", ErrorCode.MSG_TOO_LARGE),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "", ErrorCode.XML_NOT_WELL_FRMD),
    ],
)  # fmt: skip
def test_what_is_no_message_is_called_so(data, kind, code):
    report = examine(data)
    assert not report.valid
    assert report.kind == kind
    assert report.violations[0].rule.startswith(code)


def test_everything_that_is_wrong_is_told_at_once():
    text = DATA[0].decode()
    for old, new in (
        ('OrgId="bank.example"', 'OrgId="no no"'),
        ('CurrCode="GBP"', 'CurrCode="X"'),
        ('ID="M1.4" ', 'ID="four" '),
        ('Amount="24.90"', 'Amount="much"'),
    ):
        text = text.replace(old, new)
    report = examine(text.encode())
    assert "4 rules are broken" in report.summary
    places = {one.place for one in report.violations}
    assert "/IotpMessage/TpoBlk/BrandList/CurrencyAmount[1]/@Amount" in places
    assert "/IotpMessage/TpoBlk/Org[2]/@OrgId" in places
    assert "/IotpMessage/TpoBlk/ProtocolOptions/@ID" in places


def test_what_is_not_valid_is_told_with_wrong_references():
    text = DATA[0].decode().replace('ActionOrgRef="M1.20"', 'ActionOrgRef="M1.99"')
    report = examine(text.replace(' OrgId="bank.example"', "").encode())
    rules = " ".join(one.rule for one in report.violations)
    assert "OrgId" in rules
    assert "nothing has the id 'M1.99'" in rules


def test_card_numbers_are_masked():
    text = DATA[0].decode().replace('BrandName="Visa"', 'BrandName="4242 4242 4242 4242"')
    text = text.replace('OrgId="bank.example"', 'OrgId="4242424242424242 x"')
    report = examine(text.encode())
    shown = "\n".join([*report.explained, *(one.rule for one in report.violations)])
    assert "4242 4242 4242" not in shown
    assert "42424242424242" not in shown


def test_control_letters_are_not_shown():
    text = DATA[0].decode().replace('BrandName="Visa"', 'BrandName="a&#10;b\u202ec"')
    assert all(one.isprintable() for one in examine(text.encode()).explained)


@given(st.data())
def test_whatever_is_broken_nothing_is_raised(data):
    original = data.draw(st.sampled_from(DATA))
    begin = data.draw(st.integers(0, len(original)))
    end = data.draw(st.integers(begin, min(len(original), begin + 40)))
    new = data.draw(st.sampled_from([b"", b"<", b'"', b"M1.50", b"<Org/>", b"True", b"\xff", b"0",
                                     b"</TpoBlk>", b'ID="M1"', b" ", b"&#65;"]))  # fmt: skip
    report = examine(original[:begin] + new + original[end:])
    assert report.summary
    assert report.valid == (not report.violations)


def test_a_conversation_goes_on_behind_a_broken_message():
    reports = examine_conversation([DATA[0], b"<", *DATA[1:]])
    assert [one.valid for one in reports] == [True, False, *[True] * 8]
    assert examine_conversation([]) == ()


def test_a_transaction_of_a_users_own_is_followed_nowhere():
    text = DATA[0].replace(b"BaselinePurchase", b"x-Barter")
    (report,) = examine_conversation([text])
    assert report.valid


def test_a_document_is_examined_by_its_root():
    assert document.examine(DATA[0]).kind == "TpoBlk"
    api = f'<IotpPaymentApiRequest xmlns="{API_NAMESPACE}"/>'.encode()
    assert document.examine(api).violations
    assert "IotpMessage" in document.examine(b"<html/>").violations[0].rule
    assert document.examine(b"<").violations[0].rule.startswith("XmlNotWellFrmd")
