"""What server roles do with a message: read, recognise, judge, answer, remember (RFC 2801, 4.5).

The answer to a message is written down before it is given out, and given again, the same bytes,
whenever the same message comes again. Nothing that was not written is ever said, but transient
errors: those are not answers.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tollbridge.faces.iotp.api.words import ErrorCode, ProcessState, Severity
from tollbridge.faces.iotp.message import codec, faults, rules, signing
from tollbridge.faces.iotp.message.blocks import (
    Block,
    CancelBlk,
    ErrorBlk,
    InquiryReqBlk,
    InquiryRespBlk,
    IotpMessage,
    PingReqBlk,
    PingRespBlk,
)
from tollbridge.faces.iotp.message.codec import element_of
from tollbridge.faces.iotp.message.components import Org, TransId
from tollbridge.faces.iotp.message.faults import Unreadable
from tollbridge.faces.iotp.message.references import Known
from tollbridge.faces.iotp.message.signing import Verifier
from tollbridge.faces.iotp.message.words import (
    ANSWERING_PREFIX,
    INQUIRING_PREFIX,
    PingStatus,
    SignatureCheck,
    TransactionType,
)
from tollbridge.faces.iotp.roles import sealing, store
from tollbridge.faces.iotp.roles.draft import LANG, Draft, next_draft
from tollbridge.faces.iotp.roles.problems import Failed, Problem, problem_of
from tollbridge.faces.iotp.roles.sealing import Seal
from tollbridge.faces.iotp.roles.settings import PartySettings
from tollbridge.faces.iotp.roles.store import Deal
from tollbridge.faces.iotp.roles.writing import together
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import JournalError, VersionConflict
from tollbridge.ground.flow import Flow
from tollbridge.wire import xml

DEAD = frozenset({"failed", "cancelled"})
"""Stages in which messages are ignored, but for repeated ones and inquiries (4.5.2)."""
NOT_OVER: Sequence[ProcessState] = (ProcessState.NOT_YET_STARTED, ProcessState.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler makes of a message: blocks, what they answer with, and where it stands now.

    `blocks` empty: nothing is said (the other side said that it is over).
    """

    blocks: tuple[Block, ...] = ()
    stage: str | None = None
    error: ErrorBlk | None = None


class Instead(Exception):
    """Another message has to be seen to first; `body` is said in place of an answer."""

    def __init__(self, body: bytes) -> None:
        super().__init__("another message comes first")
        self.body = body


@dataclass
class Memory:
    """What a process knows of what it is doing just now; empty after a crash, rightly."""

    busy: set[str] = field(default_factory=set)


class Settings(Protocol):
    """What the settings of every server say: who it is, what it signs with, whom it believes."""

    @property
    def party(self) -> PartySettings: ...

    @property
    def seal(self) -> Seal | None: ...

    @property
    def verifier(self) -> Verifier | None: ...


