"""What is wrong with a message: code, place and rule."""

from collections.abc import Sequence
from dataclasses import dataclass

from tollbridge.faces.iotp.api.words import ErrorCode, Severity
from tollbridge.faces.iotp.report import Violation
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import scrub
from tollbridge.wire.xml import Element

SHOWN_LETTERS = 60


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    `place` is the path of an element (`/IotpMessage/TpoBlk/Org[2]`), `attribute` one of its
    attributes, `value` what stands there, or the name of what is missing; `section` where the
    standard says so.
    """

    code: ErrorCode
    place: str
    rule: str
    section: str
    attribute: str = ""
    value: str = ""
    severity: Severity = Severity.HARD_ERROR

    @property
    def element(self) -> str:
        """The name of the element."""
        return self.place.rpartition("/")[2].partition("[")[0]

    @property
    def violation(self) -> Violation:
        """The fault as a report says it."""
        place = f"{self.place}/@{self.attribute}" if self.attribute else self.place
        weight = " (warning)" if self.severity is Severity.WARNING else ""
        return Violation(place, f"{self.code}: {scrub(self.rule)}{weight}", self.section)


class Unreadable(RemoteProtocolError):
    """A message that cannot be used; `faults` in the order they were found."""

    code = "iotp_message_unreadable"

    def __init__(self, faults: Sequence[Fault]) -> None:
        first = faults[0]
        super().__init__(first.rule, path=[first.place], hint=first.code)
        self.faults = tuple(faults)


def shown(value: str) -> str:
    """Give what may be shown of a wrong value: its beginning, card numbers masked."""
    return repr(scrub(value)[:SHOWN_LETTERS])


def hard(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """Give the faults that end a transaction: not the warnings."""
    return tuple(fault for fault in faults if fault.severity is not Severity.WARNING)


class Places:
    """Where the elements of a document stand; looked up when somebody asks, all at once."""

    def __init__(self, root: Element) -> None:
        self._root = root
        self._paths: dict[int, str] = {}

    def of(self, element: Element | None) -> str:
        """Give an element's path, as `Element.walk` does; that of nothing is "/"."""
        if not self._paths:
            self._paths = {id(one): path for path, one in self._root.walk()}
        return self._paths.get(id(element), "/")
