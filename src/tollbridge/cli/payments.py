"""The commands about payments. They print lines for people, or JSON for programs.

Exit codes: 0 approved, 1 not possible, 3 declined or not sent, 4 outcome not known yet.
"""

from pathlib import Path
from typing import Any

import click

from tollbridge.cli.client import Client, options
from tollbridge.cli.settings import JSON
from tollbridge.ground.clock import SystemClock
from tollbridge.ground.ids import RandomIds
from tollbridge.ground.money import Money

DECLINED, UNKNOWN = 3, 4
EXIT_CODES = {"approved": 0, "declined": DECLINED, "unsent": DECLINED}
CARD = click.option("--card", help="A card number; the sandbox takes test cards.")
TOKEN = click.option("--token", help="A stored instrument, instead of a card.")
KEY = click.option("--key", help="The idempotency key (default: a new one).")
REFERENCE = click.option("--reference", default="", help="Your own reference.")
DETAIL = click.option(
    "--detail", "details", multiple=True, metavar="NAME=VALUE",
    help="Something to keep with the operation; sandbox.fault=lose_answer makes trouble.",
)  # fmt: skip


def _begin(verb: str, amount: str, currency: str, **given: Any) -> None:
    money = Money.parse(amount, currency.upper())
    body: dict[str, Any] = {
        "verb": verb,
        "amount": _amount(money),
        "reference": given["reference"],
        "details": _details(given["details"]),
    }
    if given["token"]:
        body["token"] = given["token"]
    else:
        body["card"] = {"number": (given["card"] or "4242424242424242").replace(" ", "")}
    _do(given, "/v1/payments", body)


def _go_on(verb: str, payment: str, amount: str | None, **given: Any) -> None:
    body: dict[str, Any] = {"verb": verb}
    if amount is not None:
        shown = Client(given["url"], given["journal"]).call("GET", f"/v1/payments/{payment}")
        body["amount"] = _amount(Money.parse(amount, shown.fields["currency"]))
    if given.get("operation") is not None:
        body["target"] = given["operation"]
    _do(given, f"/v1/payments/{payment}/operations", body)


def _do(given: dict[str, Any], path: str, body: dict[str, Any]) -> None:
    """Ask, show what came of it, and end with the exit code that says it to a script."""
    key = given["key"] or RandomIds().payment_id(SystemClock().now())
    client = Client(given["url"], given["journal"])
    answer = client.call("POST", path, body, key=key)
    show(answer.fields, as_json=given["as_json"])
    raise SystemExit(EXIT_CODES.get(answer.fields["operations"][-1]["state"], UNKNOWN))


@click.command()
@click.argument("amount")
@click.argument("currency")
@CARD
@TOKEN
@REFERENCE
@DETAIL
@KEY
@options
def pay(**given: Any) -> None:
    """Pay AMOUNT CURRENCY, for example: tollbridge pay 11.91 EUR --card 4242424242424242."""
    _begin("purchase", **given)


@click.command()
@click.argument("amount")
@click.argument("currency")
@CARD
@TOKEN
@REFERENCE
@DETAIL
@KEY
@options
def authorize(**given: Any) -> None:
    """Reserve AMOUNT CURRENCY, to be captured later."""
    _begin("authorize", **given)


@click.command()
@click.argument("payment")
@click.argument("amount", required=False)
@KEY
@options
def capture(**given: Any) -> None:
    """Take AMOUNT of an authorized PAYMENT, or all of it."""
    _go_on("capture", **given)


@click.command()
@click.argument("payment")
@click.argument("amount", required=False)
@KEY
@options
def refund(**given: Any) -> None:
    """Give back AMOUNT of a PAYMENT, or all that is left."""
    _go_on("refund", **given)


@click.command()
@click.argument("payment")
@click.option("--operation", type=int, help="Which operation (default: the last that counts).")
@KEY
@options
def void(**given: Any) -> None:
    """Undo an operation of a PAYMENT: a purchase, an authorization, a capture."""
    _go_on("void", amount=None, **given)


@click.command()
@click.argument("payment")
@options
def look(payment: str, url: str | None, journal: Path | None, as_json: bool) -> None:
    """Show one PAYMENT with all its operations."""
    answer = Client(url, journal).call("GET", f"/v1/payments/{payment}")
    show(answer.fields, as_json=as_json)


