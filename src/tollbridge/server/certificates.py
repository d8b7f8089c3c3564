"""X.509 certificates in signatures of trading messages (RFC 2802, 4.11).

Whoever signs sends its certificate along; a reader believes it when a chain leads from it to a
trust anchor, it is good now, and it names the organisation that signed (as a DNS name: an OrgId is
a domain name). Keys are ECDSA on P-256: what is verified here is what the web's profile allows.
"""

import base64
import binascii
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from tollbridge.faces.iotp.message.signatures import Certificate, IssuerAndSerialNumber, Value
from tollbridge.faces.iotp.message.signing import X509, KeyName, Suite
from tollbridge.ground.clock import MICROSECONDS_PER_S, Clock
from tollbridge.ground.errors import ConfigError
from tollbridge.server.signing import PrivateKeySigner, PublicKey, PublicKeys

CERTIFICATE_BYTES_MAX = 8 * 1024
_NONE = (ValueError, TypeError)


def read(pem: bytes, signer: PrivateKeySigner) -> Certificate:
    """Make the part of a message of a certificate (PEM) for a signer's key.

    Raises ConfigError when it is none, or of another key.
    """
    try:
        found = x509.load_pem_x509_certificate(pem)
        same = found.public_key() == signer.key.public_key()
    except _NONE:
        raise ConfigError([f"the certificate of {signer.key_id} is none in PEM"]) from None
    if not same:
        raise ConfigError([f"the certificate of {signer.key_id} is of another key"])
    return Certificate(
        type=X509,
        issuer_and_serial_number=_named(found),
        value=Value(text=base64.b64encode(found.public_bytes(Encoding.DER)).decode()),
    )


@dataclass(frozen=True, slots=True)
class Anchors:
    """Verifies signatures whose certificates lead to one of some authorities."""

    authorities: Store = field(repr=False)
    clock: Clock = field(repr=False)

    @classmethod
    def of_pem(cls, pem: bytes, clock: Clock) -> "Anchors":
        """Make it of authorities' certificates, one PEM after the other. Raises ConfigError."""
        try:
            return cls(Store(x509.load_pem_x509_certificates(pem)), clock)
        except _NONE:
            raise ConfigError(["trust_anchors: certificates in PEM are expected"]) from None

    def verify(self, suite: Suite, key: KeyName, data: bytes, value: bytes) -> bool:
        """Say whether a value is right under a certificate of the signer that is believed."""
        if key.certificate is None:
            return False
        found = _certificate(key.certificate)
        if found is None or not self._believes(found, key.org_id):
            return False
        public = found.public_key()
        if not isinstance(public, PublicKey):
            return False
        name = KeyName(key.org_id, key.org_id)
        return PublicKeys({key.org_id: (key.org_id, public)}).verify(suite, name, data, value)

    def _believes(self, found: x509.Certificate, org_id: str) -> bool:
        now = datetime.fromtimestamp(self.clock.now() / MICROSECONDS_PER_S, UTC)
        policy = PolicyBuilder().store(self.authorities).time(now)
        try:
            verified = policy.build_client_verifier().verify(found, [])
        except VerificationError:
            return False
        names = {
            one.value.lower() for one in verified.subjects or () if isinstance(one, x509.DNSName)
        }
        return org_id.lower() in names


def _certificate(part: Certificate) -> x509.Certificate | None:
    """Read a certificate that came with a message; None when it is not the one that it says."""
    if part.type != X509 or part.value is None or len(part.value.text) > CERTIFICATE_BYTES_MAX:
        return None
    try:
        der = base64.b64decode("".join(part.value.text.split()), validate=True)
        found = x509.load_der_x509_certificate(der)
        return found if _named(found) == part.issuer_and_serial_number else None
    except (*_NONE, binascii.Error):
        return None


def _named(found: x509.Certificate) -> IssuerAndSerialNumber:
    return IssuerAndSerialNumber(
        issuer=found.issuer.rfc4514_string(), number=str(found.serial_number)
    )
