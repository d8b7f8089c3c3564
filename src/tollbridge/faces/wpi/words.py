"""The words of receipts in the languages a terminal can speak; those of screens: `screens.py`."""

from collections.abc import Mapping
from dataclasses import dataclass

LANGUAGES = ("en", "de", "fr", "nl", "it", "es")
"""Every language there are words for; the first one stands in for all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a receipt says in one language.

    `date` places day, month and year; `point` and `group` are its decimal point and what stands
    between thousands. `types` are by service type, `entries` and `verifications` by our words,
    `reasons` by response code. `{…}` in a text is filled in.
    """

    language: str
    date: str
    point: str
    group: str

    confirmation: str
    duplicate: str
    details: str
    merchant_copy: str
    client_copy: str

    status: str
    authorized: str
    declined: str
    failed: str
    reason: str
    code: str
    reasons: Mapping[str, str]

    authorization_code: str
    application: str
    sequence: str
    type: str
    types: Mapping[str, str]
    pos: str
    merchant: str
    reference: str
    payment_reference: str

    amount: str
    tip: str
    total: str

    entries: Mapping[str, str]
    verifications: Mapping[str, str]
    offline: str
    signature: str
    signed: str
    identification: str

    dcc_amount: str
    dcc_rate: str
    dcc_markup: str
    dcc_ecb: str
    dcc_provider: str
    dcc_statement: str

    period: str
    count: str
    nothing: str


def words(language: str) -> Words:
    """Give the words of a language (ISO 639-1, a region behind it does not matter), else English's.

    What follows a language's first two letters is taken for its region.
    """
    return WORDS.get(language[:2].lower(), ENGLISH)


_SERVICES = ("PAYMENT", "CANCEL_PAYMENT", "REFUND", "PRE_AUTHORIZATION", "CANCEL_PRE_AUTHORIZATION",
             "UPDATE_PRE_AUTHORIZATION", "CANCEL_UPDATE_PRE_AUTHORIZATION", "PAYMENT_COMPLETION",
             "CANCEL_PAYMENT_COMPLETION", "DEFERRED_PAYMENT_AUTHORIZATION",
             "DEFERRED_PAYMENT_COMPLETION", "PAYMENT_INSTRUMENT_RECOGNITION", "FOLLOW_ON_CREDIT",
             "DAY_END", "PAYMENT_PARAMETERIZATION", "ACQUIRER_PARAMETERIZATION")  # fmt: skip
_ENTRIES = ("chip", "contactless", "magstripe", "qr", "online")
_VERIFICATIONS = ("online_pin", "offline_pin", "signature", "device", "none")

# Reasons a cardholder may read. Not among them: fraud, lost, stolen and picked up cards, and
# whatever says no more than "no". The clerk is told by the response, not by the paper.
_REASONS = ("51", "54", "55", "75", "61", "57", "58", "14", "13", "65", "78", "91", "92", "68")
_SAME = {"33": "54", "38": "75", "60": "65", "70": "65", "1A": "65", "62": "57", "52": "14",
         "53": "14", "15": "14", "46": "78"}  # fmt: skip


def _types(*texts: str) -> Mapping[str, str]:
    return {f"WPI_SVC_{name}": text for name, text in zip(_SERVICES, texts, strict=True)}


def _entries(*texts: str) -> Mapping[str, str]:
    return dict(zip(_ENTRIES, texts, strict=True))


def _verifications(*texts: str) -> Mapping[str, str]:
    return dict(zip(_VERIFICATIONS, texts, strict=True))


def _reasons(*texts: str) -> Mapping[str, str]:
    found = dict(zip(_REASONS, texts, strict=True))
    return found | {code: found[as_code] for code, as_code in _SAME.items()}


