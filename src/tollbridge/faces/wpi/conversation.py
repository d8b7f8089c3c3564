"""What a terminal and the people at it say to one another, from the tip to the PIN.

These are parts of a flow. Whoever drives them (a browser, a script, a reader) answers a wish; a
scenario may dictate the answer.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from tollbridge.core.brands import BY_NAME
from tollbridge.faces.contract import SecureFault, Tokenize, Tokenized
from tollbridge.faces.wpi.profile import Limits, Profile
from tollbridge.faces.wpi.state import Refused, Run, Seen, Talk
from tollbridge.faces.wpi.tables import Condition
from tollbridge.faces.wpi.wishes import (
    Aborted,
    AddTip,
    Answer,
    Cancelled,
    CardApplication,
    ChooseApplication,
    ChooseCurrency,
    ChooseLanguage,
    Chosen,
    CurrencyChosen,
    EnterPassword,
    EnterPin,
    Hint,
    LanguageChosen,
    Notice,
    PasswordEntered,
    PinEntered,
    PinVerified,
    PinWrong,
    PresentCard,
    Print,
    PrinterFault,
    ReadCard,
    Saying,
    Sign,
    Signed,
    TimedOut,
    TipAdded,
    Topic,
    Unreadable,
    VerifyPin,
    Wish,
)
from tollbridge.ground.flow import Exchange, Party
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret

PRESENTATIONS_MAX = 4
WRONG_PIN = Secret("0000")
_PEOPLE: Mapping[str, Answer] = {
    "cancel": Cancelled(),
    "timeout": TimedOut(),
    "abort": Aborted(),
}


def say(
    run: Run, party: Party, wish: Wish, at: str = "", limit_s: float | None = None
) -> Talk[Answer]:
    """Say a wish and give its answer.

    Raises Refused where a person stopped, nobody answered, or an abort was asked for.
    """
    saying = Saying(
        terminal=run.profile.terminal_id,
        wish=wish,
        language=run.profile.merchant_language if party is Party.MERCHANT else run.language,
        limit_s=limit_s or run.profile.person_s,
        dictated=_dictated(run, wish, at),
    )
    answer: Answer = yield Exchange(party, saying)
    who = "merchant" if party is Party.MERCHANT else "cardholder"
    match answer:
        case _ if run.aborted:
            raise Refused(Condition.ABORTED, "the business application asked for the abort")
        case Aborted():
            raise Refused(Condition.ABORTED, "the business application asked for the abort")
        case Cancelled():
            raise Refused(Condition.USER_CANCEL, f"the {who} pressed stop")
        case TimedOut():
            raise Refused(Condition.USER_TIMEOUT, _late(wish, who))
    return answer


def go(run: Run) -> None:
    """Pass the point of no return: from here on an abort comes too late (4.3.6).

    Raises Refused where one was asked for before.
    """
    if run.aborted:
        raise Refused(Condition.ABORTED, "the business application asked for the abort")
    run.sent = True


def put(run: Run, wish: Wish) -> Talk[Answer]:
    """Put a wish to the device when nothing can be refused any more."""
    saying = Saying(
        terminal=run.profile.terminal_id,
        wish=wish,
        language=run.language,
        dictated=_dictated(run, wish, ""),
    )
    answer: Answer = yield Exchange(Party.DEVICE, saying)
    return answer


def tell(run: Run, topic: Topic, money: Money | None = None, text: str = "") -> Talk[None]:
    """Show something that wants no answer."""
    wish = Notice(topic, money, text)
    yield Exchange(
        Party.CARDHOLDER,
        Saying(terminal=run.profile.terminal_id, wish=wish, language=run.language),
    )


# The card


def present(
    run: Run, money: Money | None, entries: tuple[str, ...], limit_s: float | None = None
) -> Talk[ReadCard]:
    """Let the cardholder present a card, in another way if the first one does not do."""
    if run.scenario.card == "qr":
        entries = ("qr",)
    hint, service = Hint.NONE, run.call.service.name
    for _ in range(PRESENTATIONS_MAX):
        wish = PresentCard(service=service, amount=money, entries=entries, hint=hint)
        answer = yield from say(run, Party.CARDHOLDER, wish, "card", limit_s)
        if isinstance(answer, Unreadable):
            raise Refused(Condition.CARD_READ_ERR, answer.why)
        assert isinstance(answer, ReadCard)
        if answer.entry == "mifare" and "contactless" in entries:
            return answer  # what the field finds is read; whether it will do is not asked here
        if answer.entry not in entries:
            hint = Hint.AGAIN
            continue
        before, hint = hint, _another_way(run, answer, money, hint)
        if hint is before or hint is Hint.NONE:
            return answer
        entries = ("magstripe",) if hint is Hint.SWIPE else ("chip",)
        if entries[0] not in run.profile.entries:
            raise Refused(
                Condition.CARD_READ_ERR, f"the card cannot be read; {hint} is not offered"
            )
    raise Refused(Condition.CARD_READ_ERR, "the card was not presented as asked")


def settle_card(run: Run, card: ReadCard) -> Talk[Seen]:
    """Choose application and language, and see that the brand does what is wanted."""
    application = yield from _application(run, card)
    limits = run.profile.limits_of(application.brand.name)
    service = run.call.service.name
    if limits.services and service not in limits.services:
        raise Refused(
            Condition.APP_NOT_SUPPORTED,
            f"{application.brand.name} does not do {service} (4.1.2.6)",
        )
    run.language = yield from _language(run, card)
    return Seen(card=card, application=application, language=run.language)


def token_of(run: Run, number: Secret[str]) -> Talk[str]:
    """Make the token of a card or UID, in the secure element (4.1.2)."""
    answer = yield from say(run, Party.DEVICE, Tokenize(number))
    if isinstance(answer, SecureFault):
        raise secure_fault(answer)
    assert isinstance(answer, Tokenized)
    return answer.token


def secure_fault(fault: SecureFault) -> Refused:
    """Say what the secure element cannot do."""
    if fault.key_missing:
        return Refused(Condition.INVALID_KEY, "the secure element lacks a key (4.1.2.3)")
    return Refused(Condition.ENCRYPTION_ISSUE, "the secure element could not encrypt (4.1.2.3)")


def _another_way(run: Run, card: ReadCard, money: Money | None, hint: Hint) -> Hint:
    """Say how the card must be presented instead; NONE when this will do."""
    wanted = run.scenario.card
    if card.broken_chip and card.entry == "chip":
        return Hint.SWIPE
    if wanted == "fallback" and hint is not Hint.SWIPE:
        return Hint.SWIPE
    if wanted == "insert" and hint is not Hint.INSERT:
        return Hint.INSERT
    if card.entry == "contactless" and money is not None and not card.device_verified:
        brands = [each.brand.name for each in card.applications[:1]]
        limits = run.profile.limits_of(brands[0] if brands else "")
        if money.amount_minor > limits.contactless_minor:
            return Hint.INSERT
    return Hint.NONE


def _application(run: Run, card: ReadCard) -> Talk[CardApplication]:
    profile = run.profile
    accepted = [each for each in card.applications if profile.accepted(each.brand.name)]
    if not accepted or run.scenario.card == "not_accepted":
        names = ", ".join(each.brand.name for each in card.applications) or card.media_type
        raise Refused(
            Condition.APP_NOT_SUPPORTED,
            f"{names or 'this card'} by {card.entry} is not accepted for {run.call.service.name}",
        )
    if run.scenario.card == "select" and len(accepted) == 1:
        accepted += _second(profile, accepted[0])
    if len(accepted) == 1 or card.entry in ("contactless", "qr"):
        # Contactless and QR take what the card prefers.
        if run.scenario.card != "select":
            return accepted[0]
    wish = ChooseApplication(tuple(each.label for each in accepted))
    answer = yield from say(run, Party.CARDHOLDER, wish, "application")
    assert isinstance(answer, Chosen)
    return accepted[answer.place if 0 <= answer.place < len(accepted) else 0]


def _second(profile: Profile, first: CardApplication) -> list[CardApplication]:
    """Make up another application for a card, so that there is one to select."""
    for name in (f"{first.brand.name} Debit", *profile.brands):
        brand = BY_NAME.get(name)
        if brand and brand.application_id and profile.accepted(name) and name != first.brand.name:
            return [CardApplication(brand.application_id, brand.label, brand)]
    return []


def _language(run: Run, card: ReadCard) -> Talk[str]:
    """Use the card's language if the terminal speaks it; ask where the card names none."""
    languages = run.profile.languages
    if card.language in languages:
        return card.language
    if card.language or len(languages) == 1 or card.entry in ("contactless", "qr"):
        return languages[0]
    answer = yield from say(run, Party.CARDHOLDER, ChooseLanguage(languages), "language")
    assert isinstance(answer, LanguageChosen)
    return answer.language if answer.language in languages else languages[0]


