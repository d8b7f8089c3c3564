"""Signatures and certificates as values (RFC 2802, 4). `signing` makes and verifies them."""

from dataclasses import dataclass, field

from tollbridge.faces.iotp.message.components import Algorithm
from tollbridge.faces.iotp.message.shape import (
    ANYTHING,
    TEXT,
    Kind,
    Part,
    at,
    many,
    maybe,
    one,
    some,
)
from tollbridge.wire.xml import Element, Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Value(Part):
    """A digest, a signature value or a certificate, in base 64 unless it says otherwise (4.9)."""

    id: str | None = field(default=None, metadata=at("ID", Kind.ID))
    encoding: str = field(default="base64", metadata=at("encoding", Kind.WORD))
    text: str = field(default="", metadata=TEXT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Locator(Part):
    """Points to what is signed (4.10): `iotp:<IotpTransId>#<ID>`."""

    link: str = field(default="simple", metadata=at("xml:link"))
    href: str = field(metadata=at("href"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest(Part):
    """The digest of one element (4.3)."""

    digest_algorithm_ref: str = field(metadata=at("DigestAlgorithmRef", Kind.REF, to="Algorithm"))
    locator: Locator = field(metadata=one(Locator))
    value: Value = field(metadata=one(Value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute(Part):
    """Says something about a signature (4.6); who does not know a critical one rejects it."""

    type: str = field(metadata=at("type", Kind.WORD))
    critical: bool = field(metadata=at("critical", Kind.SMALL_FLAG))
    content: tuple[Node, ...] = field(default=(), metadata=ANYTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginatorInfo(Part):
    """Who signed (4.7)."""

    originator_ref: str | None = field(
        default=None, metadata=at("OriginatorRef", Kind.REF, to="Org")
    )
    content: tuple[Node, ...] = field(default=(), metadata=ANYTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientInfo(Part):
    """Who should verify a signature, and with what (4.8)."""

    signature_algorithm_ref: str = field(
        metadata=at("SignatureAlgorithmRef", Kind.REF, to="Algorithm")
    )
    signature_value_ref: str | None = field(
        default=None, metadata=at("SignatureValueRef", Kind.REF, to="Value")
    )
    signature_cert_ref: str | None = field(
        default=None, metadata=at("SignatureCertRef", Kind.REF, to="Certificate")
    )
    recipient_refs: tuple[str, ...] = field(
        default=(), metadata=at("RecipientRefs", Kind.REFS, to="Org")
    )
    content: tuple[Node, ...] = field(default=(), metadata=ANYTHING)

    @property
    def key_id(self) -> str:
        """The name of the key (`KeyIdentifier`), "" when none is named."""
        for node in self.content:
            if isinstance(node, Element) and node.name == "KeyIdentifier":
                return node.get("value")
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest(Part):
    """What a signature is over (4.2)."""

    locator_href_base: str | None = field(default=None, metadata=at("LocatorHRefBase"))
    algorithms: tuple[Algorithm, ...] = field(metadata=some(Algorithm))
    digests: tuple[Digest, ...] = field(metadata=some(Digest))
    attributes: tuple[Attribute, ...] = field(default=(), metadata=many(Attribute))
    originator_info: OriginatorInfo = field(metadata=one(OriginatorInfo))
    recipient_infos: tuple[RecipientInfo, ...] = field(metadata=some(RecipientInfo))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature(Part):
    """A manifest and the values that sign it (4.1)."""

    id: str | None = field(default=None, metadata=at("ID", Kind.ID))
    manifest: Manifest = field(metadata=one(Manifest))
    values: tuple[Value, ...] = field(metadata=some(Value))


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerAndSerialNumber(Part):
    """Names a certificate (4.11.1)."""

    issuer: str = field(metadata=at("issuer"))
    number: str = field(metadata=at("number"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate(Part):
    """A certificate, itself or where it is (4.11): exactly one of the two."""

    id: str | None = field(default=None, metadata=at("ID", Kind.ID))
    type: str = field(metadata=at("type", Kind.WORD))
    issuer_and_serial_number: IssuerAndSerialNumber = field(metadata=one(IssuerAndSerialNumber))
    value: Value | None = field(default=None, metadata=maybe(Value))
    locator: Locator | None = field(default=None, metadata=maybe(Locator))


@dataclass(frozen=True, slots=True, kw_only=True)
class IotpSignatures(Part):
    """All signatures of a message, those that are copied along included (RFC 2801, 8.16)."""

    id: str | None = field(default=None, metadata=at("ID", Kind.ID))
    signatures: tuple[Signature, ...] = field(metadata=some(Signature))
    certificates: tuple[Certificate, ...] = field(default=(), metadata=many(Certificate))
