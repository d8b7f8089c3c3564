"""What a terminal shows, as JSON: the contract is docs/reference/terminal-api.md."""

import asyncio
from dataclasses import asdict
from typing import Any

from tollbridge.faces.wpi import scenario
from tollbridge.faces.wpi.receipt import amount_text
from tollbridge.faces.wpi.screens import screen as worded
from tollbridge.faces.wpi.tables import SERVICES
from tollbridge.faces.wpi.wishes import (
    AddTip,
    ChooseApplication,
    ChooseCurrency,
    ChooseLanguage,
    EnterPassword,
    EnterPin,
    Notice,
    PresentCard,
    Saying,
    ShowMenu,
    Sign,
    Wish,
)
from tollbridge.ground.currency import currency
from tollbridge.ground.money import Money
from tollbridge.terminal.device import Device, Outcome, Sheet
from tollbridge.terminal.screen import Question
from tollbridge.terminal.wallet import WalletCard

KINDS: dict[type, str] = {
    PresentCard: "present_card",
    ChooseApplication: "choose_application",
    EnterPin: "enter_pin",
    AddTip: "add_tip",
    ChooseCurrency: "choose_currency",
    ChooseLanguage: "choose_language",
    Sign: "sign",
    EnterPassword: "enter_password",
    ShowMenu: "show_menu",
}
"""What people are asked, and what the page calls it."""


def state(device: Device) -> dict[str, Any]:
    """Give the state of a terminal."""
    profile, screen, running = device.profile, device.screen, device.exchange
    language = profile.merchant_language
    return {
        "version": device.version,
        "terminal": profile.terminal_id,
        "model": profile.model,
        "shop": asdict(profile.shop),
        "languages": _languages(profile.languages),
        "merchant_language": language,
        "default_currency": profile.currencies[0],
        "currencies": [_currency(code) for code in profile.currencies],
        "password": profile.password is not None,
        "cardholder": "browser" if device.by_browser else "script",
        "screen": _question(screen.question) if screen.question else None,
        "notice": _notice(screen.notice) if screen.notice else None,
        "exchange": running and {
            "service": running.service,
            "package": running.package,
            "amount": _money(running.amount, language),
        },
        "papers": [_paper(sheet) for sheet in device.papers],
        "wallet": [_card(card) for card in device.wallet.values()],
        "scenario": _planned(device),
        "services": list(SERVICES),
        "printer": device.printer,
        "offline": device.plug is not None and device.plug.down,
        "unpluggable": device.plug is not None,
        "journal": [_outcome(outcome, device) for outcome in device.outcomes],
    }  # fmt: skip


def shown(device: Device) -> dict[str, Any]:
    """Give the row of a terminal in the list of terminals."""
    profile = device.profile
    return {
        "terminal": profile.terminal_id,
        "model": profile.model,
        "shop": profile.shop.name,
        "page": f"/terminal/{profile.terminal_id}",
    }


def planned(device: Device) -> list[dict[str, Any]]:
    """Give the scenarios that are set, in order."""
    return [
        {"scenario": scenario.written(plan.scenario), "times": plan.times}
        for plan in device.planned
    ]


def _question(question: Question) -> dict[str, Any]:
    saying = question.saying
    now = asyncio.get_running_loop().time()
    return {
        "id": question.id,
        "party": question.party,
        "kind": KINDS[type(saying.wish)],
        **_worded(saying),
        "limit_s": saying.limit_s,
        "left_s": round(question.left_s(now), 1),
        "dictated": saying.dictated is not None,
        **_details(saying.wish, saying.language),
    }


def _worded(saying: Saying) -> dict[str, Any]:
    """Give what a screen says; its amount stands by itself, not among the lines."""
    wish, language = saying.wish, saying.language
    said = worded(wish, language)
    amount = _money(getattr(wish, "amount", None), language)
    lines = [line for line in said.lines if amount is None or line != amount["text"]]
    return {
        "title": said.title,
        "lines": lines,
        "choices": said.choices,
        "language": language,
        "amount": amount,
    }


def _details(wish: Wish, language: str) -> dict[str, Any]:
    """Give what only this kind of screen has."""
    match wish:
        case PresentCard():
            return {"service": wish.service, "entries": wish.entries, "hint": wish.hint}
        case ChooseApplication():
            return {"labels": wish.labels}
        case EnterPin():
            return {"online": wish.online, "wrong": wish.wrong, "tries_left": wish.tries_left}
        case AddTip():
            return {"percents": wish.percents, "most_minor": wish.most_minor}
        case ChooseCurrency():
            return {
                "local": _money(wish.local, language),
                "foreign": _money(wish.foreign, language),
                "rate": wish.rate,
                "markup_percent": wish.markup_percent,
                "provider": wish.provider,
            }
        case ChooseLanguage():
            return {"languages": _languages(wish.languages)}
        case EnterPassword():
            return {"wrong": wish.wrong, "tries_left": wish.tries_left}
        case ShowMenu():
            labels = worded(wish, language).choices
            items = [{"item": item, "label": label}
                     for item, label in zip(wish.items, labels, strict=True)]  # fmt: skip
            return {"items": items, "said": wish.said}
        case _:
            return {}


def _notice(saying: Saying) -> dict[str, Any]:
    assert isinstance(saying.wish, Notice)
    return {"topic": saying.wish.topic, **_worded(saying), "text": saying.wish.text}


def _money(amount: Money | None, language: str) -> dict[str, Any] | None:
    if amount is None:
        return None
    return {
        "minor": amount.amount_minor,
        "currency": amount.currency.code,
        "text": amount_text(amount, language),
    }


def _languages(codes: tuple[str, ...]) -> list[dict[str, str]]:
    """Name languages as they name themselves."""
    names = worded(ChooseLanguage(codes), "en").choices
    return [{"code": code, "name": name} for code, name in zip(codes, names, strict=True)]


def _currency(code: str) -> dict[str, Any]:
    return {"code": code, "exponent": currency(code).exponent or 0}


def _paper(sheet: Sheet) -> dict[str, Any]:
    return {
        "id": sheet.id,
        "kind": sheet.slip.kind,
        "copy": sheet.copy,
        "duplicate": sheet.duplicate,
        "reference": sheet.slip.reference,
        "text": sheet.text,
        "qr": sheet.qr,
    }


def _card(card: WalletCard) -> dict[str, Any]:
    return {
        "name": card.name,
        "label": card.label,
        "brand": card.brand,
        "masked": card.masked,
        "entries": card.entries,
        "look": card.look,
        "kind": card.kind,
    }


def _planned(device: Device) -> dict[str, Any] | None:
    if not device.planned:
        return None
    left = sum(plan.times for plan in device.planned)
    return {"next": scenario.written(device.planned[0].scenario), "left": left}


def _outcome(outcome: Outcome, device: Device) -> dict[str, Any]:
    at = device.profile.local_time(outcome.at)
    return {
        "at": at.isoformat(timespec="seconds"),
        "service": outcome.service,
        "topic": outcome.topic,
        "amount": _money(outcome.amount, device.profile.merchant_language),
        "text": outcome.text,
    }
