"""A till's client: one method for each service type, and the truth after whatever happened.

The rule it keeps (2; P-047): the session is in the journal, durably, before the request leaves; a
request that moves money leaves once; and where its answer is lost the terminal is asked with
WPI_SVC_LAST_TRANSACTION until it knows.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from tollbridge.faces.wpi.tables import (
    LAST_TRANSACTION,
    PAYMENT_INFORMATION,
    SERVICES,
    SUCCESS,
    Condition,
    Kind,
)
from tollbridge.ground.errors import JournalError, RemoteProtocolError, UsageError
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret, scrub
from tollbridge.wire import json
from tollbridge.wpi_client import results
from tollbridge.wpi_client.channel import (
    Channel,
    Extras,
    HttpChannel,
    MessengerChannel,
    Place,
    Silent,
)
from tollbridge.wpi_client.errors import (
    Misanswered,
    NotExecuted,
    OutcomeUnknown,
    RecoverFirst,
    Unreachable,
)
from tollbridge.wpi_client.journal import Contradiction, SessionJournal
from tollbridge.wpi_client.options import (
    WIRE,
    Every,
    Following,
    Moving,
    Options,
    Selling,
)
from tollbridge.wpi_client.results import (
    RECOGNITION,
    Answer,
    Exchange,
    Fate,
    Information,
    ManagementResult,
    RecognitionResult,
    TransactionResult,
)

log = logging.getLogger("tollbridge.wpi_client")

T = TypeVar("T", bound=Answer)

SESSION_LETTERS_MAX = 255
AFTERWARDS_S = 30.0
"""How long a recognition may take when its own time is over."""

USUAL = Options()
CREDENTIAL = frozenset({401, 403})
DOUBTFUL = frozenset(
    {Condition.INTERNAL, Condition.TRANSACTION_TIMEOUT, Condition.SESSION_ID_ALREADY_IN_USE}
)
"""Failures after which the terminal is asked all the same: it may not have known itself, or
somebody on the way delivered the request twice and this answers the second."""

_ANSWERED = (Fate.APPROVED, Fate.FAILED)

SAME_AMOUNT = frozenset({"WPI_SVC_PAYMENT", "WPI_SVC_REFUND", "WPI_SVC_PRE_AUTHORIZATION",
                         "WPI_SVC_FOLLOW_ON_CREDIT", "WPI_SVC_PAYMENT_COMPLETION",
                         "WPI_SVC_DEFERRED_PAYMENT_AUTHORIZATION",
                         "WPI_SVC_DEFERRED_PAYMENT_COMPLETION"})  # fmt: skip
"""The services that authorize what was requested, and the tip."""


class WpiClient:
    """A business application at one terminal.

    `url` is the server's; `terminal` names one of its terminals ("": the first). `token` is the
    credential, `package` the name of this application, "com.example.till". `journal` is the file of
    this till's exchanges: keep it as long as the till's own books.

    The journal is written where the client runs, some milliseconds each time.

    Services of one terminal come one after the other; `abort`, `information` and `last_transaction`
    may be called meanwhile. Amounts are Money, or minor units with an ISO 4217 code.

    Refusals are results. Every call may raise Unreachable (nothing was sent), Misanswered (refused
    before WPI began; nothing was done), JournalFailed (nothing was sent) or UsageError (it cannot
    be asked so; nothing was sent). What moves money may also raise NotExecuted, OutcomeUnknown or
    RecoverFirst; `errors` says what to do then.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | Secret[str],
        package: str,
        journal: Path | str,
        terminal: str = "",
        options: Options = USUAL,
    ) -> None:
        secret = Secret(token) if isinstance(token, str) else token
        place = Place(url, secret, package, terminal)
        self._options = options
        self._journal = SessionJournal(
            Path(journal), package, terminal, options.clock, kept=options.kept
        )
        self._intents: Channel = HttpChannel(place, options)
        self._background = (
            MessengerChannel(place, options) if options.background == "websocket" else self._intents
        )
        self._live: set[str] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connections and the journal."""
        await self._background.close()
        await self._intents.close()
        self._journal.close()

    def new_session(self) -> str:
        """Make a session id nobody used: keep it with the order before you pay it."""
        return self._options.ids.payment_id(self._options.clock.now())

    # Financial services (4.2)

    async def payment(
        self, amount: Money | int, currency: str = "", **more: Unpack[Selling]
    ) -> TransactionResult:
        """Sell (4.2.1)."""
        return await self._transact("PAYMENT", _amount(amount, currency), more)

    async def cancel_payment(self, earlier: str, **more: Unpack[Following]) -> TransactionResult:
        """Undo the payment whose `TransactionResult.reference` is `earlier` (4.2.2)."""
        return await self._transact("CANCEL_PAYMENT", _earlier(earlier), more)

    async def refund(
        self, amount: Money | int, currency: str = "", *, of: str = "", **more: Unpack[Moving]
    ) -> TransactionResult:
        """Give money back to the presented card, or that `of` an earlier payment (4.2.3)."""
        fields = _amount(amount, currency) | (_earlier(of) if of else {})
        return await self._transact("REFUND", fields, more)

    async def pre_authorization(
        self, amount: Money | int, currency: str = "", **more: Unpack[Moving]
    ) -> TransactionResult:
        """Reserve an amount (4.2.4)."""
        return await self._transact("PRE_AUTHORIZATION", _amount(amount, currency), more)

    async def update_pre_authorization(
        self, earlier: str, amount: Money | int, currency: str = "", **more: Unpack[Moving]
    ) -> TransactionResult:
        """Reserve more: `amount` is what is added, not the total (4.2.5)."""
        fields = _earlier(earlier) | _amount(amount, currency)
        return await self._transact("UPDATE_PRE_AUTHORIZATION", fields, more)

    async def cancel_update_pre_authorization(
        self, earlier: str, **more: Unpack[Following]
    ) -> TransactionResult:
        """Take the last update back (4.2.2)."""
        return await self._transact("CANCEL_UPDATE_PRE_AUTHORIZATION", _earlier(earlier), more)

    async def cancel_pre_authorization(
        self, earlier: str, **more: Unpack[Following]
    ) -> TransactionResult:
        """Let a reservation go (4.2.2)."""
        return await self._transact("CANCEL_PRE_AUTHORIZATION", _earlier(earlier), more)

    async def payment_completion(
        self, earlier: str, amount: Money | int, currency: str = "", **more: Unpack[Moving]
    ) -> TransactionResult:
        """Sell what was reserved, at most all of it (4.2.6)."""
        fields = _earlier(earlier) | _amount(amount, currency)
        return await self._transact("PAYMENT_COMPLETION", fields, more)

    async def cancel_payment_completion(
        self, earlier: str, **more: Unpack[Following]
    ) -> TransactionResult:
        """Undo a completion; the reservation stands again (4.2.2)."""
        return await self._transact("CANCEL_PAYMENT_COMPLETION", _earlier(earlier), more)

    async def deferred_authorization(
        self, amount: Money | int, currency: str = "", **more: Unpack[Moving]
    ) -> TransactionResult:
        """Authorize the most that a delivery may cost, before it begins (4.2.7.1)."""
        fields = _amount(amount, currency)
        return await self._transact("DEFERRED_PAYMENT_AUTHORIZATION", fields, more)

    async def deferred_completion(
        self, earlier: str, amount: Money | int, currency: str = "", **more: Unpack[Selling]
    ) -> TransactionResult:
        """Sell what was delivered; nothing releases it all (4.2.7.2)."""
        fields = _earlier(earlier) | _amount(amount, currency)
        return await self._transact("DEFERRED_PAYMENT_COMPLETION", fields, more)

    async def follow_on_credit(
        self, earlier: str, amount: Money | int, currency: str = "", **more: Unpack[Moving]
    ) -> TransactionResult:
        """Give money back to the card of an earlier transaction, without the card (4.2.9)."""
        fields = _earlier(earlier) | _amount(amount, currency)
        return await self._transact("FOLLOW_ON_CREDIT", fields, more)

    async def recognition(
        self,
        amount: Money | int | None = None,
        currency: str = "",
        *,
        service: str = "",
        timeout_ms: int = 30_000,
        token: bool = False,
        mifare: bool = False,
        **more: Unpack[Moving],
    ) -> RecognitionResult:
        """Recognise a card (4.2.8), which moves no money.

        With an amount and the `service` that shall follow ("WPI_SVC_PAYMENT") the card is held for
        it. `token` asks for a customer token, `mifare` for cards that pay nothing.
        """
        options = (
            ("WPI_RECOGNITION_OPTION_RETURN_CUSTOMER_TOKEN", token),
            ("WPI_RECOGNITION_OPTION_RETURN_MIFARE_DETAILS", mifare),
        )
        fields: dict[str, Any] = {
            "recognitionTimeout": timeout_ms,
            "recognitionOptions": [name for name, wanted in options if wanted],
        }
        if amount is not None:
            fields |= _amount(amount, currency)
        if service:
            fields["serviceType"] = service
        more.setdefault("limit_s", max(self._options.people_s, timeout_ms / 1000 + AFTERWARDS_S))
        found = await self._conduct(RECOGNITION, fields, more)
        return _of(RecognitionResult, found)

    # Management services (4.3)

    async def menu(self, **more: Unpack[Every]) -> ManagementResult:
        """Open the terminal's own menu; answered when it is left (4.3.1)."""
        return await self._manage("PAYMENT_MENU", {}, more)

    async def day_end(self, **more: Unpack[Every]) -> ManagementResult:
        """Settle the day; its totals are on the receipt (4.3.2)."""
        return await self._manage("DAY_END", {}, more)

    async def payment_parameterization(self, **more: Unpack[Every]) -> ManagementResult:
        """Fetch the terminal's configuration (4.3.3)."""
        return await self._manage("PAYMENT_PARAMETERIZATION", {}, more)

    async def acquirer_parameterization(self, **more: Unpack[Every]) -> ManagementResult:
        """Fetch the acquirers' parameters (4.3.4)."""
        return await self._manage("ACQUIRER_PARAMETERIZATION", {}, more)

    async def print_receipt(
        self, session: str, *, target: str = "BOTH", limit_s: float | None = None
    ) -> ManagementResult:
        """Print the receipt of an exchange again (4.3.5): "CARDHOLDER", "MERCHANT" or "BOTH"."""
        more: Every = {"session": session}
        if limit_s is not None:
            more["limit_s"] = limit_s
        return await self._manage("PRINT_RECEIPT", {"receiptTarget": target}, more)

    async def abort(self, **more: Unpack[Every]) -> ManagementResult:
        """Ask for an end of the exchange that runs (4.3.6).

        Approved: it ends with ABORTED, or nothing ran. Refused: it is past the point of no return.
        Either way the exchange itself is answered to who began it.
        """
        return await self._manage("ABORT", {}, more)

    # Information services (4.4)

    async def information(self, *, limit_s: float | None = None) -> Information:
        """Ask what the terminal is and can do (4.4.2)."""
        session = self.new_session()
        service = PAYMENT_INFORMATION
        try:
            extras = await self._send(service, session, None, limit_s)
            response = _response(extras, service, session)
        except (Silent, RemoteProtocolError) as error:
            raise Misanswered(f"no information: {error}", session) from None
        return results.information(service, session, response)

    async def last_transaction(self, session: str, *, limit_s: float | None = None) -> Exchange:
        """Ask once what became of an exchange of this application (4.4.1), as often as you like.

        An answer is the truth, and the journal believes it. A terminal that knows nothing may have
        forgotten, or not received it yet: then the journal's answer stands, and without one the
        fate of what was begun here is UNKNOWN until `recover` has made sure. Raises Unreachable
        when the terminal cannot be asked, Misanswered when it answers no WPI.
        """
        try:
            found = await self._last(session, limit_s)
        except (Silent, RemoteProtocolError) as error:
            raise Misanswered(f"no last transaction: {error}", session) from None
        known = self._journal.find(session)
        if known is None:
            return found
        if found.fate in _ANSWERED:
            if found.service != known.service:
                self._contradict(session, f"{known.service} was sent, {found.service} is told")
                return known
            self._close(found)
            return self._journal.find(session) or found
        if found.fate is Fate.RUNNING and known.fate is Fate.UNKNOWN:
            return replace(known, fate=Fate.RUNNING)
        return known

    # What became of it

    async def recover(self) -> list[Exchange]:
        """Learn what became of every exchange that has no answer, oldest first; call it at start.

        An exchange stays open, with fate UNKNOWN or RUNNING, when nobody can tell within
        `recovery_s`. The others are closed: whatever the fate, book it now. Raises JournalInUse
        when another process is in an exchange.
        """
        recovered = []
        with self._journal.alone():
            for exchange in self._journal.open():
                session = exchange.session
                if session in self._live:
                    continue
                with self._living(session):
                    try:
                        found = await self._find_out(session, exchange.service)
                        self._close(found)
                    except OutcomeUnknown as unknown:
                        log.warning("%s", unknown)
                recovered.append(self._journal.find(session) or exchange)
        return recovered

    def look(self, session: str) -> Exchange | None:
        """Give an exchange from the journal; None when it was never begun here."""
        return self._journal.find(session)

    def history(self, limit: int = 100) -> list[Exchange]:
        """Give the last exchanges from the journal, newest first."""
        return self._journal.latest(limit)

    def unanswered(self) -> list[Exchange]:
        """Give the exchanges without an answer, those that run now among them."""
        return self._journal.open()

    def contradictions(self) -> list[Contradiction]:
        """Give what the terminal said against itself: somebody should look."""
        return self._journal.contradictions()

    def give_up(self, session: str, evidence: str) -> None:
        """Close an exchange by hand, when the terminal will never tell; `evidence` says how you
        know what became of it. Raises UsageError when it is not open."""
        exchange = self._journal.find(session)
        if exchange is None or exchange.fate is not Fate.UNKNOWN or session in self._live:
            raise UsageError("only an exchange that has no answer can be given up")
        with self._journal.alone():
            self._journal.close_with(session, Fate.GIVEN_UP, "", evidence)

    # The road of one exchange

    async def _transact(
        self, name: str, fields: dict[str, Any], more: Mapping[str, Any]
    ) -> TransactionResult:
        """Carry out a service that moves money: written down first, sent once, found out."""
        service = f"WPI_SVC_{name}"
        fields, session = self._prepared(fields, more)
        with self._journal.alone():
            if left := [one.session for one in self._journal.open()
                        if one.session not in self._live]:  # fmt: skip
                raise RecoverFirst(left)
            self._journal.begin(session, service, fields)
            return _of(TransactionResult, await self._conduct(service, fields, more, session))

    async def _conduct(
        self, service: str, fields: dict[str, Any], more: Mapping[str, Any], session: str = ""
    ) -> Exchange:
        """Send a financial request and give what became of it."""
        if not session:
            fields, session = self._prepared(fields, more)
        with self._living(session):
            try:
                extras = await self._send(service, session, fields, more.get("limit_s"))
                _response(extras, service, session)
                told = _found(service, extras)
            except (Unreachable, Misanswered) as error:
                self._close(Exchange(session=session, fate=Fate.NOT_EXECUTED), str(error))
                raise
            except (Silent, RemoteProtocolError) as error:
                log.warning("%s %s: no answer: %s", service, session, scrub(str(error)))
                found = await self._find_out(session, service)
            else:
                assert told.result is not None
                found = told
                if told.result.condition in DOUBTFUL:
                    log.warning("%s %s: %s", service, session, scrub(told.result.remark))
                    found = await self._find_out(session, service)
                if found.fate is Fate.NOT_EXECUTED:
                    found = told  # the terminal remembers nothing of it, so this stands
            self._close(found)
        if found.fate is Fate.NOT_EXECUTED:
            raise NotExecuted(f"{service} {session}: the terminal never executed it", session)
        return found

    async def _find_out(self, session: str, service: str) -> Exchange:
        """Ask until the terminal knows: approved, failed or never executed.

        Raises OutcomeUnknown when it does not tell in time.
        """
        options, loop = self._options, asyncio.get_running_loop()
        last_at = loop.time() + options.recovery_s
        pause_s = options.pause_s
        absent_at: float | None = None
        while True:
            found, why = await self._asked(session)
            if found is not None and found.fate in _ANSWERED:
                if found.service == service:
                    return found
                why = f"{service} was sent, {found.service} is told"
                self._contradict(session, why)
            elif found is not None and found.fate is Fate.NOT_EXECUTED:
                now = loop.time()
                if absent_at is not None and now - absent_at >= options.in_flight_s:
                    return found
                absent_at = now if absent_at is None else absent_at
            else:
                absent_at = None
            if loop.time() + pause_s > last_at:
                raise OutcomeUnknown(f"{service} {session}: {why}", session)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, options.pause_most_s)

    async def _asked(self, session: str) -> tuple[Exchange | None, str]:
        """Ask once; None when no answer came. The text says why there is no outcome yet.

        Raises OutcomeUnknown when asking again is in vain.
        """
        try:
            found = await self._last(session, None)
        except Misanswered as error:
            if error.status in CREDENTIAL:
                raise OutcomeUnknown(f"session {session}: {error}", session) from None
            return None, str(error)
        except (Unreachable, Silent, RemoteProtocolError) as error:
            return None, str(error)
        if found.fate is Fate.NOT_EXECUTED:
            return found, "the terminal does not know it; it may be on its way"
        return found, "it still runs"

    async def _last(self, session: str, limit_s: float | None) -> Exchange:
        """Ask once with WPI_SVC_LAST_TRANSACTION (4.4.1)."""
        extras = await self._send(LAST_TRANSACTION, session, None, limit_s)
        _check_session(extras, session)
        service, response = extras.get("WPI_SERVICE_TYPE"), results.response_of(extras)
        if service is None and response is None:
            return Exchange(session=session, fate=Fate.NOT_EXECUTED)
        if not isinstance(service, str) or response is None:
            raise RemoteProtocolError("one of service type and response is missing (4.4.1)")
        if service == LAST_TRANSACTION:
            busy = response.get("errorCondition") == Condition.BUSY.wire
            if response["result"] != SUCCESS and busy:
                return Exchange(session=session, fate=Fate.RUNNING)
            raise RemoteProtocolError(f"the terminal cannot tell: {response.get('remark')!r:.200}")
        return _found(service, extras)

    async def _manage(
        self, name: str, fields: dict[str, Any], more: Mapping[str, Any]
    ) -> ManagementResult:
        """Carry out a service that moves no money. There is no recovery for it (4.4.1)."""
        service = f"WPI_SVC_{name}"
        fields, session = self._prepared(fields, more)
        try:
            extras = await self._send(service, session, fields, more.get("limit_s"))
            if name == "PRINT_RECEIPT" and extras.get("WPI_RESPONSE") is None:
                _check_session(extras, session)
                return results.unprintable(service, session)
            return results.management(service, session, _response(extras, service, session))
        except (Silent, RemoteProtocolError) as error:
            raise OutcomeUnknown(f"{service} {session}: no answer: {error}", session) from None

    async def _send(
        self, service: str, session: str, fields: Mapping[str, Any] | None, limit_s: float | None
    ) -> dict[str, Any]:
        """Send the extras of a request; information has no WPI_REQUEST (4.4.1)."""
        kind = SERVICES[service].kind
        extras: dict[str, str] = {
            "WPI_SERVICE_TYPE": service,
            "WPI_VERSION": self._options.version,
            "WPI_SESSION_ID": session,
        }
        if fields is not None:
            extras["WPI_REQUEST"] = json.write(fields).decode()
        if kind is Kind.INFORMATION:
            return await self._background.send(
                kind, extras, limit_s if limit_s is not None else self._options.background_s
            )
        limit_s = limit_s if limit_s is not None else self._options.people_s
        return await self._intents.send(kind, extras, limit_s)

    def _prepared(
        self, fields: dict[str, Any], more: Mapping[str, Any]
    ) -> tuple[dict[str, Any], str]:
        """Give the fields of a request and its session. Raises UsageError or TypeError."""
        unknown = set(more) - {"session", "limit_s", *WIRE}
        if unknown:
            raise TypeError(f"there is no argument {', '.join(sorted(unknown))}")
        session = more.get("session") or self.new_session()
        if not isinstance(session, str) or len(session) > SESSION_LETTERS_MAX:
            raise UsageError(f"a session is a text of at most {SESSION_LETTERS_MAX} letters")
        asked = {WIRE[name]: more[name] for name in WIRE if more.get(name) not in (None, "")}
        for name in ("receiptFormat", "productRecords"):
            if name in asked:
                asked[name] = list(asked[name])
        return fields | asked, session

    # The journal

    def _close(self, found: Exchange, evidence: str = "") -> None:
        """Write down what became of an exchange. If the disk refuses, it stays open: the next
        recovery learns the same."""
        try:
            known = self._journal.find(found.session)
            if known is None:
                return
            self._compare(known, found)
            self._journal.close_with(found.session, found.fate, found.answer, evidence)
        except JournalError as error:
            log.error("session %s: %s", found.session, error)

    def _compare(self, known: Exchange, found: Exchange) -> None:
        """Report what cannot be true together: with what was known, and with what was asked."""
        if known.fate is not Fate.UNKNOWN and known.fate is not found.fate:
            self._contradict(found.session, f"it was {known.fate}, now it is {found.fate}")
        elif known.result is not None and found.result is not None:
            was, now = dict(known.result.raw), dict(found.result.raw)
            names = sorted(name for name in was | now if was.get(name) != now.get(name))
            if names:
                self._contradict(found.session, f"told otherwise than before: {', '.join(names)}")
        result = found.result
        if not isinstance(result, TransactionResult) or not result.approved:
            return
        if result.condition != Condition.NONE:
            self._contradict(found.session, f"success, with {result.condition}")
        if known.service in SAME_AMOUNT and result.authorized is not None:
            asked_minor, code = known.request["requestedAmount"], known.request["currency"]
            given, tip_minor = result.authorized, result.tip.amount_minor if result.tip else 0
            if (given.amount_minor, given.currency.code) != (asked_minor + tip_minor, code):
                asked = Money.of(asked_minor, code)
                self._contradict(found.session, f"{asked} was asked, {given} is authorized")

    def _contradict(self, session: str, text: str) -> None:
        if any((one.session, one.text) == (session, text) for one in self.contradictions()):
            return
        log.error("session %s: the terminal contradicts itself: %s", session, text)
        self._journal.contradict(session, text)

    @contextmanager
    def _living(self, session: str) -> Iterator[None]:
        """Say that somebody in this process waits for a session."""
        self._live.add(session)
        try:
            yield
        finally:
            self._live.discard(session)


