"""Saying who one is: several ways, a choice, and what happens when none works (RFC 3867, 2.1)."""

import pytest

from tests.faces.iotp.roles.recording import Recorded, bought
from tests.faces.iotp.roles.test_transactions import finished
from tests.faces.iotp.roles.trade import LOGIN, SHOP_URL, Person, item
from tollbridge.faces.iotp.api import calls
from tollbridge.faces.iotp.api.answer import Answer, refused
from tollbridge.faces.iotp.api.words import ErrorCode, ProcessState
from tollbridge.faces.iotp.message import codec
from tollbridge.faces.iotp.message.blocks import (
    AuthReqBlk,
    AuthRespBlk,
    AuthStatusBlk,
    CancelBlk,
)
from tollbridge.faces.iotp.message.words import StatusType, TransactionType
from tollbridge.faces.iotp.roles import membership
from tollbridge.faces.iotp.roles import person as wishes
from tollbridge.faces.iotp.roles.consumer import Inquire, Resume, Trades
from tollbridge.faces.iotp.roles.person import Arrived, Fetch, Member, Post, Way
from tollbridge.faces.iotp.roles.settings import Item
from tollbridge.faces.iotp.schemes.challenge import ALGORITHM
from tollbridge.ground.secret import Secret

BOTH = Item("club", TransactionType.AUTHENTICATION, "Who are you?", (),
            authentication=(ALGORITHM, membership.ALGORITHM))  # fmt: skip
MEMBERS = {"ada": Secret("a long phrase")}
ADA = Member("ada", Secret("a long phrase"))


class Known(Person):
    """Somebody with a choice of ways to authenticate, and perhaps a membership."""

    def __init__(self, first=None, member=ADA, **more):
        super().__init__(**more)
        self.first, self.member = first, member

    async def __call__(self, wish):
        match wish:
            case wishes.Prove():
                self.seen.append(wish)
                return self.first
            case wishes.NeedMember():
                self.seen.append(wish)
                return self.member
        return await super().__call__(wish)


def club(**more):
    return Recorded(BOTH, members=MEMBERS, **more)


async def first_of(house):
    [letter, *_] = await house.letters("M", house.name_of())
    return codec.read(letter.body)


@pytest.mark.req("I-073", "I-074", "I-072")
def test_ways_of_bridges_and_of_the_core_stand_in_one_request():
    house = club()

    async def main():
        house.person = Known()
        assert (await house.buy("club")).complete
        request = (await first_of(house)).block(AuthReqBlk)
        names = [one.algorithm.name for one in request.auth_reqs]
        assert names == [ALGORITHM, membership.ALGORITHM]
        assert len({one.authentication_id for one in request.auth_reqs}) == 2
        [offered] = house.said(calls.InquireAuthChallenge)
        assert [one.name for one in offered.algorithms] == [ALGORITHM]

    house.run(main)


@pytest.mark.req("I-074", "I-079", "I-080", "I-081", "I-084")
@pytest.mark.parametrize(
    ("first", "used"), [(None, ALGORITHM), (0, ALGORITHM), (1, membership.ALGORITHM)]
)
def test_the_person_says_which_way_comes_first_and_whoever_can_do_it_answers(first, used):
    house = club()

    async def main():
        house.person = Known(first)
        assert (await house.buy("club")).complete
        [choice] = house.person.of(wishes.Prove)
        assert choice.algorithms == (ALGORITHM, membership.ALGORITHM)
        response = codec.read(house.posts[0][1]).block(AuthRespBlk).auth_resp
        asked = {one.algorithm.id: one for one in
                 (await first_of(house)).block(AuthReqBlk).auth_reqs}  # fmt: skip
        one = asked[response.selected_algorithm_ref]
        assert one.algorithm.name == used
        assert one.authentication_id == response.authentication_id
        # The other way was not tried: the first that works is enough.
        assert len(house.said(calls.Authenticate)) == (1 if used == ALGORITHM else 0)
        assert len(house.said(calls.CheckAuthResponse)) == (1 if used == ALGORITHM else 0)

    house.run(main)


