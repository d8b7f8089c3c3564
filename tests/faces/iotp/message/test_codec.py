"""What is written is read again, what was read is written as it came, the rest is refused."""

import re
from dataclasses import MISSING, replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faces.iotp.message import trading as t
from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.words import ErrorCode, ProcessState, Transform
from tollbridge.faces.iotp.message import blocks as b
from tollbridge.faces.iotp.message import codec
from tollbridge.faces.iotp.message import components as c
from tollbridge.faces.iotp.message.codec import PLANS
from tollbridge.faces.iotp.message.faults import Unreadable
from tollbridge.faces.iotp.message.shape import Has, Inside, Kind
from tollbridge.ground.clock import Instant
from tollbridge.ground.errors import LocalProtocolError
from tollbridge.wire import xml
from tollbridge.wire.xml import Element

WORDS = st.from_regex(r"[A-Za-z0-9_.:-]{1,12}", fullmatch=True)
TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=20
)
TIMES = st.integers(0, 4_102_444_800_000).map(lambda ms: Instant(ms * 1000))
CONTENTS = st.builds(Content, text=TEXTS, name=st.none() | WORDS) | st.builds(
    Content.of, st.binary(max_size=20), st.none() | WORDS
)
VALUES = {
    Kind.TEXT: TEXTS,
    Kind.ID: WORDS,
    Kind.WORD: WORDS.filter(lambda word: word not in codec.known_as.__globals__["ALIASES"]),
    Kind.WORDS: st.lists(WORDS, min_size=1, max_size=3).map(tuple),
    Kind.REF: WORDS,
    Kind.REFS: st.lists(WORDS, min_size=1, max_size=3).map(tuple),
    Kind.FLAG: st.booleans(),
    Kind.SMALL_FLAG: st.booleans(),
    Kind.TIME: TIMES,
    Kind.TIME_OR_NA: st.none() | TIMES,
    Kind.AMOUNT: st.decimals(0, 10**9, places=3),
}


def parts(kind):
    """Any value of a kind, made from what the kind says of itself."""
    if kind is Content:
        return CONTENTS
    plan, fields = PLANS[kind.__name__], {}
    for name, place, needed in plan.attributes:
        values = VALUES.get(place.kind)
        if values is None:
            values = st.sampled_from([one for one in place.choice if one != "Suspended"])
        absent = kind.__dataclass_fields__[name].default
        fields[name] = values if needed or absent is MISSING else st.just(absent) | values
    for name, inside in plan.insides:
        match inside:
            case Inside.TEXT:
                fields[name] = WORDS
            case Inside.ANYTHING:
                fields[name] = st.just(()) | TEXTS.filter(bool).map(lambda text: (text,))
            case Has(many=True):
                inner = st.deferred(
                    lambda kinds=inside.kinds: st.one_of([parts(one) for one in kinds])
                )
                fields[name] = st.lists(inner, min_size=inside.least, max_size=2).map(tuple)
            case Has():
                inner = st.deferred(lambda kinds=inside.kinds: parts(kinds[0]))
                fields[name] = inner if inside.least else st.none() | inner
    return st.builds(kind, **fields)


@given(parts(b.IotpMessage))
@settings(max_examples=60)
def test_any_message_that_is_written_is_read_again(message):
    root = codec.element_of(message)
    again, faults = codec.decode(xml.read(xml.write(root)))
    assert faults == ()
    assert again == message
    assert codec.element_of(again) == root


TALKS = {
    "purchase": t.purchase,
    "purchase, independent": lambda: t.purchase(dependent=False),
    "value exchange": t.value_exchange,
    "authentication": t.authentication,
    "ping": lambda: t.ping(signed=True),
}


@pytest.mark.req("IX-120", "IX-121", "IX-122")
@pytest.mark.parametrize("name", TALKS)
def test_messages_are_valid_and_read_again(name):
    for message in TALKS[name]().messages:
        data = codec.write(message, validate=True)
        again = codec.read(data)
        assert again == message
        assert codec.write(again) == data
        assert data.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<IotpMessage xmlns=')
        assert again.trans_ref.trans_id.id == "M1.2"


