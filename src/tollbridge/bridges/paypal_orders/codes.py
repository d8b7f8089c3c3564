"""The words of the Orders and Payments APIs in ours."""

from tollbridge.core.outcome import DeclineCode as D

OFFERED = frozenset({"CREATED", "SAVED", "PAYER_ACTION_REQUIRED"})
"""An order that its customer has not approved yet."""
APPROVED = "APPROVED"
DONE = frozenset({"COMPLETED", "CREATED", "CAPTURED", "PARTIALLY_CAPTURED", "REFUNDED",
                  "PARTIALLY_REFUNDED"})  # fmt: skip
"""What a capture, a refund or an authorization is after it was made, and later."""
WAITING = "PENDING"
REFUSED = frozenset({"DECLINED", "DENIED", "FAILED", "CANCELLED", "EXPIRED"})
VOIDED = "VOIDED"
UNDECIDED = frozenset({"ORDER_ALREADY_CAPTURED", "ORDER_ALREADY_AUTHORIZED",
                       "PREVIOUS_REQUEST_IN_PROGRESS"})  # fmt: skip
"""Refusals that leave open what became of the operation: the order tells."""

REASONS: dict[str, D] = {
    "INSTRUMENT_DECLINED": D.DO_NOT_HONOUR,
    "PAYER_CANNOT_PAY": D.NOT_PERMITTED,
    "PAYER_ACCOUNT_RESTRICTED": D.RESTRICTED_CARD,
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED": D.RESTRICTED_CARD,
    "PAYER_ACTION_REQUIRED": D.AUTHENTICATION_REQUIRED,
    "ORDER_NOT_APPROVED": D.AUTHENTICATION_REQUIRED,
    "ORDER_EXPIRED": D.AUTHENTICATION_REQUIRED,
    "DUPLICATE_INVOICE_ID": D.DUPLICATE,
    "TRANSACTION_REFUSED": D.DO_NOT_HONOUR,
    "MAX_VALUE_EXCEEDED": D.LIMIT_EXCEEDED,
    "TRANSACTION_LIMIT_EXCEEDED": D.LIMIT_EXCEEDED,
    "MAX_CAPTURE_AMOUNT_EXCEEDED": D.LIMIT_EXCEEDED,
    "REFUND_AMOUNT_EXCEEDED": D.LIMIT_EXCEEDED,
    "CURRENCY_NOT_SUPPORTED": D.INVALID_AMOUNT,
    "DECIMAL_PRECISION": D.INVALID_AMOUNT,
    "PAYEE_ACCOUNT_RESTRICTED": D.INVALID_MERCHANT,
    "PERMISSION_DENIED": D.INVALID_MERCHANT,
    "AUTHORIZATION_EXPIRED": D.INVALID_TRANSACTION,
    "AUTHORIZATION_VOIDED": D.INVALID_TRANSACTION,
    "INVALID_RESOURCE_ID": D.INVALID_TRANSACTION,
}

CURRENCIES = frozenset({
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "ILS", "JPY", "MXN",
    "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "USD",
})  # fmt: skip
"""What the provider takes with the digits ISO 4217 gives them: of forints and Taiwan dollars it
takes whole ones only, so these are left out."""


def reason(code: str) -> D:
    """Say why; a code the table does not know means "do not honour"."""
    return REASONS.get(code, D.DO_NOT_HONOUR)
