"""`tollbridge wpi`: what a till asks of a terminal, from the command line.

Exit codes: 0 approved, 1 refused or not possible, 3 outcome not known.
"""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import click

from tollbridge.cli import settings as sources
from tollbridge.cli.screen import shown
from tollbridge.engine.config import DEFAULT_PORT, Settings
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tollbridge.wpi_client import BlockingWpiClient, Exchange, Receipt
    from tollbridge.wpi_client.results import Result

F = TypeVar("F", bound=Callable[..., Any])

REFUSED, UNKNOWN = 1, 3
SESSIONS = Path("tollbridge-till.sqlite")
AMOUNT = click.argument("amount")
CURRENCY = click.argument("currency")
EARLIER = click.argument("earlier", metavar="REFERENCE")
REFERENCE = click.option("--reference", default="", help="Your own reference.")
RECEIPT = click.option("--receipt", "show_receipt", is_flag=True, help="Print the receipts, too.")
LIMIT_S = click.option("--limit", "limit_s", type=float, help="Seconds to wait (default 180).")
SESSION = click.option("--session", default="", help="The session id (default: a new one).")


def _options(command: F) -> F:
    """Give a command the options that say which terminal it asks, and as whom."""
    for option in (
        sources.JSON,
        click.option(
            "--sessions",
            type=click.Path(dir_okay=False, path_type=Path),
            envvar="TOLLBRIDGE_TILL",
            default=SESSIONS,
            show_default=True,
            help="The file that remembers what was asked.",
        ),
        click.option("--patience", "patience_s", default=120.0, show_default=True,
                     help="Seconds to ask what became of it after a lost answer."),
        click.option("--package", default="com.tollbridge.cli", show_default=True,
                     help="The name of the calling application."),
        *_TERMINAL,
    ):  # fmt: skip
        command = option(command)
    return command


_TERMINAL = (
    click.option("--token", help="The server's credential (default: as other commands find it)."),
    sources.JOURNAL,
    click.option("--terminal", default="", help="Which terminal (default: the first)."),
    click.option(
        "--url",
        envvar="TOLLBRIDGE_URL",
        default=f"http://127.0.0.1:{DEFAULT_PORT}",
        show_default=True,
        help="The terminal's server.",
    ),
)


@click.group()
def wpi() -> None:
    """Be a till: sell, refund, reserve and recover at a payment terminal (WPI 2.0)."""


@wpi.group()
def deferred() -> None:
    """Authorize before something is delivered, complete after it."""


def _asked(
    group: click.Group, name: str, method: str, text: str, *, earlier: bool = False,
    amount: bool = True,
) -> None:  # fmt: skip
    """Make the command of a financial service."""

    def command(**given: Any) -> None:
        values = [given["earlier"]] if earlier else []
        more = {name: given[name] for name in ("reference", "of") if given.get(name)}
        money = [Money.parse(given["amount"], given["currency"].upper())] if amount else []
        if given["limit_s"] is not None:
            more["limit_s"] = given["limit_s"]
        with _till(given) as till:
            session = given["session"] or till.new_session()
            _end(getattr(till, method)(*values, *money, session=session, **more), given)

    made: Callable[..., None] = _options(command)
    for option in (RECEIPT, LIMIT_S, SESSION):
        made = option(made)
    if name == "refund":
        made = click.option("--of", help="Of the payment with this reference.")(made)
    if amount:
        made = AMOUNT(CURRENCY(REFERENCE(made)))
    group.command(name, help=text)(EARLIER(made) if earlier else made)


_asked(wpi, "pay", "payment", "Sell for AMOUNT CURRENCY: tollbridge wpi pay 11.91 EUR.")
_asked(wpi, "refund", "refund", "Give AMOUNT CURRENCY back, to the presented card.")
_asked(wpi, "cancel", "cancel_payment", "Undo the payment REFERENCE.", earlier=True, amount=False)
_asked(wpi, "preauth", "pre_authorization", "Reserve AMOUNT CURRENCY.")
_asked(wpi, "update", "update_pre_authorization",
       "Reserve AMOUNT CURRENCY more for the reservation REFERENCE.", earlier=True)  # fmt: skip
