"""Signatures: which parts they cover, how they are made, how they are verified.

A signature covers elements by their digests, which stand in its manifest, and signs the manifest
(RFC 2801, 6 and 7.19; RFC 2802). Two suites:

- by default the digest of an element is SHA-256 of its canonical form (`x-c14n2-sha256`), and what
  is signed is the manifest's canonical form, by HMAC-SHA-256 (`x-hmac-sha256`), Ed25519
  (`x-ed25519`) or ECDSA on P-256 with SHA-256 (`x-ecdsa-p256-sha256`);
- behind the switch `legacy`, DOM-HASH over SHA-1 of the manifest, by HMAC, DSA, RSA or ECDSA, as
  RFC 2802 asks; for peers that know nothing else, never for money that matters (D-23).

Keys are outside: a `Signer` signs, a `Verifier` says whether a value is right. `KeyIdentifier` in a
RecipientInfo names the key; certificates are handed to the verifier as they came.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from tollbridge.faces.iotp.api.words import ErrorCode
from tollbridge.faces.iotp.dtd import MESSAGE_NAMESPACE
from tollbridge.faces.iotp.message.blocks import IotpMessage
from tollbridge.faces.iotp.message.codec import element_of
from tollbridge.faces.iotp.message.components import Algorithm, Parameter
from tollbridge.faces.iotp.message.faults import Fault, Places, shown
from tollbridge.faces.iotp.message.naming import Numbers
from tollbridge.faces.iotp.message.references import NOTHING, Known, ids_in
from tollbridge.faces.iotp.message.signatures import (
    Attribute,
    Certificate,
    Digest,
    IotpSignatures,
    Locator,
    Manifest,
    OriginatorInfo,
    RecipientInfo,
    Signature,
    Value,
)
from tollbridge.faces.iotp.message.words import Role
from tollbridge.ground.errors import UsageError
from tollbridge.wire.xml import Element, canonical, dom_hash

X509 = "urn:X500:X509v3"
SIGNATURE_TYPE = "IOTPSignatureType"
"""The attribute that says what kind of signature it is (D-11)."""


class SignatureKind(StrEnum):
    """What is signed (RFC 2801, 7.19.3)."""

    OFFER_RESPONSE = "OfferResponse"
    PAYMENT_RESPONSE = "PaymentResponse"
    DELIVERY_RESPONSE = "DeliveryResponse"
    AUTHENTICATION_REQUEST = "AuthenticationRequest"
    AUTHENTICATION_RESPONSE = "AuthenticationResponse"
    AUTHENTICATION_STATUS = "AuthenticationStatus"
    INQUIRY_REQUEST = "InquiryRequest"
    INQUIRY_RESPONSE = "InquiryResponse"
    PING_REQUEST = "PingRequest"
    PING_RESPONSE = "PingResponse"


SIGNED_BY: Mapping[SignatureKind, Role] = {
    SignatureKind.OFFER_RESPONSE: Role.MERCHANT,
    SignatureKind.PAYMENT_RESPONSE: Role.PAYMENT_HANDLER,
    SignatureKind.DELIVERY_RESPONSE: Role.DELIVERY_HANDLER,
}
"""Who signs what; the other kinds may be signed by any role."""


# Algorithms


class Suite(StrEnum):
    """How a manifest is signed, by the name in the Algorithm element."""

    HMAC_SHA256 = "x-hmac-sha256"
    ED25519 = "x-ed25519"
    ECDSA_P256 = "x-ecdsa-p256-sha256"
    LEGACY_HMAC = "urn:ietf-org:hmac"
    LEGACY_DSA = "urn:nist-gov:dsa"
    LEGACY_RSA = "urn:rsasdi-com:rsa-encription"
    LEGACY_ECDSA = "urn:ansi-org:ecdsa"


MODERN = frozenset({Suite.HMAC_SHA256, Suite.ED25519, Suite.ECDSA_P256})
SHARED_KEY = frozenset({Suite.HMAC_SHA256, Suite.LEGACY_HMAC})
MODERN_DIGEST = "x-c14n2-sha256"
DOM_HASH, SHA1 = "urn:ibm-com:dom-hash", "urn:nist-gov:sha1"
OTHER_NAMES: Mapping[str, str] = {
    "urn:fips:sha1": SHA1,
    "urn:ibm:dom-hash": DOM_HASH,
    "urn:us.gov:dsa": Suite.LEGACY_DSA,
    "urn:ibm:hmac": Suite.LEGACY_HMAC,
    "urn:rsa:rsa": Suite.LEGACY_RSA,
    "urn:rsasdi-com:rsa-encryption": Suite.LEGACY_RSA,
}
"""Names of RFC 2801, and misprints, that are read as those of RFC 2802."""
MD5 = "urn:rsa:md5"
_KEY_LENGTH_MIN = 80
"""An HMAC cut to fewer bits is refused: it can be guessed."""


class Signer(Protocol):
    """Holds a key and signs with it.

    With a modern suite `data` is what to sign; with a legacy one it is a digest of 20 bytes
    that is to be signed as it is. ECDSA and DSA give r and s side by side, each of full length.
    """

    @property
    def suite(self) -> Suite: ...

    @property
    def key_id(self) -> str: ...

    def sign(self, data: bytes) -> bytes: ...


class Verifier(Protocol):
    """Knows keys, and whose they are.

    Says whether a value is right for `data` (see Signer) under the key named, which must be a key
    of `org_id`, the signer's: a right signature by somebody else is wrong.
    """

    def verify(self, suite: Suite, key: "KeyName", data: bytes, value: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class KeyName:
    """Names a key: whose it is, its id, or the certificate that came with it."""

    org_id: str
    key_id: str = ""
    certificate: Certificate | None = None


class HmacKey:
    """A shared key of two parties: signs, and verifies (`of` says whose other end it is)."""

    def __init__(
        self, key: bytes, key_id: str, *, of: str = "", suite: Suite = Suite.HMAC_SHA256
    ) -> None:
        if suite not in SHARED_KEY:
            raise UsageError(f"{suite} is not with a shared key")
        self._key, self.key_id, self.suite, self._of = key, key_id, suite, of

    def sign(self, data: bytes) -> bytes:
        """Compute the HMAC."""
        name = "sha256" if self.suite is Suite.HMAC_SHA256 else "sha1"
        return hmac.digest(self._key, data, name)

    def verify(self, suite: Suite, key: KeyName, data: bytes, value: bytes) -> bool:
        """Say whether an HMAC is right; of a legacy one the first bits may do, at least 80."""
        named = key.key_id in {"", self.key_id} and key.org_id.lower() == self._of.lower()
        if suite is not self.suite or not named:
            return False
        right = self.sign(data)
        if suite is Suite.LEGACY_HMAC and _KEY_LENGTH_MIN // 8 <= len(value) < len(right):
            right = right[: len(value)]
        return hmac.compare_digest(right, value)

    def __repr__(self) -> str:
        return f"HmacKey({self.key_id!r})"


class Keyring:
    """Some verifiers, asked one after the other."""

    def __init__(self, *verifiers: Verifier) -> None:
        self._verifiers = verifiers

    def verify(self, suite: Suite, key: KeyName, data: bytes, value: bytes) -> bool:
        """Say whether one of them finds the value right."""
        return any(one.verify(suite, key, data, value) for one in self._verifiers)


# What is covered


_ALWAYS = ("TransRefBlk", "TransId")
_HERE: Mapping[SignatureKind, tuple[str, ...]] = {
    SignatureKind.OFFER_RESPONSE: (
        "ProtocolOptions", "Org", "BrandList", "BrandSelection", "Order", "Payment", "Delivery",
        "TradingRoleData", "AuthStatusBlk",
    ),
    SignatureKind.PAYMENT_RESPONSE: ("PayReceipt", "PaymentNote", "Status", "TradingRoleData"),
    SignatureKind.DELIVERY_RESPONSE: ("Status", "DeliveryNote"),
    SignatureKind.AUTHENTICATION_REQUEST: (
        "ProtocolOptions", "Org", "AuthReq", "TradingRoleInfoReq",
    ),
    SignatureKind.AUTHENTICATION_RESPONSE: ("Org",),
    SignatureKind.AUTHENTICATION_STATUS: ("Status",),
    SignatureKind.INQUIRY_REQUEST: ("InquiryType", "PaySchemeData"),
    SignatureKind.INQUIRY_RESPONSE: ("InquiryRespBlk", "Status"),
    SignatureKind.PING_REQUEST: ("Org",),
    SignatureKind.PING_RESPONSE: ("Org",),
}  # fmt: skip
"""Which elements of its own message a signature covers, beside the reference block (7.19.2)."""
_BEFORE: Mapping[SignatureKind, tuple[str, ...]] = {
    SignatureKind.OFFER_RESPONSE: ("ProtocolOptions", "Org", "BrandList", "BrandSelection"),
    SignatureKind.PAYMENT_RESPONSE: ("Signature", "BrandSelection"),
    SignatureKind.DELIVERY_RESPONSE: ("ConsumerDeliveryData", "Signature"),
    SignatureKind.AUTHENTICATION_RESPONSE: ("TradingRoleInfoReq",),
}
"""And which of earlier messages, as far as the signer holds them. A receipt's signature covers the
scheme data that the receipt names, too, an authentication's the request that it answers."""


