"""A call of the Payment API and its one answer (RFC 3867, 3): a result, an error, or a warning."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from tollbridge.faces.iotp.api.elements import Content, ErrorLocation, ErrorResponse
from tollbridge.faces.iotp.api.words import ErrorCode, Severity

R = TypeVar("R")


class Call(Generic[R]):
    """A request of the Payment API; R is the response that belongs to it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """What came of a call: a result, or an error, or a result with a warning.

    Nothing else is legal: an empty answer means nothing, and only a warning lets it go on. Raises
    ValueError for other combinations.
    """

    result: R | None = None
    error: ErrorResponse | None = None

    def __post_init__(self) -> None:
        warned = self.error is not None and self.error.severity is Severity.WARNING
        if (self.result is None) == (self.error is None) and not (self.result and warned):
            raise ValueError("an answer is a result, an error, or a result with a warning")
        if self.result is None and warned:
            raise ValueError("a warning stands beside a result")

    @property
    def failed(self) -> ErrorResponse | None:
        """The error that stands in place of a result; None when there is a result."""
        return self.error if self.result is None else None


class Refused(Exception):
    """A bridge answers with this error. Ends the call, nothing else."""

    def __init__(self, error: ErrorResponse) -> None:
        super().__init__(f"{error.error_code}: {error.error_desc}")
        self.error = error


def refused(
    code: ErrorCode,
    text: str,
    *names: str,
    element: str = "IotpPaymentApiRequest",
    ref: str | None = None,
    severity: Severity = Severity.HARD_ERROR,
    contents: tuple[Content, ...] = (),
) -> Refused:
    """Make a refusal that names attributes of one element (none: the element itself).

    `ref` is the value that is wrong (an id), `contents` what the counterparty's software shall see.
    A TransientError has one location and says after how many seconds to come again.
    """
    places = tuple([ErrorLocation(element_type=element, element_ref=ref, att_name=name)
                    for name in names or (None,)])  # fmt: skip
    transient = severity is Severity.TRANSIENT_ERROR
    return Refused(
        ErrorResponse(
            error_code=code,
            error_desc=text,
            severity=severity,
            min_retry_secs="5" if transient else None,
            error_locations=places[:1] if transient else places,
            pay_scheme_packaged_content=contents,
        )
    )
