"""Writes the generated pages of docs/reference from the code; a test keeps them fresh."""

import inspect
import json
import sys
from dataclasses import MISSING, fields
from pathlib import Path

import click

from tollbridge.bridges import (
    google_play,
    oneapi,
    paypal_orders,
    sandbox,
    securenet,
    worldpay_online,
)
from tollbridge.bridges.sandbox.codes import REASONS
from tollbridge.cli.main import COMMANDS, main
from tollbridge.core import facts, operation, outcome, verbs
from tollbridge.engine.config import Settings
from tollbridge.faces.iotp.message import sequence, signing
from tollbridge.faces.iotp.message import words as iotp_words
from tollbridge.faces.psp import messages as psp
from tollbridge.faces.psp.settings import Host, Merchant
from tollbridge.faces.webinos.settings import (
    Customer,
    Instrument,
    Policy,
    Provider,
    Seller,
    Service,
)
from tollbridge.faces.wpi import outcome as wpi
from tollbridge.faces.wpi import scenario
from tollbridge.faces.wpi.profile import Acquirer, Conversion, Limits, Profile, Shop, Tip
from tollbridge.faces.wpi.tables import SERVICES
from tollbridge.ground import errors
from tollbridge.sandbox import codes, faults, parameters
from tollbridge.sandbox.cards import CARDS
from tollbridge.server import openapi
from tollbridge.server.errors import status_of
from tollbridge.web.options import Options

BRIDGES = {
    each.__name__.rpartition(".")[2]: each
    for each in (sandbox, oneapi, paypal_orders, google_play, worldpay_online, securenet)
}
FOLDER = Path(__file__).parents[1] / "docs" / "reference"
NOTE = "<!-- written by `make docs` from the code; do not edit -->\n"


def table(head, rows):
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def first_line(thing):
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def member_docs(enum):
    """Read the strings below the members of an enumeration: the language keeps them nowhere."""
    source = inspect.getsource(enum).splitlines()
    docs = {}
    for place, line in enumerate(source):
        name = line.strip().split(" = ")[0]
        if name in enum.__members__ and place + 1 < len(source):
            below = source[place + 1].strip()
            docs[name] = below.strip('"') if below.startswith('"""') else ""
    return docs


def page_errors():
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.TollbridgeError)
    ]
    rows = [
        (f"<a id='{kind.code}'></a>`{kind.code}`", f"`{kind.__name__}`", status_of_kind(kind),
         first_line(kind))
        for kind in kinds
    ]  # fmt: skip
    return (
        "# Errors\n\nThe tree, and the HTTP status the API answers with.\n\n```\n"
        + (inspect.getdoc(errors).split("\n\n", 2)[2] + "\n```\n\n")
        + table(("code", "class", "status", "meaning"), rows)
    )


def status_of_kind(kind):
    status = status_of(kind.__new__(kind))
    return "" if status == 500 else status


def page_states():
    rows = [
        (f"`{state}`", ", ".join(f"`{n}`" for n in sorted(following)) or "final")
        for state, following in operation.TRANSITIONS.items()
    ]
    drawing = "stateDiagram-v2\n" + "".join(
        f"    {state} --> {following}\n"
        for state, followers in operation.TRANSITIONS.items()
        for following in sorted(followers)
        if following is not state
    )
    text = "# States of an operation\n\n" + inspect.getdoc(operation).split("\n\n")[1] + "\n\n"
    text += table(("state", "may become"), rows)
    text += "\n`verify` and `store` move nothing and may end, or be pending, straight from "
    text += "`requested`.\n\n"
    text += "```mermaid\n" + drawing + "```\n\n# Facts\n\n"
    for fact in (facts.Requested, facts.Dispatched, facts.Settled, facts.Noted):
        text += f"- `{fact.__name__.lower()}`: {first_line(fact)}\n"
    text += "\n# Decline codes\n\n"
    ours = {}
    for code, reason in REASONS.items():
        ours.setdefault(reason, []).append(code)
    rows = [
        (f"`{code}`", ", ".join(ours.get(code, [])), f"`{wpi.DECLINES[code]}`")
        for code in outcome.DeclineCode
    ]
    return text + table(("code", "ISO 8583 (DE39)", "WPI error condition"), rows)