_asked(wpi, "cancel-update", "cancel_update_pre_authorization",
       "Take the last update REFERENCE of a reservation back.",
       earlier=True, amount=False)  # fmt: skip
_asked(wpi, "complete", "payment_completion",
       "Sell AMOUNT CURRENCY of the reservation REFERENCE.", earlier=True)  # fmt: skip
_asked(wpi, "cancel-complete", "cancel_payment_completion",
       "Undo the completion REFERENCE.", earlier=True, amount=False)  # fmt: skip
_asked(wpi, "cancel-preauth", "cancel_pre_authorization",
       "Let the reservation REFERENCE go.", earlier=True, amount=False)  # fmt: skip
_asked(deferred, "authorize", "deferred_authorization",
       "Authorize AMOUNT CURRENCY, the most it may cost.")  # fmt: skip
_asked(deferred, "complete", "deferred_completion",
       "Sell AMOUNT CURRENCY of the authorization REFERENCE; 0 releases it.",
       earlier=True)  # fmt: skip
_asked(wpi, "credit", "follow_on_credit",
       "Give AMOUNT CURRENCY back to the card of REFERENCE.", earlier=True)  # fmt: skip


@wpi.command()
@click.option("--amount", nargs=2, metavar="AMOUNT CURRENCY", help="Hold the card to pay this.")
@click.option("--service", default="WPI_SVC_PAYMENT", show_default=True, help="What follows.")
@click.option("--timeout", "timeout_s", default=30.0, show_default=True, help="Seconds.")
@click.option("--customer-token", is_flag=True, help="Make a token for the card.")
@click.option("--mifare", is_flag=True, help="Recognise cards that pay nothing, too.")
@SESSION
@_options
def recognise(amount: tuple[str, str] | None, service: str, **given: Any) -> None:
    """Recognise a card."""
    money = Money.parse(amount[0], amount[1].upper()) if amount else None
    more = {
        "service": service if money is not None else "",
        "timeout_ms": round(given["timeout_s"] * 1000),
        "token": given["customer_token"],
        "mifare": given["mifare"],
        "session": given["session"],
    }
    with _till(given) as till:
        _end(till.recognition(money, **more), given)


@wpi.command()
@_options
def menu(**given: Any) -> None:
    """Open the terminal's menu; ends when it is left."""
    _manage(given, "menu")


@wpi.command()
@RECEIPT
@_options
def day_end(**given: Any) -> None:
    """Settle the day."""
    _manage(given, "day_end")


@wpi.group()
def parameters() -> None:
    """Fetch what the terminal must know."""


@parameters.command()
@RECEIPT
@_options
def payment(**given: Any) -> None:
    """Fetch the terminal's configuration."""
    _manage(given, "payment_parameterization")


@parameters.command()
@RECEIPT
@_options
def acquirer(**given: Any) -> None:
    """Fetch the acquirers' parameters."""
    _manage(given, "acquirer_parameterization")


@wpi.command("print")
@click.argument("session")
@click.option("--target", default="BOTH", show_default=True,
              type=click.Choice(["CARDHOLDER", "MERCHANT", "BOTH"]))  # fmt: skip
@_options
def print_(session: str, target: str, **given: Any) -> None:
    """Print the receipt of a SESSION again."""
    _manage(given, "print_receipt", session, target=target)


@wpi.command()
@_options
def abort(**given: Any) -> None:
    """Ask for an end of what this application's terminal is doing."""
    _manage(given, "abort")


