"""Terminals on the bench: the WPI face on a real engine, with scripted people, in virtual time."""

import json
from dataclasses import dataclass

from tollbridge.bridges.sandbox import IN_PROCESS
from tollbridge.faces.contract import HttpEndpoint
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
        return await self.post(json.dumps(sent), intent or intent_of(service), package, terminal)

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
            reply = await self.world.engine.serve(self.face, message, self.desk.parties())
            response = endpoint.encode(reply)
        extras = json.loads(response.body) if response.body else {}
        return Answer(response.status, extras, response.headers)

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


def intent_of(service):
    known = SERVICES.get(service)
    return known.kind.intent if known else INTENTS["FINANCIAL"]
