"""Deliveries: by a handler of their own or with the payment's answer, to those who paid, once."""

import re
from dataclasses import replace

import pytest

from tests.faces.iotp.roles.test_transactions import Chooser, finished
from tests.faces.iotp.roles.trade import (
    DELIVERY_URL,
    EBOOK,
    ISSUER_HOLDS,
    PURSE_HOLDS,
    SHOP_URL,
    House,
    Person,
    item,
)
from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.words import ErrorCode, ProcessState
from tollbridge.faces.iotp.face import Begin, IotpFace
from tollbridge.faces.iotp.message import codec, rules, signing
from tollbridge.faces.iotp.message.blocks import DeliveryReqBlk, DeliveryRespBlk, TpoBlk
from tollbridge.faces.iotp.message.contents import mime
from tollbridge.faces.iotp.message.signing import SignatureKind
from tollbridge.faces.iotp.message.words import Role, TransactionType
from tollbridge.faces.iotp.roles import goods, store
from tollbridge.faces.iotp.roles import person as wishes
from tollbridge.faces.iotp.roles.consumer import Cancel, Inquire, Resume
from tollbridge.faces.iotp.roles.goods import Handover
from tollbridge.faces.iotp.roles.person import Arrived, Fetch, Post, Silence, Way
from tollbridge.faces.iotp.roles.sealing import Proof
from tollbridge.faces.iotp.roles.settings import Address
from tollbridge.wire.http import Request

OK = ProcessState.COMPLETED_OK


class Once:
    def __init__(self, flow):
        self.flow = flow

    name = IotpFace.name

    def endpoints(self):
        return ()

    def answer(self, _):
        return self.flow


async def handed_out(house, role="D"):
    """Every delivery that a party has on file."""
    deals = await house.engines[role].serve(Once(store.deals(role)), None, {})
    pages = [deal.data.get("handover") for deal in deals]
    pages += [one.get("handover") for deal in deals
              for one in deal.data.get("payments", {}).values()]  # fmt: skip
    return [goods.read(page) for page in pages if page is not None]


def bought(name, **given):
    """Let the Consumer buy something; gives the house, and what came of it."""
    house = House(delivers=True, **given)
    house.person = Chooser()
    found = []

    async def main():
        found.append(await house.buy(name))

    house.run(main)
    return house, found[0]


def valid(house):
    for _, body, answer in house.posts:
        for data in (body, answer):
            assert rules.faults(codec.well_formed(data)) == (), data.decode()


def request_of(house):
    return next(body for role, body, _ in house.posts if role == "D" and b"<DeliveryReqBlk" in body)


@pytest.mark.req("IX-214", "IX-215", "IX-224", "IX-247", "IX-257")
def test_what_is_paid_is_delivered_with_a_signed_note():
    house, traded = bought("ebook")
    assert traded.complete, (traded, house.person.notices)
    assert traded.delivery.note == "Chapter one."
    assert (traded.delivery.state, traded.delivery.proof) == (OK, Proof.VERIFIED)
    [received] = house.person.of(wishes.Received)
    assert received.text == "Chapter one."
    assert received.signed == "courier.test: signed, verified"
    assert house.taken() == 400
    valid(house)
    request = codec.read(request_of(house))
    block = request.block(DeliveryReqBlk)
    assert [one.status_type for one in block.statuses] == ["Offer", "Payment"]
    kinds = [signing.kind_of(one) for one in request.signatures.signatures]
    assert kinds == [SignatureKind.OFFER_RESPONSE, SignatureKind.PAYMENT_RESPONSE]
    answer = codec.read(house.posts[-1][2]).block(DeliveryRespBlk)
    [content] = answer.delivery_note.contents
    assert content.content == "MIME:text/plain; charset=utf-8"


@pytest.mark.req("IX-191", "IX-224", "IX-247")
def test_what_is_delivered_at_once_comes_with_the_answer_to_the_payment():
    house, traded = bought("song")
    assert traded.complete, (traded, house.person.notices)
    assert (traded.delivery.note, traded.delivery.proof) == ("La la la.", Proof.VERIFIED)
    valid(house)
    assert not [role for role, *_ in house.posts if role == "D"]
    answer = codec.read(house.posts[-1][2])
    assert answer.kinds == ("PayRespBlk", "DeliveryRespBlk")
    assert [signing.kind_of(one) for one in answer.signatures.signatures] == [
        SignatureKind.PAYMENT_RESPONSE, SignatureKind.DELIVERY_RESPONSE,
    ]  # fmt: skip