def covers() -> tuple[tuple[SignatureKind, tuple[str, ...], tuple[str, ...]], ...]:
    """List what each kind covers: of the message that holds it first, and of earlier ones."""
    return tuple((kind, _HERE[kind], _BEFORE.get(kind, ())) for kind in SignatureKind)


def coverage(
    kind: SignatureKind, root: Element, known: Known = NOTHING
) -> tuple[tuple[str, Element], ...]:
    """Give what a signature of a kind covers, with the ids, in the order digests stand in.

    `root` is the message that holds the signature first; `known` what the signer knows from before:
    for an offer the options and what was chosen of them, for an answer the request.
    """
    own = ids_in(root)
    found: dict[str, Element] = {}
    for names, place in ((_ALWAYS, own), (_HERE[kind], own)):
        found |= {key: one for key, one in place.items() if one.name in names}
    for name in _BEFORE.get(kind, ()):
        found |= {key: one for key, one in known.named(name) if key not in found}
    if kind is SignatureKind.PAYMENT_RESPONSE:
        found |= _named_by_receipt(own, known)
    if kind is SignatureKind.AUTHENTICATION_RESPONSE:
        found |= _answered(own, known)
    return tuple(found.items())


def _named_by_receipt(own: Mapping[str, Element], known: Known) -> dict[str, Element]:
    """Find the scheme data that a receipt names (7.11)."""
    names: set[str] = set()
    for one in own.values():
        if one.name == "PayReceipt":
            names |= set(one.get("PayReceiptNameRefs").split())
    held = [*known.named("PaySchemeData"),
            *((key, one) for key, one in own.items() if one.name == "PaySchemeData")]  # fmt: skip
    return {
        key: one for key, one in held
        if any(inner.get("Name") in names for inner in one.all("PackagedContent"))
    }  # fmt: skip


