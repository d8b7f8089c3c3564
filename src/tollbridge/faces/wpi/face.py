"""The WPI face: terminals, and what each does with a request.

A request is checked, then the terminal holds one conversation at a time; whoever else asks
meanwhile is told that it is busy. What a terminal does for each service stands in `financial.py`,
`recognition.py` and `management.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from tollbridge.faces.contract import Endpoint, HttpEndpoint, WebSocketEndpoint
from tollbridge.faces.wpi import (
    answers,
    check,
    codec,
    ending,
    financial,
    host,
    information,
    management,
    notebook,
    recognition,
)
from tollbridge.faces.wpi.check import Wanted
from tollbridge.faces.wpi.messages import CANCELED, Call, Extras, Reply
from tollbridge.faces.wpi.profile import Profile
from tollbridge.faces.wpi.scenario import NATURAL, Scenario, merged
from tollbridge.faces.wpi.sessions import Session
from tollbridge.faces.wpi.state import Died, Refused, Run, Talk, Terminal, Unknown
from tollbridge.faces.wpi.tables import Condition, Kind, Road
from tollbridge.faces.wpi.wishes import Begin, Saying, Topic, Withdraw
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import JournalError
from tollbridge.ground.flow import Exchange, Flow, Party
from tollbridge.ground.ids import IdSource
from tollbridge.ground.money import Money
from tollbridge.wire.http import Limits

REFERENCE_LETTERS = financial.REFERENCE_LETTERS
Carry = Callable[[Terminal, Run, Wanted], Flow[Reply]]
ROADS: Mapping[Road, Carry] = {
    Road.CARD: financial.with_card,
    Road.CANCEL: financial.cancelled,
    Road.CONTINUE: financial.continued,
    Road.RECOGNITION: recognition.recognised,
    Road.MENU: management.menu,
    Road.DAY_END: management.day_end,
    Road.PARAMETERIZATION: management.parameterized,
}


class WpiFace:
    """Terminals by name; the first one answers where a request names none."""

    name = "wpi"

    def __init__(self, profiles: Sequence[Profile], clock: Clock, ids: IdSource) -> None:
        made = [Terminal(profile, clock, ids) for profile in profiles]
        self.terminals = {terminal.profile.terminal_id: terminal for terminal in made}
        self._first = made[0]

    def endpoints(self) -> Sequence[Endpoint]:
        limits = Limits()
        http = [HttpEndpoint("POST", path, codec.decode, codec.encode, codec.refuse, limits)
                for path in ("/wpi/{intent}", "/wpi/{terminal}/{intent}")]  # fmt: skip
        sockets = [WebSocketEndpoint(path, codec.decode_message, codec.encode_message,
                                     codec.refuse_message, limits)
                   for path in ("/wpi/messenger", "/wpi/{terminal}/messenger")]  # fmt: skip
        return [*sockets, *http]

    def answer(self, message: Extras) -> Flow[Reply]:
        terminal = self.terminals.get(message.terminal) if message.terminal else self._first
        if terminal is None:
            why = f"there is no terminal called {message.terminal!r:.40}"
            return answers.refusal(message, Refused(Condition.GENERIC, why))
        try:
            call = check.call(message, terminal.profile)
            yield from notebook.wake(terminal)
            return (yield from _answered(terminal, call))
        except Refused as refused:
            return answers.refusal(message, refused)
        except Died:
            return Reply({}, CANCELED)


def _answered(terminal: Terminal, call: Call) -> Flow[Reply]:
    match call.service.road:
        case Road.LAST:
            return (yield from _last_transaction(terminal, call))
        case Road.INFORMATION:
            return answers.reply(call, information.answer(terminal.profile))
        case Road.ABORT:
            return (yield from _abort(terminal, call))
        case Road.PRINT:
            return (yield from _print(terminal, call))
        case _:
            return (yield from _exchange(terminal, call))


def _exchange(terminal: Terminal, call: Call) -> Flow[Reply]:
    """Check what the terminal's state allows, then hold the conversation alone."""
    yield from _unused(terminal, call)
    if not terminal.profile.initialized and call.service.road is not Road.PARAMETERIZATION:
        raise Refused(Condition.NOT_INITIALIZED, "the terminal has no configuration (4.1.2.3)")
    run = _begin(terminal, call)
    try:
        return (yield from _held(terminal, run))
    except Refused as refused:
        return (yield from _refused(terminal, run, refused))
    except JournalError:
        # Only the notebook knew, and it failed: nothing was approved.
        return (yield from _refused(terminal, run, Unknown()))
    finally:
        terminal.running = None


def _begin(terminal: Terminal, call: Call) -> Run:
    if terminal.running is not None:
        raise Refused(Condition.BUSY, "a transaction is in progress (section 3)")
    profile = terminal.profile
    session = Session(
        package=call.package,
        session=call.session,
        service=call.service.name,
        reference=terminal.ids.code(REFERENCE_LETTERS),
        tips=profile.tip is not None,
        converts=profile.dcc is not None,
    )
    run = Run(call=call, session=session, profile=profile, language=profile.languages[0])
    if call.service.road is not Road.CARD:
        terminal.held = None  # no transaction with the recognised card follows
    terminal.running = run
    return run


