"""What is packaged, what is inside, and whether HTML brings along what it shows."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.words import Transform
from tollbridge.faces.iotp.message import contents
from tollbridge.faces.iotp.message.words import DUTIES, Duty, Product, must_support


@pytest.mark.req("IX-138", "IX-140")
@pytest.mark.parametrize(
    ("content", "kind", "text"),
    [
        (contents.text("Two books"), "text/plain", "Two books"),
        (contents.xml_text("<a>&amp;</a>"), "text/xml", "<a>&amp;</a>"),
        (contents.mime("text/html", b"<p>Hi"), "text/html", "<p>Hi"),
        (contents.mime("image/gif", b"GIF89a"), "image/gif", None),
        (Content(text="Content-Type: text/html\n\n<b>x</b>", content="MIME"), "text/html",
         "<b>x</b>"),
        (Content(text="Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nSGk=",
                 content="MIME"), "text/plain", "Hi"),
        (Content(text="<i>x", content="MIME:text/html; charset=utf-8"), "text/html", "<i>x"),
        (Content(text="?", content="x-mine"), "application/octet-stream", None),
        (contents.mime("text/plain", b"\xe9"), "text/plain", "é"),
    ],
)  # fmt: skip
def test_a_content_is_what_it_says(content, kind, text):
    found = contents.opened(content)
    assert (found.media_type, found.text) == (kind, text)
    assert contents.is_known(content)


@pytest.mark.req("IX-138")
@pytest.mark.parametrize("kind", ["", "JSON", "MIME:", "MIME:text", "pcdata"])
def test_other_contents_are_not_known(kind):
    assert not contents.is_known(Content(text="x", content=kind))


def test_a_content_that_is_no_base_64_is_refused():
    with pytest.raises(ValueError, match="base 64"):
        contents.opened(Content(text="***", transform=Transform.BASE64))


@given(st.binary(max_size=200))
def test_any_mime_item_is_opened_or_refused(data):
    packed = Content(text=contents.mime("x/y", data).text, content="MIME",
                     transform=Transform.BASE64)  # fmt: skip
    with contextlib.suppress(ValueError):
        assert contents.opened(packed).media_type


def test_mime_in_mime_in_mime_is_no_trap():
    item = "Content-Type: text/plain\n\nx"
    for place in range(300):
        item = (
            f"Content-Type: multipart/mixed; boundary=b{place}\n\n--b{place}\n{item}\n--b{place}--"
        )
    with contextlib.suppress(ValueError):
        contents.opened(Content(text=item, content="MIME"))


@pytest.mark.req("IX-139")
def test_html_brings_along_what_it_shows():
    page = contents.mime("text/html", b'<img src="Logo"><a href=\'More#top\'>x</a><a href="#y">',
                         name="Main")  # fmt: skip
    logo = contents.mime("image/gif", b"GIF89a", name="Logo")
    more = contents.mime("text/html", b"<body background=Logo>", name="More")
    assert contents.missing_links([page, logo, more]) == ()
    assert contents.missing_links([page, more]) == ("Logo",)
    assert contents.missing_links([contents.text('<a href="x">')]) == ()
    outside = contents.mime("text/html", b'<img src="http://elsewhere/x.gif">', name="Main")
    assert contents.missing_links([outside]) == ("http://elsewhere/x.gif",)


@pytest.mark.req("IX-139")
def test_of_two_pages_one_is_the_main_one():
    pages = [contents.mime("text/html", b"x", name=name) for name in ("A", "B")]
    assert contents.missing_links(pages) == ("Main",)
    broken = Content(text="*", content="MIME:text/html", transform=Transform.BASE64)
    assert contents.missing_links([broken]) == ()


@pytest.mark.req("IX-239")
def test_what_a_product_must_support_is_known():
    assert set(must_support(Product.STORE)) >= {
        "BaselinePurchase",
        "BaselineRefund",
        "BaselineInquiry",
        "BaselinePing",
        "TpoBlk",
    }
    assert must_support(Product.PAYMENT_HANDLER) == (
        "BaselineInquiry", "BaselinePing", "PayReqBlk", "PayExchBlk", "PayRespBlk",
        "InquiryReqBlk", "InquiryRespBlk", "PingReqBlk", "PingRespBlk", "ErrorBlk",
        "IotpSignatures",
    )  # fmt: skip
    assert DUTIES["IotpSignatures"][Product.CONSUMER] is Duty.LIMITED
