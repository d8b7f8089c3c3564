"""Signatures: what they cover, who made them, and every way to break them."""

import base64
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from tests.faces.iotp.message import trading as t
from tollbridge.faces.iotp.message import authorisation, codec, rules, signing
from tollbridge.faces.iotp.message import signatures as g
from tollbridge.faces.iotp.message.codec import PLANS
from tollbridge.faces.iotp.message.naming import Numbers
from tollbridge.faces.iotp.message.references import Known
from tollbridge.faces.iotp.message.signing import (
    HmacKey,
    KeyName,
    Keyring,
    Recipient,
    SignatureKind,
    Suite,
    Verified,
)
from tollbridge.ground.errors import ConfigError, UsageError
from tollbridge.server.signing import PrivateKeySigner, PublicKeys

TALK = t.purchase()
OFFERED, ASKED, PAID = TALK.messages[2], TALK.messages[3], TALK.messages[6]
BANK = HmacKey(bytes(range(32)), "bank", of="bank.example")


def made(key, *, recipients=("M1.20",), kind=SignatureKind.OFFER_RESPONSE, originator="M1.10"):
    """An offer at once, signed with a key, as it was read."""
    unsigned = t.message(t.tpo(), t.offer())
    signed = signing.sign(unsigned, kind, [Recipient(key, recipients)],
                          t.after(Numbers("M", 1), 100), originator=originator)  # fmt: skip
    return codec.read(codec.write(signed, validate=True))


def verified(message, key, us="bank.example", known=signing.NOTHING, **more):
    (one,) = signing.verify(message, us, key, known=known, **more)
    return one


def spoilt(message, *changes):
    text = codec.write(message).decode()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return codec.read(text)


# What is covered


@pytest.mark.req("IX-240", "IX-245", "IX-246", "IX-247", "IX-182")
def test_an_offer_covers_what_the_standard_lists():
    found = verified(OFFERED, t.KEY, known=TALK.known)
    assert found.good
    assert (found.kind, found.signer) == (SignatureKind.OFFER_RESPONSE, "shop.example")
    elements = {name: TALK.known.get(name).name for name in found.covered}
    assert sorted(elements.values()) == sorted(
        ["TransRefBlk", "TransId", "ProtocolOptions", "Org", "Org", "Org", "Org", "BrandList",
         "BrandSelection", "Order", "Payment", "Delivery", "TradingRoleData"]
    )  # fmt: skip
    assert {"M1.2", "M2.1", "M1.4", "M1.50", "M2.70", "M2.71", "M2.73"} <= set(found.covered)


@pytest.mark.req("IX-182", "IX-247")
def test_a_payment_handler_finds_the_offer_covered_in_the_request():
    """It holds nothing but the request: what stands elsewhere it cannot compare."""
    (found,) = signing.verify(ASKED, "bank.example", t.KEY)
    assert found.good
    assert "M2.1" in found.elsewhere
    assert authorisation.not_covered(ASKED.blocks[0], [found]) == ()


@pytest.mark.req("IX-247", "IX-248")
def test_a_receipt_covers_the_offers_signature_and_the_data_it_names():
    found = verified(PAID, BANK, "shop.example", TALK.known)
    assert found.good
    assert found.kind is SignatureKind.PAYMENT_RESPONSE
    names = [TALK.known.get(name).name for name in found.covered]
    assert sorted(names) == ["BrandSelection", "PayReceipt", "PaySchemeData", "PaymentNote",
                             "Signature", "Status", "TransId", "TransRefBlk"]  # fmt: skip
    scheme = next(name for name in found.covered if TALK.known.get(name).name == "PaySchemeData")
    assert TALK.known.get(scheme).find("PackagedContent").get("Name") == "ExchP1"