ENGLISH = Words(
    language="en",
    date="{d}.{m}.{y}",
    point=".",
    group=",",
    confirmation="This is to confirm your transaction registered at:",
    duplicate="DUPLICATE",
    details="Transaction details:",
    merchant_copy="Merchant copy",
    client_copy="Cardholder copy",
    status="Status:",
    authorized="AUTHORIZED",
    declined="DECLINED",
    failed="NOT COMPLETED",
    reason="Reason:",
    code="Response code:",
    reasons=_reasons(
        "insufficient funds",
        "card expired",
        "wrong PIN",
        "too many wrong PINs",
        "limit exceeded",
        "not permitted for this card",
        "not permitted here",
        "card not valid",
        "amount not valid",
        "PIN required, insert the card",
        "card blocked",
        "bank not available",
        "bank not reached",
        "no answer in time",
    ),
    authorization_code="Authorization code:",
    application="AID:",
    sequence="Card sequence:",
    type="Type:",
    types=_types(
        "Sale",
        "Reversal",
        "Refund",
        "Pre-authorization",
        "Pre-authorization reversal",
        "Pre-authorization update",
        "Update reversal",
        "Completion",
        "Completion reversal",
        "Deferred authorization",
        "Deferred completion",
        "Card recognition",
        "Follow-on credit",
        "Day-end",
        "Configuration",
        "Acquirer configuration",
    ),
    pos="POS ID:",
    merchant="MID:",
    reference="Reference:",
    payment_reference="Payment reference:",
    amount="Amount:",
    tip="Tip:",
    total="Total:",
    entries=_entries("Chip", "Contactless", "Swiped", "QR", "Keyed"),
    verifications=_verifications(
        "PIN verified", "PIN verified", "Verified by signature", "Verified on device", "No CVM"
    ),
    offline="Approved offline",
    signature="Signature:",
    signed="Signed on screen",
    identification="Identity document:",
    dcc_amount="You pay:",
    dcc_rate="Exchange rate:",
    dcc_markup="Mark-up included:",
    dcc_ecb="Mark-up over ECB rate:",
    dcc_provider="Converted by:",
    dcc_statement="I was offered the choice to pay in {local} or in {foreign}, and I accept the"
    " conversion, its rate and the amount in {foreign}. My choice is final.",
    period="Period:",
    count="Transactions:",
    nothing="No transactions",
)

_GERMAN = Words(
    language="de",
    date="{d}.{m}.{y}",
    point=",",
    group=".",
    confirmation="Ihre Transaktion bei:",
    duplicate="KOPIE",
    details="Transaktionsdaten:",
    merchant_copy="Händlerbeleg",
    client_copy="Kundenbeleg",
    status="Status:",
    authorized="GENEHMIGT",
    declined="ABGELEHNT",
    failed="NICHT AUSGEFÜHRT",
    reason="Grund:",
    code="Antwortcode:",
    reasons=_reasons(
        "Deckung reicht nicht",
        "Karte abgelaufen",
        "PIN falsch",
        "PIN zu oft falsch",
        "Limit überschritten",
        "mit dieser Karte nicht erlaubt",
        "hier nicht erlaubt",
        "Karte ungültig",
        "Betrag ungültig",
        "PIN nötig, Karte einstecken",
        "Karte gesperrt",
        "Bank nicht verfügbar",
        "Bank nicht erreicht",
        "keine rechtzeitige Antwort",
    ),
    authorization_code="Genehmigungs-Nr.:",
    application="AID:",
    sequence="Kartenfolge-Nr.:",
    type="Typ:",
    types=_types(
        "Zahlung",
        "Storno",
        "Gutschrift",
        "Reservierung",
        "Storno Reservierung",
        "Erhöhung Reservierung",
        "Storno Erhöhung",
        "Buchung Reservierung",
        "Storno Buchung",
        "Vorautorisierung",
        "Buchung Vorautorisierung",
        "Kartenerkennung",
        "Folgegutschrift",
        "Tagesabschluss",
        "Konfiguration",
        "Konfiguration Acquirer",
    ),
    pos="Terminal-ID:",
    merchant="VU-Nr.:",
    reference="Referenz:",
    payment_reference="Zahlungsreferenz:",
    amount="Betrag:",
    tip="Trinkgeld:",
    total="Total:",
    entries=_entries("Chip", "Kontaktlos", "Magnetstreifen", "QR", "Manuelle Eingabe"),
    verifications=_verifications(
        "PIN geprüft",
        "PIN geprüft",
        "Geprüft durch Unterschrift",
        "Auf dem Gerät bestätigt",
        "Ohne Prüfung",
    ),
    offline="Offline genehmigt",
    signature="Unterschrift:",
    signed="Auf dem Bildschirm unterschrieben",
    identification="Ausweis-Nr.:",
    dcc_amount="Sie zahlen:",
    dcc_rate="Wechselkurs:",
    dcc_markup="Darin Aufschlag:",
    dcc_ecb="Aufschlag auf EZB-Kurs:",
    dcc_provider="Umrechnung durch:",
    dcc_statement="Ich hatte die Wahl, in {local} oder in {foreign} zu zahlen, und nehme die"
    " Umrechnung, ihren Kurs und den Betrag in {foreign} an. Meine Wahl ist endgültig.",
    period="Periode:",
    count="Transaktionen:",
    nothing="Keine Transaktionen",
)

