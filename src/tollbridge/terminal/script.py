"""People played by a script: for tests, and for a terminal nobody looks at.

Every question has a usual answer: the first card, the right PIN, no tip, the local currency. What
is to happen instead is a list, used up in order.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tollbridge.faces.wpi.wishes import (
    Aborted,
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
    Hint,
    LanguageChosen,
    MenuChosen,
    MenuItem,
    Notice,
    PasswordEntered,
    PinEntered,
    PresentCard,
    ReadCard,
    Saying,
    ShowMenu,
    Sign,
    Signed,
    TimedOut,
    TipAdded,
    Unreadable,
    Withdraw,
)
from tollbridge.ground.errors import LocalProtocolError
from tollbridge.ground.secret import Secret
from tollbridge.terminal.wallet import PIN, Wallet, WalletCard

Behaviour = str | Answer | Callable[[Saying], Answer | None]
"""The name of a card to present, an answer, or what makes one (None: the usual answer)."""

FITTING: dict[type, tuple[type, ...]] = {
    PresentCard: (ReadCard, Unreadable),
    ChooseApplication: (Chosen,),
    EnterPin: (PinEntered,),
    AddTip: (TipAdded,),
    ChooseCurrency: (CurrencyChosen,),
    ChooseLanguage: (LanguageChosen,),
    Sign: (Signed,),
    EnterPassword: (PasswordEntered,),
    ShowMenu: (MenuChosen,),
}
"""The questions to people, and the answers that fit each of them beside those of every person."""
ALWAYS = (Cancelled, TimedOut, Aborted)
SIGNATURE = "M20 60L60 20L100 80L140 40L180 60L280 50"


@dataclass(slots=True)
class Habits:
    """The usual answers of the people at one terminal.

    `card` names the card presented ("" for the wallet's first); `pin` None is the right one of the
    card; `currency` is "local", "foreign" or a code; `application` the place of the application.
    """

    card: str = ""
    pin: Secret[str] | None = None
    tip_minor: int = 0
    currency: str = "local"
    application: int = 0
    language: str = ""
    signature: str = SIGNATURE
    password: Secret[str] | None = None


class Script:
    """A cardholder with a wallet, and a merchant with a password. It answers at once."""

    def __init__(self, wallet: Wallet, password: Secret[str] | None = None) -> None:
        self.habits = Habits(password=password)
        self.presented: WalletCard | None = None
        self._wallet = wallet
        self._behaviours: deque[Behaviour] = deque()
        self._passwords: deque[Secret[str] | Answer] = deque()

    def will(self, behaviours: Iterable[Behaviour]) -> None:
        """Append to what the people will do; each is kept until a question comes that it fits.

        Raises KeyError for a card not in the wallet.
        """
        for behaviour in behaviours:
            if isinstance(behaviour, str):
                self._wallet[behaviour]
            self._behaviours.append(behaviour)

    def will_enter(self, passwords: Iterable[Secret[str] | Answer]) -> None:
        """Append to what the merchant will answer when a password is wanted."""
        self._passwords.extend(passwords)

    def answer(self, saying: Saying) -> Answer | None:
        """Answer what a person is asked; None for what is only shown."""
        wish = saying.wish
        if isinstance(wish, Notice | Withdraw):
            return None
        if saying.dictated is not None:
            return saying.dictated
        if self._behaviours:
            done = self._next(saying)
            if done is not None:
                return done
        return self._usual(saying)

    def _next(self, saying: Saying) -> Answer | None:
        """Use up the next behaviour, if it fits what is asked."""
        wish, behaviour = saying.wish, self._behaviours[0]
        if isinstance(behaviour, str):
            if not isinstance(wish, PresentCard):
                return None
            self._behaviours.popleft()
            return self._present(self._wallet[behaviour], wish)
        if isinstance(behaviour, (*ALWAYS, *FITTING.get(type(wish), ()))):
            self._behaviours.popleft()
            return behaviour  # type: ignore[return-value]
        if callable(behaviour):
            self._behaviours.popleft()
            return behaviour(saying)
        return None

    def _usual(self, saying: Saying) -> Answer:  # noqa: C901 - one branch per question
        habits = self.habits
        match saying.wish:
            case PresentCard() as wish:
                return self._present(self._usual_card(wish), wish)
            case ChooseApplication(labels=labels):
                return Chosen(min(habits.application, len(labels) - 1))
            case EnterPin():
                return PinEntered(habits.pin or (self.presented.pin if self.presented else PIN))
            case AddTip(most_minor=most_minor):
                return TipAdded(min(habits.tip_minor, most_minor))
            case ChooseCurrency() as wish:
                offered = {"local": wish.local.currency.code, "foreign": wish.foreign.currency.code}
                return CurrencyChosen(offered.get(habits.currency, habits.currency))
            case ChooseLanguage(languages=languages):
                return LanguageChosen(habits.language or languages[0])
            case Sign():
                return Signed(habits.signature)
            case EnterPassword():
                if self._passwords:
                    entered = self._passwords.popleft()
                    return PasswordEntered(entered) if isinstance(entered, Secret) else entered
                return PasswordEntered(habits.password or Secret(""))
            case ShowMenu():
                return MenuChosen(MenuItem.LEAVE)
            case other:
                raise LocalProtocolError(f"nobody is asked {type(other).__name__}")

    def _usual_card(self, wish: PresentCard) -> WalletCard:
        """Choose a card: the same one when it is asked for again, else one the reader can read."""
        if wish.hint is not Hint.NONE and self.presented is not None:
            return self.presented
        usual = self._wallet[self.habits.card] if self.habits.card else self._wallet.first
        if usual.fitting(wish.entries):
            return usual
        cards = self._wallet.values()
        fit = (card for card in cards if card.fitting(wish.entries) and not card.trouble)
        return next(fit, usual)

    def _present(self, card: WalletCard, wish: PresentCard) -> Answer:
        self.presented = card
        return card.read(wish)
