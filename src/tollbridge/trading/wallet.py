"""A wallet in a folder: instruments and their keys in one file, everything else in a journal.

`wallet.json` says which instruments there are and whose signatures are believed, readable by its
owner only: a card's token and key, a purse's key. What purses hold, every payment and every message
is in `wallet.sqlite`, so that a crash at any moment loses nothing. One process at a time has a
wallet open.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tollbridge.faces.iotp.api.bridge import PaymentBridge
from tollbridge.faces.iotp.api.perform import Parts
from tollbridge.faces.iotp.message.signing import Verifier
from tollbridge.faces.iotp.roles import opening
from tollbridge.faces.iotp.roles.core import ANYBODY
from tollbridge.faces.iotp.roles.opening import CARDS, PURSES
from tollbridge.faces.iotp.schemes import card, purses
from tollbridge.faces.iotp.schemes.wallet import Instrument, Phrase, Wallets
from tollbridge.faces.iotp.schemes.wallet import Wallet as SchemeWallet
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import RemoteProtocolError, TollbridgeError
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import Secret
from tollbridge.server.certificates import Anchors
from tollbridge.server.signing import PublicKeys
from tollbridge.trading.registrar import Registrar
from tollbridge.wire import json

FILE, JOURNAL = "wallet.json", "wallet.sqlite"
WALLET_ID = "main"


class WalletError(TollbridgeError):
    """The wallet cannot be read or written."""

    code = "wallet"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a wallet file says: instruments by bridge, what opens the wallet (None: nothing), public
    keys (PEM) by the OrgId of who signs with them, and certificates of authorities (PEM)."""

    instruments: Mapping[str, tuple[Instrument, ...]] = field(default_factory=dict)
    phrase: Phrase | None = None
    trusted: Mapping[str, str] = field(default_factory=dict)
    anchors: str = ""

    def with_instrument(self, bridge: str, one: Instrument) -> "Contents":
        """Give the contents with an instrument more, in the place of one with the same id."""
        own = [each for each in self.instruments.get(bridge, ()) if each.id != one.id]
        return replace(self, instruments={**self.instruments, bridge: (*own, one)})

    def without(self, bridge: str, instrument: str) -> "Contents":
        """Give the contents without an instrument."""
        own = tuple([one for one in self.instruments.get(bridge, ()) if one.id != instrument])
        return replace(self, instruments={**self.instruments, bridge: own})


def read(folder: Path) -> Contents:
    """Read a wallet's file; a folder without one is an empty wallet. Raises WalletError."""
    file = folder / FILE
    try:
        if not file.exists():
            return Contents()
        found = json.read_object(file.read_bytes(), what=str(file))
        kept = found.get("phrase")
        phrase = Phrase(bytes.fromhex(kept[0]), bytes.fromhex(kept[1])) if kept else None
        instruments = {
            bridge: tuple([_instrument(one) for one in own])
            for bridge, own in found["instruments"].items()
        }
        return Contents(instruments, phrase, found.get("trusted", {}), found.get("anchors", ""))
    except (RemoteProtocolError, KeyError, TypeError, ValueError) as error:
        raise WalletError(f"{file} is not a wallet: {error}") from None
    except OSError as error:
        raise WalletError(f"{file}: {error.strerror or error}") from None


def add(folder: Path, bridge: str, one: Instrument) -> None:
    """Put an instrument into a wallet's file. Raises WalletError."""
    write(folder, read(folder).with_instrument(bridge, one))


def trust(folder: Path, keys: Mapping[str, bytes]) -> None:
    """Put public keys (PEM), by the OrgId of who signs, into a wallet's file.

    Raises WalletError, or ConfigError when one is no key.
    """
    PublicKeys.of_pem({name: (name, pem) for name, pem in keys.items()})
    before = read(folder)
    more = {name.lower(): pem.decode() for name, pem in keys.items()}
    write(folder, replace(before, trusted={**before.trusted, **more}))


def anchor(folder: Path, pem: bytes, clock: Clock) -> None:
    """Put certificates of authorities (PEM) into a wallet's file, beside those that are there.

    Raises WalletError, or ConfigError when they are none.
    """
    Anchors.of_pem(pem, clock)
    before = read(folder)
    write(folder, replace(before, anchors=before.anchors + pem.decode()))


def verifiers(contents: Contents, clock: Clock) -> dict[str, Verifier]:
    """Make verifiers of what the wallet believes: public keys by OrgId, and, by ANYBODY, of
    certificates. Raises ConfigError when one is none."""
    found: dict[str, Verifier] = {
        name: PublicKeys.of_pem({name: (name, pem.encode())})
        for name, pem in contents.trusted.items()
    }
    if contents.anchors:
        found[ANYBODY] = Anchors.of_pem(contents.anchors.encode(), clock)
    return found


def write(folder: Path, contents: Contents) -> None:
    """Write a wallet's file, whole or not at all. Raises WalletError."""
    kept = contents.phrase
    value = {
        "instruments": {
            bridge: [_written(one) for one in own] for bridge, own in contents.instruments.items()
        },
        "phrase": [kept.salt.hex(), kept.digest.hex()] if kept else None,
        "trusted": contents.trusted,
        "anchors": contents.anchors,
    }
    file, new = folder / FILE, folder / f"{FILE}.new"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(json.write(value))
            out.flush()
            os.fsync(out.fileno())
        new.replace(file)
        with suppress(OSError):
            _sync(folder)
    except OSError as error:
        raise WalletError(f"{file}: {error.strerror or error}") from None


def bridges(contents: Contents, clock: Clock, ids: IdSource) -> dict[str, PaymentBridge]:
    """Make the payment softwares of a wallet. Which brands they know, the instruments say."""
    found: dict[str, PaymentBridge] = {}
    for name in (CARDS, PURSES):
        own = contents.instruments.get(name, ())
        wallets = Wallets((SchemeWallet(WALLET_ID, own, contents.phrase),))
        brands = tuple(dict.fromkeys(one.brand_id for one in own))
        registrar = Registrar(name)
        if name == CARDS:
            scheme = card.scheme(brands)
            parts = card.consumer(scheme, f"c/{name}", wallets, clock)
        else:
            scheme = purses.scheme((), brands or (purses.BRAND,))
            parts = purses.consumer(scheme, f"c/{name}", wallets, clock, ids)
        found[name] = Parts(registrar, *parts.parts)
    return found


def test_card(name: str, secret: Secret[str]) -> Instrument:
    """Make an instrument of a test card. Raises KeyError when there is none of the name."""
    cards = {name: opening.TEST_CARDS[name]}
    made, _ = card.enrolled(Secret(secret.reveal().encode()), opening.plastics(cards))
    return made[0]


def test_purse(name: str, secret: Secret[str]) -> Instrument:
    """Make the instrument of an empty purse."""
    return purses.instrument(name, f"purse {name}", opening.key_of(secret))


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _written(one: Instrument) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "brand": one.brand_id,
        "token": one.token,
        "key": one.key.reveal().hex(),
        "shown": one.shown,
    }


def _instrument(value: Mapping[str, Any]) -> Instrument:
    key = Secret(bytes.fromhex(value["key"]))
    return Instrument(
        value["id"], value["name"], value["brand"], value["token"], key, value["shown"]
    )