def test_a_payment_that_fails_hands_nothing_out_at_once():
    house = House(delivers=True)
    house.person = Person(instrument="visa-declined", decide=[Way.CANCEL])

    async def main():
        traded = await house.buy("song")
        assert not traded.complete
        assert traded.delivery is None
        assert await handed_out(house, "P") == []

    house.run(main)


@pytest.mark.req("IX-196", "IX-232", "IX-191")
def test_a_parcel_is_pending_then_shipped_and_an_inquiry_says_so():
    house = House(delivers=True)
    house.person = Chooser()

    async def main():
        traded = await house.buy("parcel")
        assert traded.complete
        assert traded.delivery.code == "ShipPending"
        told = await house.order(Inquire(traded.name))
        assert (told.remote, told.code) == (OK, "ShipPending")
        house.clock.advance(3601)
        told = await house.order(Inquire(traded.name))
        assert (told.remote, told.code) == (OK, "Shipped")
        assert (await house.order(Inquire(traded.name, 1))).remote is OK, "the payment, too"

    house.run(main)
    valid(house)
    request = codec.read(request_of(house)).block(DeliveryReqBlk)
    [to] = [org for org in request.orgs if org.plays(Role.DELIVER_TO)]
    assert (to.postal_address.city_or_town, to.person_name.family_name) == ("Bath", "Ada")
    assert request.delivery.data.deliv_method == "Post"


@pytest.mark.req("IX-232")
def test_what_came_with_a_payment_is_inquired_at_its_handler():
    house = House(delivers=True)
    house.person = Chooser()

    async def main():
        traded = await house.buy("song")
        told = await house.order(Inquire(traded.name))
        assert (told.remote, told.code) == (OK, "ShippedNoConf")

    house.run(main)
    assert [role for role, *_ in house.posts] == ["P", "P"]


def test_what_goes_by_post_is_not_sold_without_an_address():
    house = House(delivers=True)

    async def main():
        answer = await house.engines["M"].serve(house.faces["M"], Begin("parcel"), {})
        assert answer.status == 400
        assert b"street" in answer.body
        begin = next(one for one in house.faces["M"].endpoints() if one.method == "GET")
        url = "http://shop.test/iotp/merchant?item=parcel&name=Ada&city=Bath&country=GB&street="
        assert begin.decode(Request("GET", f"{url}1+High+Street"), {}).to == Address(
            "Ada", "1 High Street", "Bath", "GB"
        )
        for nonsense in ("", "%00", "%0A"):
            assert begin.decode(Request("GET", f"{url}{nonsense}"), {}).to is None

    house.run(main)


@pytest.mark.req("IX-140")
@pytest.mark.parametrize(
    ("content", "text"),
    [
        (Content(text="plain"), "plain"),
        (Content(text="<p>page</p>", content="MIME:text/html"), "<p>page</p>"),
        (Content(text="<a/>", content="XML"), "<a/>"),
        (mime("image/png", b"1234"), "(image/png, 4 bytes)"),
        (Content(text="Content-Type: text/plain\n\nhello", content="MIME"), "hello"),
    ],
)  # fmt: skip
def test_a_note_in_any_form_is_shown_or_named(monkeypatch, content, text):
    whole = Handover.response

    def response(self, goods, draft, now):
        made = whole(self, goods, draft, now)
        return replace(made, delivery_note=replace(made.delivery_note, contents=(content,)))

    monkeypatch.setattr(Handover, "response", response)
    _, traded = bought("ebook")
    assert traded.complete
    assert traded.delivery.note == text


def without(body, begin, end):
    start = body.index(begin)
    return body[:start] + body[body.index(end, start) + len(end) :]


def unproven(body):
    return without(body, b'<Signature ID="P', b"</Signature>")


def unpaid(body):
    return without(body, b'<Status ID="P', b"/>")


def nothing_signed(body):
    return without(body, b"<IotpSignatures", b"</IotpSignatures>")


def other_good(body):
    return body.replace(b">ebook<", b">parcel<")


def other_status(body):
    return re.sub(rb'(StatusType="Payment"[^>]*ProcessReference=")[^"]*', rb"\1Other", body)


def other_courier(body):
    return body.replace(b'OrgId="courier.test"', b'OrgId="thief.test"')


def other_kind(body):
    return body.replace(b"BaselinePurchase", b"BaselineRefund")