# Tip and currency


def tip(run: Run, money: Money) -> Talk[int]:
    """Ask for a tip, in minor units; 0 is none."""
    offer = run.profile.tip
    if offer is None:
        return 0
    most_minor = min(
        money.amount_minor * offer.percent_max // 100,
        run.profile.amount_max_minor - money.amount_minor,
    )
    wish = AddTip(money, offer.percents, most_minor)
    for _ in range(PRESENTATIONS_MAX):
        answer = yield from say(run, Party.CARDHOLDER, wish, "tip")
        assert isinstance(answer, TipAdded)
        if 0 <= answer.amount_minor <= most_minor:
            return answer.amount_minor
    raise Refused(Condition.USER_CANCEL, f"the tip is at most {most_minor}")


def currency(run: Run, seen: Seen, money: Money) -> Talk[dict[str, str | int] | None]:
    """Offer dynamic currency conversion; give what was agreed, or None.

    The provider is asked for the local amount all the same: the conversion is between the card's
    issuer and who converts, and stands on the receipt.
    """
    offer, local = run.profile.dcc, run.profile.currencies[0]
    if offer is None or money.currency.code != local or not offer.rates:
        return None
    code = seen.card.currency
    if run.scenario.currency and code not in offer.rates:
        code = next(iter(offer.rates))
    if code == local or code not in offer.rates:
        return None
    foreign = converted(money, code, offer.rates[code])
    wish = ChooseCurrency(
        local=money,
        foreign=foreign,
        rate=offer.rates[code],
        markup_percent=offer.markup_percent,
        provider=offer.provider,
    )
    answer = yield from say(run, Party.CARDHOLDER, wish, "currency")
    assert isinstance(answer, CurrencyChosen)
    if answer.code != code:
        return None
    return {
        "currency": code,
        "amount_minor": foreign.amount_minor,
        "rate": offer.rates[code],
        "markup_percent": offer.markup_percent,
        "ecb_percent": offer.ecb_percent,
        "provider": offer.provider,
    }


