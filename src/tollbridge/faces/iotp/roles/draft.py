"""Making messages: ids that are unique in the transaction, and the parts that all roles write."""

from collections.abc import Sequence

from tollbridge.faces.iotp.api.elements import Content
from tollbridge.faces.iotp.api.words import ErrorCode, ProcessState, Severity
from tollbridge.faces.iotp.message.blocks import Block, CancelBlk, ErrorBlk, IotpMessage
from tollbridge.faces.iotp.message.components import (
    ErrorComp,
    ErrorLocation,
    MsgId,
    PaySchemeData,
    Status,
    TransId,
    TransRefBlk,
)
from tollbridge.faces.iotp.message.naming import Numbers
from tollbridge.faces.iotp.message.words import StatusType
from tollbridge.faces.iotp.roles.problems import Problem
from tollbridge.faces.iotp.roles.store import Deal
from tollbridge.ground.clock import Instant
from tollbridge.ground.version import __version__

LANG = "en"
SOFTWARE = f"The Tollbridge maintainers, Tollbridge, {__version__}, 1"
REASON_LETTERS_MAX = 256


class Draft:
    """A message in the making: `new_id` numbers its parts (RFC 2801, 3.4.1)."""

    def __init__(self, msg_id: str) -> None:
        self.msg_id = msg_id
        self.numbers = Numbers("", 0)
        self.numbers.message = msg_id
        self.ref = self.new_id()

    def new_id(self) -> str:
        """Give the next id of a block or component."""
        return self.numbers.next()

    def message(
        self,
        trans: TransId,
        blocks: Sequence[Block],
        at: Instant,
        *,
        answers: str | None = None,
        sender: str | None = None,
        error: ErrorBlk | None = None,
    ) -> IotpMessage:
        """Put the message together; `answers` names the message answered, `sender` our role."""
        msg = MsgId(
            id=self.msg_id,
            resp_iotp_msg=answers,
            lang=LANG,
            sender_trading_role_ref=sender,
            software_id=SOFTWARE,
            time=at,
        )
        ref = TransRefBlk(id=self.ref, trans_id=trans, msg_id=msg)
        return IotpMessage(trans_ref=ref, error=error, blocks=tuple(blocks))

    def status(
        self,
        kind: StatusType,
        state: ProcessState,
        *,
        ref: str | None = None,
        code: str | None = None,
        reference: str | None = None,
        text: str | None = None,
    ) -> Status:
        """Say how far a step is; the code counts for failures, and for deliveries."""
        says = state is ProcessState.FAILED or kind is StatusType.DELIVERY
        return Status(
            id=self.new_id(),
            lang=LANG,
            status_type=kind,
            el_ref=ref,
            process_state=state,
            completion_code=code if says else None,
            process_reference=reference,
            status_desc=text[:REASON_LETTERS_MAX] if text else None,
        )

    def cancel(self, kind: StatusType, code: str, ref: str | None, text: str) -> CancelBlk:
        """Make a Cancel Block (RFC 2801, 8.18)."""
        block = self.new_id()
        failed = ProcessState.FAILED
        return CancelBlk(id=block, status=self.status(kind, failed, ref=ref, code=code, text=text))

    def error(self, problem: Problem, about: str | None) -> ErrorBlk:
        """Make an Error Block of a problem with the message `about` (RFC 2801, 7.21)."""
        block = self.new_id()
        location = ErrorLocation(
            element_type=problem.element,
            iotp_msg_ref=about,
            comp_ref=problem.ref if problem.ref and _is_id(problem.ref) else None,
            element_ref=problem.ref if problem.ref and not _is_id(problem.ref) else None,
            att_name=problem.attribute,
        )
        contents = (Content(text=problem.value),) if problem.value else ()
        transient = problem.severity is Severity.TRANSIENT_ERROR
        component = ErrorComp(
            id=self.new_id(),
            lang=LANG,
            error_code=problem.code,
            error_desc=problem.text[:REASON_LETTERS_MAX],
            severity=problem.severity,
            min_retry_secs=str(problem.retry_s) if transient else None,
            locations=(location,),
            contents=contents,
        )
        scheme: tuple[PaySchemeData, ...] = ()
        if problem.contents:
            scheme = (PaySchemeData(id=self.new_id(), contents=problem.contents),)
        return ErrorBlk(id=block, errors=(component,), pay_scheme_data=scheme)


def next_draft(deal: Deal, prefix: str) -> Draft:
    """Begin the role's next message in a transaction."""
    deal.sent += 1
    return Draft(f"{prefix}{deal.sent}")


def _is_id(text: str) -> bool:
    number, dot, place = text.partition(".")
    return bool(dot) and number[:1].isalpha() and place.isdigit()


def cancelled(code: str | None) -> bool:
    """Say whether a completion code means a Cancel Block instead of an Error Block (2.6.1)."""
    return code in {"ConsCancelled", "MerchCancelled", "PaymtCancelled"}


UNKNOWN = ErrorCode.UNKNOWN_ERROR