def _answered(own: Mapping[str, Element], known: Known) -> dict[str, Element]:
    """Find the request that an authentication answers: the one with the algorithm chosen."""
    chosen = {one.get("SelectedAlgorithmRef") for one in own.values() if one.name == "AuthResp"}
    return {
        key: one for key, one in known.named("AuthReq")
        if any(inner.get("ID") in chosen for inner in one.all("Algorithm"))
    }  # fmt: skip


# Digests


def digest(element: Element, *, legacy: bool = False) -> bytes:
    """Compute the digest of an element."""
    return dom_hash(element) if legacy else hashlib.sha256(canonical(element)).digest()


def to_sign(manifest: Element, *, legacy: bool = False) -> bytes:
    """Give what is signed of a manifest: its canonical form, or its DOM-HASH."""
    return dom_hash(manifest) if legacy else canonical(manifest)


# Making


@dataclass(frozen=True, slots=True)
class Recipient:
    """For whom a signature is: their organisations' ids, and the key they can verify with."""

    signer: Signer
    org_refs: tuple[str, ...]
    certificate: Certificate | None = None


def sign(
    message: IotpMessage,
    kind: SignatureKind,
    recipients: Sequence[Recipient],
    numbers: Numbers,
    *,
    originator: str,
    known: Known = NOTHING,
) -> IotpMessage:
    """Sign a message that is otherwise finished; what it held of signatures stays.

    `originator` is the id of the signer's Org. All recipients' suites are modern, or all are
    legacy. The signature and its parts get their ids from `numbers`.
    """
    legacy = {one.signer.suite not in MODERN for one in recipients}
    if len(legacy) != 1:
        raise UsageError("a signature is modern or legacy, and for somebody")
    covered = coverage(kind, element_of(message), known)
    made = _signature(message.trans_id, kind, recipients, numbers, originator=originator,
                      covered=covered, legacy=True in legacy)  # fmt: skip
    before = message.signatures
    certificates = [one.certificate for one in recipients if one.certificate is not None]
    return _with(message, IotpSignatures(
        id=before.id if before else numbers.next(),
        signatures=(*(before.signatures if before else ()), made),
        certificates=_unique([*(before.certificates if before else ()), *certificates]),
    ))  # fmt: skip