@pytest.mark.req("IX-247")
@pytest.mark.parametrize(
    ("kind", "message", "known", "names"),
    [
        (SignatureKind.AUTHENTICATION_REQUEST, 0, 0,
         "AuthReq Org ProtocolOptions TradingRoleInfoReq TransId TransRefBlk"),
        (SignatureKind.AUTHENTICATION_RESPONSE, 1, 1,
         "AuthReq Org TradingRoleInfoReq TransId TransRefBlk"),
        (SignatureKind.AUTHENTICATION_STATUS, 2, 2, "Status TransId TransRefBlk"),
    ],
)  # fmt: skip
def test_each_kind_covers_its_components(kind, message, known, names):
    talk = t.authentication()
    before = Known.of(*(one.source for one in talk.messages[:known]))
    covered = signing.coverage(kind, talk.messages[message].source, before)
    assert sorted(element.name for _, element in covered) == names.split()


@pytest.mark.req("IX-247", "IX-237")
def test_inquiries_pings_and_deliveries_cover_theirs():
    def names(kind, message, known=signing.NOTHING):
        return sorted(one.name for _, one in signing.coverage(kind, message.source, known))

    asked, answered = t.inquiry(TALK)
    head = ["TransId", "TransRefBlk"]
    assert names(SignatureKind.INQUIRY_REQUEST, asked) == ["InquiryType", *head]
    assert names(SignatureKind.INQUIRY_RESPONSE, answered) == ["InquiryRespBlk", "Status", *head]
    ping, pong = t.ping(signed=True).messages
    assert names(SignatureKind.PING_REQUEST, ping) == ["Org", "Org", *head]
    assert names(SignatureKind.PING_RESPONSE, pong) == ["Org", *head]
    request, delivered = TALK.messages[7:]
    assert names(SignatureKind.DELIVERY_RESPONSE, delivered, Known.of(request.source)) == [
        "ConsumerDeliveryData", "DeliveryNote", "Signature", "Status", *head,
    ]  # fmt: skip


@pytest.mark.req("IX-261", "IX-247")
def test_every_kind_is_made_of_elements_that_exist():
    for names in (*signing._HERE.values(), *signing._BEFORE.values()):
        assert set(names) <= set(PLANS)
    assert set(signing._HERE) == set(SignatureKind)
    assert {"AuthenticationStatus", "InquiryRequest", "InquiryResponse"} <= set(SignatureKind)


@pytest.mark.req("IX-237", "IX-218")
def test_a_signed_ping_is_verified():
    ping = t.ping(signed=True).messages[0]
    key = HmacKey(bytes(range(32)), "pings", of="bank.example")
    assert verified(ping, key, "shop.example").good
    assert not verified(ping, HmacKey(bytes(32), "pings", of="bank.example"), "shop.example").good


@pytest.mark.req("IX-247")
def test_a_signature_is_carried_into_the_next_request():
    request = t.message(t.pay_req(TALK.known, pay="M2.71", offer_of="M2"), prefix="C", number=2,
                        answers="M2")  # fmt: skip
    numbers = t.after(Numbers("C", 2), 100)
    carried = signing.carry(request, [OFFERED], numbers)
    read = codec.read(codec.write(carried, validate=True))
    assert read.signatures.signatures == OFFERED.signatures.signatures
    assert verified(read, t.KEY).good
    assert signing.carry(request, [TALK.messages[0]], numbers) is request
    both = signing.carry(TALK.messages[7], [OFFERED, PAID], numbers)
    assert len(both.signatures.signatures) == 2
    assert codec.read(codec.write(both, validate=True))


# Breaking them


@pytest.mark.req("IX-156", "IX-182")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('Amount="24.90"', 'Amount="2.90"'),
        ('OrgId="bank.example"', 'OrgId="BANK.example"'),
        ('SignedPayReceipt="True"', 'SignedPayReceipt="False"'),
        ("for the bank", "for the  bank"),
        ('SecPayReqNetLocn="https://bank.example/pay"', 'SecPayReqNetLocn="https://evil/pay"'),
        ('<TransId ID="M1.2" Version="1.0"', '<TransId ID="M1.2"'),
    ],
)
def test_whatever_is_changed_is_found(old, new):
    found = verified(spoilt(made(t.KEY), (old, new)), t.KEY)
    assert not found.good
    assert "digest of" in found.faults[0].rule
    assert found.faults[0].place == "/IotpMessage/IotpSignatures/Signature"
    (compared,) = signing.compare(spoilt(made(t.KEY), (old, new)))
    assert compared.faults


