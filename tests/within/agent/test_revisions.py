"""Programs of every revision of the interface are understood."""

import struct
from dataclasses import replace

import pytest
from thrift.protocol.TBase import TBase
from thrift.protocol.TBinaryProtocol import TBinaryProtocol, TBinaryProtocolAccelerated
from thrift.Thrift import TType
from thrift.transport.TTransport import TMemoryBuffer

from tests.within.agent.world import TOKEN as ORIGINAL
from tests.within.agent.wrapper import CARD, PSP, EventServer, Map, Struct, Wrapper, price
from tollbridge.ground.secret import Secret
from tollbridge.within.agent import convert
from tollbridge.within.agent.tables import Shape

SERVICE_G1 = Struct({1: 1, 2: "Car charger", 3: "Can charge your car", 4: Map({1: price()})})
SERVICE_G5 = Struct(
    {1: 1, 2: "Car charger", 3: "Can charge your car", 4: "electricCharger", 5: Map({1: price()})}
)
TOKEN = {
    1: "5fb20730-8cb9-45e5-5422-5155b7ab338a",
    2: "2026-11-21T00:53:13Z",
    3: "2026-11-28T00:53:13Z",
    4: False,
    5: "",
}


def last(world, name):
    return [call for call in world.calls if call[0] == name][-1]


@pytest.mark.req("WX-051")
def test_a_setup_of_two_arguments_asks_for_no_interface(wrapper, world):
    wrapper.call("setup", "pump", "water")
    assert world.calls == [("setup", "pump", "water", "")]
    wrapper.call("setup", "pump", "water", "10.0.0.1")
    assert world.calls[-1] == ("setup", "pump", "water", "10.0.0.1")


@pytest.mark.req("WX-051")
@pytest.mark.parametrize("service", [SERVICE_G1, SERVICE_G5], ids=["G1-G4", "G5-G6"])
def test_prices_are_found_in_field_4_and_in_field_5(wrapper, world, service):
    wrapper.call("setup", "pump", "water")
    wrapper.call("addService", service)
    added = last(world, "add_service")[1]
    assert added.service_type == (service[4] if isinstance(service[4], str) else "")
    assert [one.per_unit.amount_minor for one in added.prices.values()] == [25]
    assert wrapper.call("getDevice")[4][1][5][1][3] == {1: 25, 2: "GBP"}


@pytest.mark.req("WX-051")
def test_two_keys_initialise_a_producer_of_2016(wrapper, world):
    wrapper.call("setup", "pump", "water")
    wrapper.call("initProducer", "T_C_1", "T_S_1")
    assert last(world, "init_producer")[1] == {
        "psp_name": "worldpayonlinepayments",
        "api_endpoint": "https://api.worldpay.com/v1",
        "hte_public_key": "T_C_1",
        "hte_private_key": "T_S_1",
        "merchant_client_key": "T_C_1",
        "merchant_service_key": "T_S_1",
    }
    wrapper.call("initProducer", PSP)
    assert last(world, "init_producer")[1] == dict(PSP)


@pytest.mark.req("WX-051")
def test_a_consumer_of_2016_pays_with_worldpay_online(wrapper, world):
    wrapper.call("setup", "me", "buyer")
    wrapper.call("initConsumer", "http://", "h", 64521, "", "me", CARD)
    assert last(world, "init_consumer")[-1] == {
        "psp_name": "worldpayonlinepayments",
        "api_endpoint": "https://api.worldpay.com/v1",
    }


@pytest.mark.req("WX-051", "WX-062")
def test_ids_of_prices_count_and_not_their_places_in_the_map(wrapper, world):
    wrapper.call("setup", "pump", "water")
    node = Map({0: price(7), 1: price(9), 2: price(7, 99)})
    wrapper.call("addService", Struct({1: 1, 2: "n", 5: node}))
    prices = last(world, "add_service")[1].prices
    assert {key: one.per_unit.amount_minor for key, one in prices.items()} == {7: 25, 9: 25}


@pytest.mark.req("WX-051")
def test_fields_of_other_types_and_unknown_ones_are_passed_over(wrapper, world):
    wrapper.call(
        "setup",
        "setup",
        fields=Struct({1: "pump", 2: 5, 3: Map({1: "x"}), 77: Struct({1: Map({1: 2})})}),
    )
    assert world.calls[-1] == ("setup", "pump", "", "")
    wrapper.call("addService", Struct({1: 1, 2: "n", 5: Map({"a": "b"})}))
    assert last(world, "add_service")[1].prices == {}
    wrapper.call("initProducer", Map())
    assert last(world, "init_producer")[1] == {}