def changed(message, *changes):
    text = codec.write(message).decode()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


@pytest.mark.req("IX-130", "IX-135")
def test_what_is_copied_into_another_message_keeps_its_digest():
    """Also where it leaves defaults out, holds blanks, and what others added."""
    text = changed(
        t.message(t.tpo()),
        (' CurrCodeType="ISO4217-A"', ""),
        (' Transform="NONE"', "\n"),
        ("<BrandList ", "<BrandList\n  "),
        ("</BrandList>", '<x:y xmlns:x="urn:x" ID="M1.99" Critical="False"/>\n</BrandList>'),
    )
    read = codec.read(text)
    found = read.blocks[0].brand_lists[0]
    assert found.currency_amounts[0].curr_code_type == "ISO4217-A"
    assert [one.name for one in found.more] == ["y"]
    said = t.Talk()
    said.heard(read)
    said.say("C", t.tpo_selection())
    said.say("M", t.offer("M2"))
    request = t.pay_req(said.known, pay="M2.71", offer_of="M2")
    again = codec.read(codec.write(t.message(request, prefix="C", number=2)))
    kept = again.blocks[0].brand_list
    assert kept == found
    assert xml.canonical(kept.source) == xml.canonical(found.source)


def test_a_part_that_is_changed_is_written_anew():
    message = t.message(t.tpo())
    tpo = message.blocks[0]
    other = replace(tpo, protocol_options=replace(tpo.protocol_options, short_desc="other"))
    assert other.source is None
    assert other.brand_lists[0].source is tpo.brand_lists[0].source
    data = codec.write(replace(message, blocks=(other,)))
    assert b'ShortDesc="other"' in data


def test_every_default_is_written_out():
    """So that digests do not depend on whether the reader validates (D-12)."""
    data = codec.write(t.message(t.tpo()))
    for text in (b'CurrCodeType="ISO4217-A"', b'Content="PCDATA"', b'Transform="NONE"',
                 b'Version="1.0"'):  # fmt: skip
        assert text in data
    assert b">\n<" not in data.partition(b"\n")[2]


# Extension


@pytest.mark.req("IX-134")
@pytest.mark.parametrize(
    "mark",
    [
        "",
        'Critical="True"',
        'Critical="true"',
        'xmlns:IOTP="iotp:ietf.org/iotp-v1.0" IOTP:Critical="True"',
    ],
)
def test_a_critical_stranger_fails_the_message(mark):
    text = changed(
        t.message(t.tpo()), ("</TpoBlk>", f'</TpoBlk><y xmlns="urn:x" ID="M1.99" {mark}/>')
    )
    with pytest.raises(Unreadable) as caught:
        codec.read(text)
    (fault,) = caught.value.faults
    assert fault.code is ErrorCode.EL_NOT_SUPP
    assert fault.place == "/IotpMessage/y"
    assert codec.read(text, namespaces={"urn:x"}).more[0].name == "y"


@pytest.mark.req("IX-135")
def test_a_stranger_that_is_not_critical_is_kept():
    text = changed(
        t.message(t.tpo()),
        ("</TpoBlk>", ('</TpoBlk><x:y xmlns:x="urn:x" xmlns:IOTP="iotp:ietf.org/iotp-v1.0" '
                      'ID="M1.99" IOTP:Critical="False"><x:z/></x:y>')),
    )  # fmt: skip
    read = codec.read(text)
    assert codec.read(codec.write(read)) == read
    assert b"urn:x" in codec.write(read)


@pytest.mark.req("IX-136")
@pytest.mark.parametrize(
    ("outer", "inner", "good"),
    [("False", "", True), ("False", 'Critical="True"', False), ("True", 'Critical="False"', False)],
)
def test_what_is_critical_is_so_for_what_stands_inside(outer, inner, good):
    text = changed(
        t.message(t.tpo()),
        ("</TpoBlk>", f'</TpoBlk><y xmlns="urn:x" ID="M1.99" Critical="{outer}"><z {inner}/></y>'),
    )
    if good:
        assert codec.read(text).more
    else:
        with pytest.raises(Unreadable):
            codec.read(text)


