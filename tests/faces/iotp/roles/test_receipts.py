"""Signed receipts: made, verified, and refused when they are wrong, missing or not the promised."""

import re

import pytest

from tests.faces.iotp.roles.trade import PAY, PAY_URL, SHOP, SHOP_URL, House, Person
from tollbridge.faces.iotp.api.words import ErrorCode, ProcessState
from tollbridge.faces.iotp.message import codec, signing
from tollbridge.faces.iotp.message.blocks import (
    AuthReqBlk,
    AuthStatusBlk,
    InquiryRespBlk,
    PingReqBlk,
    PingRespBlk,
)
from tollbridge.faces.iotp.message.components import TransId
from tollbridge.faces.iotp.message.signing import HmacKey, SignatureKind
from tollbridge.faces.iotp.message.words import Role, TransactionType
from tollbridge.faces.iotp.roles import person as wishes
from tollbridge.faces.iotp.roles.consumer import Inquire, Resume
from tollbridge.faces.iotp.roles.draft import Draft
from tollbridge.faces.iotp.roles.person import Arrived, Fetch, Post, Silence
from tollbridge.faces.iotp.roles.problems import Unusable
from tollbridge.faces.iotp.roles.sealing import Proof

SIGNATURES = re.compile(rb"<IotpSignatures.*?</IotpSignatures>", re.DOTALL)


def spoiled(house, kind, change):
    """Change every answer with a block of a kind on its way to the Consumer."""

    async def meddle(wanted):
        if wanted.url.endswith("/log"):
            return None
        shop = isinstance(wanted, Fetch) or wanted.url.startswith(SHOP_URL)
        answer = await house.reach("M" if shop else "P", wanted)
        body = answer.body
        if f"<{kind}".encode() in body:
            body = change(body)
            assert body != answer.body
        if isinstance(wanted, Post):
            house.posts.append(("M" if shop else "P", wanted.body, body))
        return Arrived(answer.status, body)

    return meddle


def replaced(old, new):
    def change(body):
        assert old in body, body.decode()
        return body.replace(old, new, 1)

    return change


OTHER_RECEIPT = replaced(b'Transform="BASE64">W', b'Transform="BASE64">X')


def unsigned(body):
    return SIGNATURES.sub(b"", body)


def other_value(body):
    place = body.rindex(b"</Value></Signature>") - 5
    letter = b"A" if body[place : place + 1] != b"A" else b"B"
    return body[:place] + letter + body[place + 1 :]


def bought(house, name, kind="", change=None, person=None):
    """Let the Consumer buy something, while answers with a block of a kind are changed."""
    house.person = person or Person()
    done = []

    async def main():
        if change is not None:
            house.meddle = spoiled(house, kind, change)
        done.append(await house.buy(name))
        done.append(await house.balances())

    house.run(main)
    return done


def complaints(house):
    """The errors that the Consumer told."""
    found = [codec.read(body).error for _, body, _ in house.posts]
    return [block.errors[0] for block in found if block is not None]


@pytest.mark.req("IX-247", "IX-248")
@pytest.mark.parametrize("name", ["book", "tea"])
def test_a_receipt_is_signed_covers_what_it_must_and_is_verified(name):
    house = House()
    [traded, _] = bought(house, name)
    assert traded.complete
    assert [one.proof for one in traded.payments] == [Proof.VERIFIED]
    [receipt] = house.person.of(wishes.Receipt)
    assert receipt.lines[-1] == ("Signature", "pay.test: signed, verified")
    response = codec.read(house.posts[-1][2])
    [signature] = response.signatures.signatures
    assert signing.kind_of(signature) is SignatureKind.PAYMENT_RESPONSE
    request = next(codec.read(body) for _, body, _ in house.posts if b"<PayReqBlk" in body)
    covered = {one.locator.href.removeprefix("#") for one in signature.manifest.digests}
    block = response.blocks[0]
    parts = {block.status.id, block.pay_receipt.id, request.blocks[0].brand_selection.id}
    parts |= {one.id for one in request.signatures.signatures}
    parts |= {response.trans_ref.id, response.trans_ref.trans_id.id}
    assert parts <= covered