_FRENCH = Words(
    language="fr",
    date="{d}/{m}/{y}",
    point=",",
    group=" ",
    confirmation="Nous confirmons votre transaction chez :",
    duplicate="DUPLICATA",
    details="Détails de la transaction :",
    merchant_copy="Ticket commerçant",
    client_copy="Ticket client",
    status="Statut :",
    authorized="ACCEPTÉE",
    declined="REFUSÉE",
    failed="NON ABOUTIE",
    reason="Motif :",
    code="Code réponse :",
    reasons=_reasons(
        "solde insuffisant",
        "carte expirée",
        "code faux",
        "trop de codes faux",
        "plafond dépassé",
        "non permis pour cette carte",
        "non permis ici",
        "carte non valable",
        "montant non valable",
        "code requis, insérez la carte",
        "carte bloquée",
        "banque indisponible",
        "banque injoignable",
        "pas de réponse à temps",
    ),
    authorization_code="N° d'autorisation :",
    application="AID :",
    sequence="N° de séquence :",
    type="Type :",
    types=_types(
        "Débit",
        "Annulation",
        "Crédit",
        "Préautorisation",
        "Annul. préautorisation",
        "Compl. préautorisation",
        "Annul. complément",
        "Clôture",
        "Annul. clôture",
        "Autorisation différée",
        "Clôture différée",
        "Reconnaissance carte",
        "Crédit consécutif",
        "Fin de journée",
        "Configuration",
        "Configuration acquéreur",
    ),
    pos="N° terminal :",
    merchant="N° commerçant :",
    reference="Référence :",
    payment_reference="Réf. paiement :",
    amount="Montant :",
    tip="Pourboire :",
    total="Total :",
    entries=_entries("Puce", "Sans contact", "Piste", "QR", "Saisie manuelle"),
    verifications=_verifications(
        "Code vérifié",
        "Code vérifié",
        "Vérifié par signature",
        "Vérifié sur l'appareil",
        "Sans vérification",
    ),
    offline="Acceptée hors ligne",
    signature="Signature :",
    signed="Signé à l'écran",
    identification="Pièce d'identité :",
    dcc_amount="Vous payez :",
    dcc_rate="Taux de change :",
    dcc_markup="Marge incluse :",
    dcc_ecb="Marge sur taux BCE :",
    dcc_provider="Converti par :",
    dcc_statement="J'ai eu le choix de payer en {local} ou en {foreign} et j'accepte la"
    " conversion, son taux et le montant en {foreign}. Mon choix est définitif.",
    period="Période :",
    count="Transactions :",
    nothing="Aucune transaction",
)

