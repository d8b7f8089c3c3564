"""What a Consumer's core has at hand: bridges, clock, the person, the peers, and its own notes.

Messages are written down before they are sent, and what is not answered is sent again, the same
bytes (RFC 2801, 4.5.3). After some tries the person is asked: try again, suspend, or cancel.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from tollbridge.faces.iotp.api.answer import Answer, refused
from tollbridge.faces.iotp.api.bridge import PaymentBridge
from tollbridge.faces.iotp.api.calls import (
    CallBack,
    CallBackResponse,
    ManagePaymentSoftware,
    ManagePaymentSoftwareResponse,
)
from tollbridge.faces.iotp.api.elements import ErrorResponse
from tollbridge.faces.iotp.api.perform import Limit
from tollbridge.faces.iotp.api.words import ErrorCode, Severity
from tollbridge.faces.iotp.message import faults, rules
from tollbridge.faces.iotp.message.blocks import (
    AuthReqBlk,
    Block,
    CancelBlk,
    ErrorBlk,
    InquiryRespBlk,
    IotpMessage,
    TpoBlk,
)
from tollbridge.faces.iotp.message.components import Org, TradingRole, TransId
from tollbridge.faces.iotp.message.faults import Unreadable
from tollbridge.faces.iotp.message.http import Ending
from tollbridge.faces.iotp.message.signatures import IotpSignatures
from tollbridge.faces.iotp.message.signing import SignatureKind, Verifier
from tollbridge.faces.iotp.message.words import TransactionType
from tollbridge.faces.iotp.roles import pages, sealing, store
from tollbridge.faces.iotp.roles.calls import CALL_LIMIT_S, Bridges, Keys
from tollbridge.faces.iotp.roles.draft import Draft
from tollbridge.faces.iotp.roles.person import (
    Arrived,
    NeedPassphrase,
    NeedWallet,
    Notice,
    Post,
    Progress,
    Silence,
    Trouble,
    Visit,
    Way,
    Wish,
)
from tollbridge.faces.iotp.roles.problems import Problem, Unusable, worst_of
from tollbridge.faces.iotp.roles.store import CONSUMER, Deal
from tollbridge.ground.clock import Clock
from tollbridge.ground.flow import Exchange, Flow, Party, Wait
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import Secret

R = TypeVar("R")

ROLE = CONSUMER
TRIES_MAX = 3
"""How often a message is sent before the person is asked."""
PAUSE_S = 0.5
PATIENCE_MAX_S = 30
LANGUAGES = ("en",)
ANYBODY = ""
"""In the place of an OrgId: whoever shows a certificate."""
OURSELVES = "person"
"""The reference of our Call Back: there is one core."""


class Suspended(Exception):
    """The person wants to go on later."""


class Cancelled(Exception):
    """The person wants no more of it."""


class PeerError(Exception):
    """The other side found a hard error; `block` says which."""

    def __init__(self, block: ErrorBlk) -> None:
        super().__init__(block.errors[0].error_desc)
        self.block = block


class PeerCancelled(Exception):
    """The other side cancelled; `block` says why."""

    def __init__(self, block: CancelBlk) -> None:
        super().__init__(block.status.status_desc or block.status.completion_code or "cancelled")
        self.block = block


@dataclass
class Core:
    """A Consumer's surroundings.

    `trusted` are verifiers by OrgId, in small letters, and one for ANYBODY who shows a certificate.
    """

    bridges: Bridges
    clock: Clock
    ids: IdSource
    trusted: Mapping[str, Verifier] = field(default_factory=dict)
    cancel_wanted: bool = False
    aside: Callable[[IotpMessage, bytes], Flow[bool]] | None = None
    """Authenticate in a transaction of its own; says whether the original may go on."""

    @classmethod
    def of(
        cls,
        bridges: Mapping[str, PaymentBridge],
        clock: Clock,
        ids: IdSource,
        trusted: Mapping[str, Verifier],
    ) -> "Core":
        """Make the surroundings; bridges ask the person for wallets, and show progress."""
        core = cls(Bridges(bridges), clock, ids, trusted)
        core.bridges.ask = core.unlock
        core.bridges.hear = core.hear
        core.bridges.limit = Limit(clock, CALL_LIMIT_S)
        return core

    # The person

    def person(self, wish: Wish) -> Flow[Any]:
        """Say something to the person, and hear the answer."""
        return (yield Exchange(Party.CARDHOLDER, wish))

    def notice(self, text: str | None) -> Flow[None]:
        """Show a text, if there is one."""
        if text:
            yield from self.person(Notice(text))

    def decide(self, text: str, *ways: Way) -> Flow[Way]:
        """Let the person decide. Raises Suspended or Cancelled when that is the decision."""
        way = Way((yield from self.person(Trouble(text, ways))))
        if way is Way.SUSPEND:
            raise Suspended(text)
        if way is Way.CANCEL:
            raise Cancelled(text)
        return way

    def hear(self, call: CallBack) -> Flow[Answer[CallBackResponse]]:
        """Show how far a payment is (I-032); a wish to cancel is answered by BusError."""
        yield from self.person(
            Progress(call.pay_id, call.status_desc or "", call.percent_complete, call.process_state)
        )
        if self.cancel_wanted:
            text = "ConsCancelled: the Consumer wants no more of it"
            return Answer(error=refused(ErrorCode.BUS_ERROR, text).error)
        return Answer(CallBackResponse())

    def unlock(self, name: str, need: str, keys: Keys, error: ErrorResponse) -> Flow[bool]:
        """Ask the person for a wallet, or for what opens it; pass phrases stay in memory."""
        if need == "WalletId":
            wallet = yield from self.person(NeedWallet(name, error.error_desc))
            keys.wallet_id = wallet or None
            return bool(wallet)
        wish = NeedPassphrase(name, keys.wallet_id or "", error.error_desc)
        phrase: Secret[str] | None = yield from self.person(wish)
        keys.passphrase = phrase
        return phrase is not None

    def manage(self, name: str, call: ManagePaymentSoftware) -> Flow[ManagePaymentSoftwareResponse]:
        """Open a payment software and note the wallet it made (2.8). Raises Failed."""
        done = yield from self.bridges.call(name, call)
        if done.wallet_id is not None:
            keys = self.bridges.keys[name]
            keys.wallet_id, keys.passphrase = done.wallet_id, done.passphrase or keys.passphrase
        return done

    # Peers

    def send(  # noqa: PLR0913 - what a message has
        self,
        deal: Deal,
        draft: Draft,
        blocks: Sequence[Block],
        *,
        to: str,
        answers: str | None,
        error: ErrorBlk | None = None,
        signatures: IotpSignatures | None = None,
        trans: TransId | None = None,
    ) -> int:
        """Put a message on file, to be written with the next `keep`; gives its letter."""
        now = self.clock.now()
        made = draft.message(trans or deal.trans, blocks, now, answers=answers, error=error)
        if signatures is not None:
            made = replace(made, signatures=signatures)
        body = store.written(made)
        return deal.add(body, made.msg_id, made.kinds, now, to, incoming=False).number

    def ask(self, deal: Deal, number: int, url: str) -> Flow[IotpMessage]:
        """Send a letter until it is answered, and give the answer, put on file.

        Raises Suspended, Cancelled, PeerError, PeerCancelled, or Unusable.
        """
        letter = yield from store.letter(deal, number)
        tries = 0
        while True:
            tries += 1
            got: Arrived | Silence = yield Exchange(Party.PEER, Post(url, letter.body))
            trouble, wait_s = _trouble(got), PAUSE_S * tries
            if not trouble:
                assert isinstance(got, Arrived)
                message, wait_s = yield from self._understood(deal, letter, got.body, url)
                if message is not None:
                    return message
                trouble = "the other side is busy"
            if tries < TRIES_MAX:
                yield Wait(min(wait_s, PATIENCE_MAX_S))
                continue
            yield from self.decide(trouble, Way.RETRY, Way.SUSPEND, Way.CANCEL)
            tries = 0

    def _understood(
        self, deal: Deal, letter: store.Letter, body: bytes, url: str
    ) -> Flow[tuple[IotpMessage | None, float]]:
        """Give a message that answers a letter; None with a pause when it is to be sent again."""
        message = yield from self._read(deal, body, url)
        if self.aside is not None and _is_aside(deal, message):
            if not (yield from self.aside(message, body)):
                raise Cancelled("the authentication failed")
            return None, 0.0  # now our message is sent again
        yield from self.expect(deal, message, letter.msg_id, url)
        if message.error is not None and message.block(InquiryRespBlk) is not None:
            for one in message.error.errors:  # what ended the transaction, told again
                yield from self.notice(f"{letter.other}: {one.error_desc}")
        elif message.error is not None:
            worst = worst_of(message.error)
            if worst is Severity.HARD_ERROR:
                self.file(deal, message, body, letter.other)
                yield from store.keep(deal)
                yield from self._visit(deal, url, Ending.ERROR)
                raise PeerError(message.error)
            if worst is Severity.TRANSIENT_ERROR:
                return None, patience(message.error)
            for one in message.error.errors:
                yield from self.notice(f"warning: {one.error_desc}")
        self.file(deal, message, body, letter.other)
        cancel = message.block(CancelBlk)
        if cancel is not None:
            yield from store.keep(deal)
            yield from self._visit(deal, url, Ending.CANCEL)
            raise PeerCancelled(cancel)
        return message, 0.0

    def _read(self, deal: Deal, body: bytes, url: str) -> Flow[IotpMessage]:
        try:
            message = store.message(body)
            wrong = faults.hard(rules.of(message))
        except Unreadable as error:
            message, wrong = None, error.faults
        if message is not None and not wrong:
            return message
        fault = wrong[0]
        problem = Problem(fault.code, fault.rule, element=fault.element or "IotpMessage",
                          attribute=fault.attribute or None, value=fault.value)  # fmt: skip
        if message is None or message.error is None:  # errors are not answered with errors
            about = message.msg_id if message is not None else None
            yield from self.complain(deal, problem, about, url)
        raise Unusable(f"the answer cannot be read: {fault.rule}", problem) from None

    def expect(self, deal: Deal, message: IotpMessage, answered: str, url: str) -> Flow[None]:
        """Check that a message is of this transaction and answers that one. Raises Unusable."""
        problem = None
        if message.trans_id != deal.name:
            problem = Problem(ErrorCode.ATT_VAL_ILLEGAL, "this is another transaction",
                              element="TransId", attribute="IotpTransId",
                              value=message.trans_id)  # fmt: skip
        elif message.trans_ref.msg_id.resp_iotp_msg != answered:
            value = message.trans_ref.msg_id.resp_iotp_msg or ""
            problem = Problem(ErrorCode.ATT_VAL_ILLEGAL, f"this does not answer {answered}",
                              element="MsgId", attribute="RespIotpMsg", value=value)  # fmt: skip
        if problem is not None:
            if message.error is None:
                yield from self.complain(deal, problem, message.msg_id, url)
            raise Unusable(problem.text, problem)

    def judge(
        self,
        deal: Deal,
        message: IotpMessage,
        kind: SignatureKind,
        *,
        by: Org,
        us: str,
        must: Sequence[str] = (),
        promised: bool = False,
    ) -> Flow[sealing.Judged]:
        """Hold a message to a signature, as `sealing.judge` does. Raises Problem."""
        if message.signatures is None and not promised:
            return sealing.Judged()
        known = yield from sealing.heard(deal)
        verifier = self.trusted.get(by.org_id.lower())
        if verifier is None and message.signatures is not None and message.signatures.certificates:
            verifier = self.trusted.get(ANYBODY)
        return sealing.judge(message, kind, by=by, us=us, verifier=verifier, known=known,
                             must=must, promised=promised)  # fmt: skip

    def file(self, deal: Deal, message: IotpMessage, body: bytes, other: str) -> None:
        """Put a message that came on file, once."""
        if message.msg_id not in deal.seen:
            deal.add(body, message.msg_id, message.kinds, self.clock.now(), other, incoming=True)

    def complain(self, deal: Deal, problem: Problem, about: str | None, url: str) -> Flow[None]:
        """Tell the other side, and its log, what is wrong with its message (RFC 2935).

        No answer is wanted.
        """
        deal.sent += 1
        draft = Draft(f"C{deal.sent}")
        error = draft.error(problem, about)
        yield from self.tell(deal, draft, (), url, about, error)

    def tell(
        self,
        deal: Deal,
        draft: Draft,
        blocks: Sequence[Block],
        url: str,
        answers: str | None,
        error: ErrorBlk | None = None,
    ) -> Flow[Arrived | Silence]:
        """Send a message that ends something, once, and give what came back as it is."""
        number = self.send(deal, draft, blocks, to=_host(url), answers=answers, error=error)
        yield from store.keep(deal)
        letter = yield from store.letter(deal, number)
        got: Arrived | Silence = yield Exchange(Party.PEER, Post(url, letter.body))
        if error is not None:
            log = pages.error_log((yield from self._role_at(deal, url)))
            if log:
                yield Exchange(Party.PEER, Post(log, letter.body))
            yield from self._visit(deal, url, Ending.ERROR)
        elif isinstance(got, Arrived) and not got.body:
            yield from self._visit(deal, url, Ending.CANCEL)
        return got

    def _role_at(self, deal: Deal, url: str) -> Flow[TradingRole | None]:
        letter = yield from store.letter(deal, deal.data["options"])
        tpo = store.message(letter.body).block(TpoBlk)
        return pages.role_at(tpo, url) if tpo is not None else None

    def _visit(self, deal: Deal, url: str, ending: Ending) -> Flow[None]:
        """Show the page of the role at an address that follows an end (RFC 2935)."""
        role = yield from self._role_at(deal, url)
        page = None
        if role is not None:
            page = role.error_net_locn if ending is Ending.ERROR else role.cancel_net_locn
        if page:
            yield from self.person(Visit(page))


def patience(block: ErrorBlk) -> float:
    """Say how long to wait before a message is sent again; a nonsense value counts as ours."""
    text = block.errors[0].min_retry_secs or ""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else PAUSE_S


def _is_aside(deal: Deal, message: IotpMessage) -> bool:
    """Say whether a message begins an authentication that this transaction waits for (RFC 3504)."""
    kinds = (deal.trans.iotp_trans_type, message.trans_ref.trans_id.iotp_trans_type)
    linked = any(
        one.relationship_type == "IotpTransaction" and one.content.text.strip() == deal.name
        for one in message.trans_ref.related_to
    )
    mine, other = (kind == TransactionType.AUTHENTICATION for kind in kinds)
    return linked and other and not mine and message.block(AuthReqBlk) is not None


def _trouble(got: Arrived | Silence) -> str:
    if isinstance(got, Silence):
        return got.reason
    if got.status == 204 or not got.body:
        raise Unusable("the other side says nothing: for it, this transaction is over")
    if got.status >= 500:
        return f"the other side has a problem of its own (HTTP {got.status})"
    return ""


def _host(url: str) -> str:
    """Name a peer we know by its address only."""
    return "Merchant" if url.partition("?")[0].endswith("/merchant") else url
