"""The golden messages: every block, every transaction; byte by byte what is written today."""

from pathlib import Path

import pytest

from tests.faces.iotp.message import trading as t
from tollbridge.faces.iotp.message import blocks as b
from tollbridge.faces.iotp.message import codec, rules
from tollbridge.faces.iotp.message.check import examine, examine_conversation
from tollbridge.faces.iotp.message.words import TransactionType

FOLDER = Path(__file__).parents[3] / "vectors" / "iotp"
FILES = sorted(FOLDER.glob("*/*.xml"))


def test_the_golden_files_are_what_is_written():
    made = dict(t.golden_files())
    assert {str(path.relative_to(FOLDER)) for path in FILES} == set(made)
    for path in FILES:
        assert path.read_bytes() == made[str(path.relative_to(FOLDER))], path.name


def test_every_block_and_every_transaction_is_among_them():
    messages = [codec.read(path.read_bytes()) for path in FILES]
    kinds = {kind for message in messages for kind in message.kinds}
    assert kinds == {kind.__name__ for kind in b.BLOCKS} | {"ErrorBlk"}
    types = {message.trans_ref.trans_id.iotp_trans_type for message in messages}
    assert types == set(TransactionType)
    assert any(message.signatures for message in messages)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_golden_message_keeps_every_rule_alone(path):
    """Alone, what stands in earlier messages is not missed."""
    report = examine(path.read_bytes())
    assert report.valid, report.violations
    assert report.kind == path.stem.partition("-")[2].partition("-")[2].replace("-", " + ")
    assert report.explained


@pytest.mark.req(
    "IX-206", "IX-207", "IX-208", "IX-209", "IX-210", "IX-211", "IX-212", "IX-213", "IX-214",
    "IX-215", "IX-218", "IX-219", "IX-220", "IX-221", "IX-222", "IX-223", "IX-224", "IX-225",
    "IX-226", "IX-227",
)  # fmt: skip
@pytest.mark.parametrize("name", t.GOLDEN)
def test_a_golden_conversation_keeps_every_rule(name):
    paths = sorted(FOLDER.glob(f"{name}/*.xml"))
    assert paths
    for path, report in zip(
        paths, examine_conversation([path.read_bytes() for path in paths]), strict=True
    ):
        assert report.valid, (path.name, report.violations)


@pytest.mark.req("IX-123", "IX-216", "IX-217", "IX-232")
def test_an_inquiry_is_about_a_transaction_that_was():
    talk = t.purchase()
    for asked in t.inquiry(talk):
        assert rules.of(asked, talk.known) == ()
        assert asked.trans_id == talk.trans.iotp_trans_id
        assert asked.trans_ref.trans_id.time == talk.trans.time
        assert asked.msg_id not in {one.msg_id for one in talk.messages}
        talk.heard(asked)