class Server(ABC):
    """A role that answers messages. `prefix` begins its message ids, `role` its notes."""

    role: str
    prefix: str
    settings: Settings

    def __init__(self, clock: Clock, busy_max: int = 1000) -> None:
        self.clock = clock
        self.memory = Memory()
        self.busy_max = busy_max
        self.is_down = False

    # What a role decides

    @abstractmethod
    def welcomes(self, message: IotpMessage) -> bool:
        """Say whether a message may begin a transaction here."""

    @abstractmethod
    def handle(self, deal: Deal, message: IotpMessage, draft: Draft) -> Flow[Reply]:
        """Answer a message of a transaction. Raises Problem or Failed."""

    @abstractmethod
    def told(self, deal: Deal, block: CancelBlk | ErrorBlk) -> Flow[Reply]:
        """Hear that it is over. Raises Problem when it is too late."""

    @abstractmethod
    def inquired(self, deal: Deal, block: InquiryReqBlk, draft: Draft) -> Flow[InquiryRespBlk]:
        """Tell where a step stands."""

    @abstractmethod
    def equip(self, seal: Seal, verifier: Verifier) -> None:
        """Sign with this from now on, and believe those."""

    @abstractmethod
    def org(self) -> Org:
        """Say who we are."""

    def signs_from(self, deal: Deal, message: IotpMessage) -> int:
        """Say from which letter on the signature of an answer covers; 0: it is not signed."""
        del deal, message
        return 1

    def sign(self, deal: Deal, message: IotpMessage, draft: Draft) -> Flow[IotpMessage]:
        """Sign an answer, last of all."""
        seal, kinds = self.settings.seal, sealing.kinds_of(message)
        since = self.signs_from(deal, message)
        if seal is None or not kinds or not since:
            return message
        before = yield from sealing.heard(deal, since)
        us = self.settings.party.org_id
        return sealing.signed(message, kinds, us, seal, draft, before)

    def prefix_in(self, deal: Deal, message: IotpMessage) -> str:
        """Say how our message ids begin in a transaction."""
        del deal, message
        return self.prefix

    # What all do

    def answer(self, body: bytes) -> Flow[bytes]:
        """Answer a message; b"" when nothing is to be said."""
        try:
            root = codec.well_formed(body)
        except Unreadable as error:
            return self._stranger(Problem(error.faults[0].code, error.faults[0].rule))
        name = _name(root)
        if not name:
            text = "a message names its transaction"
            missing = Problem(ErrorCode.ATT_MISSING, text, element="TransId",
                              attribute="IotpTransId", value="IotpTransId")  # fmt: skip
            return self._stranger(missing)
        if name in self.memory.busy:
            return self._transient(
                root, ErrorCode.MSG_BEING_PROC, "the message before is worked on"
            )
        if len(self.memory.busy) >= self.busy_max:
            return self._transient(root, ErrorCode.SYSTEM_BUSY, "too much to do at present")
        self.memory.busy.add(name)
        try:
            return (yield from together(self._answered(name, root, body)))
        except (JournalError, VersionConflict):
            return self._transient(root, ErrorCode.SYSTEM_BUSY, "nothing can be written at present")
        finally:
            self.memory.busy.discard(name)

    def _answered(self, name: str, root: xml.Element, body: bytes) -> Flow[bytes]:
        deal = yield from store.recall(self.role, name)
        msg_id = _msg_id(root)
        again = deal.seen.get(msg_id) if deal is not None else None
        if deal is not None and again is not None:
            if again.digest != store.digest(body):
                before = yield from store.letter(deal, again.letter)
                if xml.read(before.body) != root:
                    return self._stray(root, msg_id)
            if again.answer:
                return (yield from store.letter(deal, again.answer)).body
            if deal.stage in DEAD:
                return b""
        try:
            message = store.was_read(body, codec.read_root(root))
        except Unreadable as error:
            fault = error.faults[0]
            problem = Problem(fault.code, fault.rule, element=fault.element or "IotpMessage",
                              attribute=fault.attribute or None, value=fault.value)  # fmt: skip
            return self._transient(root, fault.code, fault.rule, problem)
        if message.block(PingReqBlk) is not None:
            return (yield from self._pinged(message, body))
        if deal is None:
            if not self.welcomes(message):
                return self._unknown(message)
            deal = Deal(self.role, message.trans_ref.trans_id, "new")
        return (yield from self._of(deal, message, body, is_new=again is None))

    def _of(self, deal: Deal, message: IotpMessage, body: bytes, *, is_new: bool) -> Flow[bytes]:
        """Work on a message of a transaction we know."""
        inquiry = message.block(InquiryReqBlk)
        if deal.stage in DEAD and inquiry is None:
            return b""
        if deal.letters >= store.LETTERS_MAX:
            text = "too many messages in one transaction"
            full = Problem(ErrorCode.SYSTEM_BUSY, text, severity=Severity.TRANSIENT_ERROR)
            return self._refusal(deal, message, full)
        now = self.clock.now()
        if is_new:
            sender = message.trans_ref.msg_id.sender_trading_role_ref or "Consumer"
            deal.add(body, message.msg_id, message.kinds, now, sender, incoming=True)
        if inquiry is not None:
            number = message.msg_id.removeprefix(INQUIRING_PREFIX)
            draft = Draft(f"{ANSWERING_PREFIX}{number}")
        else:
            draft = next_draft(deal, self.prefix_in(deal, message))
        try:
            reply = yield from self._reply(deal, message, draft)
        except Instead as first:
            return first.body
        if isinstance(reply, Problem):
            return self._refusal(deal, message, reply)
        return (yield from self._said(deal, message, draft, reply))

    def _reply(self, deal: Deal, message: IotpMessage, draft: Draft) -> Flow[Reply | Problem]:
        """Make the answer to a message; a transient problem is none."""
        over = message.error or message.block(CancelBlk)
        inquiry = message.block(InquiryReqBlk)
        try:
            _keep_rules(message)
            if inquiry is not None:
                told = yield from self._inquired(deal, inquiry, draft)
                return Reply(told, error=(yield from _error_sent(deal)) if told else None)
            if over is not None:
                return (yield from self.told(deal, over))
            return (yield from self.handle(deal, message, draft))
        except Problem as error:
            problem = error
        except Failed as failed:
            problem = problem_of(failed.error)
        if problem.severity is Severity.TRANSIENT_ERROR:
            return problem
        keeps = over is not None or inquiry is not None or deal.stage == "done"
        stage = deal.stage if keeps else "failed"
        return Reply(stage=stage, error=draft.error(problem, message.msg_id))

    def _said(self, deal: Deal, message: IotpMessage, draft: Draft, reply: Reply) -> Flow[bytes]:
        if reply.stage is not None:
            deal.stage = reply.stage
        if not reply.blocks and reply.error is None:
            yield from store.keep(deal)
            return b""
        made = draft.message(
            message.trans_ref.trans_id if message.block(InquiryReqBlk) else deal.trans,
            reply.blocks,
            self.clock.now(),
            answers=message.msg_id,
            error=reply.error,
        )
        if reply.error is None:
            made = yield from self.sign(deal, made, draft)
        body = store.written(made)
        letter = deal.add(body, made.msg_id, made.kinds, self.clock.now(), "Consumer",
                          incoming=False)  # fmt: skip
        deal.seen[message.msg_id].answer = letter.number
        yield from store.keep(deal)
        return body

    def _inquired(self, deal: Deal, block: InquiryReqBlk, draft: Draft) -> Flow[tuple[Block, ...]]:
        if deal.trans.iotp_trans_type == TransactionType.PING:
            return ()
        return ((yield from self.inquired(deal, block, draft)),)

    def _pinged(self, message: IotpMessage, body: bytes) -> Flow[bytes]:
        """Answer a ping: it knows no other transaction, and none knows it (RFC 2801, 9.2.2)."""
        block = message.block(PingReqBlk)
        assert block is not None
        trans = message.trans_ref.trans_id
        number = message.msg_id.removeprefix(INQUIRING_PREFIX)
        draft = Draft(f"{ANSWERING_PREFIX}{number}")
        code = PingStatus.DOWN if self.is_down else PingStatus.OK
        answer = PingRespBlk(
            id=draft.new_id(),
            ping_status_code=code,
            sig_verify_status_code=self._signature_of(message),
            lang=LANG,
            orgs=(self.org(), *block.orgs),
        )
        made = draft.message(trans, (answer,), self.clock.now(), answers=message.msg_id)
        seal = self.settings.seal
        if seal is not None:
            known = Known.of(element_of(message))
            kinds = sealing.kinds_of(made)
            made = sealing.signed(made, kinds, self.settings.party.org_id, seal, draft, known)
        out = codec.write(made)
        deal = Deal(self.role, trans, "ping")
        deal.add(body, message.msg_id, message.kinds, self.clock.now(), "", incoming=True)
        letter = deal.add(out, made.msg_id, made.kinds, self.clock.now(), "", incoming=False)
        deal.seen[message.msg_id].answer = letter.number
        yield from store.keep(deal)
        return out

    def _signature_of(self, message: IotpMessage) -> SignatureCheck | None:
        """Say what the signature of a ping is worth; None when there is none (8.15)."""
        verifier = self.settings.verifier
        if message.signatures is None:
            return None
        if verifier is None:
            return SignatureCheck.NOT_SUPPORTED
        found = signing.verify(message, self.settings.party.org_id, verifier)
        return SignatureCheck.OK if all(one.good for one in found) else SignatureCheck.FAIL

    # Errors that belong to no transaction of ours

    def _stranger(self, problem: Problem) -> bytes:
        """Refuse what names no transaction, in a transaction of its own (RFC 2801, 4.5.2)."""
        draft = Draft("X1")
        trans = TransId(
            id=draft.new_id(),
            iotp_trans_id=f"{self.clock.now()}@{self.org().org_id}",
            iotp_trans_type=TransactionType.PING,
            time=self.clock.now(),
        )
        error = draft.error(problem, None)
        return codec.write(draft.message(trans, (), self.clock.now(), error=error))

    def _unknown(self, message: IotpMessage) -> bytes:
        """Refuse a message of a transaction we never heard of; errors are not answered."""
        if message.error is not None or message.block(CancelBlk) is not None:
            return b""
        text = "this transaction is not known here; begin it again"
        name = message.trans_id
        problem = Problem(ErrorCode.ATT_VAL_ILLEGAL, text, element="TransId",
                          attribute="IotpTransId", value=name)  # fmt: skip
        return self._refused(message.trans_ref.trans_id, message.msg_id, problem)

    def _refusal(self, deal: Deal, message: IotpMessage, problem: Problem) -> bytes:
        """Make an error that is not an answer, and is not written down."""
        return self._refused(deal.trans, message.msg_id, problem)

    def _transient(
        self, root: xml.Element, code: ErrorCode, text: str, problem: Problem | None = None
    ) -> bytes:
        problem = problem or Problem(code, text, severity=Severity.TRANSIENT_ERROR)
        return self._refused(_trans_of(root), _msg_id(root), problem)

    def _stray(self, root: xml.Element, msg_id: str) -> bytes:
        text = "the id of this message was that of another one"
        problem = Problem(ErrorCode.EL_INCONSISTENT, text, element="MsgId", attribute="ID",
                          value=msg_id)  # fmt: skip
        return self._refused(_trans_of(root), msg_id, problem)

    def _refused(self, trans: TransId, about: str, problem: Problem) -> bytes:
        draft = Draft(f"{self.prefix}0")
        error = draft.error(problem, about or None)
        made = draft.message(trans, (), self.clock.now(), answers=about or None, error=error)
        return codec.write(made)