_DUTCH = Words(
    language="nl",
    date="{d}-{m}-{y}",
    point=",",
    group=".",
    confirmation="Uw transactie bij:",
    duplicate="DUPLICAAT",
    details="Transactiegegevens:",
    merchant_copy="Kopie winkelier",
    client_copy="Kopie kaarthouder",
    status="Status:",
    authorized="AKKOORD",
    declined="GEWEIGERD",
    failed="NIET UITGEVOERD",
    reason="Reden:",
    code="Antwoordcode:",
    reasons=_reasons(
        "saldo ontoereikend",
        "kaart verlopen",
        "pincode fout",
        "te vaak foute pincode",
        "limiet overschreden",
        "niet toegestaan met deze kaart",
        "hier niet toegestaan",
        "kaart ongeldig",
        "bedrag ongeldig",
        "pincode nodig, voer kaart in",
        "kaart geblokkeerd",
        "bank niet beschikbaar",
        "bank niet bereikt",
        "geen antwoord op tijd",
    ),
    authorization_code="Autorisatiecode:",
    application="AID:",
    sequence="Kaartvolgnummer:",
    type="Type:",
    types=_types(
        "Betaling",
        "Annulering",
        "Terugbetaling",
        "Reservering",
        "Annulering reservering",
        "Wijziging reservering",
        "Annulering wijziging",
        "Afronding reservering",
        "Annulering afronding",
        "Uitgestelde autorisatie",
        "Uitgestelde afronding",
        "Kaartherkenning",
        "Vervolgcreditering",
        "Dagafsluiting",
        "Configuratie",
        "Configuratie acquirer",
    ),
    pos="Terminal:",
    merchant="Winkelnummer:",
    reference="Referentie:",
    payment_reference="Betaalreferentie:",
    amount="Bedrag:",
    tip="Fooi:",
    total="Totaal:",
    entries=_entries("Chip", "Contactloos", "Magneetstrip", "QR", "Handmatige invoer"),
    verifications=_verifications(
        "Pincode geverifieerd",
        "Pincode geverifieerd",
        "Geverifieerd met handtekening",
        "Bevestigd op toestel",
        "Zonder verificatie",
    ),
    offline="Offline akkoord",
    signature="Handtekening:",
    signed="Op het scherm getekend",
    identification="Identiteitsbewijs:",
    dcc_amount="U betaalt:",
    dcc_rate="Wisselkoers:",
    dcc_markup="Inclusief opslag:",
    dcc_ecb="Opslag op ECB-koers:",
    dcc_provider="Omgerekend door:",
    dcc_statement="Ik had de keuze om in {local} of in {foreign} te betalen en aanvaard de"
    " omrekening, de koers en het bedrag in {foreign}. Mijn keuze is definitief.",
    period="Periode:",
    count="Transacties:",
    nothing="Geen transacties",
)

_ITALIAN = Words(
    language="it",
    date="{d}/{m}/{y}",
    point=",",
    group=".",
    confirmation="La Sua transazione presso:",
    duplicate="DUPLICATO",
    details="Dettagli della transazione:",
    merchant_copy="Copia esercente",
    client_copy="Copia cliente",
    status="Stato:",
    authorized="AUTORIZZATA",
    declined="RIFIUTATA",
    failed="NON ESEGUITA",
    reason="Motivo:",
    code="Codice risposta:",
    reasons=_reasons(
        "fondi insufficienti",
        "carta scaduta",
        "PIN errato",
        "troppi PIN errati",
        "limite superato",
        "non consentito con questa carta",
        "non consentito qui",
        "carta non valida",
        "importo non valido",
        "serve il PIN, inserire la carta",
        "carta bloccata",
        "banca non disponibile",
        "banca non raggiunta",
        "nessuna risposta in tempo",
    ),
    authorization_code="Autorizzazione:",
    application="AID:",
    sequence="Sequenza carta:",
    type="Tipo:",
    types=_types(
        "Acquisto",
        "Storno",
        "Rimborso",
        "Preautorizzazione",
        "Storno preautorizzazione",
        "Modifica preautorizzazione",
        "Storno modifica",
        "Chiusura preautorizzazione",
        "Storno chiusura",
        "Autorizzazione differita",
        "Chiusura differita",
        "Riconoscimento carta",
        "Accredito successivo",
        "Chiusura giornaliera",
        "Configurazione",
        "Configurazione acquirer",
    ),
    pos="ID POS:",
    merchant="Esercente:",
    reference="Riferimento:",
    payment_reference="Rif. pagamento:",
    amount="Importo:",
    tip="Mancia:",
    total="Totale:",
    entries=_entries("Chip", "Contactless", "Banda magnetica", "QR", "Inserimento manuale"),
    verifications=_verifications(
        "PIN verificato",
        "PIN verificato",
        "Verificato con firma",
        "Verificato sul dispositivo",
        "Senza verifica",
    ),
    offline="Autorizzata offline",
    signature="Firma:",
    signed="Firmato sullo schermo",
    identification="Documento d'identità:",
    dcc_amount="Lei paga:",
    dcc_rate="Tasso di cambio:",
    dcc_markup="Margine incluso:",
    dcc_ecb="Margine sul tasso BCE:",
    dcc_provider="Convertito da:",
    dcc_statement="Mi è stata offerta la scelta di pagare in {local} o in {foreign} e accetto la"
    " conversione, il tasso e l'importo in {foreign}. La mia scelta è definitiva.",
    period="Periodo:",
    count="Transazioni:",
    nothing="Nessuna transazione",
)

