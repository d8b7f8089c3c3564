"""The journal in memory keeps the promises of every journal."""

from tollbridge.journal.journal import Journal
from tollbridge.journal.memory import MemoryJournal
from tollbridge.testing.journal_kit import JournalKit


class TestMemoryJournal(JournalKit):
    """It forgets with the process, so there is nothing to open again."""

    def open(self) -> Journal:
        return MemoryJournal()
