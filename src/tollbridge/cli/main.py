"""`tollbridge`: the commands, imported only when they are called."""

import importlib
from collections.abc import Mapping
from typing import Any

import click

from tollbridge.cli.screen import shown
from tollbridge.ground.errors import ConfigError, TollbridgeError
from tollbridge.ground.version import __version__

COMMANDS = {
    "serve": ("tollbridge.cli.serve:serve", "Start a server: faces, API, recovery."),
    "pay": ("tollbridge.cli.payments:pay", "Pay: authorize and capture at once."),
    "authorize": ("tollbridge.cli.payments:authorize", "Reserve an amount."),
    "capture": ("tollbridge.cli.payments:capture", "Take a reserved amount."),
    "refund": ("tollbridge.cli.payments:refund", "Give back what was captured."),
    "void": ("tollbridge.cli.payments:void", "Undo an operation."),
    "look": ("tollbridge.cli.payments:look", "Show one payment."),
    "payments": ("tollbridge.cli.payments:payments", "List payments, newest first."),
    "recover": ("tollbridge.cli.payments:recover", "Learn what became of unfinished payments."),
    "journal": ("tollbridge.cli.journal:journal", "Verify, export and follow a journal."),
    "sandbox": ("tollbridge.cli.sandbox:sandbox", "Run and direct the simulated card network."),
    "within": ("tollbridge.cli.within:within", "Things that find, pay and serve one another."),
    "wpi": ("tollbridge.cli.wpi:wpi", "Be a till at a payment terminal."),
    "web": ("tollbridge.cli.web:web", "Payments from web pages: keys, notices, a try."),
    "iotp": ("tollbridge.cli.iotp:iotp", "Trade by the open protocol, by card and by purse."),
    "psp": ("tollbridge.cli.psp:psp", "Run a payment provider of your own, for things."),
    "doctor": ("tollbridge.cli.doctor:doctor", "Check this machine, its journal and its server."),
    "describe": ("tollbridge.cli.doctor:describe", "Tell what is installed and what it can do."),
}
EXTRAS = {
    "cryptography": "within",
    "joserfc": "web",
    "lxml": "iotp",
    "keyring": "within",
    "thrift": "within",
    "zeroconf": "within",
}


class LazyGroup(click.Group):
    """A group that imports a command only when it is called or asked for help.

    `places` names for each command the module and the name in it, and a few words of help.
    """

    def __init__(self, *args: Any, places: Mapping[str, tuple[str, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        found = self._places.get(cmd_name)
        if found is None:
            return None
        module, _, name = found[0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in self._places.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            raise click.ClickException("\n  ".join(["the settings:", *error.problems])) from None
        except TollbridgeError as error:
            raise click.ClickException(shown(str(error))) from None
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package not in EXTRAS:
                raise
            advice = f"{package} is not installed: pip install 'tollbridge[{EXTRAS[package]}]'"
            raise click.ClickException(advice) from None


@click.group(
    cls=LazyGroup, places=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="tollbridge")
def main() -> None:
    """Payments, durable and found again.

    Start here: `tollbridge serve` in one terminal, then
    `tollbridge pay 11.91 EUR --card 4242424242424242` in another.
    """