@wpi.command()
@click.argument("session")
@RECEIPT
@_options
def last(session: str, **given: Any) -> None:
    """Ask what became of a SESSION."""
    with _till(given) as till:
        found = till.last_transaction(session)
    if given["as_json"]:
        _echo_json(_exchange(found))
    else:
        _say_exchange(found, given)
    raise SystemExit(_code(found))


@wpi.command()
@_options
def recover(**given: Any) -> None:
    """Learn what became of everything that has no answer yet."""
    with _till(given) as till:
        found = till.recover()
    if given["as_json"]:
        _echo_json({"exchanges": [_exchange(one) for one in found]})
    else:
        for one in found:
            _say_exchange(one, given)
        if not found:
            click.echo("nothing is open")
    if any(_code(one) == UNKNOWN for one in found):
        raise SystemExit(UNKNOWN)


@wpi.command()
@_options
def info(**given: Any) -> None:
    """Tell what the terminal is and can do."""
    with _till(given) as till:
        found = till.information()
    if given["as_json"]:
        _echo_json(found.raw)
    elif found.approved:
        click.echo(shown(f"{found.terminal}  {found.model}, {found.software_version}"))
        for name, values in (
            ("currencies", found.currencies),
            ("languages", found.languages),
            ("services", [one.removeprefix("WPI_SVC_") for one in found.services]),
            ("brands", [brand.name for brand in found.brands]),
        ):
            click.echo(shown(f"  {name:<11}{', '.join(values)}"))
    else:
        click.echo(_line(found))
    raise SystemExit(0 if found.approved else REFUSED)


# Scenarios and the page


def _page_options(command: F) -> F:
    for option in _TERMINAL[1:]:
        command = option(command)
    return command


@wpi.group()
def scenario() -> None:
    """Say what shall happen in the next exchanges of a virtual terminal."""


@scenario.command("set")
@click.argument("words", nargs=-1, required=True, metavar="WORD=VALUE...")
@click.option("--times", default=1, show_default=True, help="For how many exchanges.")
@_page_options
def set_(words: tuple[str, ...], times: int, **given: Any) -> None:
    """Set a scenario, for example: card=fallback pins=wrong,right."""
    chosen: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise click.UsageError(f"WORD=VALUE is expected, not {word!r}")
        chosen[name] = value.split(",") if name == "pins" else value
    _page(given, "PUT", "scenario", {"scenario": chosen, "times": times})
    click.echo("set")


@scenario.command("show")
@_page_options
def show_scenario(**given: Any) -> None:
    """Show the scenarios that are set."""
    _echo_json(_page(given, "GET", "scenario"))


@scenario.command()
@_page_options
def clear(**given: Any) -> None:
    """Forget them all."""
    _page(given, "DELETE", "scenario")
    click.echo("cleared")


@wpi.command()
@click.option("--open/--no-open", "opens", default=True, help="Open it in a browser.")
@_page_options
def terminal(opens: bool, **given: Any) -> None:
    """Open the virtual terminal's page."""
    name = given["terminal"]
    address = f"{given['url'].rstrip('/')}/terminal" + (f"/{quote(name, safe='')}" if name else "")
    click.echo(address)
    if opens:
        click.launch(address)


