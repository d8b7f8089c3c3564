"""A small till: it sells, and it survives being killed at any moment.

    python till.py sell coffee 3.50
    python till.py refund 1
    python till.py orders

It keeps orders in a file of its own. Three rules make it safe:

1. An order gets its session, on the disk, before it is paid.
2. At every start the till asks what became of the sessions that have no answer.
3. It sends an order again only when it knows that nothing was done: NotExecuted.
"""

import os
import sqlite3
import sys
from pathlib import Path

from tollbridge.wpi_client import (
    BlockingWpiClient,
    Fate,
    Misanswered,
    Money,
    NotExecuted,
    OutcomeUnknown,
    RecoverFirst,
)

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY,
    goods TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    session TEXT NOT NULL,
    state TEXT NOT NULL,
    reference TEXT NOT NULL DEFAULT '',
    said TEXT NOT NULL DEFAULT ''
)
"""
CURRENCY = "EUR"


class Till:
    """Orders, and the terminal they are paid at."""

    def __init__(self, url, token, folder, **options):
        self.orders = sqlite3.connect(Path(folder) / "orders.sqlite", isolation_level=None)
        self.orders.execute("PRAGMA synchronous = FULL")
        self.orders.execute(SCHEMA)
        self.terminal = BlockingWpiClient(
            url, token=token, package="com.example.till",
            journal=Path(folder) / "exchanges.sqlite", **options,
        )  # fmt: skip
        self.catch_up()

    def close(self):
        self.terminal.close()
        self.orders.close()

    def sell(self, goods, amount_minor):
        """Sell something; gives the order's number."""
        session = self.terminal.new_session()
        number = self.orders.execute(
            "INSERT INTO orders (goods, amount_minor, session, state) VALUES (?, ?, ?, 'paying')",
            (goods, amount_minor, session),
        ).lastrowid
        try:
            result = self.terminal.payment(
                Money.of(amount_minor, CURRENCY), session=session, reference=f"order {number}"
            )
        except (NotExecuted, Misanswered, RecoverFirst) as error:
            self.book(session, "not paid", said=f"nothing was done: {error}")
        except OutcomeUnknown:
            self.book(session, "paying", said="nobody knows yet: do not sell it again")
        else:
            self.book_result(session, result)
        return number

    def catch_up(self):
        """Learn what became of orders that were being paid when this till last stopped."""
        self.terminal.recover()
        for (session,) in self.orders.execute("SELECT session FROM orders WHERE state = 'paying'"):
            exchange = self.terminal.look(session)
            if exchange is None or exchange.fate is Fate.NOT_EXECUTED:
                self.book(session, "not paid", said="it never reached the terminal")
            elif exchange.result is not None:
                self.book_result(session, exchange.result)

    def refund(self, number):
        """Give back what an order cost."""
        amount_minor, reference = self.orders.execute(
            "SELECT amount_minor, reference FROM orders WHERE number = ?", (number,)
        ).fetchone()
        result = self.terminal.refund(amount_minor, CURRENCY, of=reference)
        if result.approved:
            self.orders.execute("UPDATE orders SET state = 'refunded' WHERE number = ?", (number,))
        return result

    def book_result(self, session, result):
        said = result.remark
        if result.action == "signature":
            said = "let the customer sign the receipt"
        state = "paid" if result.approved else "not paid"
        self.book(session, state, result.reference, said)

    def book(self, session, state, reference="", said=""):
        self.orders.execute(
            "UPDATE orders SET state = ?, reference = ?, said = ? WHERE session = ?",
            (state, reference, said, session),
        )

    def state(self, number):
        """What became of an order."""
        found = self.orders.execute("SELECT state FROM orders WHERE number = ?", (number,))
        return found.fetchone()[0]

    def lines(self):
        """All orders, as lines."""
        rows = self.orders.execute("SELECT number, goods, amount_minor, state, said FROM orders")
        return [f"{number}  {goods:<12} {Money.of(minor, CURRENCY)!s:>12}  {state}  {said}".rstrip()
                for number, goods, minor, state, said in rows]  # fmt: skip


def main():
    till = Till(
        os.environ.get("TOLLBRIDGE_URL", "http://127.0.0.1:8700"),
        os.environ["TOLLBRIDGE_TOKEN"],
        os.environ.get("TILL_FOLDER", "."),
    )
    try:
        match sys.argv[1:]:
            case ["sell", goods, amount]:
                number = till.sell(goods, Money.parse(amount, CURRENCY).amount_minor)
                print(till.lines()[-1])
                return 0 if till.state(number) == "paid" else 1
            case ["refund", number]:
                return 0 if till.refund(int(number)).approved else 1
            case ["orders"]:
                print("\n".join(till.lines()))
                return 0
        print(__doc__)
        return 2
    finally:
        till.close()


if __name__ == "__main__":
    sys.exit(main())