@pytest.mark.req("IX-156")
def test_how_a_message_is_written_does_not_count():
    text = codec.write(made(t.KEY)).decode()
    other = text.replace('<IotpMessage xmlns="iotp:ietf.org/iotp-v1.0">',
                         "<IotpMessage xmlns='iotp:ietf.org/iotp-v1.0' >").replace(
        ' Version="1.0" IotpTransId=', " Version='&#49;.0'\n IotpTransId=")  # fmt: skip
    assert other != text
    assert verified(codec.read(other), t.KEY).good


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('type="IOTPSignatureType" critical="true">OfferResponse', ('type="IOTPSignatureType" '
         'critical="true">PingRequest'), "value is wrong"),
        ('OriginatorRef="M1.10"', 'OriginatorRef="M1.20"', "signed by a Merchant"),
        ('OriginatorRef="M1.10"', 'OriginatorRef="M1.50"', "names an organisation"),
        ('OriginatorRef="M1.10"', "", "names an organisation"),
        (">OfferResponse<", ">Lottery<", "which type"),
        ('name="x-hmac-sha256"', 'name="x-none"', "not known"),
        ('KeyIdentifier value="shop-and-bank"', 'KeyIdentifier value="other"', "value is wrong"),
        ('LocatorHRefBase="iotp:2026', 'LocatorHRefBase="iotp:2025', "value is wrong"),
        ('RecipientRefs="M1.20"', 'RecipientRefs="M1.20 M1.30"', "value is wrong"),
        ('href="#M1.2"', 'href="#M1.1"', "value is wrong"),
    ],
)  # fmt: skip
@pytest.mark.req("IX-246", "IX-156")
def test_a_manifest_that_is_changed_is_found(old, new, said):
    found = verified(spoilt(made(t.KEY), (old, new)), t.KEY)
    assert not found.good
    assert said in found.faults[0].rule


@pytest.mark.req("IX-240")
@pytest.mark.parametrize(("critical", "good"), [("true", False), ("false", True)])
def test_an_unknown_attribute_counts_when_it_is_critical(critical, good):
    message = made(t.KEY)
    signature = message.signatures.signatures[0]
    attribute = g.Attribute(type="Colour", critical=critical == "true", content=("blue",))
    manifest = replace(signature.manifest, attributes=(*signature.manifest.attributes, attribute))
    value = t.KEY.sign(signing.to_sign(codec.element_of(manifest)))
    changed = replace(signature, manifest=manifest, values=(
        replace(signature.values[0], text=base64.b64encode(value).decode()),))  # fmt: skip
    again = replace(message, signatures=replace(message.signatures, signatures=(changed,)))
    found = verified(codec.read(codec.write(again, validate=True)), t.KEY)
    assert found.good is good
    if not good:
        assert "'Colour'" in found.faults[0].rule


@pytest.mark.req("IX-246")
@pytest.mark.parametrize("name", ["IOTP-Signature-Type", "iotpsignaturetype", "IOTP_SignatureType"])
def test_the_type_is_known_however_it_is_spelt(name):
    message = spoilt(made(t.KEY), ('type="IOTPSignatureType"', f'type="{name}"'))
    assert signing.kind_of(message.signatures.signatures[0]) is SignatureKind.OFFER_RESPONSE


@pytest.mark.req("IX-261")
def test_the_printed_name_of_a_pings_signature_is_known():
    message = spoilt(t.ping(signed=True).messages[0], (">PingRequest<", ">PingReq<"))
    assert signing.kind_of(message.signatures.signatures[0]) is SignatureKind.PING_REQUEST


def test_a_signature_for_others_is_none_of_ours():
    found = verified(made(t.KEY), t.KEY, "courier.example")
    assert not found.for_us
    assert not found.good
    assert found.faults == ()
    assert verified(made(t.KEY), t.KEY, "nobody.example") == found
    assert signing.verify(TALK.messages[0], "bank.example", t.KEY) == ()


