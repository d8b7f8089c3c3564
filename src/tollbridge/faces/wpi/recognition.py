"""WPI_SVC_PAYMENT_INSTRUMENT_RECOGNITION (4.2.8): read a card, and keep it for what follows."""

from dataclasses import replace
from typing import Any

from tollbridge.faces.wpi import answers, conversation, ending, notebook
from tollbridge.faces.wpi.check import Wanted
from tollbridge.faces.wpi.messages import Reply
from tollbridge.faces.wpi.state import Held, Refused, Run, Seen, Talk, Terminal
from tollbridge.faces.wpi.tables import (
    CUSTOMER_TOKEN,
    ENTRY_MODES,
    MIFARE_DETAILS,
    SERVICES,
    SUCCESS,
    Condition,
)
from tollbridge.faces.wpi.wishes import ReadCard
from tollbridge.ground.flow import Flow
from tollbridge.ground.secret import mask_number

MS_PER_S = 1000


def recognised(terminal: Terminal, run: Run, wanted: Wanted) -> Flow[Reply]:
    """Read a card and answer what it is; money does not move."""
    options = wanted.fields["recognitionOptions"]
    entries = run.profile.entries
    if MIFARE_DETAILS in options:
        entries = (*entries, "mifare")
    limit_s = wanted.fields["recognitionTimeout"] / MS_PER_S
    card = yield from conversation.present(run, wanted.money, entries, limit_s)
    made: dict[str, Any] = {
        "result": SUCCESS,
        "errorCondition": Condition.NONE.wire,
        "entryMode": ENTRY_MODES[card.entry],
    }
    held: Held | None = None
    if card.applications:
        more, held = yield from _payment_card(terminal, run, wanted, card)
    else:
        more = yield from _other_card(run, card, options)
    made |= more
    conversation.go(run)
    run.session.response = ending.text_of(made)
    yield from notebook.written(terminal, run)
    terminal.held = held
    return answers.reply(run.call, made)


def _payment_card(
    terminal: Terminal, run: Run, wanted: Wanted, card: ReadCard
) -> Talk[tuple[dict[str, Any], Held | None]]:
    if wanted.money is not None:
        # What follows is paid with this card, so it must do for that.
        service = SERVICES[wanted.fields["serviceType"]]
        following = replace(run, call=replace(run.call, service=service))
        seen = yield from conversation.settle_card(following, card)
    else:
        seen = Seen(card=card, application=card.applications[0], language=_language(run, card))
    seen.token = yield from conversation.token_of(run, card.number)
    held: Held | None = None
    if wanted.money is not None:
        held = Held(
            seen=seen,
            package=run.call.package,
            service=wanted.fields["serviceType"],
            money=wanted.money,
            until_s=terminal.clock.monotonic_s() + run.profile.hold_s,
        )
    waits = held is not None
    made: dict[str, Any] = {"customerLanguage": seen.language}
    if card.entry == "magstripe":
        for place, track in enumerate(card.tracks, start=1):
            made[f"isoTrack{place}"] = _masked(track.reveal(), card.number.reveal())
    made |= {
        "token": seen.token,
        "pan": mask_number(card.number.reveal()),
        "waitForNextAction": waits,
        "nextActionWaitTime": int(run.profile.hold_s * MS_PER_S) if waits else 0,
    }
    return made, held


def _other_card(run: Run, card: ReadCard, options: list[str]) -> Talk[dict[str, Any]]:
    if MIFARE_DETAILS not in options:
        raise Refused(
            Condition.APP_NOT_SUPPORTED,
            f"{card.media_type} is no payment card; ask for {MIFARE_DETAILS} (4.1.1.3)",
        )
    made: dict[str, Any] = {
        "customerLanguage": _language(run, card),
        "mediaType": card.media_type,
        "mediaUniqueIdentifier": card.number.reveal(),
        "waitForNextAction": False,
        "nextActionWaitTime": 0,
    }
    if CUSTOMER_TOKEN in options:
        made["token"] = yield from conversation.token_of(run, card.number)
    return made


def _language(run: Run, card: ReadCard) -> str:
    languages = run.profile.languages
    return card.language if card.language in languages else languages[0]


def _masked(track: str, number: str) -> str:
    """Mask the number in a track, and what follows the name or the separator: that is secret."""
    for separator in ("=", "^"):
        before, found, after = track.rpartition(separator)
        if found:
            track = before + found + "*" * len(after)
            break
    return track.replace(number, mask_number(number))