def page_verbs():
    rows = []
    for verb in verbs.Verb:
        kind = "opens a payment" if verb in verbs.OPENING else "continues one"
        groups = (("moves nothing", verbs.MOVES_NOTHING), ("can be voided", verbs.UNDOABLE))
        more = [name for name, group in groups if verb in group]
        rows.append((f"`{verb}`", kind, ", ".join(more)))
    return "# Verbs\n\n" + table(("verb", "", ""), rows)


def page_settings():
    text = "# Settings\n\nA TOML file, given with `--config` or `TOLLBRIDGE_CONFIG`. Options and "
    text += "the environment win over it.\n"
    for title, kind, skip in (("[server]", Settings, ("bridges", "faces", "web", "development")),
                              ("[faces.wpi]", Profile, ("shop", "tip", "dcc", "limits",
                                                        "acquirers")),
                              ("[faces.wpi.shop]", Shop, ()),
                              ("[faces.wpi.tip]", Tip, ()),
                              ("[faces.wpi.dcc]", Conversion, ()),
                              ("[faces.wpi.limits.BRAND]", Limits, ()),
                              ("[[faces.wpi.acquirers]]", Acquirer, ())):  # fmt: skip
        text += f"\n## {title}\n\n{inspect.getdoc(kind)}\n\n"
        rows = [
            (f"`{field.name}`", f"`{_default(field)}`") for field in fields(kind)
            if field.name not in skip
        ]  # fmt: skip
        text += table(("setting", "default"), rows)
    text += "\n## [faces.wpi.terminals.NAME]\n\nAnother terminal, by its name: settings of "
    text += "[faces.wpi] that are different there.\n"
    text += f"\n## [faces.psp]\n\n{inspect.getdoc(Host)}\n\n"
    rows = [(f"`{field.name}`", f"`{_default(field)}`") for field in fields(Host)
            if field.name != "merchants"]  # fmt: skip
    text += table(("setting", "default"), rows)
    text += f"\n## [faces.psp.merchants.NAME]\n\n{inspect.getdoc(Merchant)}\n"
    text += f"\n## [faces.webinos]\n\n{inspect.getdoc(Provider)}\n"
    groups = ("sellers", "customers", "services", "policy", "instruments")
    for title, kind in (("", Provider), ("[faces.webinos.policy]", Policy),
                        ("[faces.webinos.sellers.NAME]", Seller),
                        ("[faces.webinos.customers.NAME]", Customer),
                        ("[[faces.webinos.customers.NAME.instruments]]", Instrument),
                        ("[[faces.webinos.services]]", Service), ("[web]", Options)):  # fmt: skip
        text += f"\n## {title}\n\n{inspect.getdoc(kind)}\n\n" if title else "\n"
        rows = [(f"`{field.name}`", f"`{_default(field)}`") for field in fields(kind)
                if field.name not in groups]  # fmt: skip
        text += table(("setting", "default"), rows)
    for name, made in BRIDGES.items():
        if name == "sandbox":
            continue
        text += f"\n## [bridges.{name}]\n\n{inspect.getdoc(made.bridge)}\n"
    text += "\n## [bridges.sandbox]\n\n`url` (default: the network in this process), `notice_key`, "
    text += "`answer_limit_s`, `in_flight_limit_s`.\n\n## Environment\n\n"
    rows = [
        ("`TOLLBRIDGE_TOKEN`", "the credential of server and commands"),
        ("`TOLLBRIDGE_URL`", "the server commands talk to"),
        ("`TOLLBRIDGE_JOURNAL`", "the journal's file"),
        ("`TOLLBRIDGE_CONFIG`", "the settings' file"),
        ("`TOLLBRIDGE_SANDBOX_URL`", "a sandbox network in a process of its own"),
        ("`TOLLBRIDGE_SANDBOX_CONTROL`", "where `tollbridge sandbox` commands go"),
        ("`TOLLBRIDGE_NOTICE_KEY`", "the key the sandbox signs notices with"),
        ("`TOLLBRIDGE_TILL`", "where `tollbridge wpi` remembers what was asked"),
        ("`TOLLBRIDGE_CARDS`", "the sealed file of a thing's cards"),
        ("`TOLLBRIDGE_CARDS_PASSPHRASE`", "what opens it, instead of the system's keyring"),
    ]
    return text + table(("variable", "meaning"), rows)


