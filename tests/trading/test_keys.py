"""Keys of trading servers: those that follow from a secret, and those of their own, in files."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tollbridge.faces.iotp import face
from tollbridge.faces.iotp.message.signing import KeyName, Suite
from tollbridge.ground.clock import SystemClock
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.ids import RandomIds
from tollbridge.ground.secret import Secret
from tollbridge.server.trading_keys import Derived, derived, equip, public_pem
from tollbridge.trading import wallet

SECRET = Secret("a secret of this test")


def made(settings):
    trading = face(settings, SystemClock(), RandomIds())
    equip(trading, SystemClock())
    return trading


def test_a_handler_without_keys_believes_nobody():
    handler = face({}, SystemClock(), RandomIds()).handler
    own = derived(SECRET, "shop.example")
    name = KeyName("shop.example", own.key_id)
    assert not handler.settings.verifier.verify(Suite.ED25519, name, b"x", own.sign(b"x"))


def test_keys_that_follow_from_one_secret_are_those_of_one_house_each():
    own = derived(SECRET, "Shop.example")
    value = own.sign(b"data")
    verifier = Derived(SECRET)
    right = KeyName("shop.EXAMPLE", own.key_id)
    assert verifier.verify(Suite.ED25519, right, b"data", value)
    assert not verifier.verify(Suite.ED25519, KeyName("pay.example", own.key_id), b"data", value)
    assert not verifier.verify(Suite.ED25519, right, b"other", value)
    assert not Derived(Secret("another")).verify(Suite.ED25519, right, b"data", value)


def test_a_house_with_a_key_of_its_own_is_believed_by_who_was_given_its_public_half(tmp_path):
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "shop.key").write_bytes(pem)
    shop = made({"signing_key": str(tmp_path / "shop.key"), "roles": ["merchant"]})
    signer = shop.merchant.settings.seal.signer
    (tmp_path / "shop.pem").write_bytes(public_pem(signer))
    pay = made({"trusted": {"Shop.example": str(tmp_path / "shop.pem")}, "roles": ["payment"]})
    verifier = pay.handler.settings.verifier
    name = KeyName("shop.example", signer.key_id)
    assert verifier.verify(Suite.ED25519, name, b"data", signer.sign(b"data"))
    other = derived(Secret("tollbridge demonstration, for tests only"), "shop.example")
    assert not verifier.verify(Suite.ED25519, name, b"data", other.sign(b"data"))


@pytest.mark.parametrize("setting", ["signing_key", "trusted"])
def test_a_file_that_is_missing_or_no_key_is_a_configuration_error(tmp_path, setting):
    (tmp_path / "nonsense").write_text("nonsense")
    for file, text in (("nowhere", "nowhere"), ("nonsense", "PEM")):
        given = str(tmp_path / file)
        value = given if setting == "signing_key" else {"pay.example": given}
        with pytest.raises(ConfigError, match=text):
            made({setting: value})


def test_a_wallet_keeps_whom_it_believes_and_takes_no_nonsense(tmp_path):
    wallet.add(tmp_path, "card", wallet.test_card("visa", SECRET))
    own = derived(SECRET, "pay.example")
    wallet.trust(tmp_path, {"Pay.example": public_pem(own)})
    verifiers = wallet.verifiers(wallet.read(tmp_path), SystemClock())
    name = KeyName("pay.example", own.key_id)
    assert verifiers["pay.example"].verify(Suite.ED25519, name, b"data", own.sign(b"data"))
    assert wallet.read(tmp_path).instruments["card"], "the instruments are still there"
    with pytest.raises(ConfigError):
        wallet.trust(tmp_path, {"x.example": b"nonsense"})
