"""The management services (4.3): day-end, parameters, printing, the menu."""

from typing import Any

from tollbridge.faces.wpi import (
    answers,
    conversation,
    dayend,
    ending,
    host,
    notebook,
    parameters,
)
from tollbridge.faces.wpi.check import Wanted
from tollbridge.faces.wpi.messages import Call, Reply
from tollbridge.faces.wpi.receipt import amount_text, copies, receipt
from tollbridge.faces.wpi.slip import Slip
from tollbridge.faces.wpi.state import Refused, Run, Talk, Terminal
from tollbridge.faces.wpi.tables import RECEIPT_TARGETS, SUCCESS, Condition
from tollbridge.faces.wpi.wishes import MenuChosen, MenuItem, Parameters, ShowMenu
from tollbridge.ground.flow import Flow, Note, Party
from tollbridge.ground.money import Money

SUCCEEDED: dict[str, Any] = {"result": SUCCESS, "errorCondition": Condition.NONE.wire}


def day_end(terminal: Terminal, run: Run, wanted: Wanted) -> Flow[Reply]:
    """WPI_SVC_DAY_END."""
    del wanted
    conversation.go(run)
    slip, notes = yield from dayend.closed(terminal, run)
    reply = yield from _kept(terminal, run, slip, notes)
    terminal.closing = None
    yield from _printed(terminal, run, slip)
    return reply


def parameterized(terminal: Terminal, run: Run, wanted: Wanted) -> Flow[Reply]:
    """WPI_SVC_PAYMENT_PARAMETERIZATION and WPI_SVC_ACQUIRER_PARAMETERIZATION."""
    del wanted
    kind = parameters.KINDS[run.call.service.name]
    slip, note, laid = yield from _parameters(terminal, run, kind)
    conversation.go(run)
    reply = yield from _kept(terminal, run, slip, [note])
    parameters.into_force(terminal, laid)
    yield from _printed(terminal, run, slip)
    return reply


def print_receipt(terminal: Terminal, call: Call, wanted: Wanted) -> Flow[Reply]:
    """WPI_SVC_PRINT_RECEIPT (4.3.5): print what an earlier exchange of this application came to."""
    found = yield from notebook.known(terminal, call.package, call.session)
    if found is None:
        reply = answers.reply(call, {})
        known = {name: value for name, value in reply.extras.items() if name != "WPI_RESPONSE"}
        return Reply(known)
    profile, session = terminal.profile, found[0]
    if not session.over:
        session = yield from host.recovered(terminal, *found)
    if not profile.prints_receipts:
        raise Refused(
            Condition.SERVICE_NOT_SUPPORTED,
            "there is neither a printer nor a digital delivery (4.3.5)",
        )
    slip = session.slip if session.over else None
    wished = RECEIPT_TARGETS[wanted.fields["receiptTarget"]]
    if slip is None or not set(wished) <= set(copies(slip)):
        raise Refused(Condition.GENERIC, "receipt not available (4.3.5)")
    run = Run(call=call, session=session, profile=profile, language=profile.languages[0])
    fault = yield from ending.printed(run, slip, wished, duplicate=session.printed)
    if fault is not None:
        raise Refused(Condition.GENERIC, f"printer: {fault.why.replace('_', ' ')} (4.3.5)")
    if not session.printed:
        yield from notebook.printed(terminal, session, on_paper=True)
    return answers.reply(call, SUCCEEDED)


def menu(terminal: Terminal, run: Run, wanted: Wanted) -> Flow[Reply]:
    """WPI_SVC_PAYMENT_MENU (4.3.1): answers when the merchant leaves the menu."""
    del wanted
    said: tuple[str, ...] = ()
    while True:
        wish = ShowMenu(tuple(MenuItem), said)
        answer = yield from conversation.say(run, Party.MERCHANT, wish, "menu")
        assert isinstance(answer, MenuChosen)
        if answer.item is MenuItem.LEAVE:
            break
        try:
            said = yield from _chosen(terminal, run, answer.item)
        except Refused as refused:
            said = (refused.remark,)
    conversation.go(run)
    run.session.response = ending.text_of(SUCCEEDED)
    yield from notebook.ended(terminal, run)
    return answers.reply(run.call, SUCCEEDED)


def _chosen(terminal: Terminal, run: Run, item: MenuItem) -> Talk[tuple[str, ...]]:
    """Do what was chosen in the menu; give what to show."""
    slip: Slip
    match item:
        case MenuItem.TOTALS:
            sums = yield from dayend.summed(terminal, terminal.period)
            return _totals(terminal, sums.totals())
        case MenuItem.REPRINT:
            if terminal.last_slip is None:
                return ("-",)
            fault = yield from ending.printed(
                run, terminal.last_slip, copies(terminal.last_slip), duplicate=True
            )
            return (fault.why.replace("_", " "),) if fault else ("✓",)
        case MenuItem.DAY_END:
            slip, notes = yield from dayend.closed(terminal, run)
            yield from notebook.keep(*notes)
            terminal.closing = None
        case _:
            payment = item is MenuItem.PAYMENT_PARAMETERIZATION
            kind = Parameters.PAYMENT if payment else Parameters.ACQUIRER
            slip, note, laid = yield from _parameters(terminal, run, kind)
            yield from notebook.keep(note)
            parameters.into_force(terminal, laid)
    terminal.last_slip = slip
    if terminal.profile.printer != "none":
        yield from ending.printed(run, slip, copies(slip))
    return _totals(terminal, slip.totals) if item is MenuItem.DAY_END else tuple(slip.lines)


def _totals(terminal: Terminal, totals: list[Any]) -> tuple[str, ...]:
    language = terminal.profile.merchant_language
    return tuple(
        f"{each['brand']}: {each['count']} × = "
        f"{amount_text(Money.of(each['amount_minor'], each['currency']), language)}"
        for each in totals
    ) or ("0",)


def _parameters(
    terminal: Terminal, run: Run, kind: Parameters
) -> Talk[tuple[Slip, Note, parameters.Laid]]:
    changed, note, laid = yield from parameters.fetch(terminal, run, kind)
    run.profile = laid.profile
    slip = Slip(
        kind="configuration",
        service=next(name for name, each in parameters.KINDS.items() if each is kind),
        at=answers.timestamp(run.profile, terminal.clock.now()),
        lines=[f"{name} changed" for name in changed] or ["no changes"],
    )
    return slip, note, laid


def _kept(terminal: Terminal, run: Run, slip: Slip, notes: list[Note]) -> Talk[Reply]:
    """Make the answer with its receipt, and keep both, with what makes them true."""
    profile, session = run.profile, run.session
    paper = receipt(session.receipt_formats, profile, slip)
    made = SUCCEEDED | ({"receipt": paper} if paper else {})
    prints = profile.printer != "none" and profile.print_automatically
    session.slip, session.printed, session.response = slip, prints, ending.text_of(made)
    yield from notebook.written(terminal, run, notes)
    return answers.reply(run.call, made)


def _printed(terminal: Terminal, run: Run, slip: Slip) -> Talk[None]:
    """Print what was kept, if it is to be printed by itself."""
    session = run.session
    if session.printed:
        fault = yield from ending.printed(run, slip, copies(slip))
        if fault is not None:
            yield from notebook.printed(terminal, session, on_paper=False)
