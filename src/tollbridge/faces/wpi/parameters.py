"""Parameters from the management system: PAYMENT_ and ACQUIRER_PARAMETERIZATION (4.3.3, 4.3.4).

They are tables of settings, as in the profile; what was fetched last is kept in the notebook and
laid over the profile the terminal was configured with. The merchant's password is no parameter:
the notebook keeps no secrets.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from tollbridge.faces.wpi.conversation import say
from tollbridge.faces.wpi.profile import Profile, profile
from tollbridge.faces.wpi.state import Refused, Run, Talk, Terminal
from tollbridge.faces.wpi.tables import Condition
from tollbridge.faces.wpi.wishes import Fetch, Fetched, FetchFault, Parameters
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.flow import Note, Page, Party, Recall
from tollbridge.wire import json

KINDS: Mapping[str, Parameters] = {
    "WPI_SVC_PAYMENT_PARAMETERIZATION": Parameters.PAYMENT,
    "WPI_SVC_ACQUIRER_PARAMETERIZATION": Parameters.ACQUIRER,
}
TAKEN: Mapping[Parameters, frozenset[str]] = {
    Parameters.PAYMENT: frozenset({
        "shop", "tip", "dcc", "languages", "merchant_language", "country", "time_zone",
        "currencies", "entries", "verifications", "amount_max_minor", "receipt_width",
        "print_automatically", "digital_receipts", "signature", "password_tries", "pin_tries",
        "cancellable_last", "offline_days", "deferred_s",
    }),
    Parameters.ACQUIRER: frozenset({
        "merchant", "acquirers", "acquirer_protocol", "brands", "limits",
    }),
}  # fmt: skip
"""The settings each service may change; which terminal it is and how it is built stays."""


@dataclass(frozen=True, slots=True)
class Laid:
    """A profile with what was fetched last of each kind laid over it, and those tables."""

    profile: Profile
    fetched: Mapping[Parameters, Mapping[str, object]]


def fetch(terminal: Terminal, run: Run, kind: Parameters) -> Talk[tuple[list[str], Note, Laid]]:
    """Fetch parameters; give what they change, and the note that keeps them.

    They come into force once that is written. Raises Refused.
    """
    answer = yield from say(run, Party.DEVICE, Fetch(kind))
    if isinstance(answer, FetchFault):
        condition = Condition.TRANSACTION_TIMEOUT if answer.late else Condition.NETWORK_ISSUE
        raise Refused(condition, f"no {kind} parameters: {answer.why}")
    assert isinstance(answer, Fetched)
    tables = {**answer.tables}
    problems = [f"{name} is not one of them" for name in sorted(set(tables) - TAKEN[kind])]
    try:
        laid = _laid(terminal, kind, {} if problems else tables)
    except ConfigError as error:
        problems += error.problems
    if problems:
        told = "; ".join(problems)
        raise Refused(Condition.GENERIC, f"the {kind} parameters are refused: {told}")
    before, after = terminal.profile, laid.profile
    changed = [
        name for name in sorted(TAKEN[kind]) if getattr(before, name) != getattr(after, name)
    ]
    return changed, Note(terminal.pages.parameters(kind), json.write(tables)), laid


def recalled(terminal: Terminal) -> Talk[None]:
    """Put what was fetched by an earlier process into force again; not what no longer fits the
    terminal as it is configured now: it has to be fetched anew."""
    for kind in Parameters:
        page: Page | None = yield Recall(terminal.pages.parameters(kind))
        if page is not None:
            with suppress(ConfigError):
                tables = json.read_object(page.value, what="parameters")
                into_force(terminal, _laid(terminal, kind, tables))


def into_force(terminal: Terminal, laid: Laid) -> None:
    """Go by these parameters from now on."""
    terminal.fetched, terminal.profile = laid.fetched, laid.profile


def _laid(terminal: Terminal, kind: Parameters, tables: Mapping[str, object]) -> Laid:
    """Lay what was fetched last of each kind over the profile as configured, so that it is the same
    after a restart. Raises ConfigError.

    A terminal that was never configured is once it has both kinds (NOT_INITIALIZED before).
    """
    fetched = {**terminal.fetched, kind: tables}
    made = terminal.base
    for each in Parameters:
        made = profile(fetched.get(each, {}), made)
    ready = terminal.base.initialized or set(fetched) == set(Parameters)
    return Laid(replace(made, initialized=ready), fetched)
