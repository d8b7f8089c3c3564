"""XML is read strictly, or refused with the rule that was broken; nothing else happens."""

import contextlib
import json
import re
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from tollbridge.faces.iotp.dtd import MESSAGE_NAMESPACE, api_dtd, message_dtd
from tollbridge.ground.errors import LocalProtocolError, RemoteProtocolError
from tollbridge.wire import xml
from tollbridge.wire.xml import Element, Instruction, Limits

VECTORS = Path(__file__).parents[1] / "vectors" / "iotp"
LETTERS = st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\t\n\r<>&\"'")
TEXTS = st.text(LETTERS.filter(lambda letter: letter not in "\ufffe\uffff"), max_size=20)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.\-]{0,8}", fullmatch=True)
NAMESPACES = st.sampled_from(["", "iotp:ietf.org/iotp-v1.0", "urn:x", "http://a/b?c=d"])


@st.composite
def attributes(draw):
    names = NAMES | st.just("xml:lang") | NAMES.map("{{urn:y}}{}".format)
    return draw(st.dictionaries(names, TEXTS, max_size=3))


def merged(children):
    """Texts that stand side by side are one text to whoever reads them."""
    out = []
    for child in children:
        if isinstance(child, str) and out and isinstance(out[-1], str):
            out[-1] += child
        elif child != "":
            out.append(child)
    return tuple(out)


def elements(inner):
    return st.builds(
        Element, NAMES, attributes(), st.lists(inner | TEXTS, max_size=4).map(merged), NAMESPACES
    )


