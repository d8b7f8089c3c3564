"""Messages over HTTP (RFC 2935): what they are called, where they go, where browsers go."""

import pytest

from tests.faces.iotp.message import trading as t
from tollbridge.faces.iotp.message import blocks as b
from tollbridge.faces.iotp.message import components as c
from tollbridge.faces.iotp.message import http
from tollbridge.faces.iotp.message.http import Ending, LogoDepth, LogoSize
from tollbridge.ground.errors import LocalProtocolError, RemoteProtocolError
from tollbridge.wire.http import Headers

TALK = t.purchase()


@pytest.mark.req("IX-250", "IX-251", "IX-252")
def test_a_message_is_posted_and_answered_as_iotp():
    request = http.request("https://bank.example/pay", b"<a/>", moves_money=True)
    assert (request.method, request.body, request.moves_money) == ("POST", b"<a/>", True)
    assert request.headers["Content-Type"].startswith("application/iotp")
    response = http.response(b"<b/>")
    assert response.headers["pragma"] == "no-cache"
    assert response.headers["cache-control"] == "no-store"
    assert http.body(response.headers, response.body) == b"<b/>"
    assert http.accepts(request.headers["accept"])


@pytest.mark.req("IX-250")
@pytest.mark.parametrize(
    "kind",
    ["APPLICATION/IOTP", "Application/X-Iotp", "application/iotp; charset=UTF-8",
     'application/iotp;charset="utf-8"', "application/iotp; charset=utf-16", "application/iotp "],
)  # fmt: skip
def test_the_media_types_are_read(kind):
    assert http.body(Headers([("content-type", kind)]), b"x") == b"x"


@pytest.mark.parametrize(
    "fields",
    [[], [("content-type", "text/xml")], [("content-type", "application/iotp; charset=latin1")],
     [("content-type", "")], [("content-type", "application/iotpx")],
     [("content-type", ";" * 5000)]],
)  # fmt: skip
def test_other_media_types_are_refused(fields):
    with pytest.raises(RemoteProtocolError):
        http.body(Headers(fields), b"x")


@pytest.mark.parametrize(
    ("accept", "good"),
    [("application/iotp", True), ("text/html, application/x-iotp;q=0.5", True), ("*/*", False),
     ("application/iotp;q=0", False), ("", False), ("text/html,*/*;q=0.8", False),
     ("APPLICATION/IOTP", True)],
)  # fmt: skip
def test_a_client_says_that_it_can_handle_messages(accept, good):
    assert http.accepts(accept) is good


@pytest.mark.req("IX-141", "IX-258")
def test_of_a_pair_of_addresses_the_only_one_is_used_else_the_choice():
    plain, secure = "http://a.example/", "https://a.example/"
    assert http.either(plain, None) == plain
    assert http.either(None, secure, prefer_secure=False) == secure
    assert http.either(plain, secure) == secure
    assert http.either(plain, secure, prefer_secure=False) == plain
    assert http.either(None, None) is None


@pytest.mark.req("IX-258")
def test_a_secure_address_is_one():
    with pytest.raises(RemoteProtocolError):
        http.either(None, "http://a.example/")


@pytest.mark.parametrize(
    "url",
    ["", "a.example", "file:///etc/passwd", "ftp://a.example", "http://", "http://u:p@a.example/",
     "http://a.example:99999/", "http://a.example\\@b/", "http://a.example/\r\nX: y",
     "javascript:alert(1)", "http://[::1/"],
)  # fmt: skip
def test_what_is_no_address_is_not_posted_to(url):
    with pytest.raises(LocalProtocolError):
        http.request(url, b"")


@pytest.mark.req("IX-252", "IX-143")
def test_each_message_of_a_purchase_goes_where_the_messages_say():
    where = [http.destination(one, TALK.known) for one in TALK.messages]
    bank, shop = "https://bank.example/pay", "https://shop.example/iotp"
    assert where == [None, shop, None, bank, bank, bank, None, "https://courier.example/go", None]
    asked, answered = t.inquiry(TALK)
    assert http.destination(asked, TALK.known) == bank
    assert http.destination(answered, TALK.known) is None
    assert http.destination(t.authentication().messages[1], TALK.known) == shop


@pytest.mark.parametrize(("kind", "where"), [
    ("Offer", "https://shop.example/iotp"), ("Delivery", "https://courier.example/go"),
    ("x-other", None),
])  # fmt: skip
def test_an_inquiry_goes_to_whom_it_is_about(kind, where):
    block = b.InquiryReqBlk(id="I1.2", inquiry_type=c.InquiryType(id="I1.3", type=kind))
    assert http.destination(t.message(block, prefix="I"), TALK.known) == where


@pytest.mark.req("IX-144")
def test_a_cancel_after_an_exchange_goes_to_the_sender_of_the_options():
    assert http.sender_of_options(TALK.known) == "https://shop.example/iotp"
    assert http.destination(t.cancelled().messages[1], TALK.known) is None
    assert http.sender_of_options(t.Known()) is None


@pytest.mark.req("IX-254", "IX-147")
def test_the_browser_goes_to_the_page_of_the_end():
    known = TALK.known
    assert http.page_after(Ending.SUCCESS, known) == "https://shop.example/thanks"
    assert http.page_after(Ending.ERROR, known, "M1.21") == "https://paymenthandler.example/error"
    assert http.page_after(Ending.CANCEL, known, "M1.11") == "https://merchant.example/cancel"
    assert http.page_after(Ending.CANCEL, known, "M1.41") is None
    assert http.page_after(Ending.ERROR, known) is None
    assert http.error_log(known, "M1.21") == "https://paymenthandler.example/log"
    assert http.error_log(known, None) is None


@pytest.mark.req("IX-238")
@pytest.mark.parametrize(
    ("place", "size", "depth", "address"),
    [
        ("http://a/logo", LogoSize.MEDIUM, LogoDepth.EIGHT, "http://a/logo/medium.gif"),
        ("http://a/logo/", LogoSize.EXTRA_SMALL, LogoDepth.FOUR, "http://a/logo/exsmall4.gif"),
        ("http://a/", LogoSize.EXTRA_LARGE, LogoDepth.TWENTY_FOUR, "http://a/exlarge24.gif"),
    ],
)
def test_logos_have_addresses(place, size, depth, address):
    assert http.logo_address(place, size, depth) == address
