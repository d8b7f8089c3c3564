"""Answers from the page: JSON to what a question can be answered with, or why it cannot."""

import re
from collections.abc import Mapping
from typing import Any

from tollbridge.faces.wpi.wishes import (
    AddTip,
    Answer,
    Cancelled,
    ChooseApplication,
    ChooseCurrency,
    ChooseLanguage,
    Chosen,
    CurrencyChosen,
    EnterPassword,
    EnterPin,
    LanguageChosen,
    MenuChosen,
    PasswordEntered,
    PinEntered,
    PresentCard,
    ShowMenu,
    Sign,
    Signed,
    TipAdded,
    Wish,
)
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.secret import Secret
from tollbridge.terminal.wallet import Wallet

PASSWORD_LETTERS_MAX = 64
SIGNATURE_LETTERS_MAX = 32 * 1024
_PIN = re.compile(r"[0-9]{4,12}")
_NUMBER = r"(?:\d{1,3}(?:\.\d{1,3})?)"
_PATH = re.compile(rf"(?:\s*[ML]\s*{_NUMBER}[\s,]+{_NUMBER})+\s*", re.ASCII)
_SAYS: Mapping[type, tuple[str, str]] = {
    PresentCard: ("card", 'a card: {"card": "visa", "entry": "contactless"}'),
    ChooseApplication: ("choice", 'a choice: {"choice": 0}'),
    EnterPin: ("pin", 'a PIN: {"pin": "1234"}, 4 to 12 digits'),
    AddTip: ("tip_minor", 'a tip in minor units: {"tip_minor": 0}'),
    ChooseCurrency: ("currency", 'one of two currencies: {"currency": "USD"}'),
    ChooseLanguage: ("language", 'a language: {"language": "de"}'),
    Sign: ("signature", 'a signature: {"signature": "M10 50L40 20"}, an SVG path of M and L'),
    EnterPassword: ("password", 'the password: {"password": "…"}'),
    ShowMenu: ("item", 'a choice: {"item": "leave"}'),
}
"""The field that answers each question, and how to say so."""


def read(  # noqa: C901, PLR0912 - one branch per question
    wish: Wish, given: Mapping[str, Any], wallet: Wallet
) -> Answer:
    """Read an answer to a wish.

    Raises RemoteProtocolError, hint "unfit", for what does not fit.
    """
    if given.get("cancel") is True and len(given) == 1:
        return Cancelled()
    name, says = _SAYS[type(wish)]
    others = [key for key in given if key != name and (key, name) != ("entry", "card")]
    if name not in given or others:
        raise _unfit(f"the screen asks for {says}")
    value = given[name]
    match wish:
        case PresentCard():
            return _card(wish, value, given, wallet)
        case ChooseApplication(labels=labels) if _is_number(value) and 0 <= value < len(labels):
            return Chosen(value)
        case EnterPin() if isinstance(value, str) and _PIN.fullmatch(value):
            return PinEntered(Secret(value))
        case AddTip(most_minor=most) if _is_number(value):
            if not 0 <= value <= most:
                raise _unfit(f"tip_minor: 0 to {most}")
            return TipAdded(value)
        case ChooseCurrency() if value in (wish.local.currency.code, wish.foreign.currency.code):
            return CurrencyChosen(value)
        case ChooseLanguage(languages=languages) if value in languages:
            return LanguageChosen(value)
        case Sign() if isinstance(value, str) and len(value) <= SIGNATURE_LETTERS_MAX:
            if _PATH.fullmatch(value):
                return Signed(value.strip())
        case EnterPassword() if isinstance(value, str) and len(value) <= PASSWORD_LETTERS_MAX:
            return PasswordEntered(Secret(value))
        case ShowMenu(items=items):
            chosen = next((item for item in items if item == value), None)
            if chosen is not None:
                return MenuChosen(chosen)
    raise _unfit(f"the screen asks for {says}")


def _card(wish: PresentCard, name: Any, given: Mapping[str, Any], wallet: Wallet) -> Answer:
    card = wallet.get(name) if isinstance(name, str) else None
    if card is None:
        raise _unfit(f"card: there are {', '.join(wallet)}")
    entry = given.get("entry")
    if entry is None:
        entry = card.fitting(wish.entries)
    elif entry not in card.entries and not card.trouble:
        raise _unfit(f"entry: {card.label} has {', '.join(card.entries)}")
    if entry not in wish.entries:
        raise _unfit(f"entry: the terminal reads {', '.join(wish.entries)} now")
    return card.read(wish, str(entry))


def _is_number(value: Any) -> bool:
    return type(value) is int


def _unfit(text: str) -> RemoteProtocolError:
    return RemoteProtocolError(text, hint="unfit")
