"""The command line, with every slip that the wrappers are known for."""

import json

import pytest

from tollbridge.within.agent import flags
from tollbridge.within.agent.flags import FlagError, Flags, HelpWanted, parse


@pytest.mark.req("WX-045")
def test_the_defaults_are_those_of_the_newest_original():
    assert parse([]) == Flags(
        port=0,
        host="127.0.0.1",
        protocol="binary",
        framed=False,
        buffered=False,
        buffer=8192,
        secure=False,
        callbackport=0,
        logfile="wpw.log",
        loglevel="warn",
        version=False,
    )


@pytest.mark.req("WX-045")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-port 9091", {"port": 9091}),
        ("-port=9091", {"port": 9091}),
        ("--port 9091 --host=localhost", {"port": 9091, "host": "localhost"}),
        ("-port 0x2383", {"port": 9091}),
        ("-framed -port 1", {"framed": True, "port": 1}),
        ("-framed=false -port 1", {"framed": False, "port": 1}),
        ("-framed=T -buffered=1 -secure=TRUE", {"framed": True, "buffered": True, "secure": True}),
        ("-port 1 -port 2", {"port": 2}),
        ("-port 1 stop -host x", {"port": 1}),
        ("-port 1 -- -host x", {"port": 1}),
        ("-port 1 - -host x", {"port": 1}),
        ("-logfile= -port 1", {"logfile": "", "port": 1}),
        ("-version", {"version": True}),
        ("-watchdog=false -callbackshape old", {"watchdog": False, "callbackshape": "old"}),
    ],
)
def test_flags_are_read_as_go_reads_them(line, expected):
    assert parse(line.split()) == Flags(**expected)


@pytest.mark.req("WX-045")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-colour red", "flag provided but not defined: -colour"),
        ("-port", "flag needs an argument: -port"),
        ("-port many", 'invalid value "many"'),
        ("-port 99999999999999999999", "value out of range"),
        ("-framed=perhaps", 'invalid boolean value "perhaps"'),
        ("---port 1", "bad flag syntax: ---port"),
        ("-=1", "bad flag syntax: -=1"),
    ],
)
def test_what_go_refuses_is_refused(line, said):
    with pytest.raises(FlagError, match=said):
        parse(line.split())


@pytest.mark.parametrize("word", ["-h", "-help", "--help"])
def test_help_is_given(word):
    with pytest.raises(HelpWanted):
        parse([word])
    text = flags.usage()
    for name in Flags._fields:
        assert f"  -{name}" in text


@pytest.mark.req("WX-055", "WX-061", "WX-063")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-port", "1", " -callbackport=9095"], {"port": 1, "callbackport": 9095}),
        (["-port", "1", ""], {"port": 1}),
        (["", "-port", "1"], {"port": 1}),
        (["-port", " 1 ", "-host", "localhost "], {"port": 1, "host": "localhost"}),
        (["-logfile", "undefined", "-port", "1"], {"logfile": "undefined", "port": 1}),
        (["-logfile", "", "-port", "1"], {"logfile": "", "port": 1}),
        (
            ["-buffered", "True", "-framed", "True", "-secure", "False", "-port", "1"],
            {"buffered": True, "framed": True, "port": 1},
        ),
    ],
)
def test_slips_of_the_wrappers_are_understood(words, expected):
    assert parse(words) == Flags(**expected)


@pytest.mark.req("WX-055", "WX-056")
@pytest.mark.parametrize(
    ("written", "level"),
    [
        ("warn", "warn"),
        ("ERROR", "error"),
        ("debug,error,info,warn,fatal", "debug"),
        ("error,fatal,info,", "info"),
        ("panic, fatal", "fatal"),
        ("wpwithin.log", "debug"),
        ("", "debug"),
    ],
)
def test_the_most_telling_level_counts_and_nonsense_means_debug(written, level):
    assert Flags(loglevel=written).level == level


@pytest.mark.req("WX-045", "WX-049")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Port value must be greater than zero"),
        ({"port": -1}, "Port value must be greater than zero"),
        ({"port": 1, "host": "0.0.0.0"}, "Host must be one of"),
        ({"port": 1, "protocol": "xml"}, "Protocol must be one of"),
        ({"port": 1, "callbackshape": "round"}, "Callback shape must be one of"),
        ({"port": 1, "host": "LocalHost", "protocol": ""}, ""),
    ],
)
def test_impossible_values_are_named(given, said):
    assert Flags(**given).problem.startswith(said)
    assert bool(Flags(**given).problem) == bool(said)


FILE = {"Port": 9091, "Host": "localhost", "Protocol": "compact", "Framed": True, "Buffered": False,
        "BufferSize": 4096, "Secure": False, "Logfile": "a.log", "Loglevel": "info",
        "CallbackPort": 9092, "Colour": "red"}  # fmt: skip
EXPECTED = Flags(port=9091, host="localhost", protocol="compact", framed=True, buffer=4096,
                 logfile="a.log", loglevel="info", callbackport=9092)  # fmt: skip


@pytest.mark.req("WX-054")
@pytest.mark.parametrize(
    "written",
    [
        [{"key": key, "value": value} for key, value in FILE.items()],
        [{"key": key, "value": str(value)} for key, value in FILE.items()],
        FILE,
        {key.lower(): str(value).lower() for key, value in FILE.items()},
    ],
    ids=["list", "list of texts", "object", "object of texts"],
)
def test_a_configuration_file_replaces_the_flags(tmp_path, written):
    path = tmp_path / "conf.json"
    path.write_text(json.dumps(written))
    assert parse(["-port", "1", "-secure", "-configfile", str(path)]) == EXPECTED


@pytest.mark.req("WX-054")
@pytest.mark.parametrize(
    "written", ["", "{", "7", "[1]", '[{"key": "Port"}]', '{"Port": "many"}', '{"Framed": "so"}']
)
def test_a_configuration_file_that_cannot_be_read_is_an_error(tmp_path, written):
    path = tmp_path / "conf.json"
    path.write_text(written)
    with pytest.raises(FlagError):
        parse([f"-configfile={path}"])
    with pytest.raises(FlagError, match="absent"):
        parse(["-configfile", str(tmp_path / "absent.json")])
