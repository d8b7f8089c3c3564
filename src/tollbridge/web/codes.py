"""Who sends one-time codes to customers: packages bring senders by a group of entry points.

An entry point of the group `tollbridge.code_senders` names a function of (settings, clock, ids)
that makes a `CodeSender`. Two are built in: "none" sends nothing (customers confirm on the
provider's page then), and "console" shows every code to whoever runs the server, which is good for
trying and for nothing else.
"""

import logging
import sys
from collections.abc import Mapping
from typing import Any, Protocol

from tollbridge.engine.plugins import installed
from tollbridge.faces.webinos.wishes import CodeSent, SendCode
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.ids import IdSource

log = logging.getLogger("tollbridge.web")

SENDERS = "tollbridge.code_senders"
CONSOLE, NONE = "console", "none"
HINT_LETTERS = 2


class CodeSender(Protocol):
    """Sends one-time codes."""

    async def send(self, wish: SendCode) -> CodeSent:
        """Bring `wish.text` to `wish.contact`. Whatever goes wrong is `CodeSent(False)`."""
        ...


class Console:
    """Shows codes on the server's own console and in its log."""

    async def send(self, wish: SendCode) -> CodeSent:
        said = f"code for {wish.customer} ({wish.contact or 'no contact'}): {wish.text.reveal()}"
        sys.stdout.write(f"  {said}\n")
        sys.stdout.flush()
        log.warning("%s", said)
        return CodeSent(True, hint_of(wish.contact) or "the server's console")


class Nobody:
    """Sends nothing."""

    async def send(self, wish: SendCode) -> CodeSent:
        del wish
        return CodeSent(False)


def sender(
    wanted: str, tables: Mapping[str, Any], clock: Clock, ids: IdSource, *, harmless: bool
) -> CodeSender:
    """Make the sender that is wanted ("": the console). `harmless`: whoever reads the console may
    know the codes. Raises ConfigError."""
    if wanted == NONE:
        return Nobody()
    if wanted in ("", CONSOLE):
        if not harmless:
            raise ConfigError([_NOT_HERE])
        return Console()
    found = installed(SENDERS)
    if wanted not in found:
        there = ", ".join(sorted({*found, CONSOLE, NONE}))
        raise ConfigError([f"web.code_sender: {wanted!r:.40} is not installed; there are: {there}"])
    try:
        made: CodeSender = found[wanted].load()(tables.get(wanted, {}), clock, ids)
    except ConfigError as error:
        problems = [f"web.code_senders.{wanted}.{problem}" for problem in error.problems]
        raise ConfigError(problems) from None
    return made


def hint_of(contact: str) -> str:
    """Say where a code went without saying it all: "***56", "***@provider.com"."""
    name, at, place = contact.rpartition("@")
    if at and name:
        return f"***@{place}"
    return f"***{contact[-HINT_LETTERS:]}" if len(contact) > 2 * HINT_LETTERS else ""


_NOT_HERE = (
    "web.code_sender: is needed. Customers are sent one-time codes, and here nobody would: the "
    "console shows them only with --development, or on 127.0.0.1 with the sandbox. Name an "
    'installed sender, or "none" where every customer confirms on the provider\'s page'
)