def test_a_signature_by_somebody_elses_key_is_wrong():
    """The key is right and the value, but it is not the merchant's."""
    other = HmacKey(bytes(range(32)), "shop-and-bank", of="thief.example")
    assert not verified(made(t.KEY), other).good
    assert verified(made(t.KEY), Keyring(other, t.KEY)).good


def test_a_transaction_is_always_covered():
    message = made(t.KEY)
    signature = message.signatures.signatures[0]
    fewer = tuple(one for one in signature.manifest.digests if one.locator.href != "#M1.2")
    manifest = replace(signature.manifest, digests=fewer)
    value = base64.b64encode(t.KEY.sign(signing.to_sign(codec.element_of(manifest)))).decode()
    changed = replace(signature, manifest=manifest,
                      values=(replace(signature.values[0], text=value),))  # fmt: skip
    again = replace(message, signatures=replace(message.signatures, signatures=(changed,)))
    found = verified(codec.read(codec.write(again)), t.KEY)
    assert "M1.2 is not covered" in found.faults[0].rule


def test_a_part_in_the_message_is_what_must_be_right():
    """What an earlier message said does not stand for what this one says."""
    changed = spoilt(ASKED, ('Amount="24.90"', 'Amount="2.90"'))
    (found,) = signing.verify(changed, "bank.example", t.KEY, known=TALK.known)
    assert not found.good


@pytest.mark.req("IX-245")
@pytest.mark.parametrize(
    ("base", "href", "good"),
    [("iotp:T", "#M1.2", True), ("iotp:T#", "M1.2", True), ("iotp:T", "M1.2", True),
     ("", "iotp:T#M1.2", True), ("", "M1.2", True), ("iotp:", "T#M1.2", True),
     ("iotp:U", "#M1.2", False), ("", "iotp:U#M1.2", False)],
)  # fmt: skip
def test_a_reference_is_put_together(base, href, good):
    name = TALK.trans.iotp_trans_id
    root = OFFERED.source
    verification = signing._Verification(OFFERED, TALK.known, root, root, {}, legacy=False)
    manifest = OFFERED.signatures.signatures[0].manifest
    one = replace(manifest.digests[0], locator=g.Locator(href=href.replace("T", name)))
    manifest = replace(manifest, locator_href_base=base.replace("T", name) or None)
    if good:
        assert verification.target(manifest, one) == "M1.2"
    else:
        with pytest.raises(signing._Wrong):
            verification.target(manifest, one)


@pytest.mark.req("IX-243")
def test_each_recipient_has_a_value_of_its_own():
    other = HmacKey(b"x" * 32, "courier-key", of="shop.example")
    unsigned = t.message(t.tpo(), t.offer())
    recipients = [Recipient(t.KEY, ("M1.20",)), Recipient(other, ("M1.30",))]
    signed = signing.sign(unsigned, SignatureKind.OFFER_RESPONSE, recipients,
                          t.after(Numbers("M", 1), 100), originator="M1.10")  # fmt: skip
    read = codec.read(codec.write(signed, validate=True))
    assert len(read.signatures.signatures[0].values) == 2
    assert verified(read, t.KEY, "bank.example").good
    assert verified(read, other, "courier.example").good
    assert not verified(read, t.KEY, "courier.example").good
    assert rules.of(read) == ()


@pytest.mark.req("IX-182")
def test_a_signature_needs_one_kind_of_suite_and_somebody():
    unsigned = t.message(t.tpo(), t.offer())
    for recipients in ([], [Recipient(t.KEY, ()), Recipient(t.LEGACY_KEY, ())]):
        with pytest.raises(UsageError):
            signing.sign(unsigned, SignatureKind.OFFER_RESPONSE, recipients, Numbers("M", 1),
                         originator="M1.10")  # fmt: skip


# Keys with two halves


ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
P256 = ec.derive_private_key(12345, ec.SECP256R1())


def pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())  # fmt: skip


def public_pem(key):
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, info)


