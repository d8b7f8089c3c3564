"""One engine owns a journal file. The lock goes with the process, also when it is killed."""

import fcntl
import os
from pathlib import Path

from tollbridge.ground.errors import JournalFailed, JournalInUse


class FileLock:
    """An exclusive lock on `<file>.lock`, which also says who holds it; links are followed.

    Raises JournalInUse at once when another process holds it, JournalFailed when the disk refuses.
    """

    def __init__(self, file: Path) -> None:
        file = file.resolve()
        path = file.with_name(file.name + ".lock")
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalFailed(f"cannot open {path}: {error.strerror}") from None
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._handle, 20, 0).decode("ascii", "replace").strip()
            os.close(self._handle)
            raise JournalInUse(
                f"{file} is open for writing in process {holder or '?'}; "
                "stop that process, or talk to it over HTTP"
            ) from None
        try:
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, str(os.getpid()).encode(), 0)
        except OSError as error:
            os.close(self._handle)
            raise JournalFailed(f"cannot write {path}: {error.strerror}") from None

    def release(self) -> None:
        """Let the next process have it. The file stays: removing it would be a race."""
        os.close(self._handle)
