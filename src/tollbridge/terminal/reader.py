"""Real card readers: what they must be able to do, and how they share the stage with a screen.

A package brings one as an entry point in the group `tollbridge.readers`: a callable that gets the
terminal's profile and gives a CardReader; `tollbridge serve --reader NAME` plugs it in.
"""

import asyncio
import logging
from collections.abc import Coroutine
from traceback import format_exc
from typing import Any, Protocol

from tollbridge.faces.wpi.wishes import (
    Answer,
    PinVerified,
    PinWrong,
    PresentCard,
    ReadCard,
    Unreadable,
)
from tollbridge.ground.secret import Secret, scrub

log = logging.getLogger("tollbridge.terminal")

READERS = "tollbridge.readers"


class CardReader(Protocol):
    """A device that reads cards. Only one call is under way at a time, but `cancel`.

    Whatever it raises is logged and counts as a card that could not be read.
    """

    async def present(self, wish: PresentCard) -> ReadCard | Unreadable:
        """Wait for a card, as long as it takes; the task is cancelled when nobody waits any
        more."""
        ...

    async def verify_pin(self, pin: Secret[str]) -> PinVerified | PinWrong:
        """Let the card that is in the reader check a PIN."""
        ...

    async def cancel(self) -> None:
        """Stop waiting for a card, and let go of one that is in the reader."""
        ...


async def either(
    reader: CardReader, wish: PresentCard, at_screen: Coroutine[Any, Any, Answer]
) -> tuple[Answer, bool]:
    """Ask for a card at a reader and at the screen at once; who is first wins, the other is told.

    At the screen people press stop, and there time is kept. Tells whether it was the reader.
    """
    reading = asyncio.create_task(_present(reader, wish))
    asking = asyncio.create_task(at_screen)
    try:
        await asyncio.wait({reading, asking}, return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            await _cancel(reader)
            return asking.result(), False
        return reading.result(), True
    finally:
        for task in (reading, asking):
            task.cancel()
        await asyncio.gather(reading, asking, return_exceptions=True)


async def verify(reader: CardReader, pin: Secret[str]) -> PinVerified | PinWrong:
    """Let the card check a PIN; a reader that fails has no card any more."""
    try:
        return await reader.verify_pin(pin)
    except Exception:  # noqa: BLE001 - a driver of somebody else's; the payment must end
        log.error("the reader failed\n%s", scrub(format_exc()))
        return PinWrong(0)


async def _present(reader: CardReader, wish: PresentCard) -> ReadCard | Unreadable:
    try:
        return await reader.present(wish)
    except Exception:  # noqa: BLE001 - a driver of somebody else's; the payment must end
        log.error("the reader failed\n%s", scrub(format_exc()))
        return Unreadable("the reader failed; it is in the log")


async def _cancel(reader: CardReader) -> None:
    try:
        await reader.cancel()
    except Exception:  # noqa: BLE001 - see above
        log.error("the reader failed\n%s", scrub(format_exc()))