ELEMENTS = elements(st.recursive(elements(st.nothing()), elements, max_leaves=8))
# Texts that are nearly XML find more than bytes that are nothing at all.
CLOSE = st.lists(
    st.sampled_from(
        ["<a>", "</a>", "<a", "/>", ' b="', '"', "<!--", "-->", "<?p", "?>", "<![CDATA[", "]]>",
         "&amp;", "&#x0;", "&x;", "<!DOCTYPE a>", "<!DOCTYPE a [", "]>", "<!ENTITY x 'y'>", "x",
         "<?xml version='1.0'?>", ' xmlns="u"', "xmlns:p='q'", "<p:a>", "\ufeff", "\ud800", "\0"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(st.one_of(st.binary(), CLOSE, CLOSE.map(lambda text: text.encode(errors="replace"))))
@example(b"")
@example(b"\xff\xfe<\x00a")
@example("\ud800")
@example("<a>\ud800</a>")
@example(b"<?xml version='1.1'?><a/>")
@example(b"<a>" * 100_000)
def test_any_bytes_are_a_document_or_a_protocol_error(data):
    try:
        found = xml.read(data)
    except RemoteProtocolError as error:
        refusal = error
    else:
        assert xml.read(xml.write(found)) == found
        return
    assert refusal.hint in {xml.NOT_WELL_FORMED, xml.TOO_LARGE}
    assert 0 < len(str(refusal)) < 300


@given(ELEMENTS)
@example(Element("a", {"{u:&}b": "<"}, (), "u:a&b"))
def test_what_is_written_is_read_again(element):
    data = xml.write(element)
    assert xml.read(data) == element
    assert xml.read(data.decode()) == element
    assert xml.write(xml.read(data)) == data


@given(ELEMENTS)
def test_the_canonical_form_is_what_others_find_canonical(element):
    """Prefixes apart, which they keep, two others would change nothing about it."""
    data = xml.canonical(element).decode()
    assert ordered(ET.canonicalize(data)) == ordered(data)
    theirs = etree.tostring(etree.fromstring(data), method="c14n", exclusive=True).decode()
    assert ordered(theirs) == ordered(data)
    assert xml.read(data) == element


def ordered(text):
    """Order declarations by their prefix, as is done where prefixes are kept."""
    return re.sub(
        r'( xmlns:n\d="[^"]*")+',
        lambda found: "".join(sorted(re.findall(r' xmlns:n\d="[^"]*"', found[0]))),
        text,
    )


def test_prefixes_are_numbered_by_namespace_where_they_come_first():
    root = xml.read("<q:a xmlns:q='u:b' xmlns='u:a' q:x='1' y='2'><c z='3'/><d xmlns=''/></q:a>")
    assert xml.canonical(root) == (
        b'<n0:a xmlns:n0="u:b" y="2" n0:x="1"><n1:c xmlns:n1="u:a" z="3"></n1:c><d></d></n0:a>'
    )


@given(ELEMENTS)
def test_digests_do_not_depend_on_how_it_was_written(element):
    text = xml.write(element).decode()
    other = xml.read(re.sub(r'(xmlns="[^"]*")', r'\1  xmlns:unused="urn:unused"', text))
    assert xml.canonical(other) == xml.canonical(element)
    assert xml.dom_hash(other) == xml.dom_hash(element)


@pytest.mark.req("IX-249")
@pytest.mark.parametrize(
    "one",
    json.loads((VECTORS / "domhash.json").read_text()),
    ids=lambda one: one["name"],
)
def test_dom_hash_is_what_the_rfcs_own_java_computes(one):
    element = xml.read(one["document"])
    assert xml.dom_hash(element).hex() == one["sha1"]
    assert xml.dom_hash(element, "md5").hex() == one["md5"]


@pytest.mark.req("IX-249")
def test_dom_hash_knows_no_prefix_no_comment_and_no_cdata():
    plain = xml.read('<a xmlns="u:x" b="1">x &amp; y</a>')
    for same in (
        '<p:a xmlns:p="u:x" b="1">x &amp; y</p:a>',
        '<a b="1" xmlns="u:x">x <![CDATA[& y]]></a>',
        '<a b="1" xmlns="u:x">x <!-- & -->&#38; y</a>',
    ):
        assert xml.dom_hash(xml.read(same)) == xml.dom_hash(plain)
        assert xml.canonical(xml.read(same)) == xml.canonical(plain)
    for other in (
        '<a b="1">x &amp; y</a>',
        '<a xmlns="u:x" xmlns:p="u:x" p:b="1">x &amp; y</a>',
        '<a xmlns="u:x" b="1">x  &amp; y</a>',
    ):
        assert xml.dom_hash(xml.read(other)) != xml.dom_hash(plain)
        assert xml.canonical(xml.read(other)) != xml.canonical(plain)


# What is refused


BOMB = b"<!DOCTYPE a [<!ENTITY x 'xx'>%s]><a>&y9;</a>" % b"".join(
    b"<!ENTITY y%d '%s'>" % (n, (b"&y%d;" % (n - 1) if n else b"&x;") * 10) for n in range(10)
)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(BOMB, id="billion laughs"),
        pytest.param(BOMB.replace(b"<a>&y9;</a>", b"<a b='&y9;'/>"), id="laughs in an attribute"),
        pytest.param(b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", id="xxe"),
        pytest.param(b"<!DOCTYPE a SYSTEM 'http://127.0.0.1:1/a.dtd'><a/>", id="address"),
        pytest.param(b"<!DOCTYPE a PUBLIC '-//x' 'http://127.0.0.1:1/'><a/>", id="public"),
        pytest.param(b"<!DOCTYPE a [<!ATTLIST a b CDATA 'c'>]><a/>", id="default attributes"),
        pytest.param(b"<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1:1/'> %p;]><a/>",
                     id="parameter entity"),
        pytest.param(b"<!-- x --><?p?>\n<!DOCTYPE a []><a/>", id="hidden behind remarks"),
        pytest.param(b"<!DOCTYPE a><!DOCTYPE a><a/>", id="twice"),
        pytest.param(b"<!DOCTYPE a><a>&x;</a>", id="entity of nobody"),
        pytest.param('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a []><a/>'.encode("utf-16"),
                     id="in UTF-16"),
        pytest.param('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'.encode("latin1"),
                     id="latin 1"),
        pytest.param(b'<?xml version="1.0" encoding="UTF-7"?><a>+ADw-</a>', id="utf 7"),
        pytest.param("<a>é</a>".encode("latin1"), id="latin 1 that does not say so"),
        pytest.param("<a/>".encode("utf-32"), id="utf 32"),
        pytest.param("<a/>".encode("utf-16-le"), id="utf 16 without its mark"),
        pytest.param(b"<a>\xed\xa0\x80</a>", id="surrogate"),
        pytest.param(b"<a>\xc0\xbc</a>", id="overlong"),
        pytest.param(b"<?xml version='1.1'?><a/>", id="xml 1.1"),
        pytest.param(b"<?XML Version='1.0'?><a/>", id="as printed in the RFC"),
        pytest.param(b"<a b='1' b='2'/>", id="attribute twice"),
        pytest.param(b"<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", id="twice by namespace"),
        pytest.param(b"<p:a/>", id="prefix of nobody"),
        pytest.param(b"<a/><a/>", id="two roots"),
        pytest.param(b"<a/>x", id="something behind"),
        pytest.param(b"<a>&#0;</a>", id="no letter"),
        pytest.param(b"<a><b></a></b>", id="crossed"),
        pytest.param(b"<a>", id="open"),
        pytest.param(b"", id="nothing"),
    ],
)  # fmt: skip
def test_tricks_are_refused(data):
    with pytest.raises(RemoteProtocolError) as caught:
        xml.read(data)
    assert caught.value.hint == xml.NOT_WELL_FORMED


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"<a>" * 33 + b"</a>" * 33, id="deep"),
        pytest.param(b"<a>" + b"<b/>" * 4096 + b"</a>", id="many"),
        pytest.param(b"<a " + b" ".join(b"b%d=''" % n for n in range(33)) + b"/>", id="attributes"),
        pytest.param(b"<a b='" + b"x" * 8193 + b"'/>", id="value"),
        pytest.param(b"<a>" + b"x" * (192 * 1024 + 1) + b"</a>", id="text"),
        pytest.param(b"<a>" + b"<!--x-->" * 40_000 + b"</a>", id="bytes"),
    ],
)
def test_too_much_is_refused(data):
    with pytest.raises(RemoteProtocolError) as caught:
        xml.read(data)
    assert caught.value.hint == xml.TOO_LARGE