@pytest.mark.req("IX-179", "IX-180", "IX-181", "IX-182", "IX-156")
@pytest.mark.parametrize(
    "change",
    [unproven, unpaid, nothing_signed, other_good, other_status, other_courier, other_kind],
)
def test_nothing_is_handed_out_without_a_matching_proof_of_the_payment(change):
    house = House(delivers=True)
    house.person = Chooser()

    async def meddle(wanted):
        if not isinstance(wanted, Post) or b"<DeliveryReqBlk" not in wanted.body:
            return None
        body = change(wanted.body)
        assert body != wanted.body
        return Post(wanted.url, body)

    async def main():
        house.meddle = meddle
        traded = await house.buy("ebook")
        assert not traded.complete
        assert traded.payments[0].state is OK
        assert await handed_out(house) == []

    house.run(main)
    assert codec.read(house.posts[-1][2]).error is not None
    assert not house.person.of(wishes.Received)


def test_the_proof_of_another_trade_buys_nothing():
    house = House(delivers=True)
    house.person = Chooser()
    seen = []

    async def meddle(wanted):
        if isinstance(wanted, Post) and b"<DeliveryReqBlk" in wanted.body:
            seen.append(wanted.body)
            if len(seen) == 2:
                first, second = (codec.read(body).trans_id.encode() for body in seen)
                return Post(wanted.url, seen[0].replace(first, second))
        return None

    async def main():
        house.meddle = meddle
        assert (await house.buy("ebook")).complete
        assert not (await house.buy("ebook")).complete
        assert len(await handed_out(house)) == 1

    house.run(main)


@pytest.mark.req("IX-167", "IX-176")
def test_the_same_request_gets_the_same_note_and_another_one_nothing():
    house = House(delivers=True)
    house.person = Chooser()

    async def main():
        assert (await house.buy("ebook")).complete
        body, answer = request_of(house), house.posts[-1][2]
        for _ in range(2):
            await house.start("D")
            again = await house.reach("D", Post(DELIVERY_URL, body))
            assert again.body == answer
        number = codec.read(body).msg_id.encode()
        other = body.replace(number + b".", b"C99.").replace(
            b'MsgId ID="' + number, b'MsgId ID="C99'
        )
        refused = codec.read((await house.reach("D", Post(DELIVERY_URL, other))).body)
        assert refused.error.errors[0].error_code == ErrorCode.EL_UNEXPECTED
        assert len(await handed_out(house)) == 1

    house.run(main)


def test_it_is_not_delivered_too_late():
    house = House(delivers=True)
    house.person = Chooser()

    async def main():
        assert (await house.buy("ebook")).complete
        name = codec.read(request_of(house)).trans_id
        late = request_of(house).replace(name.encode(), b"x" + name.encode())
        house.clock.advance(3 * 24 * 3600)
        refused = codec.read((await house.reach("D", Post(DELIVERY_URL, late))).body)
        assert refused.error.errors[0].error_code == ErrorCode.VALUE_TOO_LARGE

    house.run(main)


def test_a_delivery_handler_that_is_away_is_asked_later():
    house = House(delivers=True)
    house.person = Chooser()

    async def away(wanted):
        return Silence("away", left=True) if wanted.url == DELIVERY_URL else None

    async def main():
        house.meddle = away
        traded = await house.buy("ebook")
        assert traded.is_suspended
        house.meddle = None
        traded = await house.order(Resume(traded.name))
        assert traded.complete
        assert traded.delivery.note == "Chapter one."
        assert len(await handed_out(house)) == 1

    house.run(main)
    assert house.taken() == 400


@pytest.mark.req("IX-156", "IX-173")
@pytest.mark.parametrize("old", [b"Chapter one.", b"ShippedNoConf", b"<DeliveryRespBlk"])
def test_a_note_that_was_changed_is_not_believed_and_asked_for_again(old):
    house = House(delivers=True)
    house.person = Chooser()

    async def meddle(wanted):
        if wanted.url != DELIVERY_URL:
            return None
        answer = await house.reach("D", wanted)
        body = answer.body
        if old == b"<DeliveryRespBlk":
            body = re.sub(rb"<DeliveryRespBlk.*</DeliveryRespBlk>", b"", body)
        return Arrived(200, body.replace(old, b"Shipped"))

    async def main():
        house.meddle = meddle
        traded = await house.buy("ebook")
        assert traded.is_suspended, traded
        assert traded.delivery is None
        house.meddle = None
        traded = await house.order(Resume(traded.name))
        assert traded.complete, (traded, house.person.notices)
        assert traded.delivery.note == "Chapter one."

    house.run(main)


