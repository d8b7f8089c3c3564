"""What a payment bridge remembers of a payment: a page of the notebook, changed by compare-and-set.

Keys begin with the bridge's own prefix. `payment/<id>` holds the record, `pending/<id>` marks the
payments that should be brought to an end.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from tollbridge.faces.iotp.api.answer import Refused, refused
from tollbridge.faces.iotp.api.elements import PaymentId
from tollbridge.faces.iotp.api.states import FINAL, PENDING
from tollbridge.faces.iotp.api.words import ErrorCode, ProcessState, Severity
from tollbridge.ground.flow import Browse, Flow, Note, Page, Recall, Remember
from tollbridge.wire import json

R = TypeVar("R")
TRIES = 50
BROWSED = 100
STATUS_DESC_MAX = 256


@dataclass(frozen=True, slots=True)
class Record:
    """One payment as a bridge keeps it.

    `completion` and `text` say why it stands where it does. `data` is the scheme's own, JSON.
    `version` is that of its page, 0 when it is not written yet.
    """

    pay_id: str
    state: ProcessState = ProcessState.NOT_YET_STARTED
    completion: str = ""
    text: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0

    def to(
        self, state: ProcessState, completion: str = "", text: str = "", **data: Any
    ) -> "Record":
        """Give the record in another state, with more data."""
        return replace(
            self, state=state, completion=completion, text=text, data={**self.data, **data}
        )

    @property
    def over(self) -> bool:
        """Whether it is in a final state."""
        return self.state in FINAL


def status_desc(text: str) -> str | None:
    """Give what is said of a payment as a StatusDesc: 256 characters at most, None for nothing."""
    return text[:STATUS_DESC_MAX] or None


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one bridge, below its prefix."""

    prefix: str

    def find(self, pay_id: str) -> Flow[Record | None]:
        """Read a record; None when the payment is not known."""
        page: Page | None = yield Recall(self._page(pay_id))
        if page is None:
            return None
        read = json.read_object(page.value, what="payment")
        return Record(
            pay_id,
            ProcessState(read["state"]),
            read.get("completion", ""),
            read.get("text", ""),
            read.get("data", {}),
            page.version,
        )

    def known(self, pay_id: str, element: str, name: str = "PayId") -> Flow[Record]:
        """Read a record. Raises Refused, AttValIllegal naming the id, when there is none."""
        found = yield from self.find(pay_id)
        if found is None:
            raise unknown(pay_id, element, name)
        return found

    def notes(self, record: Record) -> tuple[Note, ...]:
        """Give the notes that write a record over the version it was read with."""
        page: dict[str, Any] = {"state": record.state.value}
        for name in ("completion", "text", "data"):
            if value := getattr(record, name):
                page[name] = value
        open_ = not record.over and record.state is not ProcessState.NOT_YET_STARTED
        return (
            Note(self._page(record.pay_id), json.write(page), expected=record.version),
            Note(f"{self.prefix}/pending/{record.pay_id}", b"" if open_ else None),
        )

    def forgotten(self, record: Record) -> tuple[Note, ...]:
        """Give the notes that forget a record."""
        return (
            Note(self._page(record.pay_id), None, expected=record.version),
            Note(f"{self.prefix}/pending/{record.pay_id}", None),
        )

    def write(self, record: Record, *more: Note) -> Flow[bool]:
        """Write a record, and more in the same commit; False when somebody was faster.

        A record alone may wait for what else the flow writes.
        """
        done: bool = yield Remember((*self.notes(record), *more), waits=not more)
        return done

    def pending(self) -> Flow[tuple[PaymentId, ...]]:
        """List the payments that are under way or suspended."""
        prefix = f"{self.prefix}/pending/"
        found: list[PaymentId] = []
        after = ""
        while pages := (yield Browse(prefix, after, BROWSED)):
            found += [PaymentId(pay_id=key.removeprefix(prefix)) for key, _ in pages]
            after = pages[-1][0]
        return tuple(found)

    def _page(self, pay_id: str) -> str:
        return f"{self.prefix}/payment/{pay_id}"


def unknown(pay_id: str, element: str, name: str = "PayId") -> Refused:
    """Make the refusal of a payment nobody knows."""
    text = "there is no such payment"
    return refused(ErrorCode.ATT_VAL_ILLEGAL, text, name, element=element, ref=pay_id)


def business(text: str, element: str, pay_id: str) -> Refused:
    """Make a business error about a payment; Inquire Process State tells more."""
    return refused(ErrorCode.BUS_ERROR, text, "PayId", element=element, ref=pay_id)


def pending_only(record: Record, element: str) -> None:
    """Refuse to go on with a payment that is suspended or over (2.6.2)."""
    if record.state not in PENDING:
        raise business(f"the payment is {record.state}", element, record.pay_id)


def repeated(attempt: Callable[[], Flow[R | None]]) -> Flow[R]:
    """Try again as long as an attempt gives None, because somebody else wrote in between."""
    for _ in range(TRIES):
        done = yield from attempt()
        if done is not None:
            return done
    text = "this payment is being worked on; ask again"
    raise refused(ErrorCode.SYSTEM_BUSY, text, severity=Severity.TRANSIENT_ERROR)
