"""Where cards and keys may travel."""

import asyncio
import json

import pytest

from tollbridge.faces.within.card import HceCard
from tollbridge.faces.within.errors import BadArgument
from tollbridge.ground.secret import Secret
from tollbridge.within import provider
from tollbridge.within.device import Device

CARD = HceCard("Ada", "Field", 11, 2049, Secret("4444333322221111"), Secret("123"))
PLAIN = {"psp_name": "worldpayonlinepayments", "api_endpoint": "http://192.168.1.9:8080/v1"}
MERCHANT = PLAIN | {"hte_public_key": "T_C_x", "hte_private_key": "T_S_x"}


def setup(folder):
    return asyncio.run(Device.setup("car", "A car", folder=folder))


@pytest.mark.req("W-127", "W-140")
def test_a_card_does_not_travel_over_plain_http(tmp_path):
    car = setup(tmp_path)
    with pytest.raises(BadArgument, match="plain http"):
        car.init_consumer("http://", "127.0.0.1", 64521, "", car.uid, CARD, PLAIN)


@pytest.mark.req("W-127", "W-140")
def test_nor_does_a_service_key(tmp_path):
    with pytest.raises(BadArgument, match="https is needed"):
        asyncio.run(setup(tmp_path).init_producer(MERCHANT))


@pytest.mark.req("WX-033")
def test_a_test_bench_may_allow_it_in_the_originals_file(tmp_path):
    items = [{"key": "allowPlainProvider", "value": "true"}]
    (tmp_path / "wpwconfig.json").write_text(json.dumps(items))
    car = setup(tmp_path)
    car.init_consumer("http://", "127.0.0.1", 64521, "", car.uid, CARD, PLAIN)
    assert car.consumer is not None


@pytest.mark.parametrize(
    ("psp", "name"),
    [
        ({}, "PSP_CONFIG_NOT_SET"),
        ({"psp_name": "paypal"}, "PSP_UNKNOWN"),
        ({"psp_name": "securenet", "api_endpoint": "https://x.example"}, "PARSE_DEVELOPER_ID"),
        ({"psp_name": "worldpayonlinepayments", "api_endpoint": "nowhere"}, "PSP_COLLECTION"),
    ],
)
@pytest.mark.req("WX-019", "WX-023")
def test_a_configuration_that_is_none_is_refused_as_the_original_does(psp, name):
    with pytest.raises(BadArgument) as refused:
        provider.tokens(psp)
    assert refused.value.id == name
