"""Standard Webhooks: the published example, and what is no signature."""

import base64

import pytest

from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import Secret
from tollbridge.wire import webhook
from tollbridge.wire.http import Headers

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE, AT_S, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def fields(signature, message=MESSAGE, at=AT_S):
    return Headers([("webhook-id", message), ("webhook-timestamp", str(at)),
                    ("webhook-signature", signature)])  # fmt: skip


def test_the_published_example_comes_out():
    keys = webhook.keys_of(Secret(KEY))
    assert webhook.sign(keys, MESSAGE, AT_S, BODY) == SIGNED
    assert webhook.check(keys, fields(SIGNED), BODY, AT_S) == (MESSAGE, AT_S)


def test_one_right_signature_among_others_is_enough_and_a_long_row_is_not_read():
    keys = webhook.keys_of(Secret(KEY))
    webhook.check(keys, fields(f"v2,x v1,AAAA {SIGNED}"), BODY, AT_S)
    with pytest.raises(RemoteProtocolError):
        webhook.check(keys, fields(f"{'v1,AAAA ' * 50}{SIGNED}"), BODY, AT_S)


@pytest.mark.parametrize(
    ("signature", "message", "at", "now", "hint"),
    [
        (SIGNED, MESSAGE, AT_S, AT_S + 301, "stale"),
        (SIGNED, MESSAGE, AT_S, AT_S - 301, "stale"),
        (SIGNED, "msg_other", AT_S, AT_S, "forged"),
        (SIGNED, MESSAGE, AT_S + 1, AT_S, "forged"),
        (SIGNED.replace("v1", "v1a"), MESSAGE, AT_S, AT_S, "forged"),
        ("", MESSAGE, AT_S, AT_S, "unsigned"),
        (SIGNED, "", AT_S, AT_S, "unsigned"),
        (SIGNED, MESSAGE, "-1", AT_S, "unsigned"),
        (SIGNED, MESSAGE, "1e9", AT_S, "unsigned"),
    ],
)
def test_what_is_wrong_is_told(signature, message, at, now, hint):
    with pytest.raises(RemoteProtocolError) as error:
        webhook.check(webhook.keys_of(Secret(KEY)), fields(signature, message, at), BODY, now)
    assert error.value.hint == hint


def test_keys_have_a_form():
    short, long = (base64.b64encode(bytes(n)).decode() for n in (23, 65))
    for text in (
        "",
        " ",
        "abc",
        "whsec_",
        f"whsec_{short}",
        f"whsec_{long}",
        f"{KEY} x",
        "whsec_é",
    ):
        with pytest.raises(ValueError, match="key"):
            webhook.keys_of(Secret(text))
    assert len(webhook.keys_of(Secret(f"{KEY} {KEY}"))) == 2