# What is refused


@pytest.mark.req("IX-148")
def test_what_is_not_well_formed_is_called_so():
    with pytest.raises(Unreadable) as caught:
        codec.read(b"<IotpMessage")
    assert caught.value.hint == ErrorCode.XML_NOT_WELL_FRMD
    assert caught.value.faults[0].place == "/"


@pytest.mark.parametrize("size", [300 * 1024])
def test_what_is_too_large_is_called_so(size):
    with pytest.raises(Unreadable) as caught:
        codec.read(b" " * size)
    assert caught.value.hint == ErrorCode.MSG_TOO_LARGE


@pytest.mark.req("IX-121", "IX-122")
@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("<TpoBlk ", "<TpoBlock ", None),
        ('xmlns="iotp:ietf.org/iotp-v1.0"', "", "/IotpMessage"),
        ('xmlns="iotp:ietf.org/iotp-v1.0"', 'xmlns="iotp:ietf.org/iotp-v2.0"', "/IotpMessage"),
        (' OrgId="bank.example"', "", "/IotpMessage/TpoBlk/Org[2]"),
        ('PayDirection="Debit"', 'PayDirection="debit"', "/IotpMessage/TpoBlk/BrandList"),
        ('LegalLocation="True"', 'LegalLocation="yes"', "/IotpMessage/TpoBlk/Org[1]/PostalAddress"),
        ('ID="M1.41"', 'ID="M1.40"', "/IotpMessage/TpoBlk/Org[4]/TradingRole[1]"),
        ('PayProtocolRef="M1.57"', 'PayProtocolRef="M1.99"', None),
    ],
)
def test_what_is_not_valid_is_refused_with_its_place(old, new, place):
    text = changed(t.message(t.tpo()), (old, new)).replace(
        "</TpoBlk>", "</TpoBlock>" if new == "<TpoBlock " else "</TpoBlk>"
    )
    with pytest.raises(Unreadable) as caught:
        codec.read(text)
    assert caught.value.hint == ErrorCode.XML_NOT_VALID
    if place:
        assert caught.value.path == (place,)


@pytest.mark.parametrize(
    ("old", "new", "attribute"),
    [
        ('OkFrom="2026-01-01T00:00:00.000Z+0"', 'OkFrom="yesterday"', "OkFrom"),
        ('OkFrom="2026-01-01T00:00:00.000Z+0"', 'OkFrom="2026-02-30T00:00:00Z"', "OkFrom"),
        ('TransTimeStamp="2026-01-01T00:00:00.000Z+0"', 'TransTimeStamp="na"', "TransTimeStamp"),
        ('Amount="24.90"', 'Amount="24,90"', "Amount"),
        ('Amount="24.90"', 'Amount="-1"', "Amount"),
        ('Amount="24.90"', 'Amount="1e3"', "Amount"),
    ],
)
def test_an_attribute_that_is_not_what_it_should_be_is_named(old, new, attribute):
    text = changed(t.message(t.tpo(), t.offer()), (old, new))
    with pytest.raises(Unreadable) as caught:
        codec.read(text)
    (fault,) = caught.value.faults
    assert (fault.attribute, fault.code) == (attribute, ErrorCode.ATT_VAL_ILLEGAL)
    assert fault.value == re.search(r'="(.*)"', new)[1]


def test_a_content_that_is_not_base_64_is_named():
    data = codec.write(t.message(t.pay_exch("P1", "A"), prefix="P", answers="C1"))
    with pytest.raises(Unreadable) as caught:
        codec.read(data.replace(b"ZGF0YQ==", b"ZGF0YQ"))
    assert caught.value.hint == ErrorCode.EL_CONT_ILLEGAL


# Times, words, money


