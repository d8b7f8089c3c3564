"""Reading and writing a terminal's pages: sessions, the batch, what may be cancelled."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from tollbridge.faces.wpi import sessions
from tollbridge.faces.wpi.parameters import recalled
from tollbridge.faces.wpi.sessions import Session
from tollbridge.faces.wpi.state import Run, Talk, Terminal
from tollbridge.ground.errors import JournalError
from tollbridge.ground.flow import Browse, Note, Page, Recall, Remember
from tollbridge.wire import json

BROWSED = 500


class Named(Protocol):
    """What one attempt of an exchange is known by."""

    @property
    def package(self) -> str: ...

    @property
    def session(self) -> str: ...

    @property
    def attempt(self) -> int: ...


def wake(terminal: Terminal) -> Talk[None]:
    """Read what an earlier process of this terminal left: parameters, and where its batch ends."""
    if terminal.awake:
        return
    yield from recalled(terminal)
    page: Page | None = yield Recall(terminal.pages.period)
    if page is not None:
        found = json.read_object(page.value, what="period")
        terminal.period, terminal.closing = found["open"], found.get("closing")
    # A batch that is being closed still gets lines: what could not be uploaded, asked again.
    for period in (terminal.closing, terminal.period):
        if period is not None:
            lines = yield from browse(terminal.pages.lines(period))
            numbers = [_number(key) + 1 for key, _ in lines[-1:]]
            terminal.next_line = max([terminal.next_line, *numbers])
    terminal.awake = True


def browse(prefix: str) -> Talk[list[tuple[str, Page]]]:
    """List all pages whose names begin with a prefix."""
    found: list[tuple[str, Page]] = []
    while True:
        after = found[-1][0] if found else ""
        more = yield Browse(prefix, after, BROWSED)
        found += more
        if len(more) < BROWSED:
            return found


def known(terminal: Terminal, package: str, session: str) -> Talk[tuple[Session, int] | None]:
    """Find a session of an application, and the version of its page."""
    page: Page | None = yield Recall(terminal.pages.session(package, session))
    return (sessions.read(page.value), page.version) if page is not None else None


def begun(terminal: Terminal, run: Run) -> Talk[list[Note]]:
    """Give what is to be written in the same commit as a request to the host."""
    first = run.version == 0
    notes = [_session_note(terminal, run)]
    if first:
        notes += yield from _place(terminal, run.session)
        notes.append(terminal.pages.reference_note(run.session))
    return notes


def line(terminal: Terminal, of: Named, period: int | None = None) -> Note:
    """Make a line of a batch, the open one if no other is named: it says which exchange, and the
    journal knows the amount."""
    number, terminal.next_line = terminal.next_line, terminal.next_line + 1
    page = terminal.pages.line(terminal.period if period is None else period, number)
    return Note(page, json.write([of.package, of.session, of.attempt]))


def moved(terminal: Terminal, of: Named) -> Talk[list[Note]]:
    """Give the notes that move an exchange to the open batch, from one that closes."""
    notes = [line(terminal, of)]
    found = yield from known(terminal, of.package, of.session)
    if found is not None and found[0].slip is not None:
        session = found[0]
        session.slip = replace(found[0].slip, period=f"{terminal.period:06d}")
        notes.append(Note(terminal.pages.session(of.package, of.session), session.write()))
    return notes


def keep(*notes: Note) -> Talk[None]:
    """Write notes whatever was there."""
    yield Remember(notes)


def attempted(terminal: Terminal, of: Named) -> Talk[list[Note]]:
    """Give the notes that keep how often the host was asked for an exchange that is over."""
    found = yield from known(terminal, of.package, of.session)
    if found is None:
        return []
    page = terminal.pages.session(of.package, of.session)
    found[0].attempt = of.attempt
    return [Note(page, found[0].write())]


def ended(terminal: Terminal, run: Run, notes: Sequence[Note] = ()) -> Talk[None]:
    """Keep the answer. If that fails, LAST_TRANSACTION makes the same one from the journal."""
    before = [] if run.version else (yield from _place(terminal, run.session))
    with suppress(JournalError):
        yield Remember((_session_note(terminal, run), *before, *notes))


def written(terminal: Terminal, run: Run, notes: Sequence[Note] = ()) -> Talk[None]:
    """Keep the answer or fail: for what only the notebook knows. Raises JournalError."""
    before = [] if run.version else (yield from _place(terminal, run.session))
    done = yield Remember((_session_note(terminal, run), *before, *notes))
    if not done:
        raise JournalError("the session was written by somebody else")


def cancellable(terminal: Terminal, brand: str) -> Talk[list[str]]:
    """List the references of a brand's last payments that can be cancelled (4.1.2.6)."""
    if brand not in terminal.cancellable:
        page: Page | None = yield Recall(terminal.pages.cancellable(brand))
        terminal.cancellable[brand] = sessions.listed(page.value if page else None)
    return _last(terminal.cancellable[brand], terminal.profile.cancellable_last)


def cancellable_note(terminal: Terminal, brand: str, reference: str) -> Talk[Note]:
    """Make the note that puts a reference at the end of that list."""
    codes = yield from cancellable(terminal, brand)
    codes = [*(code for code in codes if code != reference), reference]
    codes = terminal.cancellable[brand] = _last(codes, terminal.profile.cancellable_last)
    return Note(terminal.pages.cancellable(brand), json.write(codes))


def period_note(terminal: Terminal, period: int, closing: int | None) -> Note:
    """Make the note that says which batch is open and which one is being closed."""
    value = {"open": period, "closing": closing}
    return Note(terminal.pages.period, json.write(value))


def _session_note(terminal: Terminal, run: Run) -> Note:
    """Write the session, if nobody else did since; the run counts its versions."""
    session = run.session
    page = terminal.pages.session(session.package, session.session)
    note = Note(page, session.write(), expected=run.version)
    run.version += 1
    return note


def _place(terminal: Terminal, session: Session) -> Talk[list[Note]]:
    """Give the session a place in its application's history; the oldest one is forgotten."""
    package, pages = session.package, terminal.pages
    if package not in terminal.counts:
        slots = yield from browse(pages.slots(package))
        counts = [value_of(page)[0] for _, page in slots]
        terminal.counts.setdefault(package, max(counts, default=0))
    terminal.counts[package] += 1
    count, history = terminal.counts[package], terminal.profile.session_history
    slot, notes = pages.slot(package, count % history), list[Note]()
    if count > history:
        oldest: Page | None = yield Recall(slot)
        if oldest is not None:
            notes.append(Note(pages.session(package, value_of(oldest)[1]), None))
    return [*notes, Note(slot, json.write([count, session.session]))]


def _last(codes: list[str], count: int) -> list[str]:
    return codes[max(0, len(codes) - count) :]


def _number(key: str) -> int:
    return int(key.rpartition("/")[2])


def printed(terminal: Terminal, session: Session, *, on_paper: bool) -> Talk[None]:
    """Keep whether a receipt of an exchange that is over is on paper."""
    page = terminal.pages.session(session.package, session.session)
    session.printed = on_paper
    with suppress(JournalError):
        yield Remember((Note(page, session.write()),))


def value_of(page: Page) -> Any:
    """Read a page that holds JSON."""
    return json.read(page.value)
