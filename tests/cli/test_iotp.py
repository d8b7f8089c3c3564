"""`tollbridge iotp check`, as its users see it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tollbridge.cli.main import main

VECTORS = Path(__file__).parents[1] / "vectors" / "iotp"
PURCHASE = sorted(str(path) for path in (VECTORS / "purchase").glob("*.xml"))


def run(*words, given=None):
    return CliRunner().invoke(main, ["iotp", "check", *words], input=given)


def test_good_messages_are_explained():
    result = run(*PURCHASE)
    assert result.exit_code == 0
    assert result.output.count("every rule is kept") == 9
    assert "shop.example, Shop & Co <Ltd>, is Merchant." in result.output


def test_a_broken_message_is_told_and_counts():
    broken = Path(PURCHASE[0]).read_bytes().replace(b' OrgId="bank.example"', b"")
    result = run("-", PURCHASE[1], given=broken)
    assert result.exit_code == 1
    assert "/IotpMessage/TpoBlk/Org[2]" in result.output
    assert "[RFC 2801, 13]" in result.output


def test_a_program_reads_json():
    result = run("--json", PURCHASE[0], "-", given=b"<")
    assert result.exit_code == 1
    good, bad = json.loads(result.output)
    assert (good["valid"], good["kind"], good["violations"]) == (True, "TpoBlk", [])
    assert (bad["file"], bad["valid"]) == ("-", False)
    assert set(bad["violations"][0]) == {"place", "rule", "section"}


@pytest.mark.parametrize(("names", "code"), [(PURCHASE, 0), (PURCHASE[1:], 1), (PURCHASE[::-1], 1)])
def test_a_conversation_is_in_its_order(names, code):
    assert run("--conversation", *names).exit_code == code


def test_what_is_no_file_is_refused():
    assert run("nothing.xml").exit_code == 2
    assert run().exit_code == 2


def test_what_a_stranger_wrote_is_shown_without_obeying_it():
    text = Path(PURCHASE[0]).read_text().replace("Two", "x").replace(
        'BrandName="Visa"', 'BrandName="&#x202e;evil"')  # fmt: skip
    assert "\u202e" not in run("-", given=text).output


def test_too_much_is_not_read():
    assert run("-", given=b" " * 10_000_000).exit_code == 1