@pytest.mark.req("I-079", "I-081")
def test_a_way_that_does_not_work_is_followed_by_the_next():
    house = club()
    no = refused(ErrorCode.EL_NOT_SUPP, "not done here").error
    house.twists = [("C", calls.Authenticate, Answer(error=no))] * 2
    assert bought(house, "club", Known()).complete
    names = [name for role, name, call, _ in house.calls if call == "Authenticate"]
    assert names == ["card", "purse"], "every bridge was asked"
    assert [one.payee for one in house.person.of(wishes.NeedMember)] == ["The Shop"]


@pytest.mark.req("I-092", "IX-088")
@pytest.mark.parametrize(
    "member", [Member("ada", Secret("a guess")), Member("eve", Secret("")), Member("ï", Secret(""))]
)
def test_a_stranger_is_not_let_in(member):
    house = club()
    traded = bought(house, "club", Known(1, member))
    assert traded.stage == "failed"
    status = codec.read(house.posts[0][2]).block(AuthStatusBlk).status
    assert (status.process_state, status.completion_code) == ("Failed", "AuthFailed")
    assert b"a long phrase" not in house.posts[0][1]


@pytest.mark.req("I-092")
def test_an_answer_is_good_for_its_own_challenge_only():
    first, second = club(), club(seed=1)
    answered = []

    async def note(wanted):
        if isinstance(wanted, Post):
            answered.append(codec.read(wanted.body).block(AuthRespBlk).auth_resp)
        return

    first.meddle = note
    assert bought(first, "club", Known(1)).complete
    [old] = answered
    proof = old.contents[1].text.encode()

    async def replay(wanted):
        if isinstance(wanted, Post):
            own = codec.read(wanted.body).block(AuthRespBlk).auth_resp.contents[1].text.encode()
            assert own != proof
            return Post(wanted.url, wanted.body.replace(own, proof))
        return None

    second.meddle = replay
    assert bought(second, "club", Known(1)).stage == "failed"


def unable():
    """A house where nobody can authenticate, at first."""
    house = Recorded(LOGIN)
    no = refused(ErrorCode.BUS_ERROR, "the card is not in the reader").error
    house.twists = [("C", calls.Authenticate, Answer(error=no))] * 2
    return house


@pytest.mark.req("I-086")
def test_an_authentication_that_does_not_work_may_be_tried_again():
    house = unable()
    assert bought(house, "login", Person(decide=[Way.RETRY])).complete
    [trouble] = house.person.of(wishes.Trouble)
    assert set(trouble.ways) == {Way.RETRY, Way.SUSPEND, Way.CANCEL}
    assert len(house.said(calls.Authenticate)) == 3


@pytest.mark.req("I-087")
def test_an_authentication_that_does_not_work_may_wait():
    house = unable()

    async def main():
        house.person = Person(decide=[Way.SUSPEND])
        traded = await house.buy("login")
        assert traded.is_suspended
        assert house.posts == []
        await house.start("C")
        traded = await house.order(Resume(traded.name))
        assert traded.complete

    house.run(main)


@pytest.mark.req("I-088", "IX-230")
def test_an_authentication_that_does_not_work_may_be_called_off():
    house = unable()
    traded = bought(house, "login", Person(decide=[Way.CANCEL]))
    assert traded.stage == "cancelled"
    [(role, body, answer)] = house.posts
    assert (role, answer) == ("M", b"")
    status = codec.read(body).block(CancelBlk).status
    assert status.status_type == StatusType.AUTHENTICATION
    assert (status.process_state, status.completion_code) == ("Failed", "AutEeCancel")


@pytest.mark.req("I-078")
def test_a_transaction_without_authentication_is_not_begun_with_one():
    house = Recorded(LOGIN)

    async def odd(wanted):
        if isinstance(wanted, Fetch):
            answer = await house.reach("M", wanted)
            other = answer.body.replace(b"BaselineAuthentication", b"BaselineInquiry")
            return Arrived(200, other)
        return None

    house.meddle = odd
    traded = bought(house, "login")
    assert traded.stage == "failed"
    assert house.said(calls.Authenticate) == [], "nothing is said to a bridge"
    [(role, body, _)] = house.posts
    told = codec.read(body).error.errors[0]
    assert role == "M"
    assert [one.url for one in house.logged] == [f"{SHOP_URL}/log"]
    assert told.locations[0].att_name == "IotpTransType"