@pytest.mark.parametrize(
    ("key", "suite"), [(ED25519, Suite.ED25519), (P256, Suite.ECDSA_P256)], ids=["Ed25519", "P-256"]
)
def test_a_private_key_signs_and_its_public_key_verifies(key, suite):
    signer = PrivateKeySigner.of_pem(pem(key), "shop-2026")
    assert signer.suite is suite
    message = made(signer)
    ring = PublicKeys.of_pem({"shop-2026": ("Shop.example", public_pem(key))})
    assert verified(message, ring).good
    for wrong in (
        PublicKeys({}),
        PublicKeys.of_pem({"shop-2026": ("thief.example", public_pem(key))}),
        PublicKeys.of_pem({"shop-2025": ("shop.example", public_pem(key))}),
        PublicKeys.of_pem({"shop-2026": ("shop.example", public_pem(
            ed25519.Ed25519PrivateKey.generate()))}),
        PublicKeys.of_pem({"shop-2026": ("shop.example", public_pem(
            ec.generate_private_key(ec.SECP256R1())))}),
    ):  # fmt: skip
        assert not verified(message, wrong).good
    assert "Ed25519PrivateKey" not in repr(signer)


def test_an_ed25519_signature_is_the_same_every_time():
    """A vector: the key is the bytes 0 to 31, the message is the golden offer's."""
    signer = PrivateKeySigner.of_pem(pem(ED25519), "shop-2026")
    value = made(signer).signatures.signatures[0].values[0].text
    assert value == (
        "7uC2/dt7uYSHwJx0QCxB3JS81L73sEKFZq7wROj66+XxZx7ML6btGEREHKjNp+2k+wlYufnNJad5E2uyiF5oAw=="
    )


def test_a_value_that_is_cut_or_no_base_64_is_wrong():
    signer = PrivateKeySigner.of_pem(pem(P256), "k")
    ring = PublicKeys({"k": ("shop.example", P256.public_key())})
    message = made(signer)
    value = message.signatures.signatures[0].values[0].text
    for other in (value[:40], "", "****"):
        assert not verified(spoilt(message, (value, other)), ring).good