def converted(money: Money, code: str, rate: str) -> Money:
    """Convert an amount at a rate, rounded half up to a minor unit of the other currency."""
    ours, theirs = money.currency.exponent or 0, Money.of(1, code).currency.exponent or 0
    minor = Decimal(money.amount_minor) * Decimal(rate) * Decimal(10) ** (theirs - ours)
    return Money.of(int(minor.quantize(Decimal(1), ROUND_HALF_UP)), code)


# Verification


def verify(run: Run, seen: Seen, money: Money) -> Talk[None]:
    """Verify the cardholder as card, terminal and amount want it."""
    limits = run.profile.limits_of(seen.application.brand.name)
    method = run.scenario.verification
    if method == "identification":
        seen.identification = True
        return
    method = method or method_of(run.profile, seen.card, money, limits)
    if method == "offline_pin":
        yield from _offline_pin(run, money)
    elif method == "online_pin":
        seen.pin = yield from online_pin(run, money)
    seen.verification = method


def method_of(profile: Profile, card: ReadCard, money: Money, limits: Limits) -> str:
    """Choose the cardholder verification method: the first of the card's list that the terminal
    can do. None is needed below the contactless limit, or where a phone did it."""
    if card.device_verified or card.entry == "qr":
        return "device"
    tapped = card.entry == "contactless"
    if tapped and money.amount_minor <= limits.verification_minor:
        return "none"
    for method in card.verifications:
        # Only a chip in the reader can check a PIN.
        possible = method != "offline_pin" or card.entry == "chip"
        if possible and method in profile.verifications:
            return method
    return "none"


