"""What a terminal's screen shows for each of its wishes, in the languages there are words for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from tollbridge.faces.contract import Seal, Tokenize, Unseal
from tollbridge.faces.wpi.receipt import amount_text
from tollbridge.faces.wpi.wishes import (
    AddTip,
    Begin,
    ChooseApplication,
    ChooseCurrency,
    ChooseLanguage,
    EnterPassword,
    EnterPin,
    Fetch,
    Hint,
    MenuItem,
    Notice,
    PresentCard,
    Print,
    ShowMenu,
    Sign,
    Topic,
    VerifyPin,
    Wish,
    Withdraw,
)
from tollbridge.faces.wpi.words import words
from tollbridge.ground.money import Money


@dataclass(frozen=True, slots=True)
class Shown:
    """A screen: what is wanted, what there is to know, and the captions of what can be chosen.

    `choices` stand in the order of the wish: applications, languages, menu items; the local
    currency before the foreign one; the percents of a tip, then another amount, then none.
    """

    title: str
    lines: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()


def screen(wish: Wish, language: str) -> Shown:  # noqa: C901, PLR0912 - one branch per wish
    """Word a wish. What is asked of the device itself looks like waiting.

    A notice's `text` is not among it: that one is for the merchant alone.
    """
    said = _SAID.get(language[:2].lower(), _SAID["en"])
    match wish:
        case PresentCard():
            return _present(wish, said, language)
        case ChooseApplication(labels=labels):
            return Shown(said.application, (), labels)
        case EnterPin():
            lines = _tries(said.wrong_pin if wish.wrong else "", wish.tries_left, said)
            return Shown(said.pin, (*_amount(wish.amount, language), *lines))
        case AddTip():
            return _tip(wish, said, language)
        case ChooseCurrency():
            return _currency(wish, said, language)
        case ChooseLanguage(languages=languages):
            names = tuple(_SAID[code].name if code in _SAID else code for code in languages)
            return Shown(said.language, (), names)
        case Sign(amount=amount):
            return Shown(said.sign, _amount(amount, language))
        case Notice(topic=topic, amount=amount):
            return Shown(said.topics[topic], _amount(amount, language))
        case EnterPassword():
            wrong = said.wrong_password if wish.wrong else ""
            left = wish.tries_left if wish.wrong else None
            return Shown(said.password, _tries(wrong, left, said))
        case ShowMenu(items=items, said=lines):
            return Shown(said.menu, lines, tuple(said.items[item] for item in items))
        case Print():
            return Shown(said.printing)
        case Begin() | VerifyPin() | Tokenize() | Seal() | Unseal() | Fetch() | Withdraw():
            return Shown(said.topics[Topic.PROCESSING])
        case other:
            assert_never(other)


def _present(wish: PresentCard, said: "_Said", language: str) -> Shown:
    kind = words(language).types.get(wish.service, "")
    about = (kind, *_amount(wish.amount, language)) if kind else _amount(wish.amount, language)
    if wish.hint is Hint.NONE:
        ways = ", ".join({said.ways[entry]: "" for entry in wish.entries if entry in said.ways})
        return Shown(said.present, (*about, ways) if ways else about)
    title, why = said.hints[wish.hint]
    return Shown(title, (*about, why) if why else about)


def _tip(wish: AddTip, said: "_Said", language: str) -> Shown:
    choices = []
    for percent in wish.percents:
        minor = (wish.amount.amount_minor * percent + 50) // 100
        share = amount_text(Money(minor, wish.amount.currency), language)
        choices.append(f"{percent} % ({share})")
    most = amount_text(Money(wish.most_minor, wish.amount.currency), language)
    lines = (*_amount(wish.amount, language), said.most.format(amount=most))
    return Shown(said.tip, lines, (*choices, said.other_tip, said.no_tip))


def _currency(wish: ChooseCurrency, said: "_Said", language: str) -> Shown:
    named = words(language)
    local, foreign = wish.local.currency.code, wish.foreign.currency.code
    rate, markup = (text.replace(".", named.point) for text in (wish.rate, wish.markup_percent))
    lines = (
        f"{named.dcc_rate} 1 {local} = {rate} {foreign}",
        f"{named.dcc_markup} {markup} %",
        f"{named.dcc_provider} {wish.provider}",
    )
    choices = amount_text(wish.local, language), amount_text(wish.foreign, language)
    return Shown(said.currency, lines, choices)


def _amount(amount: Money | None, language: str) -> tuple[str, ...]:
    return () if amount is None else (amount_text(amount, language),)


def _tries(wrong: str, left: int | None, said: "_Said") -> tuple[str, ...]:
    lines = [wrong] if wrong else []
    if left is not None:
        lines.append(said.last_try if left == 1 else said.tries.format(n=left))
    return tuple(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """The words of one language's screens; `name` is the language's own."""

    name: str
    present: str
    ways: Mapping[str, str]
    hints: Mapping[Hint, tuple[str, str]]
    application: str
    pin: str
    wrong_pin: str
    tries: str
    last_try: str
    tip: str
    most: str
    other_tip: str
    no_tip: str
    currency: str
    language: str
    sign: str
    topics: Mapping[Topic, str]
    password: str
    wrong_password: str
    menu: str
    items: Mapping[MenuItem, str]
    printing: str


_ENTRIES = ("chip", "contactless", "magstripe", "qr", "mifare")


def _ways(*texts: str) -> Mapping[str, str]:
    return dict(zip(_ENTRIES, texts, strict=True))


def _hints(*texts: tuple[str, str]) -> Mapping[Hint, tuple[str, str]]:
    return dict(zip((Hint.INSERT, Hint.SWIPE, Hint.AGAIN), texts, strict=True))


def _topics(*texts: str) -> Mapping[Topic, str]:
    return dict(zip(Topic, texts, strict=True))


def _items(*texts: str) -> Mapping[MenuItem, str]:
    return dict(zip(MenuItem, texts, strict=True))


_SAID: Mapping[str, _Said] = {
    "en": _Said(
        name="English",
        present="Present card",
        ways=_ways("insert", "tap", "swipe", "scan the code", "tap"),
        hints=_hints(
            ("Insert card", "Tapping is not enough for this."),
            ("Swipe card", "The chip cannot be read."),
            ("Present card again", ""),
        ),
        application="How do you want to pay?",
        pin="Enter PIN",
        wrong_pin="Wrong PIN",
        tries="{n} tries left",
        last_try="Last try",
        tip="Add a tip?",
        most="At most {amount}",
        other_tip="Other amount",
        no_tip="No tip",
        currency="Choose your currency",
        language="Choose your language",
        sign="Please sign",
        topics=_topics(
            "Please wait", "Remove card", "Approved", "Declined", "Not completed", "Welcome"
        ),
        password="Merchant password",  # noqa: S106 - a caption
        wrong_password="Wrong password",  # noqa: S106
        menu="Menu",
        items=_items(
            "Totals",
            "Print last receipt again",
            "Day-end",
            "Fetch configuration",
            "Fetch acquirer configuration",
            "Leave",
        ),
        printing="Printing",
    ),
    "de": _Said(
        name="Deutsch",
        present="Karte bitte",
        ways=_ways("einstecken", "hinhalten", "durchziehen", "Code scannen", "hinhalten"),
        hints=_hints(
            ("Karte einstecken", "Hinhalten reicht dafür nicht."),
            ("Karte durchziehen", "Der Chip ist nicht lesbar."),
            ("Karte bitte noch einmal", ""),
        ),
        application="Womit möchten Sie zahlen?",
        pin="PIN eingeben",
        wrong_pin="PIN falsch",
        tries="Noch {n} Versuche",
        last_try="Letzter Versuch",
        tip="Trinkgeld geben?",
        most="Höchstens {amount}",
        other_tip="Anderer Betrag",
        no_tip="Kein Trinkgeld",
        currency="Währung wählen",
        language="Sprache wählen",
        sign="Bitte unterschreiben",
        topics=_topics(
            "Bitte warten",
            "Karte entnehmen",
            "Genehmigt",
            "Abgelehnt",
            "Nicht ausgeführt",
            "Willkommen",
        ),
        password="Händlerpasswort",  # noqa: S106
        wrong_password="Passwort falsch",  # noqa: S106
        menu="Menü",
        items=_items(
            "Summen",
            "Letzten Beleg nochmals drucken",
            "Tagesabschluss",
            "Konfiguration laden",
            "Konfiguration der Acquirer laden",
            "Verlassen",
        ),
        printing="Druckt",
    ),
    "fr": _Said(
        name="Français",
        present="Présentez votre carte",
        ways=_ways("insérez", "sans contact", "glissez", "scannez le code", "sans contact"),
        hints=_hints(
            ("Insérez votre carte", "Le sans contact ne suffit pas ici."),
            ("Glissez votre carte", "La puce est illisible."),
            ("Présentez à nouveau votre carte", ""),
        ),
        application="Comment voulez-vous payer ?",
        pin="Saisissez votre code",
        wrong_pin="Code faux",
        tries="Encore {n} essais",
        last_try="Dernier essai",
        tip="Un pourboire ?",
        most="Au plus {amount}",
        other_tip="Autre montant",
        no_tip="Sans pourboire",
        currency="Choisissez votre devise",
        language="Choisissez votre langue",
        sign="Signez s'il vous plaît",
        topics=_topics(
            "Veuillez patienter",
            "Retirez votre carte",
            "Acceptée",
            "Refusée",
            "Non aboutie",
            "Bienvenue",
        ),
        password="Mot de passe commerçant",  # noqa: S106
        wrong_password="Mot de passe faux",  # noqa: S106
        menu="Menu",
        items=_items(
            "Totaux",
            "Réimprimer le dernier ticket",
            "Fin de journée",
            "Charger la configuration",
            "Charger la configuration acquéreur",
            "Quitter",
        ),
        printing="Impression",
    ),
    "nl": _Said(
        name="Nederlands",
        present="Bied uw kaart aan",
        ways=_ways("invoeren", "contactloos", "doorhalen", "scan de code", "contactloos"),
        hints=_hints(
            ("Voer uw kaart in", "Contactloos is hiervoor niet genoeg."),
            ("Haal uw kaart door", "De chip is niet leesbaar."),
            ("Bied uw kaart opnieuw aan", ""),
        ),
        application="Hoe wilt u betalen?",
        pin="Voer pincode in",
        wrong_pin="Pincode fout",
        tries="Nog {n} pogingen",
        last_try="Laatste poging",
        tip="Fooi geven?",
        most="Hoogstens {amount}",
        other_tip="Ander bedrag",
        no_tip="Geen fooi",
        currency="Kies uw valuta",
        language="Kies uw taal",
        sign="Teken a.u.b.",
        topics=_topics(
            "Even geduld",
            "Neem uw kaart uit",
            "Akkoord",
            "Geweigerd",
            "Niet uitgevoerd",
            "Welkom",
        ),
        password="Wachtwoord winkelier",  # noqa: S106
        wrong_password="Wachtwoord fout",  # noqa: S106
        menu="Menu",
        items=_items(
            "Totalen",
            "Laatste bon opnieuw afdrukken",
            "Dagafsluiting",
            "Configuratie ophalen",
            "Configuratie acquirers ophalen",
            "Verlaten",
        ),
        printing="Drukt af",
    ),
    "it": _Said(
        name="Italiano",
        present="Presentare la carta",
        ways=_ways("inserire", "avvicinare", "strisciare", "scansionare il codice", "avvicinare"),
        hints=_hints(
            ("Inserire la carta", "Qui avvicinarla non basta."),
            ("Strisciare la carta", "Il chip non è leggibile."),
            ("Presentare di nuovo la carta", ""),
        ),
        application="Come vuole pagare?",
        pin="Inserire il PIN",
        wrong_pin="PIN errato",
        tries="Ancora {n} tentativi",
        last_try="Ultimo tentativo",
        tip="Aggiungere una mancia?",
        most="Al massimo {amount}",
        other_tip="Altro importo",
        no_tip="Nessuna mancia",
        currency="Scelga la valuta",
        language="Scelga la lingua",
        sign="Firmi per favore",
        topics=_topics(
            "Attendere prego",
            "Ritirare la carta",
            "Autorizzata",
            "Rifiutata",
            "Non eseguita",
            "Benvenuti",
        ),
        password="Password esercente",  # noqa: S106
        wrong_password="Password errata",  # noqa: S106
        menu="Menu",
        items=_items(
            "Totali",
            "Ristampa ultima ricevuta",
            "Chiusura giornaliera",
            "Carica configurazione",
            "Carica configurazione acquirer",
            "Esci",
        ),
        printing="Stampa in corso",
    ),
    "es": _Said(
        name="Español",
        present="Presente la tarjeta",
        ways=_ways("inserte", "acerque", "deslice", "escanee el código", "acerque"),
        hints=_hints(
            ("Inserte la tarjeta", "Aquí no basta con acercarla."),
            ("Deslice la tarjeta", "El chip no se puede leer."),
            ("Presente la tarjeta otra vez", ""),
        ),
        application="¿Cómo desea pagar?",
        pin="Introduzca el PIN",
        wrong_pin="PIN incorrecto",
        tries="Quedan {n} intentos",
        last_try="Último intento",
        tip="¿Desea dejar propina?",
        most="Como máximo {amount}",
        other_tip="Otro importe",
        no_tip="Sin propina",
        currency="Elija su moneda",
        language="Elija su idioma",
        sign="Firme, por favor",
        topics=_topics(
            "Espere, por favor",
            "Retire la tarjeta",
            "Autorizada",
            "Denegada",
            "No realizada",
            "Bienvenido",
        ),
        password="Contraseña del comercio",  # noqa: S106
        wrong_password="Contraseña incorrecta",  # noqa: S106
        menu="Menú",
        items=_items(
            "Totales",
            "Reimprimir el último recibo",
            "Cierre del día",
            "Cargar configuración",
            "Cargar configuración adquirente",
            "Salir",
        ),
        printing="Imprimiendo",
    ),
}