def _error_sent(deal: Deal) -> Flow[ErrorBlk | None]:
    """Give the Error Block that ended a transaction; an inquiry is told it again (9.2.1)."""
    if deal.stage != "failed":
        return None
    for letter in reversed((yield from store.letters(deal.role, deal.name))):
        if not letter.incoming and "ErrorBlk" in letter.kinds:
            return store.message(letter.body).error
    return None


def _keep_rules(message: IotpMessage) -> None:
    """Check what holds inside a message and its blocks (12.2, steps 5 and 6). Raises Problem."""
    wrong = faults.hard(rules.of(message))
    if wrong:
        one = wrong[0]
        raise Problem(one.code, one.rule, element=one.element or "IotpMessage",
                      attribute=one.attribute or None, value=one.value)  # fmt: skip


def last_received(deal: Deal) -> str | None:
    """Name the last message that came and was no inquiry."""
    names = [name for name in deal.seen if not name.startswith(INQUIRING_PREFIX)]
    return names[-1] if names else None


def _name(root: xml.Element) -> str:
    ref = root.find("TransRefBlk")
    trans = ref.find("TransId") if ref else None
    return trans.get("IotpTransId").strip() if trans else ""


def _msg_id(root: xml.Element) -> str:
    ref = root.find("TransRefBlk")
    msg = ref.find("MsgId") if ref else None
    return msg.get("ID").strip() if msg else ""


def _trans_of(root: xml.Element) -> TransId:
    ref = root.find("TransRefBlk")
    found = ref.find("TransId") if ref else None
    assert found is not None, "the name of the transaction was read before"
    return store.trans_of(found)