def _default(field):
    if field.default is not MISSING:
        value = field.default
    elif field.default_factory is not MISSING:
        value = field.default_factory()
    else:
        return ""
    return ", ".join(str(item) for item in value) if isinstance(value, tuple) else value


def page_bridges():
    text = (
        "# Bridges\n\nWhat the providers behind them can do: `all` is for all that is left only, "
    )
    text += "`once` once for each payment.\n\n"
    able = {name: made.CAPABILITIES for name, made in BRIDGES.items()}
    rows = [[f"`{verb}`", *(_able(can.verbs.get(verb)) for can in able.values())]
            for verb in verbs.Verb]  # fmt: skip
    for title, told in (
        ("can be asked", lambda can: _yes(can.inquiry)),
        ("takes back what it may not have seen", lambda can: _yes(can.reversal)),
        ("takes card numbers", lambda can: _yes(can.card_numbers)),
        ("its tokens are kept", lambda can: _yes(can.keeps_tokens)),
        ("an answer takes at most", lambda can: f"{can.answer_limit_s:g} s"),
        ("a message arrives within", lambda can: f"{can.in_flight_limit_s:g} s"),
        ("currencies", lambda can: len(can.currencies) if can.currencies else "all current"),
    ):
        rows.append([title, *(told(can) for can in able.values())])
    text += table(["", *(f"`{name}`" for name in able)], rows)
    for name, can in able.items():
        text += f"\n## {name}\n\n{inspect.getdoc(BRIDGES[name])}\n\n"
        text += "".join(f"- *{about}*: {note}\n" for about, note in can.notes.items())
    return text


def _able(can):
    if can is None:
        return ""
    limits = [] if can.partial else ["all"]
    limits += [] if can.multiple else ["once"]
    return ", ".join(limits) or "yes"


def _yes(told):
    return "yes" if told else ""


def page_commands():
    text = "# Commands\n"
    for name in COMMANDS:
        command = main.get_command(None, name)
        text += _command(("tollbridge", name), command)
    return text


def _command(path, command):
    context = click.Context(
        command, info_name=" ".join(path), terminal_width=100, **main.context_settings
    )
    text = f"\n## {' '.join(path)}\n\n```\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            text += _command((*path, name), command.get_command(context, name))
    return text