def carry(message: IotpMessage, earlier: Iterable[IotpMessage], numbers: Numbers) -> IotpMessage:
    """Copy the signatures of earlier messages into a request, as they are (RFC 2801, 11.1)."""
    blocks = [one.signatures for one in (*earlier, message) if one.signatures]
    signatures: dict[str, Signature] = {}
    for block in blocks:
        for place, one in enumerate(block.signatures):
            signatures.setdefault(one.id or f"{id(block)}.{place}", one)
    if not signatures:
        return message
    certificates = [one for block in blocks for one in block.certificates]
    return _with(message, IotpSignatures(
        id=message.signatures.id if message.signatures else numbers.next(),
        signatures=tuple(signatures.values()),
        certificates=_unique(certificates),
    ))  # fmt: skip


def _with(message: IotpMessage, signatures: IotpSignatures) -> IotpMessage:
    return replace(message, signatures=signatures)


def _unique(certificates: Iterable[Certificate]) -> tuple[Certificate, ...]:
    return tuple({one.id or str(place): one for place, one in enumerate(certificates)}.values())


def _signature(
    name: str,
    kind: SignatureKind,
    recipients: Sequence[Recipient],
    numbers: Numbers,
    *,
    originator: str,
    covered: Sequence[tuple[str, Element]],
    legacy: bool,
) -> Signature:
    signature_id = numbers.next()
    digest_algorithms, digest_ref = _digest_algorithms(numbers, legacy=legacy)
    suites = {one.signer.suite: numbers.next() for one in recipients}
    signing = [
        Algorithm(id=key, type="signature", name=suite,
                  parameters=_parameters(suite, digest_ref, digest_algorithms[0].id))
        for suite, key in suites.items()
    ]  # fmt: skip
    value_ids = [numbers.next() for _ in recipients]
    manifest = Manifest(
        locator_href_base=f"iotp:{name}",
        algorithms=(*digest_algorithms, *signing),
        digests=tuple(
            Digest(
                digest_algorithm_ref=digest_ref,
                locator=Locator(href=f"#{key}"),
                value=Value(text=_encoded(digest(element, legacy=legacy))),
            )
            for key, element in covered
        ),
        attributes=(Attribute(type=SIGNATURE_TYPE, critical=True, content=(str(kind),)),),
        originator_info=OriginatorInfo(originator_ref=originator),
        recipient_infos=tuple(
            RecipientInfo(
                signature_algorithm_ref=suites[one.signer.suite],
                signature_value_ref=value_id,
                signature_cert_ref=one.certificate.id if one.certificate else None,
                recipient_refs=one.org_refs,
                content=_key_identifier(one.signer.key_id),
            )
            for one, value_id in zip(recipients, value_ids, strict=True)
        ),
    )
    data = to_sign(element_of(manifest), legacy=legacy)
    return Signature(
        id=signature_id,
        manifest=manifest,
        values=tuple(
            Value(id=value_id, text=_encoded(one.signer.sign(data)))
            for one, value_id in zip(recipients, value_ids, strict=True)
        ),
    )