@pytest.mark.req("IX-156", "IX-248")
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("book", OTHER_RECEIPT),
        ("book", replaced(b'StatusDesc="', b'StatusDesc="twice ')),
        ("tea", replaced(b'StatusDesc="', b'StatusDesc="twice ')),
        ("book", other_value),
        ("tea", other_value),
        ("book", unsigned),
        ("tea", unsigned),
    ],
)  # fmt: skip
def test_a_wrong_or_missing_signature_is_an_error_and_what_was_paid_stays_known(name, change):
    house = House()
    [traded, (mine, theirs)] = bought(house, name, "PayRespBlk", change)
    assert traded.stage == "failed"
    assert not traded.complete
    [error] = complaints(house)
    missing = change is unsigned
    assert error.error_code == (ErrorCode.EL_MISSING if missing else ErrorCode.EL_INCONSISTENT)
    assert not house.person.of(wishes.Receipt), "what nobody signed is not shown as a receipt"
    [payment] = traded.payments
    assert payment.state is ProcessState.COMPLETED_OK, "the inquiry brought the truth"
    assert payment.proof in traded.text
    assert mine + theirs == 105_000
    assert (house.taken(), mine) == ((1191, 5_000) if name == "book" else (0, 4_700))


def test_a_signature_that_leaves_the_receipt_out_proves_nothing(monkeypatch):
    house = House()
    monkeypatch.setitem(signing._HERE, SignatureKind.PAYMENT_RESPONSE, ("Status",))
    [traded, _] = bought(house, "book")
    assert traded.stage == "failed"
    assert "leaves out" in traded.text


@pytest.mark.parametrize("key", [b"another key", b"a key of receipts"])
def test_a_signature_with_another_key_or_of_another_house_is_wrong(key):
    house = House()
    house.signer = HmacKey(key, "receipts", of="pay.test")
    if key == b"a key of receipts":
        house.trusted = {"pay.test": HmacKey(key, "receipts", of="somebody.test")}
    [traded, _] = bought(house, "book")
    assert "the signature's value is wrong" in traded.text
    assert traded.stage == "agreed", "nor is the answer to the inquiry: it stays open"
    assert not house.person.of(wishes.Receipt)


@pytest.mark.req("IX-248")
def test_without_a_key_of_the_signer_the_wallet_says_so_and_still_finds_what_broke():
    house = House()
    house.trusted = {}
    [traded, _] = bought(house, "book")
    assert traded.complete
    assert traded.payments[0].proof == Proof.UNKNOWN
    house = House()
    house.trusted = {}
    [traded, _] = bought(house, "book", "PayRespBlk", OTHER_RECEIPT)
    assert traded.stage == "failed"


@pytest.mark.req("IX-248")
def test_a_payment_handler_that_signs_nothing_refuses_to_promise():
    house = House()
    house.signer = None
    [traded, _] = bought(house, "book")
    assert not traded.complete
    refusal = codec.read(house.posts[-1][2]).error.errors[0]
    assert refusal.error_code == ErrorCode.ATT_NOT_SUPP
    assert house.taken() == 0


def test_nothing_is_signed_where_nothing_was_promised():
    house = House(signed_receipts=False)
    [traded, _] = bought(house, "book")
    assert traded.complete
    assert traded.payments[0].proof == Proof.NONE
    assert codec.read(house.posts[-1][2]).signatures is None


@pytest.mark.req("IX-247", "IX-261")
def test_authentications_offers_and_answers_to_inquiries_are_signed():
    house = House()
    bodies = []

    async def listening(wanted):
        url = wanted.url
        answer = await house.reach("P" if url == PAY_URL else "M", wanted)
        bodies.append(answer.body)
        return answer

    async def main():
        house.meddle = listening
        assert (await house.buy("login")).complete
        traded = await house.buy("member")
        assert traded.complete
        await house.order(Inquire(traded.name))

    house.run(main)
    found = {}
    for message in map(codec.read, bodies):
        kinds = [signing.kind_of(one) for one in message.signatures.signatures]
        found |= dict.fromkeys(kinds, message)
    assert set(found) == {
        SignatureKind.AUTHENTICATION_REQUEST, SignatureKind.AUTHENTICATION_STATUS,
        SignatureKind.OFFER_RESPONSE, SignatureKind.PAYMENT_RESPONSE,
        SignatureKind.INQUIRY_RESPONSE,
    }  # fmt: skip
    inquiry = found[SignatureKind.INQUIRY_RESPONSE]
    assert inquiry.block(InquiryRespBlk) is not None
    assert found[SignatureKind.AUTHENTICATION_REQUEST].block(AuthReqBlk) is not None
    assert found[SignatureKind.AUTHENTICATION_STATUS].block(AuthStatusBlk) is not None


