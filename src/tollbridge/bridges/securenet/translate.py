"""Our words to SecureNet's JSON and back. Pure both ways."""

from base64 import b64encode
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tollbridge.bridges.contract import CardDetails, ClientToken, TokenRefused
from tollbridge.bridges.securenet.codes import APPROVED, reason
from tollbridge.core.instrument import Token
from tollbridge.core.operation import Operation
from tollbridge.core.outcome import Approved, Declined, Outcome
from tollbridge.ground.errors import InvalidMoney, RemoteProtocolError
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret, scrub
from tollbridge.wire import json
from tollbridge.wire.http import Headers, Request, Response

ORIGIN = "http://www.worldpay.com"


@dataclass(frozen=True, slots=True)
class Application:
    """Who developed the application: its number at the provider, and its version."""

    developer_id: int
    version: str


@dataclass(frozen=True, slots=True)
class Merchant:
    """Whose account is charged for: credential, public key, application."""

    secure_net_id: Secret[str]
    secure_key: Secret[str]
    public_key: str
    application: Application


NOBODY = Secret("")


def token_request(
    endpoint: str, client_key: str, card: CardDetails, application: Application
) -> Request:
    """Write the request that puts a card into the vault; a consumer has no credential for it."""
    fields = {
        "card": {
            "number": card.number.reveal(),
            "expirationDate": f"{card.month}/{card.year}",
            "address": None,
        },
        "publicKey": client_key,
        "developerApplication": _application(application),
        "addToVault": False,
    }
    url = f"{endpoint.rstrip('/')}/PreVault/Card"
    return Request("POST", url, _headers(NOBODY, NOBODY), json.write(fields))


def token(answer: Response) -> ClientToken:
    """Read the answer to it. Raises TokenRefused, or RemoteProtocolError for nonsense."""
    fields = json.read(answer.body, what="answer", last_of_equal_keys=True)
    if not isinstance(fields, dict) or type(fields.get("success")) is not bool:
        raise RemoteProtocolError("the answer does not say whether it is a success")
    given = fields.get("token")
    if not _done(answer) or fields["success"] is not True:
        code = str(fields.get("responseCode", ""))[:20]
        raise TokenRefused(scrub(f"{code} {_text(fields, 'message')}".strip())[:200], code)
    if not isinstance(given, str) or not given:
        raise RemoteProtocolError("the answer holds no token", path=["token"])
    return ClientToken(Secret(given))


def charge(endpoint: str, merchant: Merchant, op: Operation, instrument: Token) -> Request:
    """Write the request that charges what is in the vault."""
    assert op.tender is not None
    fields = {
        "paymentVaultToken": {
            "customerId": op.request.reference or op.id,
            "paymentMethodId": instrument.token.reveal(),
            "publicKey": merchant.public_key,
            "paymentType": "CREDIT_CARD",
        },
        "developerApplication": _application(merchant.application),
        "extendedInformation": None,
    }
    # The library writes no exact decimals, and an amount never becomes a binary fraction.
    body = b'{"amount":' + op.tender.number().encode() + b"," + json.write(fields)[1:]
    headers = _headers(merchant.secure_net_id, merchant.secure_key)
    return Request("POST", f"{endpoint}/Payments/Charge", headers, body, moves_money=True)


def charged(answer: Response, op: Operation) -> Outcome:
    """Read what became of a charge: paid only when everything says so.

    Raises RemoteProtocolError where the answer decides nothing.
    """
    if not (_done(answer) or 400 <= answer.status < 500):
        raise RemoteProtocolError(f"the service answered {answer.status}")
    fields = json.read(answer.body, what="answer", last_of_equal_keys=True)
    if not isinstance(fields, dict):
        raise RemoteProtocolError("answer: a JSON object is expected")
    success, code = fields.get("success"), fields.get("responseCode")
    if type(success) is not bool or type(code) is not int:
        raise RemoteProtocolError("the answer does not say whether it is a success")
    approved = code == APPROVED and fields.get("result") == "APPROVED"
    if success and approved and _done(answer):
        return _approved(fields.get("transaction"), op)
    if success or code == APPROVED:
        raise RemoteProtocolError("the answer contradicts itself about success")
    return Declined(reason(code), str(code), scrub(_text(fields, "message"))[:200])


def _approved(transaction: object, op: Operation) -> Approved:
    assert op.tender is not None
    fields = transaction if isinstance(transaction, dict) else {}
    reference = fields.get("transactionId")
    if type(reference) is not int or reference < 1:
        raise RemoteProtocolError("a charge has a transactionId", path=["transactionId"])
    told = fields.get("authorizedAmount")
    if not isinstance(told, int | Decimal) or isinstance(told, bool):
        raise RemoteProtocolError("a charge has an amount", path=["authorizedAmount"])
    try:
        amount = Money.parse(_shortest(Decimal(told)), op.tender.currency.code)
    except InvalidMoney as error:
        raise RemoteProtocolError(str(error), path=["authorizedAmount"]) from None
    code = fields.get("authorizationCode")
    return Approved(amount, str(reference), code if isinstance(code, str) else "", str(APPROVED))


def _shortest(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _done(answer: Response) -> bool:
    return 200 <= answer.status < 300


def _headers(secure_net_id: Secret[str], secure_key: Secret[str]) -> Headers:
    credential = b64encode(f"{secure_net_id.reveal()}:{secure_key.reveal()}".encode()).decode()
    return Headers(
        [
            ("content-type", "application/json"),
            ("accept", "application/json"),
            ("origin", ORIGIN),
            ("authorization", f"Basic {credential}"),
        ]
    )


def _application(application: Application) -> dict[str, Any]:
    return {"developerId": application.developer_id, "version": application.version}


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
