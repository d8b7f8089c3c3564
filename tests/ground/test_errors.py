"""The exception tree is the one that is drawn, and says what it promises."""

import re

import pytest

from tollbridge.ground import errors
from tollbridge.ground.errors import (
    ConfigError,
    LocalProtocolError,
    NoAnswer,
    NotSent,
    ProtocolError,
    RemoteProtocolError,
    TollbridgeError,
    TransportError,
)


def classes():
    found = [TollbridgeError]
    for one in found:
        found += one.__subclasses__()
    return [one for one in found if one.__module__ == errors.__name__]


def test_the_tree_is_the_one_that_is_drawn():
    drawn, above = {}, {}
    for indent, name in re.findall(
        r"^(?:    )((?:[│ ]   )*(?:[├└]── )?)(\w+)", errors.__doc__, re.MULTILINE
    ):
        depth = len(indent) // 4
        drawn[name] = above.get(depth - 1)
        above[depth] = name
    assert len(drawn) > 10
    assert drawn == {
        one.__name__: one.__base__.__name__ if one is not TollbridgeError else None
        for one in classes()
    }


def test_every_error_has_a_code_and_a_sentence_of_its_own():
    codes = [one.code for one in classes()]
    assert len(set(codes)) == len(codes)
    for one in classes():
        assert re.fullmatch("[a-z_]+", one.code)
        assert "code" in vars(one)
        assert one.__doc__


@pytest.mark.parametrize("abstract", [ProtocolError, TransportError])
def test_an_abstract_error_is_not_raised(abstract):
    with pytest.raises(TypeError):
        abstract("who was it?")


@pytest.mark.parametrize("concrete", [LocalProtocolError, RemoteProtocolError, NotSent, NoAnswer])
def test_a_concrete_error_says_its_message(concrete):
    assert str(concrete("the line broke")) == "the line broke"


def test_a_remote_error_says_where_and_what_to_answer():
    bare = RemoteProtocolError("wrong")
    assert (bare.path, bare.hint) == ((), "")
    told = RemoteProtocolError("wrong", path=["items", "0"], hint="400")
    assert (told.path, told.hint) == (("items", "0"), "400")


def test_a_configuration_lists_all_its_problems():
    error = ConfigError(["no journal", "no bridge"])
    assert error.problems == ("no journal", "no bridge")
    assert str(error) == "no journal; no bridge"
