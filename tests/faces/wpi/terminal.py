"""Terminals on the bench: the WPI face on a real engine, with scripted people, in virtual time."""

import json
from collections import Counter
from dataclasses import dataclass

from tollbridge.bridges.sandbox import IN_PROCESS
from tollbridge.faces.contract import HttpEndpoint, WebSocketEndpoint
from tollbridge.faces.wpi import face
from tollbridge.faces.wpi.tables import SERVICES
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.server.secure import SecureElement
from tollbridge.terminal.desk import desk
from tollbridge.terminal.device import Kit
from tollbridge.terminal.parameters import Management
from tollbridge.terminal.wallet import wallet
from tollbridge.testing.world import Way, World
from tollbridge.wire.http import Headers, Request

PREFIX = "com.worldline.payment.action."
INTENTS = {
    "FINANCIAL": PREFIX + "PROCESS_TRANSACTION",
    "MANAGEMENT": PREFIX + "PROCESS_MANAGEMENT",
    "INFORMATION": PREFIX + "PROCESS_INFORMATION",
}
TILL = "com.example.till"
PAYMENT = "WPI_SVC_PAYMENT"
CANCEL_PAYMENT = "WPI_SVC_CANCEL_PAYMENT"
REFUND = "WPI_SVC_REFUND"
PRE_AUTHORIZATION = "WPI_SVC_PRE_AUTHORIZATION"
CANCEL_PRE_AUTHORIZATION = "WPI_SVC_CANCEL_PRE_AUTHORIZATION"
UPDATE = "WPI_SVC_UPDATE_PRE_AUTHORIZATION"
CANCEL_UPDATE = "WPI_SVC_CANCEL_UPDATE_PRE_AUTHORIZATION"
COMPLETION = "WPI_SVC_PAYMENT_COMPLETION"
CANCEL_COMPLETION = "WPI_SVC_CANCEL_PAYMENT_COMPLETION"
DEFERRED = "WPI_SVC_DEFERRED_PAYMENT_AUTHORIZATION"
DEFERRED_COMPLETION = "WPI_SVC_DEFERRED_PAYMENT_COMPLETION"
RECOGNITION = "WPI_SVC_PAYMENT_INSTRUMENT_RECOGNITION"
CREDIT = "WPI_SVC_FOLLOW_ON_CREDIT"
MENU = "WPI_SVC_PAYMENT_MENU"
DAY_END = "WPI_SVC_DAY_END"
PAYMENT_PARAMETERS = "WPI_SVC_PAYMENT_PARAMETERIZATION"
ACQUIRER_PARAMETERS = "WPI_SVC_ACQUIRER_PARAMETERIZATION"
PRINT = "WPI_SVC_PRINT_RECEIPT"
ABORT = "WPI_SVC_ABORT"
LAST = "WPI_SVC_LAST_TRANSACTION"
INFORMATION = "WPI_SVC_PAYMENT_INFORMATION"
TAKES = {PAYMENT: 1, COMPLETION: 1, DEFERRED_COMPLETION: 1, REFUND: -1, CREDIT: -1,
         CANCEL_PAYMENT: -1, CANCEL_COMPLETION: -1}  # fmt: skip
"""What a success of each service takes from the cardholder, as a factor of its amount."""
FOLLOWS = {
    CANCEL_PAYMENT: PAYMENT,
    CANCEL_PRE_AUTHORIZATION: PRE_AUTHORIZATION,
    UPDATE: PRE_AUTHORIZATION,
    CANCEL_UPDATE: UPDATE,
    COMPLETION: PRE_AUTHORIZATION,
    CANCEL_COMPLETION: COMPLETION,
    DEFERRED_COMPLETION: DEFERRED,
    CREDIT: PAYMENT,
}
"""What goes before each service that needs a paymentSolutionReference."""
NOT_BEGUN = ("BUSY", "SESSION_ID_ALREADY_IN_USE", "NOT_INITIALIZED", "WPI_VERSION_NOT_SUPPORTED",
             "SERVICE_NOT_SUPPORTED", "MISSING_MANDATORY_PARAMETER")  # fmt: skip