def page_endpoints():
    rows = [
        (f"`{path.method} {path.path}`", path.summary, "no" if path.open else "yes",
         "needed" if path.idempotent else "")
        for path in openapi.PATHS
    ]  # fmt: skip
    wpi = (("POST /wpi/{intent}", "A WPI request; see wpi.md"),
           ("POST /wpi/{terminal}/{intent}", "The same, at a terminal by its name"),
           ("GET /wpi/messenger", "The Messenger on a WebSocket"),
           ("GET /wpi/{terminal}/messenger", "The same, at a terminal by its name"))  # fmt: skip
    rows += [(f"`{call}`", does, "yes", "the session id") for call, does in wpi]
    rows.append(("`/terminal…`", "A virtual terminal; see terminal-api.md", "from afar", ""))
    rows += [
        (f"`{method} {path}`", does, key, name)
        for method, path, does, key, name in (
            ("POST", "/v1/tokens", "Make a client token of a card", "client key", ""),
            ("POST", "/v1/orders", "Charge a client token", "service key", "possible"),
            ("GET", "/v1/orders?customerOrderCode=", "Find orders", "service key", ""),
            ("GET", "/v1/orders/{orderCode}", "Show an order", "service key", ""),
            ("POST", "/v1/orders/{orderCode}/refund", "Give back", "service key", "possible"),
            ("GET", "/v1/transactions", "List the newest paid orders", "no", ""),
            ("GET", "/psp", "A page that shows them", "no", ""),
            ("POST", "/api/PreVault/Card", "SecureNet: make a client token", "public key", ""),
            ("POST", "/api/Payments/Charge", "SecureNet: charge it", "id and key", ""),
        )
    ]
    rows += [
        (f"`{call}`", does, key, "needed" if call == "POST /web/payments" else "")
        for call, does, key in (
            ("GET /web/services", "Find payment services", "publishable key"),
            ("POST /web/payments", "Begin a payment of a page", "publishable key"),
            ("GET /web/payments/{payment}", "Look, or wait for news with ?wait=", "client token"),
            ("GET /web/payments/{payment}/events", "Follow it as a stream", "client token"),
            ("POST /web/payments/{payment}/challenges/{challenge}/answer", "Answer a challenge",
             "client token"),
            ("POST /web/payments/{payment}/cancel", "Give up", "client token"),
            ("GET /web/confirm", "The provider's own page", "no"),
            ("POST /web/confirm/look", "Show what is to be confirmed", "the challenge's token"),
            ("POST /web/confirm/decide", "Pay or refuse there", "the challenge's token"),
            ("POST /v1/verify", "Verify a proof of purchase", "secret key"),
            ("GET /.well-known/jwks.json", "The keys of proofs", "no"),
            ("GET /client/…", "The client for shops' pages", "no"),
            ("GET /v1/web/notices", "Notices that wait; with ?dead=1 that nobody took", "yes"),
            ("POST /v1/web/notices/{payment}/{sequence}/replay", "Send a notice again", "yes"),
        )
    ]  # fmt: skip
    text = "# Endpoints\n\nThe whole contract is at `GET /openapi.json` of a running server.\n\n"
    text += table(("call", "does", "credential", "idempotency key"), rows)
    text += "\nFrom `/v1/tokens` on they are the face `psp`; see ../how-to/psp.md. From\n"
    text += "`/web/services` on they are the face `webinos`; see web-payments.md.\n\n"
    text += "## Custom codes of the face psp\n\n"
    rows = [(f"`{code}`", status) for code, status in psp.STATUS.items()]
    return text + table(("code", "HTTP status"), rows)


_PINS = """## PINs and verification

The PIN of every card is 1234. A PIN that comes with a card is checked where nothing else declines:
a wrong one is answered with 55, and from the third wrong one in a row on its account takes no PIN
any more (75) until `tollbridge sandbox unblock ACCOUNT`, or `DELETE /control/pins/ACCOUNT`. The
count is in the book; a right PIN ends it. Amounts and cards that decline count nothing.

A cardholder is verified by a right PIN, or when the terminal says so: the detail `verified` is
`offline_pin` or `device`. Some issuers want that of a purchase or an authorization whose card is
present, and answer otherwise:

| the card's `verification` | contactless | chip |
|---|---|---|
| `online_pin` | 65 | 65 |
| `sca_online_pin` | 70: go on with a PIN | 65 |
| `sca_offline_pin` | 1A: insert the card | 1A |
"""


_PARAMETERS = """## Parameters for terminals

Terminals fetch their settings from the network, as they would from their acquirer:
`GET /v1/parameters/KIND?terminal=NAME` answers with one object of JSON, whose names are those of a
terminal's profile (see settings.md). The kinds are `payment` (shop, languages, currencies, tip,
conversion, …) and `acquirer` (acquirers, brands, limits); another kind is answered with 404.

A terminal gets what was set for it, else what was set for all, else what stands below: one of
these, not a mixture. What is set is kept in the book and checked for its shape only.

    tollbridge sandbox parameters show payment > payment.json
    tollbridge sandbox parameters set payment payment.json --terminal T2
    tollbridge sandbox parameters clear payment --terminal T2

Over the control API: `GET`, `PUT` and `DELETE /control/parameters/KIND[?terminal=NAME]` answer with
what the terminal gets then; `GET /control/parameters` lists what was set. The rates are units for
one euro, the mark-up within; they are fictional.
"""