def _digest_algorithms(numbers: Numbers, *, legacy: bool) -> tuple[tuple[Algorithm, ...], str]:
    first = numbers.next()
    if not legacy:
        return (Algorithm(id=first, type="digest", name=MODERN_DIGEST),), first
    second = numbers.next()
    reference = Parameter(type="AlgorithmRef", content=(first,))
    return (
        Algorithm(id=first, type="digest", name=SHA1),
        Algorithm(id=second, type="digest", name=DOM_HASH, parameters=(reference,)),
    ), second


def _parameters(suite: Suite, canonical_ref: str, hash_ref: str) -> tuple[Parameter, ...]:
    """Say what a legacy HMAC is made of (RFC 2802, 5.2)."""
    if suite is not Suite.LEGACY_HMAC:
        return ()
    return (
        Parameter(type="AlgorithmRef", content=(canonical_ref,)),
        Parameter(type="HashAlgorithmRef", content=(hash_ref,)),
    )


def _key_identifier(key_id: str) -> tuple[Element, ...]:
    if not key_id:
        return ()
    return (Element("KeyIdentifier", {"value": key_id}, namespace=MESSAGE_NAMESPACE),)


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


# Verifying


@dataclass(frozen=True, slots=True)
class Verified:
    """What verifying a signature found.

    `good`: it is right, as far as its targets are here; `covered` are the ids of those that were
    compared, `elsewhere` of those that are not here. `for_us` is False when it is addressed to
    others only: there was nothing to verify. `faults` say why it is not good.
    """

    kind: SignatureKind | None
    signer: str
    covered: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    for_us: bool = True
    faults: tuple[Fault, ...] = ()

    @property
    def good(self) -> bool:
        """Whether it was for us and is right."""
        return self.for_us and not self.faults