def test_it_is_too_late_to_cancel_what_was_delivered():
    house = House(delivers=True)
    house.person = Chooser()

    async def deaf(wanted):
        if wanted.url == DELIVERY_URL:
            await house.reach("D", wanted)
            return Silence("reset", left=True)
        return None

    async def main():
        house.meddle = deaf
        traded = await house.buy("ebook")
        house.meddle = None
        traded = await house.order(Cancel(traded.name))
        assert traded.stage == "agreed"
        assert any("too late" in text for text in house.person.notices)
        assert (await house.order(Resume(traded.name))).complete

    house.run(main)


@pytest.mark.req("IX-191")
@pytest.mark.parametrize(
    ("pattern", "new"),
    [
        (rb'(DelivAndPayResp="False" ActionOrgRef=")[^"]*', rb"\1M9.9"),
        (rb'DelivReqNetLocn="[^"]*"', rb'DelivReqNetLocn="nowhere"'),
    ],
)
def test_an_offer_that_says_not_who_delivers_or_where_is_refused_before_paying(pattern, new):
    house = House(delivers=True)
    house.person = Chooser()
    house.trusted = {}

    async def meddle(wanted):
        if not getattr(wanted, "url", "").startswith(SHOP_URL):
            return None
        answer = await house.reach("M", wanted)
        body = re.sub(rb"<IotpSignatures.*</IotpSignatures>", b"", answer.body)
        return Arrived(200, re.sub(pattern, new, body))

    async def main():
        house.meddle = meddle
        traded = await house.buy("ebook")
        assert traded.stage == "failed"
        assert "deliver" in traded.text

    house.run(main)
    assert house.taken() == 0


@pytest.mark.req("IX-196")
def test_what_is_not_there_is_told_as_a_failure():
    house = House(delivers=True)
    house.person = Chooser()
    house.goods = {}

    async def main():
        traded = await house.buy("ebook")
        assert traded.stage == "failed"
        assert traded.delivery.code == "PermNotAvail"
        assert "Debit 4.00 EUR is done; nothing was delivered: PermNotAvail" in traded.text

    house.run(main)
    valid(house)


def test_without_signed_receipts_nothing_is_paid_that_could_not_be_delivered():
    house = House(delivers=True, signed_receipts=False)
    house.person = Chooser()
    house.signer = None

    async def main():
        traded = await house.buy("ebook")
        assert traded.stage == "failed"

    house.run(main)
    assert house.taken() == 0


def test_organisations_of_a_delivery_are_in_the_options():
    house = House(EBOOK, item("other", kind=TransactionType.PURCHASE), delivers=True)
    bodies = []

    async def main():
        for name in ("ebook", "other"):
            bodies.append((await house.reach("M", Fetch(f"{SHOP_URL}?item={name}"))).body)

    house.run(main)
    roles = [
        {role.trading_role for org in codec.read(body).block(TpoBlk).orgs
         for role in org.trading_roles} for body in bodies
    ]  # fmt: skip
    assert {Role.DELIVERY_HANDLER, Role.DELIVER_TO} <= roles[0]
    assert not {Role.DELIVERY_HANDLER, Role.DELIVER_TO} & roles[1]


@pytest.mark.req("IX-093", "IX-151", "IX-167")
@pytest.mark.parametrize("role", ["M", "P", "D", "C"])
@pytest.mark.parametrize("name", ["ebook", "song", "picture"])
def test_a_crash_at_any_moment_delivers_once_what_is_paid_and_nothing_else(role, name):
    by, text = ("P" if name == "song" else "D"), house_goods(name)
    moment = 0
    while True:
        house, where = House(delivers=True), f"{name}: crash of {role} at {moment}"
        house.person = Chooser()
        done = []

        async def main(house=house, done=done):
            complete, traded = await finished(house, name)
            mine, theirs = await house.balances()
            done.append((complete, traded, await handed_out(house, by), mine, theirs))

        house.run(main, **{role: moment})
        complete, traded, out, mine, theirs = done[0]
        paid = mine == PURSE_HOLDS - 300 if name == "picture" else house.taken() == 400
        assert mine + theirs == PURSE_HOLDS + ISSUER_HOLDS, where
        assert house.world.differences() == [], where
        assert len(out) <= 1, where
        if out:
            assert paid, where
        if complete:
            assert traded.delivery.note == text, where
            assert [one.name for one in out] == [traded.delivery.handler_id], where
        elif traded is not None:
            assert (traded.payments[0].state is OK) == paid, (where, traded)
        if not house.crashes:
            return
        moment += 1


def house_goods(name):
    return House(delivers=True).goods[name].text
