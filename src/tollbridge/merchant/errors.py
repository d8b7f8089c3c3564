"""What can go wrong for a merchant, one class for each way to deal with it.

MerchantError
├── NotProven             the proof is forged, tampered with, or another seller's: ship nothing
├── NotHeard              what came is no notice of the provider's: answer 400
├── ProviderRefused       the provider does not know this merchant's key, or answered nonsense
└── ProviderUnreachable   no answer; ask again, or `check` offline
"""

from tollbridge.ground.errors import TollbridgeError


class MerchantError(TollbridgeError):
    """Base of them all."""

    code = "merchant"


class NotProven(MerchantError):
    """The proof proves nothing. `reason` says why, as the provider words it."""

    code = "not_proven"

    def __init__(self, reason: str) -> None:
        super().__init__(f"not a proof of a purchase here: {reason}")
        self.reason = reason


class NotHeard(MerchantError):
    """A notice that is not believed. `reason` is unsigned, forged, stale, malformed or replayed."""

    code = "not_heard"

    def __init__(self, reason: str) -> None:
        super().__init__(f"not a notice to believe: {reason}")
        self.reason = reason


class ProviderRefused(MerchantError):
    """The provider refused the call itself. `status` is that of HTTP."""

    code = "provider_refused"

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class ProviderUnreachable(MerchantError):
    """The provider gave no answer; asking again is harmless."""

    code = "provider_unreachable"