def _page(
    given: dict[str, Any], method: str, what: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Call the page's API (docs/reference/terminal-api.md)."""
    from tollbridge.cli.client import Client

    client = Client(given["url"], given["journal"])
    name = given["terminal"]
    if not name:
        name = client.call("GET", "/terminals").fields["terminals"][0]["terminal"]
    return client.call(method, f"/terminal/{quote(name, safe='')}/{what}", body).fields


# What every command does


@contextmanager
def _till(given: dict[str, Any]) -> "Iterator[BlockingWpiClient]":
    """Open the client; its errors end the command with the exit code that says what they mean."""
    from tollbridge.wpi_client import BlockingWpiClient, Options, OutcomeUnknown, RecoverFirst

    till = BlockingWpiClient(
        given["url"],
        token=_token(given),
        package=given["package"],
        terminal=given["terminal"],
        journal=given["sessions"],
        options=Options(recovery_s=given["patience_s"]),
    )
    with till:
        try:
            yield till
        except (OutcomeUnknown, RecoverFirst) as error:
            click.echo(f"{shown(str(error))}\nLook again with `tollbridge wpi recover`.", err=True)
            raise SystemExit(UNKNOWN) from None


def _token(given: dict[str, Any]) -> Secret[str]:
    if given["token"]:
        return Secret(given["token"])
    return sources.token_of(given["journal"] or Settings().journal) or Secret("")


def _manage(given: dict[str, Any], method: str, *values: Any, **fields: Any) -> None:
    with _till(given) as till:
        _end(getattr(till, method)(*values, **fields), given)


def _end(result: "Result", given: dict[str, Any]) -> None:
    """Show a result, and end with the exit code that says it to a script."""
    if given["as_json"]:
        _echo_json(_plain(result))
    else:
        click.echo(_line(result))
        _say_receipt(getattr(result, "receipt", None), given)
    raise SystemExit(0 if result.approved else REFUSED)


def _line(result: "Result") -> str:
    from tollbridge.wpi_client import RecognitionResult, TransactionResult

    parts = ["approved"] if result.approved else ["refused", result.condition]
    if isinstance(result, TransactionResult):
        parts += [str(money) for money in (result.authorized,) if money]
        parts += [f"tip {result.tip}"] if result.tip and result.tip.amount_minor else []
        parts += ["in another currency"] if result.dcc_used else []
        parts += [result.card.brand] if result.card else []
        parts += [f"ask for a {result.action}"] if result.action else []
        parts += [f"reference {result.reference}"] if result.reference else []
    if isinstance(result, RecognitionResult) and result.approved:
        parts += [result.entry, result.pan or f"{result.media} {result.media_id}"]
        parts += [f"held for {result.waits_ms} ms"] if result.waits_ms else []
    parts += [result.remark] if result.remark else []
    parts.append(f"session {result.session}")
    return shown(", ".join(part for part in parts if part))


def _say_receipt(receipt: "Receipt | None", given: dict[str, Any]) -> None:
    if receipt is None or not given.get("show_receipt"):
        return
    for text in (receipt.merchant, receipt.client):
        if text:
            click.echo("\n" + "\n".join(shown(line) for line in text.splitlines()))


def _say_exchange(found: "Exchange", given: dict[str, Any]) -> None:
    if found.result is not None:
        click.echo(f"{found.service.removeprefix('WPI_SVC_')}: {_line(found.result)}")
        _say_receipt(getattr(found.result, "receipt", None), given)
        return
    fate = found.fate.replace("_", " ")
    click.echo(shown(f"{found.service.removeprefix('WPI_SVC_')} {found.session}: {fate}".strip()))


def _code(found: "Exchange") -> int:
    from tollbridge.wpi_client import Fate

    if found.fate is Fate.APPROVED:
        return 0
    return UNKNOWN if found.fate in (Fate.RUNNING, Fate.UNKNOWN) else REFUSED


def _exchange(found: "Exchange") -> dict[str, Any]:
    return {
        "session": found.session,
        "service": found.service,
        "fate": found.fate,
        "request": found.request,
        "result": _plain(found.result) if found.result else None,
    }


def _plain(result: Any) -> Any:
    """Give a result as JSON has it: amounts in minor units with their currency."""
    found = {name: getattr(result, name) for name in result.__dataclass_fields__}
    return {name: _value(value) for name, value in found.items() if name != "raw"} | {
        "raw": found["raw"]
    }


def _value(value: Any) -> Any:
    if isinstance(value, Money):
        return {"minor": value.amount_minor, "currency": value.currency.code}
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value


def _echo_json(value: object) -> None:
    from tollbridge.cli.payments import echo_json

    echo_json(value)
