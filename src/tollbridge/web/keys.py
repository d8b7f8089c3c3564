"""The keys that proofs of purchase are signed with: one that signs, and old ones that only check.

They stand in one file beside the journal that only its owner may read. After a rotation the old
private key is gone; its public half stays listed, because proofs do not expire. A running server
looks whether the file was changed before each use, so a rotation needs no restart.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tollbridge.faces.webinos.wishes import Check, Checked, Sign, Signed
from tollbridge.ground.clock import Clock, iso
from tollbridge.ground.errors import ConfigError, RemoteProtocolError
from tollbridge.server import proofs
from tollbridge.server.secure import write_private
from tollbridge.wire import json

if TYPE_CHECKING:
    from joserfc.jwk import OKPKey

JWKS_AGE_S = 300


def proof_key_file(journal: Path) -> Path:
    """Name the file of the keys, beside the journal."""
    return journal.with_name(journal.name + ".proof.key")


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key as it is listed; the first of a ring signs."""

    kid: str
    made_at: str
    retired_at: str = ""


@dataclass(frozen=True, slots=True)
class _Ring:
    """The keys as they stood in the file. `state` tells whether it has changed since."""

    rows: tuple[KeyRow, ...]
    keys: Mapping[str, "OKPKey"]
    state: tuple[int, ...] = ()
    listed: Mapping[str, Any] = field(default_factory=dict)


class ProofKeys:
    """The ring in a file (None: in memory, for tests). `now` and then it is read again.

    Raises ConfigError when it is made and the packages are missing, or the file holds no keys.
    """

    def __init__(self, file: Path | None, clock: Clock) -> None:
        proofs.require()
        self._file = file
        self._clock = clock
        made = self._load() if file is not None and file.exists() else None
        self._ring = made or self._kept(self._fresh())

    # What the face asks

    def sign(self, wish: Sign) -> Signed:
        """Sign claims with the first key."""
        ring = self._current()
        kid = ring.rows[0].kid
        return Signed(proofs.make(wish.claims, ring.keys[kid], kid))

    def check(self, wish: Check) -> Checked:
        """Check a proof against every key there ever was."""
        try:
            return Checked(proofs.read(wish.proof, self._current().keys))
        except RemoteProtocolError as error:
            return Checked(None, error.hint)

    # What is published, and what people do

    @property
    def jwks(self) -> Mapping[str, Any]:
        """The public keys, as /.well-known/jwks.json shows them."""
        return self._current().listed

    @property
    def rows(self) -> tuple[KeyRow, ...]:
        """The keys, the one that signs first."""
        return self._current().rows

    def rotate(self) -> KeyRow:
        """Sign with a new key from now on; give its row. Raises OSError."""
        before = self._current()
        ring = self._fresh()
        now = iso(self._clock.now())
        retired = [row if row.retired_at else replace(row, retired_at=now) for row in before.rows]
        rows = (*ring.rows, *retired)
        self._ring = self._kept(_Ring(rows, {**before.keys, **ring.keys}))
        return rows[0]

    def _fresh(self) -> _Ring:
        key = proofs.new_key()
        row = KeyRow(key.thumbprint(), iso(self._clock.now()))
        return _Ring((row,), {row.kid: key})

    def _current(self) -> _Ring:
        if self._file is not None and self._ring.state != _state(self._file):
            self._ring = self._load()
        return self._ring

    def _kept(self, ring: _Ring) -> _Ring:
        """Write a ring down: aside first, so that nobody finds half of it."""
        if self._file is not None:
            rows = [_written(row, ring.keys[row.kid]) for row in ring.rows]
            draft = self._file.with_name(f"{self._file.name}.{os.getpid()}")
            try:
                write_private(draft, json.write({"keys": rows}))
                draft.replace(self._file)
            finally:
                draft.unlink(missing_ok=True)
        return self._listed(ring)

    def _load(self) -> _Ring:
        """Read the ring. Raises ConfigError."""
        assert self._file is not None
        try:
            found = json.read_object(self._file.read_bytes(), what="keys")["keys"]
            keys = {str(fields["kid"]): proofs.key_of(fields) for fields in found}
            rows = tuple(
                KeyRow(str(fields["kid"]), str(fields["made_at"]), str(fields["retired_at"]))
                for fields in found
            )
            whole = keys[rows[0].kid].is_private
        except (OSError, RemoteProtocolError, LookupError, TypeError, ValueError) as error:
            raise ConfigError([f"{self._file}: no keys to sign with: {error}"]) from None
        if not whole:
            raise ConfigError([f"{self._file}: no keys to sign with: the first is not whole"])
        return self._listed(_Ring(rows, keys))

    def _listed(self, ring: _Ring) -> _Ring:
        listed = [proofs.public_fields(ring.keys[row.kid], row.kid) for row in ring.rows]
        state = _state(self._file) if self._file is not None else ()
        return replace(ring, state=state, listed={"keys": listed})


def _written(row: KeyRow, key: "OKPKey") -> dict[str, Any]:
    fields = key.as_dict(private=not row.retired_at)
    shown: dict[str, Any] = {
        name: fields[name] for name in ("kty", "crv", "x", "d") if name in fields
    }
    return {"kid": row.kid, "made_at": row.made_at, "retired_at": row.retired_at, **shown}


def _state(file: Path) -> tuple[int, ...]:
    try:
        seen = file.stat()
    except OSError:
        return ()
    return seen.st_mtime_ns, seen.st_ino, seen.st_size