@pytest.mark.req("I-085", "I-091")
@pytest.mark.parametrize("there", [True, False])
def test_where_only_an_organisation_is_asked_for_it_has_to_be_there(there):
    house = Recorded(item("guest", wants_org=True))

    async def without(wanted):
        if isinstance(wanted, Post) and b"<AuthRespBlk" in wanted.body:
            start, end = wanted.body.index(b"<Org "), wanted.body.index(b"</Org>") + len(b"</Org>")
            return Post(wanted.url, wanted.body[:start] + wanted.body[end:])
        return None

    house.meddle = None if there else without
    traded = bought(house, "guest")
    assert traded.complete is there
    assert house.said(calls.Authenticate) == []
    status = codec.read(house.posts[0][2]).block(AuthStatusBlk).status
    assert status.process_state == (ProcessState.COMPLETED_OK if there else ProcessState.FAILED)
    if not there:
        assert status.completion_code == "TradRolesIncon"


def apart(**more):
    """A house whose shop wants members to say who they are once they have chosen how to pay."""
    sold = item("badge", authentication=(membership.ALGORITHM,), apart=True)
    return Recorded(sold, members=MEMBERS, **more)


@pytest.mark.req("IX-231", "IX-129")
def test_an_authentication_apart_lets_the_original_go_on():
    house = apart()

    async def main():
        house.person = Known()
        traded = await house.buy("badge")
        assert traded.complete, (traded, house.person.notices)
        selection, response, again, request = house.posts
        first = codec.read(selection[2])
        assert first.trans_ref.trans_id.iotp_trans_type == TransactionType.AUTHENTICATION
        [link] = first.trans_ref.related_to
        assert link.content.text == traded.name != first.trans_id
        assert codec.read(response[1]).trans_id == first.trans_id
        assert again[1] == selection[1], "the same message, now answered"
        assert codec.read(again[2]).kinds == ("OfferRespBlk",)
        assert codec.read(request[1]).trans_id == traded.name
        assert {one.stage for one in await house.order(Trades())} == {"done"}

    house.run(main)
    assert house.taken() == 1191


@pytest.mark.req("IX-231")
@pytest.mark.parametrize("stubborn", [False, True])
def test_an_authentication_apart_that_fails_cancels_the_original(stubborn):
    house = apart()

    async def main():
        house.person = Known(member=Member("ada", Secret("a guess")))
        traded = await house.buy("badge")
        assert traded.stage == "cancelled"
        _, body, _ = house.posts[-1]
        assert codec.read(body).block(CancelBlk) is not None
        if stubborn:  # what is no longer wanted is not sold either
            answer = await house.reach("M", Post(SHOP_URL, house.posts[0][1]))
            assert answer.body == b""
        told = await house.order(Inquire(traded.name))
        assert told.remote is ProcessState.FAILED

    house.run(main)
    assert house.taken() == 0


@pytest.mark.req("IX-231")
def test_who_goes_on_without_authentication_gets_no_offer():
    house = apart()
    sent = []

    async def keep(wanted):
        if isinstance(wanted, Post) and b"<CancelBlk" in wanted.body:
            sent.append(wanted)
            return Arrived(204, b"")
        return None

    async def main():
        house.person = Known(member=Member("ada", Secret("a guess")))
        house.meddle = keep
        await house.buy("badge")
        answer = await house.reach("M", Post(SHOP_URL, house.posts[0][1]))
        cancel = codec.read(answer.body).block(CancelBlk)
        assert (cancel.status.status_type, cancel.status.completion_code) == (
            StatusType.OFFER, "MerchCancelled",
        )  # fmt: skip

    house.run(main)
    assert sent


@pytest.mark.req("IX-231")
@pytest.mark.parametrize("role", ["M", "C"])
def test_an_authentication_apart_survives_a_crash_at_any_moment(role):
    for moment in range(60):
        house = apart()
        got = []

        async def main(house=house, got=got):
            house.person = Known(decide=[Way.RETRY] * 9)
            got.append(await finished(house, "badge"))

        house.run(main, **{role: moment})
        complete, _ = got[0]
        assert house.taken() == (1191 if complete else 0), f"crash of {role} at {moment}"
        if not house.crashes:
            assert complete
            return
    raise AssertionError("it has fewer moments")
