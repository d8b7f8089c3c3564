"""Small private files, written in one step: after a crash the old one is there or the new one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_privately(file: Path, data: bytes, *, keep_existing: bool = False) -> None:
    """Write a file only its owner may read. `keep_existing`: who was faster stays.

    Raises OSError.
    """
    handle, draft = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        if not keep_existing or not _linked(Path(draft), file):
            Path(draft).replace(file)
    finally:
        Path(draft).unlink(missing_ok=True)


@contextmanager
def alone_with(file: Path) -> Iterator[None]:
    """Keep other processes that ask the same from changing a file meanwhile. Raises OSError."""
    lock = os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            import fcntl
        except ImportError:  # where there is none, one process at a time is the owner's care
            yield
            return
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _linked(draft: Path, file: Path) -> bool:
    try:
        os.link(draft, file)
    except FileExistsError:
        return True
    except OSError:  # a file system without links
        return False
    return True