def begin_told_to(agents, program, **options):
    """Let a program sell and be bought from; gives the arguments of its beginServiceDelivery."""
    with EventServer() as listener:
        with Wrapper(agents(callback_port=listener.port, **options)) as wrapper:
            program(wrapper)
            wrapper.call("beginServiceDelivery", 1, Struct({**TOKEN, 5: b""}), 4)
        listener.wait(1)
        return listener.heard[0][1], listener.messages[0]


def program_2016(wrapper):
    wrapper.call("setup", "pump", "water")
    wrapper.call("addService", SERVICE_G1)
    wrapper.call("initProducer", "T_C_1", "T_S_1")
    wrapper.call("initConsumer", "http://", "h", 64521, "", "me", CARD)


def program_2017(wrapper):
    wrapper.call("setup", "pump", "water")
    wrapper.call("addService", SERVICE_G1)
    wrapper.call("initProducer", PSP)
    wrapper.call("initConsumer", "http://", "h", 64521, "", "me", CARD, PSP)


def program_late_2017(wrapper):
    wrapper.call("setup", "pump", "water")
    wrapper.call("addService", SERVICE_G5)
    wrapper.call("initProducer", PSP)
    wrapper.call("initConsumer", "http://", "h", 64521, "", "me", CARD, PSP)


def program_that_searches(wrapper):
    program_2017(wrapper)
    wrapper.call("searchForDevice", 1, "x")


OLD = {1: 1, 2: TOKEN, 3: 4}
NEW = {1: 1, 2: 1, 3: TOKEN, 4: 4}
I32, STRUCT = 8, 12


@pytest.mark.req("WX-047", "WX-051")
@pytest.mark.parametrize(
    ("program", "told"),
    [(program_2016, OLD), (program_late_2017, NEW), (program_that_searches, NEW)],
)
def test_a_listener_hears_the_shape_its_calls_suggest(agents, program, told):
    assert begin_told_to(agents, program)[0] == told


@pytest.mark.req("WX-047", "WX-051")
def test_a_listener_whose_calls_fit_both_shapes_finds_its_own(agents):
    told, _ = begin_told_to(agents, program_2017)
    assert told == {**NEW, (2, STRUCT): TOKEN, (3, I32): 4}


@pytest.mark.req("WX-051")
@pytest.mark.parametrize(("shape", "told"), [(Shape.OLD, OLD), (Shape.NEW, NEW)])
def test_what_is_set_counts_more_than_what_is_seen(agents, shape, told):
    for program in (program_2016, program_2017, program_late_2017):
        assert begin_told_to(agents, program, shape=shape)[0] == told


@pytest.mark.req("WX-051")
def test_the_shape_for_both_has_each_field_under_both_ids(agents):
    _, message = begin_told_to(agents, program_2017)
    assert message.count(b"\x08\0\1" + struct.pack("!i", 1)) == 1
    assert [message.count(head) for head in (b"\x0c\0\2", b"\x0c\0\3")] == [1, 1]


def generated(columns):
    """A reader as the library's compiler makes it for Python."""
    token = type("Token", (TBase,), {"thrift_spec": (None, (1, TType.STRING, "key", "UTF8", None))})
    kinds = {I32: None, STRUCT: [token, token.thrift_spec]}
    spec = (None, *((place, kind, name, kinds[kind], None)
                    for place, (name, kind) in enumerate(columns, 1)))  # fmt: skip
    return type("Arguments", (TBase,), {"thrift_spec": spec})()


@pytest.mark.req("WX-047", "WX-051", "WX-061")
@pytest.mark.parametrize("protocol", [TBinaryProtocol, TBinaryProtocolAccelerated])
@pytest.mark.parametrize(
    "columns",
    [
        (("service", I32), ("token", STRUCT), ("units", I32)),
        (("service", I32), ("price", I32), ("token", STRUCT), ("units", I32)),
    ],
    ids=["G1-G3", "G4-G6"],
)
def test_generated_readers_of_either_revision_find_their_own(agents, protocol, columns):
    _, message = begin_told_to(agents, program_2017)
    source = protocol(TMemoryBuffer(message))
    source.readMessageBegin()
    heard = generated(columns)
    heard.read(source)
    assert (heard.service, heard.token.key, heard.units) == (1, TOKEN[1], 4)
    assert getattr(heard, "price", 1) == 1


@pytest.mark.req("WX-046")
def test_only_the_latest_tokens_are_remembered(monkeypatch):
    monkeypatch.setattr(convert, "TOKENS_REMEMBERED_MAX", 2)
    tokens = convert.Tokens()
    written = [tokens.remember(replace(ORIGINAL, key=Secret(key))) for key in ("a", "b", "a", "c")]
    kept = {one["key"]: tokens.original(one).issued == ORIGINAL.issued for one in written}
    assert kept == {"a": True, "b": False, "c": True}
