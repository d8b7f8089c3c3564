"""The roles drive payment software of a scheme they know nothing of (RFC 3538)."""

from decimal import Decimal

import pytest

from tests.faces.iotp.roles import set_bridge
from tests.faces.iotp.roles.recording import Recorded, Recording, bought
from tests.faces.iotp.roles.trade import DEBIT, PAY, PAY_URL, Person, handler_org, item
from tollbridge.faces.iotp.api import calls
from tollbridge.faces.iotp.api.answer import Answer
from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.words import ContStatus, ProcessState
from tollbridge.faces.iotp.message import codec
from tollbridge.faces.iotp.roles.person import Way
from tollbridge.faces.iotp.roles.settings import Leg


class SetHouse(Recorded):
    """Three parties whose only software is a SET one."""

    def __init__(self, own="VISA:gold", offered="VISA"):
        super().__init__(item("book", Leg(DEBIT, Decimal("129.50"), "USD", "A book")))
        self.own, self.offered = own, offered

    def _bridges(self, role):
        return {
            "set": set_bridge.bridge(
                role, handler=handler_org(PAY), url=PAY_URL, own=self.own, offered=self.offered
            )
        }

    def protocols(self):
        return {set_bridge.PROTOCOL: "set"}


def run(house, person=None):
    house.issue = nothing  # there are no purses
    return bought(house, "book", person)


async def nothing(*_):
    return None


@pytest.mark.req("IX-262")
def test_calls_come_in_the_order_of_the_supplement():
    house = SetHouse()
    assert run(house).complete
    assert house.names("C") == [
        "FindPaymentInstrument", "CheckPaymentPossibility", "StartPaymentConsumer",
        "ContinueProcess", "ContinueProcess", "CheckPaymentReceipt", "InquireProcessState",
        "ChangeProcessState", "ExpandPaymentReceipt",
    ]  # fmt: skip
    assert house.names("M") == [
        "FindAcceptedPaymentBrand", "FindAcceptedPaymentProtocol", "GetPaymentInitializationData",
    ]  # fmt: skip
    assert house.names("P") == [
        "StartPaymentPaymentHandler", "InquireProcessState", "ContinueProcess",
        "InquireProcessState", "ChangeProcessState",
    ]  # fmt: skip
    sent = [house.said(calls.StartPaymentPaymentHandler)[0], *house.said(calls.ContinueProcess)]
    assert [one.pay_scheme_packaged_content[0].name for one in sent] == [
        "PInitReq", "PInitRes", "PReq", "PRes",
    ]  # fmt: skip


@pytest.mark.req("IX-262")
def test_progress_grows_with_every_message():
    house = SetHouse()
    software = {}
    around = house.around

    def keep(role, name, bridge):
        software[role] = bridge.parts[1]
        return around(role, name, bridge)

    seen = []

    class Watching(Recording):
        def do(self, call):
            answer = yield from super().do(call)
            found = [one["percent"] for one in software["C"].known.values() if "percent" in one]
            if self.role == "C" and found:
                seen.append(found[0])
            return answer

    house.around = lambda role, name, bridge: (
        keep(role, name, bridge) and Watching(role, name, bridge, house)
    )
    assert run(house).complete
    assert sorted(set(seen)) == [20, 60, 80]
    assert seen == sorted(seen)


@pytest.mark.req("IX-262")
@pytest.mark.parametrize(
    ("own", "wanted", "fits"),
    [
        ("VISA", "VISA", True),
        ("VISA:gold", "VISA", True),
        ("VISA:gold", "VISA:gold", True),
        ("VISA:gold:4711", "VISA:gold", True),
        ("VISA:gold:4711", "VISA:gold:4711", True),
        ("VISA::4711", "VISA::4711", True),
        ("VISA:gold", "VISA:silver", False),
        ("VISA:golden", "VISA:gold", False),
        ("VISA:gold", "VISA:gold:4711", False),
        ("Amex", "VISA", False),
    ],
)
def test_instruments_fit_protocol_brands(own, wanted, fits):
    assert set_bridge.matches(own, wanted) is fits
    if own.startswith("VISA"):
        house = SetHouse(own, wanted)
        traded = run(house, Person(instrument="set-1"))
        assert traded.complete is fits, traded


@pytest.mark.req("IX-262")
@pytest.mark.parametrize(
    ("value", "code", "written"),
    [("129.50", "USD", "840 12950 -2"), ("7", "JPY", "392 7 0"), ("0.005", "KWD", "414 5 -3")],
)
def test_amounts_are_whole_numbers_with_an_exponent(value, code, written):
    assert set_bridge.amount(Decimal(value), code) == written


@pytest.mark.req("IX-262")
def test_an_orders_digest_does_not_depend_on_the_order_of_its_contents():
    one, other = Content(text="a book", name="A"), Content(text="blue", name="B")
    assert set_bridge.order_digest([one]) == "6ks3Cc6oGKzWFmC6SkhxI4Zsa10="
    assert set_bridge.order_digest([one, other]) == set_bridge.order_digest([other, one])
    assert set_bridge.order_digest([one, other]) != set_bridge.order_digest([one])


@pytest.mark.req("IX-262")
def test_a_scheme_error_reaches_the_other_sides_software():
    house = SetHouse()
    wrong = calls.StartPaymentConsumerResponse(
        cont_status=ContStatus.CONTINUE, pay_scheme_packaged_content=set_bridge.packed("Rubbish")
    )

    def rubbish(answer):
        del answer
        return Answer(wrong)

    house.twists = [("C", calls.StartPaymentConsumer, rubbish)]
    traded = run(house)
    assert traded.payments[0].state is ProcessState.PROCESS_ERROR
    told = codec.read(house.posts[0][2]).error
    assert told.errors[0].error_code == "EncapProtErr"
    [heard] = house.said(calls.ContinueProcess, "C")
    assert heard.pay_scheme_packaged_content[0].text == "no PInitReq"


@pytest.mark.req("IX-262")
def test_a_business_failure_is_unspecified():
    house = SetHouse()
    house.twists = [("C", calls.ContinueProcess, lambda _: Answer(other))]
    other = calls.ContinueProcessResponse(
        cont_status=ContStatus.CONTINUE,
        pay_scheme_packaged_content=set_bridge.packed("PReq", money="840 1 -2", order=""),
    )
    traded = run(house, Person(decide=[Way.CANCEL]))
    [paid] = traded.payments
    assert (paid.state, paid.code) == (ProcessState.FAILED, "Unspecified")
    assert codec.read(house.posts[-1][2]).error is None
