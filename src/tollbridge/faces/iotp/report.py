"""What the checkers of messages and of Payment API documents say: a report in plain words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that a document breaks.

    `place` is a path in the document (`/IotpPaymentApiRequest/Authenticate/@BrandId`), "/" for the
    document as a whole; `rule` a sentence that says what is wrong; `section` where the standard
    says so ("RFC 2801, 7.8").
    """

    place: str
    rule: str
    section: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a document is, and what is wrong with it.

    `kind` names what was found ("InquireProcessState request"), "" when that cannot be said;
    `summary` is one sentence, `explained` the rest in plain words, in the document's order.
    """

    kind: str
    summary: str
    explained: tuple[str, ...] = ()
    violations: tuple[Violation, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether no rule is broken."""
        return not self.violations
