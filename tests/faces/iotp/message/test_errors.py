"""Error and Cancel Blocks that are made and that come; duplicates; what is left when all broke."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faces.iotp.message import trading as t
from tollbridge.faces.iotp.api import elements as api
from tollbridge.faces.iotp.api.words import ErrorCode, Severity
from tollbridge.faces.iotp.message import codec, duplicates, errors, rules
from tollbridge.faces.iotp.message import components as c
from tollbridge.faces.iotp.message.duplicates import Again, Seen
from tollbridge.faces.iotp.message.faults import Fault, Unreadable, hard
from tollbridge.faces.iotp.message.naming import Numbers, transaction_name
from tollbridge.faces.iotp.message.words import CANCEL_CODES, COMPLETIONS, StatusType
from tollbridge.ground.errors import LocalProtocolError
from tollbridge.ground.ids import SeededIds

SENDER = errors.Sender(software_id=t.SOFTWARE, trading_role_ref="M1.21")


def answered(faults, root=None, answers="C1", trans=None, **more):
    numbers = Numbers("P", 1)
    head = errors.header(trans or t.trans_id(), numbers, SENDER, answers=answers, time=t.AT)
    told = [errors.component(fault, numbers, root, **more) for fault in faults]
    made = errors.answer(head, told, numbers)
    return codec.read(codec.write(made, validate=True))


@pytest.mark.req("IX-148", "IX-220", "I-247")
def test_what_is_not_well_formed_is_answered():
    with pytest.raises(Unreadable) as caught:
        codec.read(b"<IotpMessage><a></IotpMessage>")
    message = answered(caught.value.faults)
    assert hard(rules.of(message)) == ()
    (error,) = message.error.errors
    assert (error.error_code, error.severity) == ("XmlNotWellFrmd", Severity.HARD_ERROR)
    assert message.blocks == ()


@pytest.mark.req("IX-205", "I-243")
def test_a_fault_is_located_in_its_message():
    root = t.message(t.tpo()).source
    fault = Fault(ErrorCode.ATT_VAL_ILLEGAL, "/IotpMessage/TpoBlk/BrandList/CurrencyAmount[2]",
                  "no such currency", "RFC 2801, 7.7.4", "CurrCode", "GPB")  # fmt: skip
    (error,) = answered([fault], root).error.errors
    (place,) = error.locations
    assert (place.element_type, place.iotp_msg_ref, place.blk_ref, place.comp_ref,
            place.element_ref, place.att_name) == (
        "CurrencyAmount", "M1", "M1.3", "M1.50", "M1.56", "CurrCode")  # fmt: skip
    assert error.contents[0].text == "GPB"
    assert error.error_code == "AttValIllegal"


@pytest.mark.req("IX-205")
def test_what_is_missing_is_named():
    text = codec.write(t.message(t.tpo_selection(), prefix="C", answers="M1")).decode()
    root = codec.well_formed(text.replace(' RespIotpMsg="M1"', ""))
    (fault,) = rules.faults(root)
    (error,) = answered([fault], root).error.errors
    assert error.error_code == "AttMissing"
    assert error.contents[0].text == "RespIotpMsg"


@pytest.mark.req("IX-200")
def test_the_worst_of_errors_is_told_and_decides():
    warning = Fault(ErrorCode.UNKNOWN_ERROR, "/IotpMessage", "a", "-", severity=Severity.WARNING)
    worst = Fault(ErrorCode.EL_UNEXPECTED, "/IotpMessage", "b", "-")
    message = answered([warning, errors.BUSY, worst])
    assert [one.error_code for one in message.error.errors] == ["ElUnexpected"]
    assert errors.hardened(message) is Severity.HARD_ERROR
    assert errors.hardened(answered([warning, errors.BUSY], retry_s=3)) is Severity.TRANSIENT_ERROR
    assert errors.hardened(t.message(t.tpo())) is None


@pytest.mark.req("IX-201")
def test_warnings_go_along_and_nothing_else_does():
    numbers = t.after(Numbers("M", 1), 100)
    warning = errors.component(
        Fault(ErrorCode.UNKNOWN_ERROR, "/IotpMessage", "a", "-", severity=Severity.WARNING), numbers
    )
    made = errors.with_warnings(t.message(t.tpo()), [warning], numbers)
    read = codec.read(codec.write(made, validate=True))
    assert read.blocks
    assert errors.hardened(read) is Severity.WARNING
    assert hard(rules.of(read)) == ()
    for wrong in (t.message(), t.message(t.tpo())):
        one = t.error_comp() if wrong.blocks else warning
        with pytest.raises(LocalProtocolError):
            errors.with_warnings(wrong, [one], numbers)


@pytest.mark.req("IX-201", "IX-202")
def test_errors_that_break_their_rules_are_hard():
    alone = t.message(error=t.b.ErrorBlk(id="M1.9", errors=(t.error_comp(Severity.WARNING),)))
    assert errors.hardened(alone) is Severity.HARD_ERROR
    place = c.ErrorLocation(element_type="Order")
    many = t.error_comp(Severity.TRANSIENT_ERROR, "SystemBusy", locations=(place, place))
    assert errors.hardened(
        t.message(error=t.b.ErrorBlk(id="M1.9", errors=(many,)))
    ) is Severity.HARD_ERROR  # fmt: skip


@pytest.mark.req("IX-150", "IX-154", "IX-202")
@pytest.mark.parametrize("fault", [errors.BEING_PROCESSED, errors.BUSY])
def test_a_transient_error_names_a_message_and_a_time(fault):
    root = t.message(t.tpo_selection(), prefix="C", answers="M1").source
    message = answered([fault], root, retry_s=30)
    assert rules.of(message) == ()
    (error,) = message.error.errors
    assert error.severity is Severity.TRANSIENT_ERROR
    assert [one.iotp_msg_ref for one in error.locations] == ["C1"]
    assert errors.patience(error, 5) == errors.Patience(30)


@pytest.mark.req("IX-203", "IX-013")
@pytest.mark.parametrize("text", [None, "", "soon", "-1", "1.5", "9" * 30, "\u0663"])
def test_without_a_time_our_own_counts_and_the_next_message_warns(text):
    error = t.error_comp(Severity.TRANSIENT_ERROR, "SystemBusy", retry=text)
    found = errors.patience(error, 7)
    assert found.seconds == 7
    assert found.warning.severity is Severity.WARNING
    assert found.warning.attribute == "MinRetrySecs"


def test_nobody_is_made_to_wait_for_ever():
    assert errors.patience(t.error_comp(retry="999999999"), 5).seconds == 3600


# What payment bridges say


def api_error(code, severity=Severity.HARD_ERROR, name=None, **more):
    return api.ErrorResponse(
        error_code=code, error_desc="what happened", severity=severity,
        error_locations=(api.ErrorLocation(element_type="Authenticate", att_name=name),), **more,
    )  # fmt: skip


PLACE = c.ErrorLocation(element_type="PayReqBlk", iotp_msg_ref="C2", blk_ref="C2.2")


@pytest.mark.req("IX-012", "IX-041", "IX-043", "IX-046", "IX-047", "IX-049", "I-210")
@pytest.mark.parametrize(
    ("code", "name", "told"),
    [
        (ErrorCode.EL_NOT_VALID, None, "XmlNotValid"),
        (ErrorCode.ATT_NOT_VALID, "Amount", "XmlNotValid"),
        (ErrorCode.ATT_VAL_ILLEGAL, "Passphrase", "TransportError"),
        (ErrorCode.SYNTAX_ERROR, None, "XmlNotValid"),
        (ErrorCode.REQ_NOT_SUPP, None, "UnknownError"),
        (ErrorCode.ENCAP_PROT_ERR, None, "EncapProtErr"),
    ],
)
def test_a_bridges_error_becomes_one_of_messages(code, name, told):
    made = errors.of_api(api_error(code, name=name), Numbers("P", 1), PLACE)
    assert made.error_code == told
    assert made.locations[0].iotp_msg_ref == "C2"
    assert made.locations[0].blk_ref == "C2.2"
    assert (made.locations[0].att_name == name) == (name != "Passphrase" or name is None)
    assert "Passphrase" not in str(made)


@pytest.mark.req("IX-050", "IX-052")
def test_what_is_settled_at_home_is_not_told():
    assert errors.of_api(api_error(ErrorCode.BUS_ERROR), Numbers("P", 1), PLACE) is None
    types = api_error(ErrorCode.ATT_VAL_ILLEGAL, name="PropertyTypeList")
    assert errors.of_api(types, Numbers("P", 1), PLACE) is None


@pytest.mark.req("IX-013", "IX-015")
def test_a_bridges_transient_error_keeps_its_time():
    busy = api_error(ErrorCode.SYSTEM_BUSY, Severity.TRANSIENT_ERROR, min_retry_secs="9")
    made = errors.of_api(busy, Numbers("P", 1), PLACE)
    assert (made.min_retry_secs, len(made.locations)) == ("9", 1)
    late = api_error(ErrorCode.UNKNOWN_ERROR, min_retry_secs="9")
    assert errors.of_api(late, Numbers("P", 1), PLACE).min_retry_secs is None


# Cancels


@pytest.mark.req("IX-142", "IX-221", "I-248", "I-254")
@pytest.mark.parametrize("code", sorted(CANCEL_CODES))
def test_a_cancel_is_a_block_alone(code):
    of = next(kind for kind in StatusType if code in COMPLETIONS[kind] and (
        kind != "Offer" or code == "MerchCancelled"))  # fmt: skip
    numbers = Numbers("C", 4)
    head = errors.header(t.trans_id(), numbers, SENDER, answers="M1")
    made = codec.read(codec.write(errors.cancel(head, numbers, of, code, desc="no"), validate=True))
    assert made.kinds == ("CancelBlk",)
    assert hard(rules.of(made)) == ()


# What is left of a broken message


@pytest.mark.req("IX-148")
def test_the_transaction_of_a_broken_message_is_found():
    data = codec.write(t.message(t.tpo()))
    for broken in (data[:-20], data.replace(b"</TpoBlk>", b""), data.replace(b"<TpoBlk", b"<X")):
        found = errors.salvage(broken)
        assert found.trans_id == t.trans_id()
        assert found.message_id == "M1"
        message = answered(
            [Fault(ErrorCode.XML_NOT_WELL_FRMD, "/", "broken", "-")], answers=found.message_id,
            trans=found.trans_id,
        )  # fmt: skip
        assert codec.write(message).count(b'ID="M1.2"') == 1


@pytest.mark.req("IX-149")
@pytest.mark.parametrize(
    "data",
    [b"", b"<IotpMessage/>", b"\xff\xfe", (b"<TransId ID='a' IotpTransId='' IotpTransType='x' "
     b"TransTimeStamp='NA'/>"), b"<TransId IotpTransId='a@b'/>", b"<TransId " * 1000,
     b"<MsgId ID='a b'/>"],
)  # fmt: skip
def test_without_a_transaction_the_answer_has_one_of_its_own(data):
    found = errors.salvage(data)
    assert found == errors.Salvage()
    own = t.trans_id(name=transaction_name(t.AT, SeededIds(1), "bank.example"))
    (error,) = answered([errors.NO_TRANSACTION], answers=None, trans=own).error.errors
    assert (error.error_code, error.contents[0].text) == ("AttMissing", "IotpTransId")
    assert error.locations[0].att_name == "IotpTransId"


@given(
    st.binary(max_size=300)
    | st.text(max_size=300).map(
        lambda text: f"<TransId {text}/><MsgId ID='{text}'/>".encode(errors="replace")
    )
)
def test_nothing_breaks_what_looks_for_what_is_left(data):
    assert isinstance(errors.salvage(data), errors.Salvage)


@pytest.mark.req("IX-124")
def test_names_of_transactions_are_a_mails():
    name = transaction_name(t.AT, SeededIds(1), "shop.example")
    assert name.startswith("20260101000000.")
    assert name.endswith("@shop.example")
    assert rules.of(t.message(t.tpo(), trans=t.trans_id(name=name))) == ()
    assert name != transaction_name(t.AT, SeededIds(2), "shop.example")


@pytest.mark.req("IX-132")
def test_ids_are_counted_in_a_message():
    numbers = Numbers("M", 3)
    assert (numbers.message, numbers.next(), numbers.next()) == ("M3", "M3.1", "M3.2")
    assert Numbers("M", 3).message == "M3"


# Duplicates


@pytest.mark.req("IX-150", "IX-152")
@pytest.mark.parametrize("legacy", [False, True])
def test_the_same_message_is_known_however_it_is_written(legacy):
    text = codec.write(t.message(t.tpo())).decode()
    root = codec.well_formed(text)
    mark = duplicates.fingerprint(root, legacy=legacy)
    other = codec.well_formed(text.replace('ID="M1.50" xml:lang="en-GB"',
                                           'xml:lang="en-GB"  ID="M1.50"'))  # fmt: skip
    assert text != codec.write(codec.read_root(other)).decode()
    assert duplicates.again(None, root, legacy=legacy) is Again.NEW
    assert duplicates.again(Seen(mark), other, legacy=legacy) is Again.BEING_PROCESSED
    assert duplicates.again(Seen(mark, b"answer"), other, legacy=legacy) is Again.ANSWERED


@pytest.mark.req("IX-152", "IX-158")
def test_a_message_that_differs_anywhere_is_another():
    text = codec.write(t.message(t.tpo())).decode()
    seen = Seen(duplicates.fingerprint(codec.well_formed(text)), b"answer")
    for old, new in (
        ('Amount="24.90"', 'Amount="24.91"'),
        ("scheme data", "scheme  data"),
        ('<MsgId ID="M1"', '<MsgId ID="M2"'),
        ("<TpoBlk", "<TpoBlk x=''"),
    ):
        other = codec.well_formed(text.replace(old, new))
        assert duplicates.again(seen, other) is Again.ANOTHER