def test_the_limits_are_the_askers():
    assert xml.read(b"<a>" * 33 + b"</a>" * 33, limits=Limits(depth_max=33))
    with pytest.raises(RemoteProtocolError, match="longer than 3 bytes"):
        xml.read(b"<a/>", limits=Limits(bytes_max=3))


@pytest.mark.parametrize(
    "data",
    [
        b"<a>" * 80_000,
        b"<a " + b" ".join(b"b%d=''" % n for n in range(30_000)) + b"/>",
        b"<a " + b" ".join(b"xmlns:b%d='u%d'" % (n, n) for n in range(12_000)) + b"/>",
        b"<a>" + b"&amp;" * 50_000 + b"</a>",
        b"<!--" * 60_000,
        b"<?p " * 60_000,
        b"<a>" + b"]]" * 120_000,
        b" " * 250_000,
    ],
    ids=lambda data: data[:8],
)
def test_no_shape_of_bytes_takes_long(data):
    begin = time.monotonic()
    with contextlib.suppress(RemoteProtocolError):
        xml.read(data)
    assert time.monotonic() - begin < 1


def test_what_is_only_unusual_is_read():
    want = Element("a", {}, ("é",), "u", 1)
    for text in (
        "<a xmlns='u'>é</a>",
        "\ufeff<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<a xmlns='u'>é</a>",
        "<!DOCTYPE a >\n<a xmlns='u'>é</a>",
        "<!--<!DOCTYPE a []>--><?p <!DOCTYPE?> <a xmlns='u'>é</a><!-- end -->",
        "<a xmlns='u'><![CDATA[é]]></a>",
    ):
        assert xml.read(text.encode()) == want
        if "utf-8" not in text:
            assert xml.read(text.encode("utf-16")) == want
    inside = xml.read("<a><![CDATA[<!DOCTYPE x [<!ENTITY y 'z'>]>&y;]]></a>")
    assert inside.text == "<!DOCTYPE x [<!ENTITY y 'z'>]>&y;"


def test_lines_are_those_of_the_document():
    text = "<?xml version='1.0'\n?>\n<!DOCTYPE\na>\n<a>\n<b/></a>"
    root = xml.read(text)
    assert (root.line, root.elements[0].line) == (5, 6)


# What is not written


@pytest.mark.parametrize(
    "element",
    [
        Element("a b"), Element(""), Element("p:a"), Element("a", {"b c": ""}), Element("1"),
        Element("a", {}, ("\0",)), Element("a", {"b": "\x1b"}), Element("a", {}, ("\ud800",)),
        Element("a", {}, (Instruction("p", "?>"),)), Element("a", {}, (Instruction("xml", ""),)),
        Element("a", {}, ("\ufffe",)),
    ],
)  # fmt: skip
def test_what_xml_does_not_have_is_not_written(element):
    with pytest.raises(LocalProtocolError):
        xml.write(element)


