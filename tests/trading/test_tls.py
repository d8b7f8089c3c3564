"""Trading over TLS, with a certificate of an authority that only the test's wallet believes."""

import asyncio

import pytest

from tests.processes import Process
from tests.psp.authority import Authority
from tests.trading.test_processes import SECRET, yes
from tollbridge.faces.iotp.message import codec
from tollbridge.faces.iotp.message.blocks import OfferRespBlk, TpoBlk
from tollbridge.faces.iotp.roles.consumer import Buy, Inquire
from tollbridge.faces.iotp.roles.opening import CARDS
from tollbridge.faces.iotp.roles.problems import Unusable
from tollbridge.trading import wallet
from tollbridge.trading.house import House


@pytest.mark.req("IX-252", "IX-258")
def test_shop_payment_and_delivery_over_tls_name_secure_addresses_only(tmp_path):
    authority = Authority(tmp_path, "known")
    certificate, key = authority.certificate()
    serving = ("iotp", "serve", "--port", "0", "--journal", "iotp.sqlite",
               "--tls-cert", str(certificate), "--tls-key", str(key))  # fmt: skip
    wallet.add(tmp_path / "wallet", CARDS, wallet.test_card("visa", SECRET))

    async def buy(url, ca_file):
        async with House(tmp_path / "wallet", yes, ca_file=ca_file, limit_s=10) as house:
            traded = await house.order(Buy(f"{url}/iotp/merchant?item=ebook"))
            told = await house.order(Inquire(traded.name))
            return traded, told, await house.letters(traded.name)

    with Process(tmp_path, *serving, url=r"listens on (https://\S+)") as server:
        traded, told, letters = asyncio.run(buy(server.url, authority.file))
        stranger = Authority(tmp_path, "stranger")
        with pytest.raises(Unusable, match="does not answer"):
            asyncio.run(buy(server.url, stranger.file))
    assert traded.complete
    assert told.code == "ShippedNoConf"
    messages = [codec.read(one.body) for one in letters]
    tpo = messages[0].block(TpoBlk)
    offer = next(one.block(OfferRespBlk) for one in messages if one.block(OfferRespBlk))
    pairs = [(tpo.protocol_options.sender_net_locn, tpo.protocol_options.secure_sender_net_locn)]
    pairs += [(one.pay_req_net_locn, one.sec_pay_req_net_locn)
              for brands in tpo.brand_lists for one in brands.pay_protocols]  # fmt: skip
    data = offer.delivery.data
    pairs.append((data.deliv_req_net_locn, data.sec_deliv_req_net_locn))
    for plain, secure in pairs:
        assert plain is None
        assert secure.startswith(f"{server.url}/iotp/")
    assert all(b"http://127" not in one.body for one in letters)


def test_a_certificate_without_its_key_is_refused_before_anything_starts(tmp_path):
    certificate, _ = Authority(tmp_path, "known").certificate()
    server = Process(tmp_path, "iotp", "serve", "--port", "0", "--tls-cert", str(certificate))
    with pytest.raises(AssertionError, match="belong together"):
        server.start()
    assert not (tmp_path / "iotp.sqlite").exists()
