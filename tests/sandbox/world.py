"""A card network in this process, spoken to in short sentences."""

import json

from tollbridge.ground.ids import SeededIds
from tollbridge.sandbox.book import Book
from tollbridge.sandbox.network import Network
from tollbridge.testing.clock import ManualClock
from tollbridge.wire.http import Request

VISA, DEBIT, PREPAID = "4242424242424242", "4000056655665556", "5105105105105100"
OPENING = ("authorize", "purchase", "credit", "verify", "store")
DAY_S = 24 * 3600


def post(path, **fields):
    return Request("POST", f"http://network/v1/{path}", body=json.dumps(fields).encode())


class World:
    """A network, its book and its clock. `send` numbers the operations of each payment."""

    def __init__(self, file=None, **how):
        self.file = file
        self.how = how
        self.clock = ManualClock()
        self.orders = {}
        self.book = Book(file)
        self.network = Network(self.book, self.clock, SeededIds(1), **how)

    def reopen(self):
        """What a restart of the network is."""
        self.book.close()
        self.book = Book(self.file)
        self.network = Network(self.book, self.clock, SeededIds(2), **self.how)

    def handle(self, request):
        """Send any request: the status and the fields of the answer."""
        answer = self.network.handle(request)
        self.book.commit()
        fields = json.loads(answer.body)
        if answer.status == 200:
            return fields
        return {"http": answer.status, **fields}

    def order(
        self, verb, amount=0, code="EUR", *, payment="P", card=VISA, pin="", forced="", **more
    ):
        """The fields of an order; the next of its payment unless `operation` names another."""
        number = self.orders[payment] = self.orders.get(payment, 0) + 1
        fields = {"operation": f"{payment}.{number}", "payment": payment, "verb": verb}
        if amount:
            fields |= {"amount_minor": amount, "currency": code}
        if forced != "":
            fields["code"] = forced
        if verb in OPENING and card and "token" not in more:
            fields["card"] = {"number": card} | ({"pin": pin} if pin else {})
        return fields | more

    def send(self, *words, **more):
        return self.handle(post("operations", **self.order(*words, **more)))

    def pend(self, fields, after_s):
        """Write an order down undecided, until `after_s` from now (0: until somebody decides)."""
        due = self.clock.now() + after_s * 10**6 if after_s else 0
        self.network.pend(post("operations", **fields), due)
        self.book.commit()
        return self.ask(fields["operation"])

    def ask(self, operation):
        return self.handle(Request("GET", f"http://network/v1/operations/{operation}"))

    def reverse(self, operation):
        return self.handle(post("reversals", operation=operation))

    def balance(self, account="visa", code="EUR"):
        """What is held and taken on an account, as a customer would be told."""
        known = {(one.name, one.currency): one for one in self.book.accounts()}
        one = known.get((account, code))
        return (one.held_minor, one.taken_minor) if one else (0, 0)


def said(answer):
    """An answer in two words: how it stands, and its code."""
    return f"{answer.get('status', answer.get('http'))} {answer['code']}"


def sums(movements):
    """What the movements make of each account."""
    totals = {}
    for movement in movements:
        place = movement.account, movement.currency
        held, taken = totals.get(place, (0, 0))
        totals[place] = held + movement.held_minor, taken + movement.taken_minor
    return {place: total for place, total in totals.items() if any(total)}


def balanced(book):
    """Whether every account is the sum of its movements."""
    accounts = {
        (one.name, one.currency): (one.held_minor, one.taken_minor)
        for one in book.accounts()
        if one.held_minor or one.taken_minor
    }
    return accounts == sums(book.movements())