@click.command()
@click.option("--limit", default=20, show_default=True)
@click.option("--before", help="Only payments older than this one.")
@click.option("--unfinished", is_flag=True, help="Only those whose outcome is not known.")
@options
def payments(**given: Any) -> None:
    """List payments, newest first."""
    client = Client(given["url"], given["journal"])
    if given["unfinished"]:
        answer = client.call("GET", "/v1/unfinished")
    else:
        query = {"limit": given["limit"], "before": given["before"]}
        answer = client.call("GET", "/v1/payments", query=query)
    if given["as_json"]:
        echo_json(answer.fields)
        return
    for payment in answer.fields["payments"]:
        first = payment["operations"][0]
        amount = _money(first.get("amount_minor"), first.get("currency", ""))
        instrument = first.get("instrument", {})
        card = f"{instrument.get('brand', '')} {instrument.get('masked_number', '')[-4:]}"
        when = first["requested_at"][:19].replace("T", " ")
        click.echo(f"{payment['id']}  {when}  {amount:>16}  {card:<16} {payment['status']}")
    if not answer.fields["payments"]:
        click.echo("none")


@click.command()
@click.option("--operation", help="Close this one by hand; needs --as and --evidence.")
@click.option("--as", "outcome", type=click.Choice(["approved", "declined", "unsent"]))
@click.option("--evidence", help="How you know: it is written into the journal.")
@options
def recover(**given: Any) -> None:
    """Ask the providers what became of unfinished payments, and list what remains.

    Nothing is ever guessed. What no provider can tell, a person may close with evidence.
    """
    client = Client(given["url"], given["journal"])
    if given["operation"]:
        if not (given["outcome"] and given["evidence"]):
            raise click.UsageError("--operation needs --as and --evidence")
        body = {"outcome": given["outcome"], "evidence": given["evidence"]}
        answer = client.call("POST", f"/v1/operations/{given['operation']}/close", body)
        show(answer.fields, as_json=given["as_json"])
        return
    done = client.call("POST", "/v1/recover").fields
    left = client.call("GET", "/v1/unfinished").fields["payments"]
    if given["as_json"]:
        echo_json({**done, "payments": left})
        return
    click.echo(f"finished {done['finished']}, remaining {done['remaining']}")
    for payment in left:
        show(payment, as_json=False)


def show(payment: dict[str, Any], *, as_json: bool) -> None:
    """Print a payment."""
    if as_json:
        echo_json(payment)
        return
    code = payment["currency"]
    click.echo(f"payment {payment['id']}  {payment['status']}")
    sums = [
        f"{name} {_money(payment[f'{name}_minor'], code)}"
        for name in ("authorized", "captured", "refunded", "credited", "voided")
        if payment[f"{name}_minor"]
    ]
    if sums:
        click.echo("  " + ", ".join(sums))
    for operation in payment["operations"]:
        click.echo("  " + _line(operation))


def _line(operation: dict[str, Any]) -> str:
    outcome = operation.get("outcome", {})
    parts = [f"{operation['ordinal']}. {operation['verb']}"]
    if "amount_minor" in operation:
        parts.append(_money(operation["amount_minor"], operation["currency"]))
    parts.append(operation["state"])
    instrument = operation.get("instrument", {})
    if instrument:
        parts.append(f"{instrument.get('brand', '')} {instrument.get('masked_number', '')}".strip())
    for name in ("authorization_code", "decline_code", "provider_code", "text"):
        if outcome.get(name):
            parts.append(f"{name.replace('_', ' ')} {outcome[name]}")
    for name, value in outcome.get("details", {}).items():
        parts.append(f"{name} {value}")
    return ", ".join(parts)


def _money(amount_minor: int | None, code: str) -> str:
    return str(Money.of(amount_minor, code)) if amount_minor is not None and code else "-"


def _amount(money: Money) -> dict[str, Any]:
    return {"minor": money.amount_minor, "currency": money.currency.code}


def _details(pairs: tuple[str, ...]) -> dict[str, str]:
    details = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise click.UsageError(f"--detail wants NAME=VALUE, not {pair!r}")
        details[name] = value
    return details


def echo_json(value: object) -> None:
    """Print JSON, indented."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


__all__ = ["JSON", "authorize", "capture", "look", "pay", "payments", "recover", "refund", "void"]
