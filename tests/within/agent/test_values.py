"""What is written by the tables is read by them, over every protocol."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.protocol.TJSONProtocol import TJSONProtocol
from thrift.transport.TTransport import TMemoryBuffer

from tollbridge.within.agent.tables import METHODS, MapOf, Scalar, SetOf, Struct
from tollbridge.within.agent.values import I32_MAX, I32_MIN, Reader, write_struct

METHODS_THAT_EXIST = """
    setup addService removeService initConsumer initProducer getDevice startServiceBroadcast
    stopServiceBroadcast deviceDiscovery searchForDevice requestServices getServicePrices
    selectService makePayment beginServiceDelivery endServiceDelivery CloseRPCAgent
"""
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def values_of(kind):
    match kind:
        case Struct():
            return st.fixed_dictionaries({one.name: values_of(one.kind) for one in kind.fields})
        case MapOf():
            return st.dictionaries(values_of(kind.key), values_of(kind.value), max_size=3)
        case SetOf():
            return st.lists(values_of(kind.item), max_size=3)
    return {
        Scalar.BOOL: st.booleans(),
        Scalar.I32: st.integers(I32_MIN, I32_MAX),
        Scalar.STRING: TEXTS,
        Scalar.BINARY: st.binary(max_size=8),
    }[kind]


@pytest.mark.req("WX-046")
def test_the_interface_has_its_seventeen_methods():
    assert list(METHODS) == METHODS_THAT_EXIST.split()


@pytest.mark.req("WX-046", "WX-048")
@pytest.mark.parametrize("protocol", [TBinaryProtocol, TCompactProtocol, TJSONProtocol])
@given(data=st.data())
@settings(max_examples=60)
def test_what_is_written_is_read(protocol, data):
    method = data.draw(st.sampled_from(list(METHODS.values())))
    for struct in (method.arguments, method.result):
        values = data.draw(values_of(struct))
        target = TMemoryBuffer()
        write_struct(protocol(target), struct, values)
        reader = Reader(protocol(TMemoryBuffer(target.getvalue())))
        assert reader.struct(struct) == values
        assert reader.problems == []