"""Conditions that may be about a request, and not about what its session came to."""
OPEN = ("not known yet", "the journal failed")
"""What the remark says where the outcome is still to come."""


@dataclass
class Answer:
    """The response extras, and the response inside."""

    status: int
    extras: dict
    headers: Headers

    @property
    def response(self):
        return json.loads(self.extras["WPI_RESPONSE"]) if "WPI_RESPONSE" in self.extras else None

    @property
    def condition(self):
        return self.response["errorCondition"].removeprefix("WPI_ERR_COND_")

    @property
    def remark(self):
        return self.response.get("remark", "")

    @property
    def reference(self):
        return self.response["paymentSolutionReference"]


class _Line:
    """The way to the management system: the provider's, with its trouble."""

    def __init__(self, terminal):
        self.terminal = terminal

    async def send(self, request, limit_s):
        world = self.terminal.world
        return await Way(world, world.steps).send(request, limit_s)


class Terminal:
    """`script` plays the people; `settings` are the first terminal's profile."""

    def __init__(self, world=None, **settings):
        self.world = world or World()
        self.settings = {"cardholder": "script", **settings}
        self.kit = Kit(
            wallet=wallet(),
            clock=self.world.clock,
            secure=SecureElement(None, self.world.ids),
            management=Management(_Line(self), IN_PROCESS),
            plug=self.world.faults,
        )
        self.sessions = 0
        self.told = {}
        self.before_exchange = None
        self.restart()

    @property
    def profile(self):
        return next(iter(self.face.terminals.values())).profile

    @property
    def device(self):
        return next(iter(self.desk.values()))

    @property
    def script(self):
        return self.device.script

    def new_session(self):
        self.sessions += 1
        return f"s-{self.sessions}"

    def send(self, service, request=None, *, session=None, intent=None, package=TILL, **extras):
        """Send one request and give its answer; runs the world until it comes."""
        answers = []

        async def main():
            answers.append(
                await self.exchange(
                    service, request, session=session, intent=intent, package=package, **extras
                )
            )

        self.world.run(main())
        return answers[0]

    async def exchange(self, service, request=None, *, session=None, intent=None, package=TILL,
                       terminal="", **extras):  # fmt: skip
        """Send one request inside a running world."""
        sent = {
            "WPI_SERVICE_TYPE": service,
            "WPI_VERSION": "2.0",
            "WPI_SESSION_ID": session or self.new_session(),
        }
        if request is not None:
            sent["WPI_REQUEST"] = request if isinstance(request, str) else json.dumps(request)
        sent |= extras
        sent = {name: value for name, value in sent.items() if value is not None}
        told = self._expect(service, sent, package, terminal)
        answer = await self.post(json.dumps(sent), intent or intent_of(service), package, terminal)
        told.append(answer)
        return answer

    def _expect(self, service, sent, package, terminal):
        """Keep what an application is told about each financial exchange."""
        session = sent.get("WPI_SESSION_ID")
        known = SERVICES.get(service)
        if known is None or known.kind.name != "FINANCIAL" or not isinstance(session, str):
            return []
        name = terminal or next(iter(self.face.terminals))
        return self.told.setdefault((name, package, session), [])

    async def post(self, body, intent, package=TILL, terminal=""):
        """Post bytes as they are."""
        headers = Headers([("wpi-package", package)] if package is not None else [])
        endpoint = next(e for e in self.face.endpoints() if isinstance(e, HttpEndpoint))
        body = body.encode() if isinstance(body, str) else body
        request = Request("POST", f"/wpi/{intent}", headers, body)
        try:
            message = endpoint.decode(request, {"intent": intent, "terminal": terminal})
        except RemoteProtocolError as error:
            response = endpoint.refuse(error)
        else:
            response = endpoint.encode(await self._serve(message))
        extras = json.loads(response.body) if response.body else {}
        return Answer(response.status, extras, response.headers)

    async def whisper(self, text, package=TILL, terminal=""):
        """Send one text to the Messenger and give the texts it answers."""
        endpoint = next(e for e in self.face.endpoints() if isinstance(e, WebSocketEndpoint))
        try:
            message = endpoint.decode(text, {"package": package, "terminal": terminal})
        except RemoteProtocolError as error:
            return [endpoint.refuse(error)]
        return list(endpoint.encode(await self._serve(message)))

    def messenger(self, text, **more):
        """Send one text to the Messenger; runs the world until it is answered."""
        answers = []

        async def main():
            answers.extend(await self.whisper(text, **more))

        self.world.run(main())
        return [json.loads(each) for each in answers]

    async def _serve(self, message):
        return await self.world.engine.serve(self.face, message, self._parties())

    def _parties(self):
        """Give the people and the hardware; `before_exchange` hears of each saying first."""
        parties = self.desk.parties()
        if self.before_exchange is None:
            return parties

        def watched(party, partner):
            async def said(saying):
                await self.before_exchange(party, saying)
                return await partner(saying)

            return said

        return {party: watched(party, partner) for party, partner in parties.items()}

    def restart(self):
        """Be terminals that lost their memory: only the notebook and the journal are left, and
        the people with their cards."""
        before = getattr(self, "desk", {})
        self.face = face(self.settings, self.world.clock, self.world.ids)
        self.desk = desk(self.face.terminals, self.kit)
        for name, device in before.items():
            self.desk[name].script = device.script

    # The requests tests need most

    def pay(self, amount=1191, currency="EUR", **more):
        extras = {name: more.pop(name) for name in ("session", "package") if name in more}
        request = {"currency": currency, "requestedAmount": amount, **more}
        return self.send("WPI_SVC_PAYMENT", request, **extras)

    def cancel(self, reference, **extras):
        return self.send(
            "WPI_SVC_CANCEL_PAYMENT", {"paymentSolutionReference": reference}, **extras
        )

    def refund(self, amount=1191, currency="EUR", **more):
        extras = {name: more.pop(name) for name in ("session", "package") if name in more}
        request = {"currency": currency, "requestedAmount": amount, **more}
        return self.send("WPI_SVC_REFUND", request, **extras)

    def manage(self, service, request=None, **extras):
        return self.send(service, request, **extras)

    def last(self, session, **extras):
        return self.send("WPI_SVC_LAST_TRANSACTION", session=session, **extras)

    def do(self, service, request=None, **extras):
        """Do a service, and whatever must go before it; `request` changes its usual request."""
        return self.send(service, self.request(service) | (request or {}), **extras)

    def request(self, service, **extras):
        """Give a request that succeeds, having done what must go before it."""
        made = dict(USUAL.get(service, {}))
        if service in FOLLOWS:
            before = self.do(FOLLOWS[service], **extras)
            assert before.condition == "NONE", before.remark
            made["paymentSolutionReference"] = before.reference
        return made

    def papers(self, name="T1"):
        """What the printer printed, as pairs of the copy and whether it is a duplicate."""
        return [(sheet.copy, sheet.duplicate) for sheet in self.desk[name].papers]

    # Judging

    @property
    def taken(self):
        """What the provider took from cardholders, by currency."""
        taken = Counter()
        for movement in self.world.movements:
            taken[movement.currency] += movement.taken_minor
        return {code: minor for code, minor in taken.items() if minor}

    def page(self, key):
        """Read a page of the notebook."""
        page = self.world.journal.recall("wpi", key)
        return json.loads(page.value) if page is not None else None

    def pages(self, prefix):
        """Name the pages that begin so."""
        return [key for key, _ in self.world.journal.browse("wpi", prefix, "", 10_000)]

    def verdict(self, *, lied=()):
        """List everything that must not be, once all trouble is over.

        What applications were told, what the journal holds and what the provider's book moved are
        the same. `lied` names sessions whose first answer a scenario falsified.
        """
        self.world.recover()
        found = self.world.differences()
        expected, known = Counter(), set()
        for (name, package, session), answers in list(self.told.items()):
            last = self.last(session, package=package, terminal=name)
            who = f"{name}/{package}/{session}"
            if last.response is None:
                found += [f"{who}: told {a.condition}, and forgotten" for a in answers
                          if a.response is not None and a.condition not in NOT_BEGUN
                          and not any(word in a.remark for word in OPEN)]  # fmt: skip
                continue
            known.add((name, package, session))
            if session not in lied:
                found += [f"{who}: told {a.response}, then {last.response}" for a in answers
                          if _differs(a, last)]  # fmt: skip
            if last.condition == "BUSY":
                found.append(f"{who}: {last.remark}")
            if last.condition == "NONE":
                found += self._expected(name, package, session, last, expected)
        expected = {code: minor for code, minor in expected.items() if minor}
        if expected != self.taken:
            found.append(f"applications were told of {expected}, taken is {self.taken}")
        return found + self._strangers(known) + self._holds()

    def _expected(self, name, package, session, last, expected):
        """Add what a success says was taken; list what is wrong with it."""
        service, response = last.extras["WPI_SERVICE_TYPE"], last.response
        if service == RECOGNITION:
            return []
        slip = self.page(f"{name}/session/{package}/{session}").get("slip", {})
        minor = TAKES.get(service, 0) * response["authorizedAmount"]
        if slip.get("offline"):
            # The card was believed; the book knows of it once it was uploaded.
            minor = self._uploaded(name, package, session) if service == PAYMENT else 0
        expected[response["currency"]] += minor
        if self.page(f"{name}/reference/{last.reference}") is None:
            return [f"{session}: {last.reference} leads nowhere"]
        return []

    def _uploaded(self, name, package, session):
        """What the host took of an offline approval: all of it, or nothing."""
        scope = f"wpi/{name}/{package}"
        return sum(
            operation.approved_amount.amount_minor
            for payment in self.world.payments
            for operation in payment.operations
            if operation.key.value == session
            and operation.key.scope.partition("#")[0] == scope
            and payment.counts(operation)
        )

    def _strangers(self, known):
        """List the operations no application knows of."""
        found = []
        for payment in self.world.payments:
            for operation in payment.operations:
                scope, _, package = operation.key.scope.partition("#")[0].rpartition("/")
                if scope.startswith("wpi/"):
                    name = scope.removeprefix("wpi/")
                    if (name, package, operation.key.value) not in known:
                        found.append(f"{operation.id}: no application knows of it")
        return found

    def _holds(self):
        """List the reservations that the book and the journal see differently."""
        held, expired = Counter(), set()
        for movement in self.world.movements:
            held[movement.payment] += movement.held_minor
            if movement.verb == "expire":
                expired.add(movement.payment)
        return [
            f"{payment.id}: {payment.amounts.capturable_minor} reserved, {held[payment.id]} held"
            for payment in self.world.payments
            if payment.id not in expired and payment.amounts.capturable_minor != held[payment.id]
        ]


_MONEY = {"currency": "EUR", "requestedAmount": 1191}
USUAL = {
    PAYMENT: _MONEY,
    REFUND: _MONEY,
    PRE_AUTHORIZATION: _MONEY,
    UPDATE: _MONEY,
    COMPLETION: _MONEY,
    DEFERRED: _MONEY,
    DEFERRED_COMPLETION: _MONEY,
    CREDIT: _MONEY,
    RECOGNITION: {"recognitionTimeout": 30_000, "recognitionOptions": []},
    PRINT: {"receiptTarget": "BOTH"},
}
"""The fields of each service's request, but for the reference."""


def _differs(told, last):
    """Say whether an answer that was final is not repeated to the letter."""
    if told.response is None or told.extras.get("WPI_RESPONSE") == last.extras["WPI_RESPONSE"]:
        return False
    if told.condition in NOT_BEGUN and told.response["result"] == "WPI_RESULT_FAILURE":
        return False
    return not any(word in told.remark for word in OPEN)


def intent_of(service):
    known = SERVICES.get(service)
    return known.kind.intent if known else INTENTS["FINANCIAL"]
