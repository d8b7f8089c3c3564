"""What the face asks of the house it runs in: Exchange(Party.DEVICE, …), beside the wishes of
`faces/contract.py` (tokens and seals)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tollbridge.ground.secret import Secret


@dataclass(frozen=True, slots=True)
class Sign:
    """Sign claims as a proof of purchase. Answer: Signed; SecureFault where there is no key."""

    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Signed:
    """A compact JWS."""

    proof: str


@dataclass(frozen=True, slots=True)
class Check:
    """Check a proof's signature. Answer: Checked."""

    proof: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What a proof claims; None where the signature is not ours, with the reason."""

    claims: Mapping[str, Any] | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CheckBill:
    """Check that a bill was signed with a seller's secret key. Answer: Checked, with the claims
    `iss` and `jti` (texts), `exp` (seconds) and `once`, and whatever `bill` and `items` are."""

    token: str
    secret_key: Secret[str]


@dataclass(frozen=True, slots=True)
class SendCode:
    """Send a one-time code to a customer. Answer: CodeSent.

    `text` is the message with the code in it, `contact` where it goes (a telephone number or an
    address; "" where the provider knows none).
    """

    customer: str
    contact: str
    text: Secret[str]


@dataclass(frozen=True, slots=True)
class CodeSent:
    """Whether it is on its way, and how to hint at where ("***56")."""

    sent: bool
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """A payment's page has a new event: whoever follows it should look. Answered with None."""

    payment: str
