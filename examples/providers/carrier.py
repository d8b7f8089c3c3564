"""A carrier that speaks the OneAPI Payment REST API, with subscribers that have a balance."""

import json
from decimal import Decimal
from urllib.parse import unquote, urlsplit

from examples.providers.hosting import Provider, said

USERNAME, PASSWORD = "games", "s3cret-of-games"
SUBSCRIBER = "tel:+15550100"


class Carrier(Provider):
    """`bills` is what subscribers were charged, by currency; `reserved` what is held."""

    def __init__(self):
        super().__init__()
        self.transactions = {}
        self.reservations = {}
        self.bills = {}

    def book(self):
        return {unit: str(billed) for unit, billed in self.bills.items()}

    def moves(self, request):
        return request.method == "POST"

    def handle(self, request):
        if request.headers.get("authorization") != "Basic Z2FtZXM6czNjcmV0LW9mLWdhbWVz":
            return said(401, error("serviceException", "SVC0001", "who are you?"))
        parts = [unquote(part) for part in urlsplit(request.url).path.split("/")]
        place = parts.index("payment")
        subscriber, kind, rest = parts[place + 1], parts[place + 3], parts[place + 4 :]
        if kind == "amount":
            return self.amount(request, subscriber)
        return self.reservation(request, subscriber, rest[0] if rest else "")

    def amount(self, request, subscriber):
        if request.method == "GET":
            mine = [each for each in self.transactions.values() if each["endUserId"] == subscriber]
            return said(200, {"paymentTransactionList": {"amountTransaction": mine}})
        asked = json.loads(request.body)["amountTransaction"]
        known = self.transactions.get(asked["clientCorrelator"])
        if known:
            return said(201, {"amountTransaction": known})
        refusal = self.refusal()
        if refusal:
            return refusal
        reference = f"SRV-{len(self.transactions) + 1}"
        made = {**asked, "serverReferenceCode": reference}
        made["resourceURL"] = f"/payment/{subscriber}/transactions/amount/{reference}"
        self.transactions[asked["clientCorrelator"]] = made
        if self.ending == "pending":
            made["transactionOperationStatus"] = "Processing"
        elif asked["transactionOperationStatus"] == "Refunded":
            self.bill(asked, -1)
        else:
            self.bill(asked, 1)
        return said(201, {"amountTransaction": made})

    def reservation(self, request, subscriber, name):
        if request.method == "GET" and not name:
            mine = [each for each in self.reservations.values() if each["endUserId"] == subscriber]
            return said(200, {"paymentTransactionList": {"amountReservationTransaction": mine}})
        if name and name not in self.reservations:
            return said(404, error("serviceException", "SVC0002", "no such reservation"))
        if request.method == "GET":
            return said(200, {"amountReservationTransaction": self.reservations[name]})
        asked = json.loads(request.body)["amountReservationTransaction"]
        known = self.reservations.get(name or self.correlated(asked))
        if known and known["referenceSequence"] == asked["referenceSequence"]:
            return said(201, {"amountReservationTransaction": known})
        refusal = self.refusal()
        if refusal:
            return refusal
        name = name or f"R-{len(self.reservations) + 1}"
        held = Decimal(known["amountReserved"]) if known else Decimal(0)
        amount = Decimal(asked.get("paymentAmount", NOTHING)["chargingInformation"]["amount"])
        word = asked["transactionOperationStatus"]
        if word == "Charged" and amount > held:
            return said(403, error("policyException", "POL0254", "more than is reserved"))
        made = {**asked, "serverReferenceCode": f"{name}-{asked['referenceSequence']}"}
        made["resourceURL"] = f"/payment/{subscriber}/transactions/amountReservation/{name}"
        if known:
            made["clientCorrelator"] = known["clientCorrelator"]
        if self.ending == "pending":
            made["transactionOperationStatus"] = "Processing"
        elif word == "Charged":
            self.bill(asked, 1)
        held = {"Reserved": held + amount, "Charged": held - amount, "Released": Decimal(0)}[word]
        self.reservations[name] = {**made, "amountReserved": str(held)}
        return said(201, {"amountReservationTransaction": made})

    def correlated(self, asked):
        for name, each in self.reservations.items():
            if each["clientCorrelator"] == asked["clientCorrelator"]:
                return name
        return ""

    def refusal(self):
        if self.ending == "declined":
            return said(403, error("policyException", "POL0254", "over the limit"))
        return None

    def bill(self, asked, sign):
        charging = asked["paymentAmount"]["chargingInformation"]
        unit = charging["currency"]
        self.bills[unit] = self.bills.get(unit, Decimal(0)) + sign * Decimal(charging["amount"])


NOTHING = {"chargingInformation": {"amount": "0"}}


def error(kind, code, text):
    return {"requestError": {kind: {"messageId": code, "text": text, "variables": []}}}
