"""What is wrong with a document or a call: code, place and rule, and the error made of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from tollbridge.faces.iotp.api.elements import ErrorLocation, ErrorResponse
from tollbridge.faces.iotp.api.formats import is_token
from tollbridge.faces.iotp.api.words import ErrorCode
from tollbridge.faces.iotp.report import Violation
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import scrub

SHOWN_LETTERS = 60


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    `place` is a path in the document, `element` the element's name, `attribute` the attribute's as
    errors name it (`WalletId`), `value` the wrong value where it may be shown.
    """

    code: ErrorCode
    place: str
    element: str
    rule: str
    attribute: str = ""
    value: str = ""
    section: str = "RFC 3867, 3.1"

    @property
    def location(self) -> ErrorLocation:
        """The place as an error names it."""
        return ErrorLocation(
            element_type=self.element if is_token(self.element) else "Unknown",
            element_ref=self.value if is_token(self.value) else None,
            att_name=self.attribute if is_token(self.attribute) else None,
        )

    @property
    def violation(self) -> Violation:
        """The fault as a report says it."""
        place = f"{self.place}/@{self.attribute}" if self.attribute else self.place
        return Violation(place, f"{self.code}: {self.rule}", self.section)


def error_of(faults: Sequence[Fault]) -> ErrorResponse:
    """Make the error of the first fault; all faults with the same code are its locations."""
    first = faults[0]
    same = [fault for fault in faults if fault.code is first.code]
    return ErrorResponse(
        error_code=first.code,
        error_desc="; ".join(dict.fromkeys(fault.rule for fault in same)),
        error_locations=tuple(dict.fromkeys(fault.location for fault in same)),
    )


class Unreadable(RemoteProtocolError):
    """A document that is none of the Payment API's; `faults` in the order they were found."""

    code = "iotp_unreadable"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(faults[0].rule, path=[faults[0].place], hint=faults[0].code)
        self.faults = tuple(faults)

    @property
    def error(self) -> ErrorResponse:
        """The error to answer with."""
        return error_of(self.faults)


def shown(value: str) -> str:
    """Give what may be shown of a wrong value: its beginning, card numbers masked."""
    return repr(scrub(value)[:SHOWN_LETTERS])
