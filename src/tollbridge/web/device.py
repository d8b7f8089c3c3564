"""What the face webinos asks of the house: proofs, tokens, seals, codes, and to be looked at."""

import logging
from collections.abc import Callable
from traceback import format_exc

from tollbridge.engine.engine import Partner
from tollbridge.faces.contract import Seal, Tokenize, Unseal
from tollbridge.faces.webinos.wishes import (
    Changed,
    Check,
    CheckBill,
    Checked,
    CodeSent,
    SendCode,
    Sign,
)
from tollbridge.ground.errors import LocalProtocolError, RemoteProtocolError
from tollbridge.ground.flow import Party
from tollbridge.ground.secret import scrub
from tollbridge.server import bills
from tollbridge.server.secure import SecureElement
from tollbridge.web.codes import CodeSender
from tollbridge.web.hub import Hub
from tollbridge.web.keys import ProofKeys

log = logging.getLogger("tollbridge.web")

DOMAIN = "web"


class Device:
    """Grants the face's wishes. `heard` is called when a payment changed."""

    heard: Callable[[], None] | None = None

    def __init__(
        self, keys: ProofKeys, secure: SecureElement, sender: CodeSender, hub: Hub
    ) -> None:
        self._keys = keys
        self._secure = secure
        self._sender = sender
        self._hub = hub

    def parties(self) -> dict[Party, Partner]:
        """Give whom the face may talk to."""
        return {Party.DEVICE: self.grant}

    async def grant(self, wish: object) -> object:
        """Grant a wish."""
        match wish:
            case Changed():
                self._hub.changed(wish.payment)
                if self.heard is not None:
                    self.heard()
                return None
            case Sign():
                return self._keys.sign(wish)
            case Check():
                return self._keys.check(wish)
            case CheckBill():
                return check_bill(wish)
            case Tokenize():
                return self._secure.tokenize(wish)
            case Seal():
                return self._secure.seal(wish, DOMAIN)
            case Unseal():
                return self._secure.unseal(wish, DOMAIN)
            case SendCode():
                return await self._send(wish)
            case _:
                raise LocalProtocolError(f"nobody grants {type(wish).__name__} here")

    async def _send(self, wish: SendCode) -> CodeSent:
        """Send a code; a sender's fault is a code that is not on its way."""
        try:
            return await self._sender.send(wish)
        except Exception:  # noqa: BLE001 - a stranger's code must not end a payment
            # What a sender raises may quote the message, and the code with it.
            text = scrub(format_exc()).replace(wish.text.reveal(), "***")
            log.error("the code for %s was not sent\n%s", wish.customer, text)
            return CodeSent(False)


def check_bill(wish: CheckBill) -> Checked:
    """Check a signed bill."""
    try:
        return Checked(bills.read(wish.token, wish.secret_key))
    except RemoteProtocolError as error:
        return Checked(None, error.hint)
