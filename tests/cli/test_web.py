"""`tollbridge web`: keys, notices, sellers, and a provider to try."""

import asyncio
import json
import subprocess
import sys

from tests.processes import TOKEN, Process, talk
from tests.web.receiver import Receiver
from tests.web.serving import CUSTOMER, SELLER, Shop, face
from tests.web.test_room import KEY, toml


def web(folder, *arguments, code=0, **environment):
    done = subprocess.run(
        [sys.executable, "-m", "tollbridge", "web", *arguments],
        check=False, cwd=folder, capture_output=True, text=True, timeout=60,
        env={"PATH": "", "TOLLBRIDGE_TOKEN": TOKEN, **environment},
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stdout + done.stderr


def test_keys_are_made_listed_and_rotated(tmp_path):
    assert "there are no keys yet" in web(tmp_path, "keys", "list", "--journal", "j", code=1)
    first = web(tmp_path, "keys", "rotate", "--journal", "j")
    assert first.count("signs") == 1
    kid = first.split()[0]
    rows = json.loads(web(tmp_path, "keys", "rotate", "--journal", "j", "--json"))["keys"]
    assert [row["retired_at"] is None for row in rows] == [True, False]
    assert rows[1]["kid"] == kid
    listed = web(tmp_path, "keys", "list", "--journal", "j")
    assert [line.split()[0] for line in listed.splitlines()] == [row["kid"] for row in rows]
    assert '"d"' not in listed


def test_sellers_are_checked(tmp_path):
    good = {"origins": ["https://shop.example"], "notices_url": "https://shop.example/n",
            "notices_key": KEY, "secret_key": "sk_0123456789abcdef012345"}  # fmt: skip
    table = face(seller=good)
    table["sellers"].pop("Other")
    config = tmp_path / "config.toml"
    config.write_text(toml({"faces": {"webinos": table}}))
    assert "good" in web(tmp_path, "sellers", "check", "--config", "config.toml")
    bad = face(seller={"notices_url": "http://x.example/n", "notices_key": "whsec_x"})
    config.write_text(toml({"faces": {"webinos": bad}}))
    told = web(tmp_path, "sellers", "check", "--config", "config.toml", code=1)
    assert "http://shop.example is not https" in told
    assert "notices_url: not https" in told
    assert "so it signs no bills" in told
    assert "notices_key: a key is written" in told
    assert "Other" in told
    assert "notices_url: none" in told
    config.write_text("[server]")
    assert "have no [faces.webinos]" in web(
        tmp_path, "sellers", "check", "--config", "config.toml", code=1)  # fmt: skip


def test_new_keys_for_a_seller_are_good_settings(tmp_path):
    made = web(tmp_path, "sellers", "keys", "My Shop")
    (tmp_path / "config.toml").write_text(
        made + '\norigins = ["https://a.example"]\nnotices_url = "https://a.example/n"\n'
    )
    assert "My Shop" in web(tmp_path, "sellers", "check", "--config", "config.toml")


def test_a_provider_to_try_pays_and_its_notices_are_listed_and_replayed(tmp_path):
    tried = Process(tmp_path, "web", "try", "--port", "0", "--origin", "http://shop.example")
    with tried:
        text = tried.log.read_text()
        assert "everybody knows these keys" in text
        assert f"try it    {tried.url}/web/try" in text
        keys = {line.split()[0]: line.split()[1] for line in text.splitlines() if "_key " in line}
        shop = Shop(
            int(tried.url.rpartition(":")[2]), "http://shop.example", keys["publishable_key"]
        )
        paid = asyncio.run(shop.pay(customer=CUSTOMER)).json
        assert paid["sellerID"] == SELLER
        assert paid["state"] == "challenge_required"  # a card that was never used
        status, page, _ = talk("GET", f"{tried.url}/web/try.json", token=keys["secret_key"])
        assert (status, page["sellerKey"]) == (200, keys["publishable_key"])
        assert web(tmp_path, "notices", "list", "--url", tried.url) == "none waits\n"
        assert web(tmp_path, "notices", "dead", "--url", tried.url) == "nobody took none\n"
        assert tried.stop() == 0


def test_dead_notices_are_replayed_from_the_command_line(tmp_path):
    async def main():
        receiver = await Receiver([410]).start()
        seller = {"notices_url": receiver.url, "notices_key": KEY}
        (tmp_path / "config.toml").write_text(toml({"faces": {"webinos": face(seller=seller)}}))
        process = Process(tmp_path, "serve", "--port", "0", "--journal", "j.sqlite",
                          "--config", "config.toml")  # fmt: skip
        await asyncio.to_thread(process.start)
        try:
            await Shop(int(process.url.rpartition(":")[2])).pay()
            await receiver.until(1)

            def call(*arguments):
                return web(tmp_path, "notices", *arguments, "--url", process.url)

            for _ in range(100):
                listed = await asyncio.to_thread(call, "dead")
                if "410" in listed:
                    break
            name = listed.split()[0]
            assert "payment.succeeded  1 tries  dead  answered 410" in listed
            told = await asyncio.to_thread(call, "replay", name)
            assert told == f"{name} is sent again\n"
            first, second = await receiver.until(2)
            assert first.id == second.id
            rows = json.loads(await asyncio.to_thread(call, "replay", "--all", "--json"))
            assert rows == {"notices": []}
        finally:
            process.kill()
            receiver.close()

    asyncio.run(asyncio.wait_for(main(), 60))