def _parameters():
    text = _PARAMETERS
    for kind, tables in parameters.DEFAULTS.items():
        written = json.dumps(tables, indent=2, ensure_ascii=False)
        text += f"\n`{kind}`:\n\n```json\n{written}\n```\n"
    return text + "\n"


def page_sandbox():
    text = "# The sandbox network\n\n## Cards\n\n"
    rows = [
        (f"`{card.number}`", card.brand.name, f"`{card.account}`",
         "" if card.code == "00" else f"always {card.code}",
         "" if card.limit_minor is None else card.limit_minor, card.currency, card.language,
         ", ".join(card.entries), ", ".join(card.verifications),
         "" if card.verification == "none" else f"`{card.verification}`")
        for card in CARDS
    ]  # fmt: skip
    head = ("number", "brand", "account", "answers", "limit, minor units", "billed in", "language",
            "entries", "verification methods", "`verification`")  # fmt: skip
    text += table(head, rows)
    text += "\nEvery other number is declined with code 14.\n\n## Amounts\n\n"
    text += "42.XX (minor units 4200 to 4299, whatever the currency) answers code XX, except for "
    text += "`void`. Codes 60, 65, 70 and 1A are approved when the cardholder is verified. Code 10 "
    text += "approves a part if the asker takes parts.\n\nFor one payment, "
    text += "whatever its amount and card: `--detail sandbox.code=XX`. Codes that approve do so "
    text += "within the limits of the book.\n\n" + _PINS + "\n## Faults\n\n"
    docs = member_docs(faults.Fault)
    text += table(
        ("fault", "what happens"),
        [(f"`{fault}`", docs[fault.name]) for fault in faults.Fault],
    )
    text += "\nOrdered with `tollbridge sandbox fault`, over the control API, or for one payment "
    text += "with `--detail sandbox.fault=FAULT[:SECONDS]`. `--what` narrows them to operations, "
    text += "inquiries, reversals or parameters.\n\n" + _parameters() + "## Response codes\n\n"
    return text + table(("code", "text"), codes.TEXTS.items())


def page_wpi_services():
    text = "# WPI service types\n\nFields in brackets may be left out.\n\n"
    rows = []
    for name, service in SERVICES.items():
        wanted = [
            part if field.mandatory else f"[{part}]" for part, field in service.request.items()
        ]
        follows = ", ".join(f"`{each.removeprefix('WPI_SVC_')}`" for each in service.follows)
        rows.append((f"`{name}`", service.kind.name.lower(), service.section, ", ".join(wanted),
                     follows))  # fmt: skip
    return text + table(("service type", "kind", "section", "request", "takes references of"), rows)


def page_wpi_scenarios():
    text = "# Scenarios of a virtual terminal\n\n" + inspect.getdoc(scenario) + "\n\n"
    text += "A scenario is set for the next exchanges on the terminal's page, with `tollbridge wpi "
    text += "scenario`, over `PUT /terminal/{id}/scenario` (terminal-api.md), or from a file given "
    text += "to `tollbridge serve --scenario`; only where none is set, the amount counts.\n\n"
    text += inspect.getdoc(scenario.Scenario) + "\n\n"
    rows = [(f"`{name}`", ", ".join(f"`{word}`" for word in scenario.CHOICES.get(name, ())))
            for name in (field.name for field in fields(scenario.Scenario))]  # fmt: skip
    text += table(("word", "choices"), rows) + "\n## Amounts\n\n"
    text += "42.XX makes the host answer with the ISO 8583 response code XX (sandbox.md).\n\n"
    rows = []
    for amount, each in scenario.AMOUNTS.items():
        words = scenario.written(each)
        told = ", ".join(f"{name} {value if isinstance(value, str) else ' '.join(value)}"
                         for name, value in words.items()) or "nothing"  # fmt: skip
        rows.append((f"{amount // 100}.{amount % 100:02d}", told))
    return text + table(("amount", "what happens"), rows)


