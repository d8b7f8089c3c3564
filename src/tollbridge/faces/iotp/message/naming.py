"""New names: of transactions, messages and their parts (RFC 2801, 3.3.1 and 3.4)."""

from tollbridge.faces.iotp.api.formats import write_instant
from tollbridge.ground.clock import Instant
from tollbridge.ground.ids import IdSource

_CODE_LETTERS = 12


def transaction_name(at: Instant, ids: IdSource, domain: str) -> str:
    """Make the name of a transaction: like a mail's, so that no other has it, anywhere."""
    second = "".join(letter for letter in write_instant(at)[:19] if letter.isdigit())
    return f"{second}.{ids.code(_CODE_LETTERS)}@{domain}"


class Numbers:
    """Counts the ids of one new message: `M2` for the message, `M2.1`, `M2.2`, … for its parts.

    `number` is one more than that of the role's last message in the transaction. Parts that are
    copied from other messages keep theirs.
    """

    def __init__(self, prefix: str, number: int) -> None:
        self.message = f"{prefix}{number}"
        self._last = 0

    def next(self) -> str:
        """Give the next id."""
        self._last += 1
        return f"{self.message}.{self._last}"