def _found(service: str, extras: Extras) -> Exchange:
    """Read an answer of a financial service, whose response is there."""
    session, response = extras["WPI_SESSION_ID"], results.response_of(extras)
    assert response is not None
    result = results.read(service, session, response)
    if not isinstance(result, TransactionResult | RecognitionResult):
        raise RemoteProtocolError(f"{service} is no financial service")
    fate = Fate.APPROVED if result.approved else Fate.FAILED
    answer = extras["WPI_RESPONSE"]
    return Exchange(session=session, service=service, fate=fate, result=result, answer=answer)


def _response(extras: Extras, service: str, session: str) -> dict[str, Any]:
    """Give the response of an answer that belongs to its request (2).

    Raises RemoteProtocolError.
    """
    _check_session(extras, session)
    if extras.get("WPI_SERVICE_TYPE") != service:
        told = extras.get("WPI_SERVICE_TYPE")
        raise RemoteProtocolError(f"it answers service type {told!r:.60}")
    response = results.response_of(extras)
    if response is None:
        raise RemoteProtocolError("it has no WPI_RESPONSE")
    return response


def _check_session(extras: Extras, session: str) -> None:
    told = extras.get("WPI_SESSION_ID")
    if told != session:
        raise RemoteProtocolError(f"it is about session {told!r:.60}")


def _of(kind: type[T], found: Exchange) -> T:
    assert isinstance(found.result, kind), "a financial service is read by its service type"
    return found.result


def _amount(amount: Money | int, currency: str) -> dict[str, Any]:
    """Give the fields of an amount. Raises InvalidMoney."""
    if isinstance(amount, Money):
        if currency not in ("", amount.currency.code):
            raise UsageError(f"{amount} is not in {currency!r:.20}")
        money = amount
    else:
        money = Money.of(amount, currency)
    return {"currency": money.currency.code, "requestedAmount": money.amount_minor}


def _earlier(reference: str) -> dict[str, Any]:
    if not reference:
        raise UsageError("the reference of the earlier transaction is needed")
    return {"paymentSolutionReference": reference}
