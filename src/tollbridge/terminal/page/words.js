// What the page itself writes on the screen, in the language of the person; the rest is the server's.

const WORDS = {
  en: {
    stop: "Stop", correct: "Correct", ok: "OK", tap: "Tap", insert: "Insert", swipe: "Swipe",
    scan: "Scan", wallet: "Choose a card", noTip: "No tip", otherTip: "Other tip", total: "Total",
    take: "Take", yourChoice: "The choice is yours.", clear: "Clear", signHere: "Sign here",
    signName: "Or sign with a name", sign: "Sign", digits: "digits entered", ready: "Ready", menu: "Menu",
  },
  de: {
    stop: "Stopp", correct: "Korrektur", ok: "OK", tap: "Hinhalten", insert: "Stecken",
    swipe: "Durchziehen", scan: "Scannen", wallet: "Karte wählen", noTip: "Kein Trinkgeld",
    otherTip: "Anderer Betrag", total: "Gesamt", take: "Übernehmen",
    yourChoice: "Sie haben die Wahl.",
    clear: "Löschen", signHere: "Hier unterschreiben", signName: "Oder mit Namen unterschreiben",
    sign: "Unterschreiben", digits: "Ziffern eingegeben", ready: "Bereit", menu: "Menü",
  },
  fr: {
    stop: "Stop", correct: "Corriger", ok: "OK", tap: "Approcher", insert: "Insérer",
    swipe: "Glisser", scan: "Scanner", wallet: "Choisir une carte", noTip: "Sans pourboire",
    otherTip: "Autre montant", total: "Total", take: "Valider", yourChoice: "Vous avez le choix.",
    clear: "Effacer", signHere: "Signez ici", signName: "Ou signer avec un nom", sign: "Signer",
    digits: "chiffres saisis", ready: "Prêt", menu: "Menu",
  },
  nl: {
    stop: "Stop", correct: "Correctie", ok: "OK", tap: "Aanbieden", insert: "Insteken",
    swipe: "Doorhalen", scan: "Scannen", wallet: "Kies een kaart", noTip: "Geen fooi",
    otherTip: "Ander bedrag", total: "Totaal", take: "Overnemen", yourChoice: "De keuze is aan u.",
    clear: "Wissen", signHere: "Teken hier", signName: "Of teken met een naam", sign: "Tekenen",
    digits: "cijfers ingevoerd", ready: "Gereed", menu: "Menu",
  },
  it: {
    stop: "Stop", correct: "Correggi", ok: "OK", tap: "Avvicina", insert: "Inserisci",
    swipe: "Striscia", scan: "Scansiona", wallet: "Scegli una carta", noTip: "Nessuna mancia",
    otherTip: "Altro importo", total: "Totale", take: "Conferma", yourChoice: "La scelta è sua.",
    clear: "Cancella", signHere: "Firmi qui", signName: "O firmi con un nome", sign: "Firma",
    digits: "cifre inserite", ready: "Pronto", menu: "Menu",
  },
  es: {
    stop: "Parar", correct: "Corregir", ok: "OK", tap: "Acercar", insert: "Insertar",
    swipe: "Deslizar", scan: "Escanear", wallet: "Elegir una tarjeta", noTip: "Sin propina",
    otherTip: "Otro importe", total: "Total", take: "Aceptar", yourChoice: "La elección es suya.",
    clear: "Borrar", signHere: "Firme aquí", signName: "O firme con un nombre", sign: "Firmar",
    digits: "cifras introducidas", ready: "Listo", menu: "Menú",
  },
};

export const words = (language) => WORDS[language] ?? WORDS.en;

/** The ways a card is presented: the entry's sign, the zone it is dropped on, the word for it. */
export const WAYS = {
  contactless: { icon: "tap", zone: "tap", word: "tap" },
  chip: { icon: "insert", zone: "insert", word: "insert" },
  magstripe: { icon: "swipe", zone: "swipe", word: "swipe" },
  qr: { icon: "scan", zone: "tap", word: "scan" },
  mifare: { icon: "tap", zone: "tap", word: "tap" },
};
