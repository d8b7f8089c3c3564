"""X.509 certificates in signatures: sent along, verified up to an authority, then believed."""

import asyncio
import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.processes import Process
from tests.psp.authority import Authority
from tests.trading.test_processes import SECRET, yes
from tollbridge.faces.iotp.message import codec
from tollbridge.faces.iotp.message.blocks import PayRespBlk
from tollbridge.faces.iotp.message.signing import X509, KeyName, Suite
from tollbridge.faces.iotp.roles.consumer import Buy
from tollbridge.faces.iotp.roles.opening import CARDS
from tollbridge.faces.iotp.roles.sealing import Proof
from tollbridge.ground.clock import SystemClock
from tollbridge.ground.errors import ConfigError
from tollbridge.server import certificates
from tollbridge.server.signing import PrivateKeySigner
from tollbridge.testing.clock import ManualClock
from tollbridge.trading import wallet
from tollbridge.trading.house import House

NAMES = ("shop.example", "pay.example", "delivery.example")


def certified(authority, *names):
    """Give a key and its certificate by an authority, as PEM both."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    made = (
        authority._builder(subject, key.public_key())
        .add_extension(alternatives, critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return secret, made.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "known")


def sealed(authority, name="pay.example"):
    secret, pem = certified(authority, name)
    signer = PrivateKeySigner.of_pem(secret, name)
    return signer, certificates.read(pem, signer)


@pytest.mark.req("IX-240")
def test_a_certificate_that_leads_to_an_authority_is_believed_for_the_name_in_it(authority):
    signer, part = sealed(authority)
    assert part.type == X509
    anchors = certificates.Anchors.of_pem(authority.file.read_bytes(), SystemClock())
    value = signer.sign(b"data")
    name = KeyName("Pay.example", "pay.example", part)
    assert anchors.verify(Suite.ECDSA_P256, name, b"data", value)
    assert not anchors.verify(Suite.ECDSA_P256, name, b"other", value)
    assert not anchors.verify(Suite.ED25519, name, b"data", value)
    assert not anchors.verify(Suite.ECDSA_P256, replace(name, org_id="shop.example"), b"data",
                              value)  # fmt: skip
    assert not anchors.verify(Suite.ECDSA_P256, replace(name, certificate=None), b"data", value)


def test_a_certificate_of_another_authority_or_one_that_has_expired_is_not(authority, tmp_path):
    signer, part = sealed(authority)
    name, value = KeyName("pay.example", "", part), signer.sign(b"data")
    other = Authority(tmp_path, "other").file.read_bytes()
    strangers = certificates.Anchors.of_pem(other, SystemClock())
    assert not strangers.verify(Suite.ECDSA_P256, name, b"data", value)
    later = ManualClock()
    later.advance(timedelta(days=30 * 365).total_seconds())
    late = certificates.Anchors.of_pem(authority.file.read_bytes(), later)
    assert not late.verify(Suite.ECDSA_P256, name, b"data", value)


@pytest.mark.parametrize("what", ["number", "type", "text", "length"])
def test_a_part_that_says_something_else_than_its_certificate_is_not_believed(authority, what):
    signer, part = sealed(authority)
    anchors = certificates.Anchors.of_pem(authority.file.read_bytes(), SystemClock())
    named = part.issuer_and_serial_number
    long = base64.b64encode(b"x" * certificates.CERTIFICATE_BYTES_MAX).decode()
    wrong = {
        "number": replace(part, issuer_and_serial_number=replace(named, number="7")),
        "type": replace(part, type="x-other"),
        "text": replace(part, value=replace(part.value, text="AAAA")),
        "length": replace(part, value=replace(part.value, text=long)),
    }[what]
    name, value = KeyName("pay.example", "", wrong), signer.sign(b"data")
    assert not anchors.verify(Suite.ECDSA_P256, name, b"data", value)


def test_a_certificate_of_another_key_or_no_certificate_is_a_configuration_error(authority):
    signer, _ = sealed(authority)
    _, other = certified(authority, "pay.example")
    for pem in (other, b"nonsense"):
        with pytest.raises(ConfigError, match="the certificate of"):
            certificates.read(pem, signer)
    with pytest.raises(ConfigError, match="trust_anchors"):
        certificates.Anchors.of_pem(b"nonsense", SystemClock())


@pytest.mark.req("IX-240", "IX-248")
def test_servers_sign_with_certificates_and_a_wallet_believes_their_authority(tmp_path, authority):
    secret, pem = certified(authority, *NAMES)
    (tmp_path / "house.key").write_bytes(secret)
    (tmp_path / "house.crt").write_bytes(pem)
    (tmp_path / "iotp.toml").write_text(f"""
        [faces.iotp]
        signing_key = "house.key"
        signing_certificate = "house.crt"
        trust_anchors = "{authority.file}"
    """)
    stranger = Authority(tmp_path, "stranger")
    homes = {"known": authority, "stranger": stranger, "nobody": None}
    for name, believed in homes.items():
        wallet.add(tmp_path / name, CARDS, wallet.test_card("visa", SECRET))
        if believed is not None:
            wallet.anchor(tmp_path / name, believed.file.read_bytes(), SystemClock())

    async def buy(url, home):
        async with House(tmp_path / home, yes, limit_s=10) as house:
            traded = await house.order(Buy(f"{url}/iotp/merchant?item=ebook"))
            return traded, await house.letters(traded.name)

    with Process(tmp_path, "iotp", "serve", "--port", "0", "--config", "iotp.toml") as server:
        traded, letters = asyncio.run(buy(server.url, "known"))
        unknown, _ = asyncio.run(buy(server.url, "nobody"))
        refused, _ = asyncio.run(buy(server.url, "stranger"))
    assert traded.complete
    assert (traded.payments[0].proof, traded.delivery.proof) == (Proof.VERIFIED, Proof.VERIFIED)
    assert unknown.payments[0].proof == Proof.UNKNOWN
    assert not refused.complete
    response = next(one for one in map(codec.read, (one.body for one in letters))
                    if one.block(PayRespBlk) is not None)  # fmt: skip
    [certificate] = response.signatures.certificates
    assert certificate.type == X509
