"""What one message leads to is written with as few commits as may be.

Deals, letters and records of payments are pages that one flow writes at a time. They wait until
something leaves: a message, a request for money, the answer. Then all of them are written, in one
commit, and only then does it leave. After a crash nothing of them is there, and nobody has heard of
anything. What a person is shown leaves nothing behind: it is shown again.
"""

from dataclasses import replace
from typing import Any, TypeVar

from tollbridge.core.asks import Ask
from tollbridge.ground.errors import JournalError, UsageError, VersionConflict
from tollbridge.ground.flow import Browse, Exchange, Flow, Note, Page, Party, Recall, Remember, Wait

R = TypeVar("R")


def together(flow: Flow[R]) -> Flow[R]:
    """Drive a flow; what it remembers and `waits` is written when something leaves, or it ends.

    Raises VersionConflict, there or in the flow, when somebody else changed such a page.
    """
    waiting = _Waiting()
    try:
        wanted = next(flow)
        while True:
            try:
                got = yield from waiting.grant(wanted)
            except (UsageError, JournalError) as error:
                wanted = flow.throw(error)
            else:
                wanted = flow.send(got)
    except StopIteration as end:
        result: R = end.value
    except (VersionConflict, JournalError):
        raise
    except Exception:
        yield from waiting.write()
        raise
    finally:
        flow.close()
    yield from waiting.write()
    return result


class _Waiting:
    """The notes that wait, by their keys; `read` are those whose pages the flow has read since."""

    def __init__(self) -> None:
        self.notes: dict[str, Note] = {}
        self.read: set[str] = set()

    def grant(self, wanted: Any) -> Flow[Any]:
        """Grant a flow's wish, or have it granted."""
        match wanted:
            case Remember(notes, waits):
                return (yield from self._remember(notes, waits=waits))
            case Recall(key) if key in self.notes:
                return (yield from self._recall(key))
            case Browse(prefix) if any(key.startswith(prefix) for key in self.notes):
                yield from self.write()
            case Ask() if self.notes:
                return (yield from self._ask(wanted))
            case Exchange(party) if party is not Party.CARDHOLDER:
                yield from self.write()
            case Wait():
                yield from self.write()
        return (yield wanted)

    def write(self) -> Flow[None]:
        """Write what waits; what cannot be written goes on waiting. Raises VersionConflict."""
        if not self.notes:
            return
        notes = tuple(self.notes.values())
        if not (yield Remember(notes)):
            raise VersionConflict(f"{notes[0].key} was changed by somebody else")
        self._forget()

    def _forget(self) -> None:
        self.notes = {}
        self.read.clear()

    def _with(self, notes: tuple[Note, ...]) -> Flow[dict[str, Note]]:
        """Put notes to those that wait; what cannot become one note with its page is written."""
        if not all(self._fits(note) for note in notes):
            yield from self.write()
        return self.notes | {
            note.key: replace(note, expected=self.notes[note.key].expected)
            if note.key in self.notes else note
            for note in notes
        }  # fmt: skip

    def _fits(self, note: Note) -> bool:
        """Say whether a note can take the place of one that waits: of a page that will have been
        written once, as whoever read it since expects."""
        before = self.notes.get(note.key)
        if before is None or before.expected is note.expected is None:
            return True
        known = before.expected is not None and before.value is not None
        return known and note.key in self.read and note.expected == (before.expected or 0) + 1

    def _remember(self, notes: tuple[Note, ...], *, waits: bool) -> Flow[bool]:
        merged = yield from self._with(notes)
        if waits:
            self.notes = merged
            self.read -= {note.key for note in notes}
            return True
        done: bool = yield Remember(tuple(merged.values()))
        if done:
            self._forget()
        return done

    def _recall(self, key: str) -> Flow[Page | None]:
        note = self.notes[key]
        if note.value is None:
            return None
        if note.expected is None:
            yield from self.write()
            page: Page | None = yield Recall(key)
            return page
        self.read.add(key)
        return Page(note.value, note.expected + 1)

    def _ask(self, ask: Ask) -> Flow[Any]:
        """Write what waits with the request; an ask that was made before writes nothing."""
        merged = yield from self._with(ask.notes)
        first = next((note for note in self.notes.values() if note.expected is not None), None)
        done = yield replace(ask, notes=tuple(merged.values()))
        page: Page | None = (yield Recall(first.key)) if first is not None else None
        if first is not None and page is not None and page.version > (first.expected or 0):
            self._forget()
        return done