def online_pin(run: Run, money: Money, *, wrong: bool = False) -> Talk[Secret[str]]:
    """Ask for a PIN that the issuer will verify."""
    wish = EnterPin(amount=money, online=True, wrong=wrong)
    answer = yield from say(run, Party.CARDHOLDER, wish, "pin")
    assert isinstance(answer, PinEntered)
    return answer.pin


def _offline_pin(run: Run, money: Money) -> Talk[None]:
    """Ask for a PIN until the card knows it or is blocked."""
    left, wrong = run.profile.pin_tries, False
    for _ in range(run.profile.pin_tries):
        wish = EnterPin(amount=money, online=False, wrong=wrong, tries_left=left)
        answer = yield from say(run, Party.CARDHOLDER, wish, "pin")
        assert isinstance(answer, PinEntered)
        verdict = yield from say(run, Party.DEVICE, VerifyPin(answer.pin))
        if isinstance(verdict, PinVerified):
            return
        assert isinstance(verdict, PinWrong)
        left, wrong = verdict.tries_left, True
        if left <= 0:
            break
    raise Refused(Condition.HOST_REFUSAL, "75 PIN tries exceeded: the card refuses")


def signature(run: Run, money: Money) -> Talk[str]:
    """Ask for a signature on the screen; "" when the cardholder prefers paper."""
    saying = Saying(
        terminal=run.profile.terminal_id,
        wish=Sign(money),
        language=run.language,
        limit_s=run.profile.person_s,
        dictated=_dictated(run, Sign(money), "sign"),
    )
    answer = yield Exchange(Party.CARDHOLDER, saying)
    return answer.path if isinstance(answer, Signed) else ""


def password(run: Run) -> Talk[None]:
    """Let the merchant enter the password, a few times if need be (3, 4.1.2.3)."""
    if run.scenario.condition is Condition.INVALID_PASSWORD:
        raise Refused(Condition.INVALID_PASSWORD, "the scenario wants it")
    if run.profile.password is None:
        return
    tries = run.profile.password_tries
    for tries_left in range(tries, 0, -1):
        wish = EnterPassword(tries_left, wrong=tries_left < tries)
        answer = yield from say(run, Party.MERCHANT, wish, "password")
        assert isinstance(answer, PasswordEntered)
        if answer.password == run.profile.password:
            return
    raise Refused(Condition.INVALID_PASSWORD, "the password entered in the terminal is wrong")


# Scenarios


def _dictated(run: Run, wish: Wish, at: str) -> Answer | None:
    """Give the answer a scenario wants to a wish; None lets people answer."""
    scenario = run.scenario
    if scenario.person and at and (scenario.at or "card") == at:
        return _PEOPLE[scenario.person]
    match wish:
        case PresentCard() if scenario.card == "unreadable":
            return Unreadable("the card could not be read")
        case PresentCard() if scenario.card == "removed":
            return Unreadable("the card was removed too early")
        case EnterPin() if run.pins:
            return PinEntered(WRONG_PIN) if run.pins.popleft() == "wrong" else None
        case AddTip(amount=money) if scenario.tip:
            return TipAdded(_tip_of(scenario.tip, money))
        case ChooseCurrency(local=local, foreign=foreign) if scenario.currency:
            chosen = foreign if scenario.currency == "foreign" else local
            return CurrencyChosen(chosen.currency.code)
        case Tokenize() if scenario.secure:
            return SecureFault(key_missing=scenario.secure == "key")
        case Print() if scenario.printer:
            return PrinterFault(scenario.printer)
    return None


def _tip_of(text: str, money: Money) -> int:
    if text.endswith("%"):
        return money.amount_minor * int(text[:-1]) // 100
    return int(text)


def _late(wish: Wish, who: str) -> str:
    what = "no card was presented" if isinstance(wish, PresentCard) else f"the {who} did nothing"
    return f"{what} in time"