@pytest.mark.parametrize("text", [b"", b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"])
def test_what_is_no_key_is_refused_with_its_name(text):
    with pytest.raises(ConfigError, match="the key k"):
        PrivateKeySigner.of_pem(text, "k")
    with pytest.raises(ConfigError, match="the key k"):
        PublicKeys.of_pem({"k": ("a.example", text)})


def test_a_key_of_a_kind_that_is_not_used_is_refused():
    other = ec.generate_private_key(ec.SECP384R1())
    with pytest.raises(ConfigError):
        PrivateKeySigner.of_pem(pem(other), "k")
    with pytest.raises(ConfigError):
        PrivateKeySigner(Suite.ED25519, "k", P256)
    with pytest.raises(UsageError):
        HmacKey(b"x", "k", suite=Suite.ED25519)


# Of old


RSA = rsa.generate_private_key(65537, 2048)
DSA = dsa.generate_private_key(1024)


@pytest.mark.req("IX-241", "IX-242")
@pytest.mark.parametrize(
    ("signer", "ring", "length"),
    [
        (t.LEGACY_KEY, t.LEGACY_KEY, 20),
        (PrivateKeySigner.of_pem(pem(DSA), "k", legacy=True),
         PublicKeys({"k": ("shop.example", DSA.public_key())}, legacy=True), None),
        (PrivateKeySigner.of_pem(pem(RSA), "k", legacy=True),
         PublicKeys({"k": ("shop.example", RSA.public_key())}, legacy=True), 256),
        (PrivateKeySigner.of_pem(pem(P256), "k", legacy=True),
         PublicKeys({"k": ("shop.example", P256.public_key())}, legacy=True), 64),
    ],
    ids=["HMAC", "DSA", "RSA", "ECDSA"],
)  # fmt: skip
def test_signatures_of_old_are_made_and_read_behind_the_switch(signer, ring, length):
    message = made(signer)
    assert verified(message, ring, legacy=True).good
    refused = verified(message, ring)
    assert not refused.good
    assert "not accepted here" in refused.faults[0].rule
    changed = spoilt(message, ('Amount="24.90"', 'Amount="2.90"'))
    assert not verified(changed, ring, legacy=True).good
    value = base64.b64decode(message.signatures.signatures[0].values[0].text)
    assert length in {None, len(value)}


@pytest.mark.req("IX-242")
@pytest.mark.parametrize(
    ("old", "new"),
    [("urn:ibm-com:dom-hash", "urn:ibm:dom-hash"), ("urn:nist-gov:sha1", "urn:fips:sha1"),
     ("urn:ietf-org:hmac", "urn:ibm:hmac")],
)  # fmt: skip
def test_the_names_of_both_standards_are_known(old, new):
    message = made(t.LEGACY_KEY)
    signature = message.signatures.signatures[0]
    algorithms = tuple(
        replace(one, name=one.name.replace(old, new)) for one in signature.manifest.algorithms
    )
    manifest = replace(signature.manifest, algorithms=algorithms)
    value = t.LEGACY_KEY.sign(signing.to_sign(codec.element_of(manifest), legacy=True))
    changed = replace(signature, manifest=manifest, values=(
        replace(signature.values[0], text=base64.b64encode(value).decode()),))  # fmt: skip
    again = replace(message, signatures=replace(message.signatures, signatures=(changed,)))
    read = codec.read(codec.write(again, validate=True))
    assert new.encode() in codec.write(read)
    assert verified(read, t.LEGACY_KEY, legacy=True).good


@pytest.mark.req("IX-241")
def test_an_hmac_may_be_cut_but_not_short():
    right = t.LEGACY_KEY.sign(b"x" * 20)
    key = KeyName("shop.example")
    for length, good in ((20, True), (16, True), (10, True), (9, False), (0, False)):
        assert t.LEGACY_KEY.verify(Suite.LEGACY_HMAC, key, b"x" * 20, right[:length]) is good
    modern = t.KEY.sign(b"x")
    assert not t.KEY.verify(Suite.HMAC_SHA256, key, b"x", modern[:16])


def test_a_raw_rsa_signature_without_digest_info_is_read_too():
    """RFC 2802 does not say whether DigestInfo is there (D-22)."""
    digest = b"\x01" * 20
    size = RSA.key_size // 8
    padded = b"\x00\x01" + b"\xff" * (size - 23) + b"\x00" + digest
    numbers = RSA.private_numbers()
    raw = pow(int.from_bytes(padded), numbers.d, numbers.public_numbers.n).to_bytes(size)
    ring = PublicKeys({"k": ("shop.example", RSA.public_key())}, legacy=True)
    name = KeyName("shop.example", "k")
    assert ring.verify(Suite.LEGACY_RSA, name, digest, raw)
    assert not ring.verify(Suite.LEGACY_RSA, name, b"\x02" * 20, raw)


# Certificates


@pytest.mark.req("IX-244")
def test_a_certificate_comes_along_and_reaches_the_verifier():
    certificate = g.Certificate(
        id="M1.200", type=signing.X509,
        issuer_and_serial_number=g.IssuerAndSerialNumber(issuer="CN=Somebody", number="17"),
        value=g.Value(text=base64.b64encode(b"not looked at here").decode()),
    )  # fmt: skip
    unsigned = t.message(t.tpo(), t.offer())
    signed = signing.sign(unsigned, SignatureKind.OFFER_RESPONSE,
                          [Recipient(t.KEY, ("M1.20",), certificate)],
                          t.after(Numbers("M", 1), 100), originator="M1.10")  # fmt: skip
    read = codec.read(codec.write(signed, validate=True))
    seen = []

    class Watching:
        def verify(self, suite, key, data, value):
            seen.append(key)
            return True

    assert verified(read, Watching()).good
    assert seen == [KeyName("shop.example", "shop-and-bank", certificate)]
    assert read.signatures.certificates[0].type == "urn:X500:X509v3"
    assert rules.of(read) == ()
    both = replace(certificate, locator=g.Locator(href="http://a.example/c"))
    twice = replace(signed, signatures=replace(signed.signatures, certificates=(both,)))
    with pytest.raises(codec.Unreadable):
        codec.read(codec.write(twice))


def test_what_verified_says():
    assert Verified(None, "").good
    assert not Verified(None, "", for_us=False).good