# Elements


def test_an_element_cannot_be_changed():
    given_attributes = {"b": "1"}
    element = Element("a", given_attributes)
    given_attributes["b"] = "2"
    assert element.get("b") == "1"
    with pytest.raises(TypeError):
        element.attributes["b"] = "3"
    assert hash(element) == hash(Element("a", {"b": "1"}))


def test_an_element_is_walked_with_paths():
    root = xml.read("<a><b/><c><b/></c><b>x<p>y</p>z</b></a>")
    assert [path for path, _ in root.walk()] == ["/a", "/a/b[1]", "/a/c", "/a/c/b", "/a/b[2]",
                                                 "/a/b[2]/p"]  # fmt: skip
    assert root.find("b") == Element("b")
    assert root.find("d") is None
    assert [one.text for one in root.all("b")] == ["", "xz"]
    assert root.get("no", "else") == "else"


def test_instructions_are_kept_for_digests():
    root = xml.read("<a>x<?p q r?>y</a>")
    assert root.children == ("x", Instruction("p", "q r"), "y")
    assert xml.canonical(root) == b"<a>x<?p q r?>y</a>"


@pytest.mark.req("IX-135")
def test_an_element_without_what_others_added():
    root = xml.read("<a xmlns='u' xmlns:o='o' o:c='1' d='2'><o:b><b/></o:b><b o:e='3'/></a>")
    only = root.of_namespace("u")
    assert only == Element("a", {"d": "2"}, (Element("b", namespace="u"),), "u")
    assert only.of_namespace("u") is only


# Validity


@pytest.mark.req("IX-121")
def test_violations_have_a_place_and_a_line():
    root = xml.read(
        f"<IotpMessage xmlns='{MESSAGE_NAMESPACE}'>\n"
        "<TransRefBlk ID='a.1' X='2'/>\n<Q/></IotpMessage>"
    )
    found = message_dtd().violations(root)
    assert [(one.path, one.line) for one in found] == [
        ("/IotpMessage", 1),
        ("/IotpMessage/TransRefBlk", 2),
        ("/IotpMessage/TransRefBlk", 2),
        ("/IotpMessage/Q", 3),
    ]
    assert "content does not follow the DTD" in found[0].rule
    assert "attribute X" in found[2].rule


@pytest.mark.req("IX-122")
def test_another_namespace_is_another_document():
    (found,) = message_dtd().violations(Element("IotpMessage"))
    assert found.rule == f"not of the namespace {MESSAGE_NAMESPACE}"


def test_both_document_types_come_with_the_package():
    assert (len(message_dtd().elements), len(api_dtd().elements)) == (70, 78)
    with pytest.raises(ValueError, match="not a DTD"):
        xml.Dtd(b"<!ELEMENT", "u")


def test_violations_are_counted():
    root = Element("IotpMessage", {}, (Element("Q", namespace=MESSAGE_NAMESPACE),) * 500,
                   MESSAGE_NAMESPACE)  # fmt: skip
    assert 0 < len(message_dtd().violations(root)) <= 100


@pytest.mark.req("IX-121")
def test_what_is_valid_as_it_was_read_is_valid_when_it_is_asked_again():
    """A verdict that was remembered is the verdict of who looks again, for messages and wrecks."""
    dtd = message_dtd()
    for file in sorted(VECTORS.glob("purchase/*.xml")):
        text = file.read_text()
        for wreck in (text, *(text.replace(*each) for each in WRECKS)):
            again, remembered = xml.read(wreck), xml.read(wreck, dtd=dtd)
            if remembered.valid_for is not None:
                assert dtd.violations(again) == (), wreck
        assert xml.read(text, dtd=dtd).valid_for is dtd
        for each in WRECKS:
            assert xml.read(text.replace(*each), dtd=dtd).valid_for is None, each


WRECKS = [
    ("<TransId ", '<TransId xmlns="urn:other" '),
    ("<MsgId ", '<p:MsgId xmlns:p="iotp:ietf.org/iotp-v1.0" '),
    ("<MsgId ", '<x:Foreign xmlns:x="urn:other"/><MsgId '),
    ('<MsgId ID="', '<MsgId ID="M1.1" Other="'),
    ("<TransRefBlk ", "stray<TransRefBlk "),
]