@pytest.mark.req("IX-156")
@pytest.mark.parametrize("kind", ["AuthReqBlk", "AuthStatusBlk", "OfferRespBlk"])
def test_what_a_merchant_signed_and_somebody_changed_ends_before_anything_is_paid(kind):
    house = House()
    [traded, _] = bought(house, "member", kind, other_value)
    assert traded.stage == "failed"
    assert "signature" in traded.text
    assert complaints(house)
    assert house.taken() == 0


@pytest.mark.req("IX-156")
def test_a_forged_answer_to_an_inquiry_is_not_believed():
    house = House()

    async def main():
        traded = await house.buy("tea")
        forged = replaced(b'ProcessState="CompletedOk"',
                          b'ProcessState="Failed" CompletionCode="Unspecified"')  # fmt: skip
        house.meddle = spoiled(house, "InquiryRespBlk", forged)
        with pytest.raises(Unusable, match="signature is wrong"):
            await house.order(Inquire(traded.name))

    house.run(main)


@pytest.mark.req("IX-248")
def test_a_response_that_was_changed_once_is_taken_when_it_comes_whole():
    house = House()
    house.person = Person()
    spoil = spoiled(house, "PayRespBlk", other_value)

    async def meddle(wanted):
        if b"<InquiryReqBlk" in getattr(wanted, "body", b""):
            return Silence("away", left=True)
        return await spoil(wanted)

    async def main():
        house.meddle = meddle
        traded = await house.buy("tea")
        assert traded.stage == "agreed"
        assert not traded.complete
        house.meddle = None
        traded = await house.order(Resume(traded.name))
        assert traded.payments[0].state is ProcessState.COMPLETED_OK
        assert await house.balances() == (4_700, 100_300)

    house.run(main)


@pytest.mark.req("IX-248", "IX-232")
def test_an_inquiry_that_nobody_signed_is_told_as_such():
    house = House()

    async def main():
        traded = await house.buy("tea")
        house.meddle = spoiled(house, "InquiryRespBlk", unsigned)
        await house.order(Inquire(traded.name))
        assert "nobody signed the answer to the inquiry" in house.person.notices

    house.run(main)


@pytest.mark.req("IX-237", "IX-218", "IX-219")
@pytest.mark.parametrize(
    ("key", "verified"),
    [(b"a key of receipts", "Ok"), (b"another key", "Fail")],
)
def test_a_signed_ping_is_verified_and_answered_with_a_signature(key, verified):
    house = House()
    own = HmacKey(key, "receipts", of="pay.test")

    async def main():
        clock, ids = house.clock, house.ids["C"]
        draft = Draft("I1")
        trans = TransId(
            id=draft.new_id(), iotp_trans_id=f"{ids.code(9)}@pay.test",
            iotp_trans_type=TransactionType.PING, time=clock.now(),
        )  # fmt: skip
        orgs = (PAY.org("I1.70", Role.PAYMENT_HANDLER, "P"), SHOP.org("I1.80", Role.MERCHANT, "M"))
        block = PingReqBlk(id=draft.new_id(), orgs=orgs)
        message = draft.message(trans, (block,), clock.now())
        to = signing.Recipient(own, ("I1.80",))
        message = signing.sign(message, SignatureKind.PING_REQUEST, (to,), draft.numbers,
                               originator="I1.70")  # fmt: skip
        answer = codec.read((await house.reach("M", Post(SHOP_URL, codec.write(message)))).body)
        assert answer.block(PingRespBlk).sig_verify_status_code == verified
        [signature] = answer.signatures.signatures
        assert signing.kind_of(signature) is SignatureKind.PING_RESPONSE

    house.run(main)