_SIGNATURES = """
A signature names its algorithms in its manifest. Ours, which no other standard names in a way that
fits a NMTOKEN:

| name | what it is |
|---|---|
| `x-c14n2-sha256` | the digest of an element: SHA-256 of its canonical form |
| `x-hmac-sha256` | HMAC-SHA-256 with a shared key |
| `x-ed25519` | Ed25519 (RFC 8032), 64 bytes |
| `x-ecdsa-p256-sha256` | ECDSA on P-256 with SHA-256, r and s side by side, 64 bytes |

The canonical form is Canonical XML 2.0 without comments, its prefixes sequential. What is signed is
that of the Manifest element, not a digest of it. The key is named by
`KeyIdentifier` in each RecipientInfo; whoever verifies knows which organisation each key is of, and
a right signature by another organisation's key is wrong.

Behind the switch `legacy`, the algorithms of RFC 2802 are made and read, by their names there and
in RFC 2801: DOM-HASH over SHA-1 (MD5 is read), HMAC, DSA, RSA and ECDSA. They can be forged.
"""


def page_iotp():
    text = "# Trading messages\n\n`tollbridge iotp check FILE…` explains a message and lists every "
    text += "rule it breaks.\n\n## What may come\n\n"
    rows = [
        (str(state), " + ".join(f"`{name}`" for name in sorted(step.blocks)),
         step.sender or "anybody", step.receiver or "anybody")
        for state, steps in sequence.STEPS.items()
        for step in steps
    ]  # fmt: skip
    text += table(("when it is", "blocks", "from", "to"), rows)
    text += "\nA Cancel Block ends whatever is not complete, an Error Block with a hard error does "
    text += "so, too; inquiries change nothing.\n\n## Transactions\n\n"
    rows = [
        (f"`{kind}`", "may come first" if shape.authentication and shape.offer
         else "is all" if shape.authentication else "", ", ".join(shape.directions),
         "may follow" if shape.delivery else "")
        for kind, shape in sequence.SHAPES.items()
    ]  # fmt: skip
    text += table(("type", "authentication", "payments", "delivery"), rows)
    text += "\n## Instead of an answer\n\n"
    rows = [
        (f"`{one.received}`", one.by or "anybody", ", ".join(f"`{name}`" for name in one.blocks),
         one.cancel or "", ", ".join(f"`{code}`" for code in sorted(one.codes)))
        for one in sequence.ANSWERS
    ]  # fmt: skip
    text += table(("received", "by", "answers", "or cancels the", "with"), rows)
    text += "\n## Completion codes\n\n"
    rows = [
        (str(of), f"`{code}`", ", ".join(sorted(one.states)),
         "inquiries" if one.inquiry else "cancels, inquiries" if one.cancel else "",
         str(one.recovery))
        for of, codes_ in iotp_words.COMPLETIONS.items()
        for code, one in codes_.items()
    ]  # fmt: skip
    text += table(("step", "code", "with", "only in", "goes on with"), rows)
    text += "\n`UnAuthReq` stands in the answer of any inquiry. Codes of your own begin with `x-`."
    text += "\n\n## Signatures\n" + _SIGNATURES + "\nWhat each kind covers, beside `TransId` and "
    text += "the `TransRefBlk` of its message:\n\n"
    rows = [
        (f"`{kind}`", signing.SIGNED_BY.get(kind, "anybody"), ", ".join(here), ", ".join(before))
        for kind, here, before in signing.covers()
    ]
    return text + table(("kind", "by", "of its message", "of earlier ones"), rows)


PAGES = {
    "errors.md": page_errors,
    "states.md": page_states,
    "verbs.md": page_verbs,
    "bridges.md": page_bridges,
    "settings.md": page_settings,
    "commands.md": page_commands,
    "endpoints.md": page_endpoints,
    "sandbox.md": page_sandbox,
    "wpi-services.md": page_wpi_services,
    "wpi-scenarios.md": page_wpi_scenarios,
    "iotp-messages.md": page_iotp,
}


def pages():
    """Give every page by name."""
    return {name: NOTE + make().rstrip() + "\n" for name, make in PAGES.items()}


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
        sys.stdout.write(f"docs/reference/{name}\n")