@pytest.mark.req("IX-125")
@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1999-08-09T12:58:40.000Z+9", "1999-08-09T03:58:40.000Z+0"),
        ("1999-08-09T12:58:40Z", "1999-08-09T12:58:40.000Z+0"),
        ("1999-08-09T12:58:40.5Z-5", "1999-08-09T17:58:40.500Z+0"),
        ("1999-08-09T12:58:40+05:30", "1999-08-09T07:28:40.000Z+0"),
        ("NA", "NA"),
    ],
)
def test_the_time_of_a_transaction_is_read_in_every_form_and_copied_as_it_came(text, time):
    said = t.message(t.tpo())
    came = codec.read(changed(
        said, ('TransTimeStamp="2026-01-01T00:00:00.000Z+0"', f'TransTimeStamp="{text}"')
    ))  # fmt: skip
    trans = came.trans_ref.trans_id
    copied = codec.write(t.message(t.tpo_selection(), prefix="C", trans=trans, answers="M1"))
    assert f'TransTimeStamp="{text}"'.encode() in copied
    written = codec.write(t.message(t.tpo(), trans=replace(trans, time=trans.time)))
    assert f'TransTimeStamp="{time}"'.encode() in written


@pytest.mark.req("IX-067")
def test_suspended_leaves_no_party():
    made = t.message(t.auth_status(state=ProcessState.SUSPENDED), answers="C1", number=2)
    assert made.blocks[0].status.process_state is ProcessState.IN_PROGRESS


def test_other_spellings_are_read_as_the_one_that_is_written():
    said = t.message(t.auth_status(state=ProcessState.FAILED, code="AuthFailed"), answers="C1")
    text = changed(said, ('StatusType="Authentication"', 'StatusType="Unidentified"'),
                   ("AuthFailed", "PaymCancelled"))  # fmt: skip
    status = codec.read(text).blocks[0].status
    assert (status.status_type, status.completion_code) == ("Undefined", "PaymtCancelled")


@pytest.mark.req("IX-060", "IX-061")
def test_an_amount_keeps_all_of_its_digits():
    text = changed(t.message(t.tpo()), ('Amount="24.90"', 'Amount="0.001"'),
                   (' CurrCodeType="ISO4217-A"', ""))  # fmt: skip
    amount = codec.read(text).blocks[0].brand_lists[0].currency_amounts[0]
    assert (amount.amount, amount.curr_code_type) == (Decimal("0.001"), "ISO4217-A")


@pytest.mark.req("IX-138")
def test_contents_are_text_or_base_64():
    made = t.message(
        b.PayExchBlk(
            id="P1.2",
            pay_scheme_data=c.PaySchemeData(
                id="P1.3", payment_ref="M1.71", payment_handler_pay_id="P-1",
                contents=(
                    Content(text="a < b & <c>", name="A"),
                    Content.of(b"\x00\xff", name="B"),
                    Content(text="<d/>", name="C", content="XML"),
                ),
            ),
        ),
        prefix="P",
        answers="C1",
    )  # fmt: skip
    one, two, three = made.blocks[0].pay_scheme_data.contents
    assert (one.data, two.data, three.data) == (b"a < b & <c>", b"\x00\xff", b"<d/>")
    assert two.transform is Transform.BASE64


# Writing


def test_a_message_that_would_not_be_valid_is_not_written_when_that_is_asked():
    message = replace(t.message(t.tpo()), blocks=(replace(t.tpo(), orgs=(t.bank(), t.bank())),))
    assert codec.write(message)
    with pytest.raises(LocalProtocolError, match="ID"):
        codec.write(message, validate=True)


def test_strangers_are_written_where_the_caller_adds_them():
    added = Element("note", {"ID": "M1.98", "Critical": "False"}, ("hello",), "urn:x")
    data = codec.write(t.message(replace(t.tpo(), more=(added,))))
    assert codec.read(data).blocks[0].more == (added,)


def test_a_part_becomes_an_element_once_and_a_copy_of_it_another():
    part = t.trans_id()
    assert codec.element_of(part) is codec.element_of(part)
    other = replace(part, iotp_trans_id="other@shop.example")
    assert codec.element_of(other).get("IotpTransId") == "other@shop.example"
    assert part == t.trans_id(), "what was made of it does not count"
