"""The journal in a file keeps the promises of every journal."""

from pathlib import Path

import pytest

from tollbridge.journal.journal import Journal
from tollbridge.journal.sqlite import SqliteJournal
from tollbridge.testing.journal_kit import JournalKit


class TestSqliteJournal(JournalKit):
    """A real file, closed and opened again."""

    @pytest.fixture(autouse=True)
    def _in(self, tmp_path: Path) -> None:
        self.file = tmp_path / "journal.sqlite"

    def open(self) -> Journal:
        return SqliteJournal(self.file)

    def reopen(self, journal: Journal) -> Journal:
        journal.close()
        return SqliteJournal(self.file)
