"""How an exchange begins and ends: what is asked for, the slip, the response, the paper."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tollbridge.core.asks import Ask
from tollbridge.core.instrument import Card, InstrumentView
from tollbridge.core.verbs import Verb
from tollbridge.faces.wpi import answers, codec, conversation, notebook
from tollbridge.faces.wpi.messages import CANCELED, Reply
from tollbridge.faces.wpi.outcome import Done
from tollbridge.faces.wpi.receipt import text
from tollbridge.faces.wpi.slip import Slip
from tollbridge.faces.wpi.state import Run, Seen, Talk, Terminal
from tollbridge.faces.wpi.tables import Condition
from tollbridge.faces.wpi.wishes import Notice, Print, PrinterFault, Topic
from tollbridge.ground.flow import Flow, Note
from tollbridge.ground.money import Money
from tollbridge.ground.secret import mask_number
from tollbridge.wire import json


def concluded(
    terminal: Terminal, run: Run, done: Done, slip: Slip | None, notes: Sequence[Note] = ()
) -> Flow[Reply]:
    """Keep the response, tell the people, print, answer."""
    profile = run.profile
    made = answers.response(profile, run.session, done, slip)
    prints = slip is not None and run.delegated and profile.print_automatically
    prints = prints and profile.printer != "none"
    session = run.session
    session.slip, session.printed, session.response = slip, prints, text_of(made)
    if done.offline:
        # Only the notebook knows: what is not written was not approved.
        yield from notebook.written(terminal, run, notes)
    else:
        yield from notebook.ended(terminal, run, notes)
    topic = Topic.APPROVED if done.approved else Topic.DECLINED
    yield from conversation.tell(run, topic, done.amount, done.remark)
    if prints and slip is not None:
        formatted = made.get("receipt", {}).get("formatted")
        fault = yield from printed(run, slip, ("merchant", "client"), formatted)
        if fault is not None:
            yield from notebook.printed(terminal, session, on_paper=False)
    return _delivered(run, answers.reply(run.call, made))


def notice(topic: Topic, text: str) -> Notice:
    """Make a notice that the merchant may read more of."""
    return Notice(topic, None, text)


def printed(
    run: Run,
    slip: Slip,
    copies: tuple[str, ...],
    texts: Mapping[str, str] | None = None,
    *,
    duplicate: bool = False,
) -> Talk[PrinterFault | None]:
    """Print copies of a receipt, from `texts` where they are written; give what the printer
    complained of. A terminal without a printer delivers them digitally, if it does at all."""
    if run.profile.printer == "none" and run.profile.digital_receipts:
        return None
    if texts is None:
        texts = {copy: text(run.profile, slip, copy, duplicate=duplicate) for copy in copies}
    wish = Print(slip=slip, copies=copies, texts=texts, duplicate=duplicate)
    answer = yield from conversation.put(run, wish)
    return answer if isinstance(answer, PrinterFault) else None


def drafted(terminal: Terminal, run: Run, money: Money | None, seen: Seen | None = None,
            **more: Any) -> Slip:  # fmt: skip
    """Begin the slip of an exchange with all that is known before the host is asked."""
    if seen is not None:
        more |= {
            "card_read": True,
            "brand": seen.application.brand.name,
            "masked_number": mask_number(seen.card.number.reveal()),
            "application_id": seen.application.application_id,
            "application_label": seen.application.label,
            "entry": seen.card.entry,
            "verification": seen.verification,
            "cryptogram": seen.card.cryptogram,
            "sequence": seen.card.sequence,
            "token": seen.token,
            "identification": seen.identification,
        }
    return Slip(
        service=run.call.service.name,
        at="",
        approved=False,
        language=run.language,
        reference=run.session.reference,
        merchant_reference=run.session.echoes.get("reference", ""),
        product_records=run.session.echoes.get("productRecords"),
        currency=money.currency.code if money else "",
        amount_minor=money.amount_minor if money else None,
        period=f"{terminal.period:06d}",
        **more,
    )


def ask_for(
    terminal: Terminal, run: Run, verb: Verb, details: Mapping[str, str], **more: Any
) -> Ask:
    """Make an ask of this terminal for the present attempt of an exchange."""
    session, profile = run.session, run.profile
    return Ask(
        verb=verb,
        key=terminal.pages.key(session.package, session.session, session.attempt),
        merchant=profile.merchant,
        reference=str(session.echoes.get("reference", "")),
        details={
            "terminal": profile.terminal_id,
            "terminal_reference": session.reference,
            **details,
        },
        patience_s=profile.patience_s,
        **more,
    )


def card_of(seen: Seen) -> Card:
    """Give the card as the core and the bridges know it."""
    number = seen.card.number
    view = InstrumentView(
        seen.application.brand.name,
        mask_number(number.reveal()),
        seen.application.application_id,
        seen.application.label,
        seen.card.entry,
    )
    return Card(number, view, expiry=seen.card.expiry, pin=seen.pin)


def card_details(run: Run, seen: Seen) -> dict[str, str]:
    """Give what the journal keeps of the conversation with the cardholder."""
    details = {}
    if seen.card.cryptogram:
        details["cryptogram"] = seen.card.cryptogram
    if seen.verification in ("offline_pin", "device"):
        details["verified"] = seen.verification
    slip = run.session.slip
    if slip is not None and slip.tip_minor:
        details["tip_minor"] = str(slip.tip_minor)
    if slip is not None and slip.dcc is not None:
        details["dcc"] = f"{slip.dcc['amount_minor']} {slip.dcc['currency']} at {slip.dcc['rate']}"
    return details


def _delivered(run: Run, reply: Reply) -> Reply:
    """Hand over the answer, as the scenario wants it."""
    match run.scenario.recovery:
        case "answer_lost":
            return Reply({}, CANCELED)
        case "answered_twice":
            return replace(reply, copies=2)
        case "result_canceled":
            return replace(reply, android=CANCELED)
        case "error_answer":
            wrong = codec.failed(Condition.INTERNAL, "an error, although it may be approved")
            return answers.reply(run.call, wrong | run.session.echoes)
    return reply


def text_of(made: dict[str, Any]) -> str:
    """Write a response as the extra WPI_RESPONSE holds it."""
    return json.write(made).decode()
