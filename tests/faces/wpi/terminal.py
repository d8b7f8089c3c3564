"""A terminal on the bench: the WPI face on a real engine, with scripted people, in virtual time."""

import json
from dataclasses import dataclass

from tollbridge.cli.runtime import wallet
from tollbridge.faces.wpi import WpiFace, profile
from tollbridge.faces.wpi.people import Script
from tollbridge.faces.wpi.tables import SERVICES
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.flow import Party
from tollbridge.testing.world import World
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

    @property
    def response(self):
        return json.loads(self.extras["WPI_RESPONSE"]) if "WPI_RESPONSE" in self.extras else None

    @property
    def condition(self):
        return self.response["errorCondition"].removeprefix("WPI_ERR_COND_")


class Terminal:
    """`script` plays the people; `settings` are the profile's."""

    def __init__(self, world=None, **settings):
        self.world = world or World()
        self.profile = profile(settings)
        self.face = WpiFace(self.profile, self.world.ids)
        self.script = Script(wallet(), self.profile.password)
        self.sessions = 0

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
                       **extras):  # fmt: skip
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
        return await self.post(json.dumps(sent), intent or intent_of(service), package)

    async def post(self, body, intent, package=TILL):
        """Post bytes as they are."""
        headers = Headers([("wpi-package", package)] if package is not None else [])
        endpoint = self.face.endpoints()[0]
        body = body.encode() if isinstance(body, str) else body
        request = Request("POST", f"/wpi/{intent}", headers, body)
        try:
            message = endpoint.decode(request, {"intent": intent})
        except RemoteProtocolError as error:
            response = endpoint.refuse(error)
        else:
            reply = await self.world.engine.serve(self.face, message, self.parties())
            response = endpoint.encode(reply)
        return Answer(response.status, json.loads(response.body))

    def parties(self):
        async def cardholder(message):
            return self.script.cardholder(message)

        async def merchant(message):
            return self.script.merchant(message)

        return {Party.CARDHOLDER: cardholder, Party.MERCHANT: merchant}

    def restart(self):
        """Be a terminal that lost its memory: only the notebook and the journal are left."""
        self.face = WpiFace(self.profile, self.world.ids)

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

    def last(self, session, **extras):
        return self.send("WPI_SVC_LAST_TRANSACTION", session=session, **extras)


def intent_of(service):
    known = SERVICES.get(service)
    return known.kind.intent if known else INTENTS["FINANCIAL"]
