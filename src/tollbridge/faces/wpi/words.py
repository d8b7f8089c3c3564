"""The words of receipts and screens in the languages a terminal can speak."""

LANGUAGES = ("en", "de", "fr", "nl", "it", "es")