_SPANISH = Words(
    language="es",
    date="{d}/{m}/{y}",
    point=",",
    group=".",
    confirmation="Confirmamos su operación en:",
    duplicate="DUPLICADO",
    details="Datos de la operación:",
    merchant_copy="Copia comercio",
    client_copy="Copia cliente",
    status="Estado:",
    authorized="AUTORIZADA",
    declined="DENEGADA",
    failed="NO REALIZADA",
    reason="Motivo:",
    code="Código respuesta:",
    reasons=_reasons(
        "saldo insuficiente",
        "tarjeta caducada",
        "PIN incorrecto",
        "demasiados PIN incorrectos",
        "límite superado",
        "no permitido con esta tarjeta",
        "no permitido aquí",
        "tarjeta no válida",
        "importe no válido",
        "PIN necesario, inserte tarjeta",
        "tarjeta bloqueada",
        "banco no disponible",
        "banco inaccesible",
        "sin respuesta a tiempo",
    ),
    authorization_code="Autorización:",
    application="AID:",
    sequence="Secuencia:",
    type="Tipo:",
    types=_types(
        "Venta",
        "Anulación",
        "Devolución",
        "Preautorización",
        "Anulación preautorización",
        "Cambio de preautorización",
        "Anulación de cambio",
        "Confirmación",
        "Anulación confirmación",
        "Autorización diferida",
        "Confirmación diferida",
        "Lectura de tarjeta",
        "Abono posterior",
        "Cierre del día",
        "Configuración",
        "Configuración adquirente",
    ),
    pos="Terminal:",
    merchant="Comercio:",
    reference="Referencia:",
    payment_reference="Ref. de pago:",
    amount="Importe:",
    tip="Propina:",
    total="Total:",
    entries=_entries("Chip", "Sin contacto", "Banda magnética", "QR", "Entrada manual"),
    verifications=_verifications(
        "PIN verificado",
        "PIN verificado",
        "Verificado con firma",
        "Verificado en el dispositivo",
        "Sin verificación",
    ),
    offline="Autorizada sin conexión",
    signature="Firma:",
    signed="Firmado en pantalla",
    identification="Documento de identidad:",
    dcc_amount="Usted paga:",
    dcc_rate="Tipo de cambio:",
    dcc_markup="Margen incluido:",
    dcc_ecb="Margen sobre tipo BCE:",
    dcc_provider="Convertido por:",
    dcc_statement="Se me ofreció elegir entre pagar en {local} o en {foreign} y acepto la"
    " conversión, su tipo y el importe en {foreign}. Mi elección es definitiva.",
    period="Período:",
    count="Operaciones:",
    nothing="Sin operaciones",
)

WORDS: Mapping[str, Words] = {
    each.language: each for each in (ENGLISH, _GERMAN, _FRENCH, _DUTCH, _ITALIAN, _SPANISH)
}
