"""Settings: what cannot work is told at once, all of it."""

import pytest

from tests.faces.webinos.counter import SELLERS
from tollbridge.faces.webinos import provider
from tollbridge.faces.webinos.settings import Policy
from tollbridge.ground.errors import ConfigError


def problems(**settings):
    with pytest.raises(ConfigError) as error:
        provider(settings)
    return error.value.problems


def test_everything_that_is_wrong_is_said():
    found = problems(
        url="pay.example/path",
        colour="red",
        strict="yes",
        deadline_s=0,
        compat_origins=["localhost"],
        policy={"kinds": ["smoke"], "attempts": 0, "expires_s": 0, "amount_minor": -1,
                "customer_max": -1, "window_s": 0},
        services=[{"path": "UP"}, {"path": "UP"}, 5, {"payer": "nobody"}],
        sellers={
            "a": {"publishable_key": "pk_same_1", "secret_key": "pk_same_1"},
            "b": {"publishable_key": "pk", "kind": "thing", "origins": ["shop.example/x"],
                  "currencies": ["XXZ"], "notices_url": "ftp://x", "signed_bills": "never"},
            "d": {"publishable_key": "pk_d_0001", "secret_key": "sk_short", "signed_bills":
                  "required"},
            "c": 5,
        },
        customers={"x": {"instruments": [
            {"number": "4242", "expiry": "13/30"}, 7, {"token": "tel:+1"},
            {"token": "t", "bridge": "b", "number": "4242424242424242"},
        ]}},
    )  # fmt: skip
    for part in (
        "url:", "colour:", "strict:", "deadline_s:", "compat_origins:", "policy.kinds",
        "policy.attempts", "policy.expires_s", "policy.amount_minor",
        "policy.customer_max", "policy.window_s", "services.0.path",
        "services.1: looks", "services.2:", "a.secret_key: is another", "b.publishable_key",
        "b.secret_key", "b.signed_bills", "d.secret_key: at least 24",
        "b.kind", "b.origins", "b.currencies", "b.notices_url", "b.notices_key",
        "sellers.c:", "instruments.0.number", "instruments.0.expiry", "instruments.1",
        "instruments.2: a token goes", "instruments.3: a token goes",
        "services.3.payer",
    ):  # fmt: skip
        assert any(part in problem for problem in found), part
    assert problems(services=[])


def test_settings_become_a_provider():
    made = provider(
        {
            "url": "https://pay.example",
            "sellers": SELLERS,
            "policy": {"amount_minor": 5, "kinds": ["image"], "expires_s": 1},
            "customers": {"x": {"mark": "fox blue"}},
            "unknown_s": 5,
        }
    )
    assert made.policy == Policy(amount_minor=5, kinds=("image",), expires_s=1)
    assert made.sellers["grace"].kind == "person"
    assert made.knows("https://shop.example")
    assert not made.knows("")
    assert "sk_shop_1" not in repr(made)
    assert provider({}).sellers == {}
