"""What ends the handling of a message: a problem to tell the sender, or a step that failed."""

from tollbridge.faces.iotp.api.elements import Content, ErrorResponse
from tollbridge.faces.iotp.api.errors import for_counterparty, tells_secrets
from tollbridge.faces.iotp.api.words import ErrorCode, Severity
from tollbridge.faces.iotp.message.blocks import ErrorBlk

RETRY_S = 2
"""When to come again after a transient error of ours."""


class Problem(Exception):
    """Something technical is wrong; the other side gets an Error Block (RFC 2801, 7.21).

    `element` and `attribute` say where, `ref` names the component or payment, `value` is what was
    found there (or what is missing). `retry_s` counts for transient errors only. `contents` are
    for the other side's payment software.
    """

    def __init__(  # noqa: PLR0913 - what an Error Component has
        self,
        code: ErrorCode,
        text: str,
        *,
        element: str = "IotpMessage",
        attribute: str | None = None,
        ref: str | None = None,
        value: str = "",
        severity: Severity = Severity.HARD_ERROR,
        retry_s: int = RETRY_S,
        contents: tuple[Content, ...] = (),
    ) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.element = element
        self.attribute = attribute
        self.ref = ref
        self.value = value
        self.severity = severity
        self.retry_s = retry_s
        self.contents = contents


class Failed(Exception):
    """A bridge answered a call with an error."""

    def __init__(self, error: ErrorResponse) -> None:
        super().__init__(f"{error.error_code}: {error.error_desc}")
        self.error = error

    @property
    def business(self) -> bool:
        """Whether Inquire Process State has to tell what happened."""
        return self.error.error_code is ErrorCode.BUS_ERROR

    @property
    def transient(self) -> bool:
        """Whether the same call may work later."""
        return self.error.severity is Severity.TRANSIENT_ERROR


class Unusable(Exception):
    """A message from a peer cannot be used, or a trade cannot go on; `text` is for people."""

    def __init__(self, text: str, problem: Problem | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.problem = problem


def problem_of(error: ErrorResponse) -> Problem:
    """Say to the counterparty what a bridge said to us, as far as it may be known outside."""
    code = for_counterparty(error) or ErrorCode.UNKNOWN_ERROR
    place = error.error_locations[0]
    private = tells_secrets(error)
    retry = error.min_retry_secs or ""
    return Problem(
        code,
        "the payment software cannot go on" if private else error.error_desc,
        element="IotpMessage" if private else place.element_type,
        attribute=None if private else place.att_name,
        ref=None if private else place.element_ref,
        value="" if private else place.element_ref or "",
        severity=error.severity,
        retry_s=int(retry) if retry.isascii() and retry.isdigit() else RETRY_S,
        contents=error.pay_scheme_packaged_content,
    )


def worst_of(block: ErrorBlk) -> Severity:
    """Give the highest severity, which decides (IX-200)."""
    order = (Severity.HARD_ERROR, Severity.TRANSIENT_ERROR, Severity.WARNING)
    found = {one.severity for one in block.errors}
    return next(one for one in order if one in found)