class _Wrong(Exception):
    """A signature is wrong; carries the fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.rule)
        self.fault = fault


def verify(
    message: IotpMessage,
    us: str,
    verifier: Verifier,
    *,
    known: Known = NOTHING,
    legacy: bool = False,
) -> tuple[Verified, ...]:
    """Verify all signatures of a message that was read, as the organisation `us` (an OrgId).

    `known` holds the transaction's earlier messages: organisations and targets are sought there,
    too. Signatures of legacy suites are refused unless `legacy` is set.
    """
    root = element_of(message)
    here = known.under(root)
    return tuple(
        _Verification(message, here, root, element, certificates, legacy).of(one, us, verifier)
        for element, one, certificates in _signatures(message, root)
    )


def compare(message: IotpMessage, *, known: Known = NOTHING) -> tuple[Verified, ...]:
    """Compare the digests of all signatures of a message with what is here, legacy ones included.

    Needs no key and proves nothing: whoever changed a part can change its digest. It finds what was
    broken on the way.
    """
    root = element_of(message)
    here = known.under(root)
    return tuple(
        _Verification(message, here, root, element, certificates, legacy=True).compared(one)
        for element, one, certificates in _signatures(message, root)
    )


def _signatures(
    message: IotpMessage, root: Element
) -> Iterator[tuple[Element, Signature, Mapping[str, Certificate]]]:
    if message.signatures is None:
        return
    certificates = {one.id: one for one in message.signatures.certificates if one.id}
    elements = [one for block in root.elements for one in block.elements if one.name == "Signature"]
    for element, one in zip(elements, message.signatures.signatures, strict=True):
        yield element, one, certificates


@dataclass(slots=True)
class _Verification:
    message: IotpMessage
    here: Known
    root: Element
    element: Element
    certificates: Mapping[str, Certificate]
    legacy: bool

    def of(self, signature: Signature, us: str, verifier: Verifier) -> Verified:
        manifest = signature.manifest
        kind = kind_of(signature)
        signer = ""
        try:
            self.attributes(manifest, kind)
            org = self.org(manifest.originator_info.originator_ref)
            signer = org.get("OrgId")
            self.role(kind, org)
            infos = [one for one in manifest.recipient_infos if self.names(one, us)]
            if not infos:
                return Verified(kind, signer, for_us=False)
            self.value(signature, infos[0], signer, verifier)
            covered, elsewhere = self.digests(manifest)
        except _Wrong as wrong:
            return Verified(kind, signer, faults=(wrong.fault,))
        return Verified(kind, signer, tuple(covered), tuple(elsewhere))

    def compared(self, signature: Signature) -> Verified:
        kind = kind_of(signature)
        try:
            self.attributes(signature.manifest, kind)
            covered, elsewhere = self.digests(signature.manifest)
        except _Wrong as wrong:
            return Verified(kind, "", for_us=False, faults=(wrong.fault,))
        return Verified(kind, "", tuple(covered), tuple(elsewhere), for_us=False)

    def wrong(self, rule: str, section: str, code: ErrorCode = ErrorCode.EL_CONT_ILLEGAL) -> _Wrong:
        path = Places(self.root).of(self.element)
        return _Wrong(Fault(code, path, rule, section))

    def attributes(self, manifest: Manifest, kind: SignatureKind | None) -> None:
        for one in manifest.attributes:
            if one.critical and not is_signature_type(one):
                raise self.wrong(f"the critical attribute {shown(one.type)} is not known",
                                 "RFC 2802, 4.6", ErrorCode.EL_NOT_SUPP)  # fmt: skip
        if sum(map(is_signature_type, manifest.attributes)) != 1 or kind is None:
            raise self.wrong("one attribute says which type of signature it is", "RFC 2801, 7.19.3")

    def org(self, reference: str | None) -> Element:
        found = self.here.get(reference) if reference else None
        if found is None or found.name != "Org":
            raise self.wrong("OriginatorRef names an organisation", "RFC 2801, 7.19.1")
        return found

    def role(self, kind: SignatureKind | None, org: Element) -> None:
        want = SIGNED_BY.get(kind) if kind else None
        if want and not any(one.get("TradingRole") == want for one in org.all("TradingRole")):
            raise self.wrong(f"{kind} is signed by a {want}", "RFC 2801, 7.19.3")

    def names(self, info: RecipientInfo, us: str) -> bool:
        orgs = [self.here.get(one) for one in info.recipient_refs]
        return any(org is not None and org.get("OrgId").lower() == us.lower() for org in orgs)

    def value(
        self, signature: Signature, info: RecipientInfo, signer: str, verifier: Verifier
    ) -> None:
        algorithms = {one.id: one for one in signature.manifest.algorithms}
        suite = _suite(algorithms.get(info.signature_algorithm_ref))
        if suite is None:
            raise self.wrong("the algorithm of the signature is not known", "RFC 2802, 5",
                             ErrorCode.EL_NOT_SUPP)  # fmt: skip
        if suite not in MODERN and not self.legacy:
            raise self.wrong(f"{suite} is of old and not accepted here", "RFC 2802, 5",
                             ErrorCode.EL_NOT_SUPP)  # fmt: skip
        values = [one for one in signature.values
                  if info.signature_value_ref in {None, one.id}]  # fmt: skip
        if len(values) != 1:
            raise self.wrong("SignatureValueRef names one value", "RFC 2802, 4.8")
        key = KeyName(signer, info.key_id, self.certificates.get(info.signature_cert_ref or ""))
        data = to_sign(element_of(signature.manifest), legacy=suite not in MODERN)
        if not verifier.verify(suite, key, data, self.decoded(values[0])):
            raise self.wrong("the signature's value is wrong", "RFC 2801, 6.2")

    def decoded(self, value: Value) -> bytes:
        if value.encoding == "none":
            return value.text.encode()
        try:
            return base64.b64decode("".join(value.text.split()), validate=True)
        except (binascii.Error, ValueError):
            raise self.wrong("a value is not base 64", "RFC 2802, 4.9") from None

    def digests(self, manifest: Manifest) -> tuple[list[str], list[str]]:
        algorithms = {one.id: one for one in manifest.algorithms}
        covered, elsewhere = [], []
        for one in manifest.digests:
            name = self.target(manifest, one)
            element = self.here.get(name)
            if element is None:
                elsewhere.append(name)
                continue
            algorithm = algorithms.get(one.digest_algorithm_ref)
            right = self.computed(algorithm, algorithms, element)
            if not hmac.compare_digest(right, self.decoded(one.value)):
                raise self.wrong(f"the digest of {shown(name)} is wrong", "RFC 2801, 6.2",
                                 ErrorCode.EL_INCONSISTENT)  # fmt: skip
            covered.append(name)
        for name in self.must_cover():
            if name not in covered and name not in elsewhere:
                raise self.wrong(f"{name} is not covered", "RFC 2801, 7.19.2")
        return covered, elsewhere

    def must_cover(self) -> tuple[str, ...]:
        return (self.message.trans_ref.trans_id.id,)

    def target(self, manifest: Manifest, one: Digest) -> str:
        """Find which id a digest is of: iotp:<transaction>#<id>, the first part perhaps apart."""
        base, href = manifest.locator_href_base or "", one.locator.href
        whole = base + href if "#" in base + href else f"{base}#{href}"
        transaction, _, name = whole.partition("#")
        if transaction not in {"", f"iotp:{self.message.trans_id}"}:
            raise self.wrong(f"{shown(transaction)} is another transaction", "RFC 2801, 7.19.1")
        return name

    def computed(
        self, algorithm: Algorithm | None, known: Mapping[str, Algorithm], element: Element
    ) -> bytes:
        name = _name(algorithm)
        if name == MODERN_DIGEST:
            return digest(element)
        if name == DOM_HASH and self.legacy and algorithm is not None:
            inner = _name(known.get(_parameter(algorithm, "AlgorithmRef")))
            if inner in {SHA1, ""}:
                return dom_hash(element)
            if inner == MD5:
                return dom_hash(element, "md5")
        raise self.wrong(f"the digest algorithm {shown(name)} is not known or not accepted here",
                         "RFC 2802, 5", ErrorCode.EL_NOT_SUPP)  # fmt: skip


def kind_of(signature: Signature) -> SignatureKind | None:
    """Say which kind of signature it is; None when it does not say, or not in words known here."""
    for one in signature.manifest.attributes:
        if is_signature_type(one):
            text = "".join(part for part in one.content if isinstance(part, str)).strip()
            text = {"PingReq": "PingRequest"}.get(text, text)
            return SignatureKind(text) if text in set(SignatureKind) else None
    return None


def is_signature_type(attribute: Attribute) -> bool:
    """Say whether an attribute tells the type of a signature, however its name is spelt (D-11)."""
    return re.sub(r"[\s_-]", "", attribute.type).lower() == SIGNATURE_TYPE.lower()


def _name(algorithm: Algorithm | None) -> str:
    return OTHER_NAMES.get(algorithm.name, algorithm.name) if algorithm else ""


def _suite(algorithm: Algorithm | None) -> Suite | None:
    name = _name(algorithm)
    return Suite(name) if name in set(Suite) else None


def _parameter(algorithm: Algorithm, kind: str) -> str:
    for one in algorithm.parameters:
        if one.type == kind:
            return "".join(part for part in one.content if isinstance(part, str)).strip()
    return ""