def _held(terminal: Terminal, run: Run) -> Flow[Reply]:
    """Read the request, learn what a scenario wants, and go the service's road."""
    wanted = check.wanted(run.call, run.profile)
    echoes = {name: wanted.fields[name] for name in ECHOED if name in wanted.fields}
    run.session.echoes, run.session.receipt_formats = echoes, wanted.receipt_formats
    run.delegated = wanted.fields.get("receiptDelegation") is not False
    run.scenario = yield from _scenario(run, wanted.money)
    run.pins.extend(run.scenario.pins)
    if run.scenario.condition in AT_ONCE:
        raise Refused(run.scenario.condition, "the scenario wants it")
    reply = yield from ROADS[run.call.service.road](terminal, run, wanted)
    if run.session.slip is not None:
        terminal.last_slip = run.session.slip
    return _with_ignored(reply, wanted)


def _with_ignored(reply: Reply, wanted: Wanted) -> Reply:
    return replace(reply, ignored=wanted.ignored) if wanted.ignored else reply


ECHOED: tuple[str, ...] = ("productRecords", "reference")
AT_ONCE = frozenset(Condition) - set(NATURAL) - {Condition.NONE, Condition.INVALID_PASSWORD,
                                                 Condition.INTERNAL}  # fmt: skip
"""The conditions of requests: a scenario raises them before anybody is asked."""


def _scenario(run: Run, money: Money | None) -> Talk[Scenario]:
    wish = Begin(run.call.service.name, money)
    saying = Saying(terminal=run.profile.terminal_id, wish=wish, language=run.language)
    device: Scenario | None = yield Exchange(Party.DEVICE, saying)
    if not run.profile.simulator:
        return Scenario()
    return merged(device, money.amount_minor if money else None)


NOT_KEPT = frozenset({Condition.BUSY, Condition.SESSION_ID_ALREADY_IN_USE})
"""The conditions that spend no session: nothing began, or the session is another's."""


def _refused(terminal: Terminal, run: Run, refused: Refused) -> Flow[Reply]:
    """Answer with a failure, and remember it if its session is spent."""
    made = answers.failure(run.call, refused)
    if refused.condition in NOT_KEPT:
        return answers.reply(run.call, made)
    if not isinstance(refused, Unknown):
        run.session.slip, run.session.response = None, ending.text_of(made)
        yield from notebook.ended(terminal, run)
    saying = Saying(
        terminal=run.profile.terminal_id,
        wish=ending.notice(Topic.FAILED, refused.remark),
        language=run.language,
    )
    yield Exchange(Party.CARDHOLDER, saying)
    return answers.reply(run.call, made)


def _unused(terminal: Terminal, call: Call) -> Talk[None]:
    """See that a session id is new. Raises Refused."""
    used = yield from notebook.known(terminal, call.package, call.session)
    running = terminal.running is not None and terminal.running.name == (call.package, call.session)
    if used is not None or running:
        raise Refused(
            Condition.SESSION_ID_ALREADY_IN_USE,
            "extra WPI_SESSION_ID was used before; only WPI_SVC_LAST_TRANSACTION and"
            " WPI_SVC_PRINT_RECEIPT may use it again (section 2)",
        )


def _print(terminal: Terminal, call: Call) -> Flow[Reply]:
    if terminal.running is not None:
        raise Refused(Condition.BUSY, "a transaction is in progress (section 3)")
    wanted = check.wanted(call, terminal.profile)
    reply = yield from management.print_receipt(terminal, call, wanted)
    return _with_ignored(reply, wanted)


def _abort(terminal: Terminal, call: Call) -> Flow[Reply]:
    """WPI_SVC_ABORT (4.3.6): possible for whoever began, until the host is asked (A-22)."""
    yield from _unused(terminal, call)
    wanted = check.wanted(call, terminal.profile)
    run = terminal.running
    if run is not None:
        if run.call.package != call.package:
            raise Refused(
                Condition.GENERIC, "only the application that began the transaction can abort it"
            )
        if run.sent:
            raise Refused(Condition.GENERIC, "too late: the host was asked (4.3.6)")
        run.aborted = True
        yield Exchange(
            Party.DEVICE,
            Saying(terminal=run.profile.terminal_id, wish=Withdraw(), language=run.language),
        )
    return _with_ignored(answers.reply(call, management.SUCCEEDED), wanted)


def _last_transaction(terminal: Terminal, call: Call) -> Flow[Reply]:
    """Answer what the session answered, or the truth it could not tell before it broke off."""
    extras = {"WPI_VERSION": call.version, "WPI_SESSION_ID": call.session}
    running = terminal.running
    if running is not None and running.name == (call.package, call.session):
        if running.call.service.kind is Kind.FINANCIAL:
            return _still(call, "this transaction still runs")
    found = yield from notebook.known(terminal, call.package, call.session)
    if found is None or not host.is_financial(found[0]):
        return Reply(extras)
    session, version = found
    if not session.over:
        session = yield from host.recovered(terminal, session, version)
    if not session.over:
        return _still(call, "the outcome is not known yet; the provider is being asked")
    return Reply({"WPI_SERVICE_TYPE": session.service, "WPI_RESPONSE": session.response, **extras})


def _still(call: Call, remark: str) -> Reply:
    return answers.reply(call, codec.failed(Condition.BUSY, remark))
