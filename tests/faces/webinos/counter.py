"""A provider on the bench: the face on a real engine, a device that plays the house."""

import asyncio
import hashlib
import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tollbridge.core.operation import State
from tollbridge.faces.contract import Seal, SecureFault, Tokenize, Unseal
from tollbridge.faces.webinos import face, notebook, refunds, sessions
from tollbridge.faces.webinos.messages import Caller, Ended, Follow, Refresh, Tell, Unfinished
from tollbridge.faces.webinos.wishes import (
    Changed,
    Check,
    CheckBill,
    Checked,
    CodeSent,
    SendCode,
    Sign,
    Signed,
)
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.flow import Party
from tollbridge.ground.secret import Secret
from tollbridge.server.secure import SecureElement
from tollbridge.testing.face_kit import _match
from tollbridge.testing.world import World
from tollbridge.web.device import check_bill
from tollbridge.wire.http import Headers, Request

HOME = "https://pay.example"
SHOP, OTHER = "https://shop.example", "https://other.example"
ADA = "ada@example.org"
VISA, MASTERCARD = "4242424242424242", "5555555555554444"
BILL = {"description": "Bill 123456", "currency": "EUR", "itemPrice": 25.96}
SELLERS = {
    "ShopName12345": {
        "name": "The Shop", "publishable_key": "pk_shop_1", "secret_key": "sk_shop_1",
        "origins": [SHOP], "notices_url": f"{SHOP}/notices", "notices_key": "whsec_a2s=",
    },
    "grace": {
        "name": "Grace", "publishable_key": "pk_grace_1", "secret_key": "sk_grace_1",
        "kind": "person", "origins": [OTHER], "currencies": ["EUR", "JPY"],
    },
}  # fmt: skip
QUIET = {"amount_minor": 10**9, "new_instrument": False}
"""A policy that challenges nobody."""


def customer(number=VISA, contact="+15551234", **more):
    instruments = [{"number": number, "expiry": "11/33", "label": "my card"}]
    return {"name": "Ada", "contact": contact, "instruments": instruments, **more}


@dataclass
class House:
    """The device the face runs on: a secure element, a signer, a sender of codes."""

    secure: SecureElement
    sent: list = field(default_factory=list)
    changed: list = field(default_factory=list)
    can_send: bool = True
    can_sign: bool = True
    loses_its_keys: bool = False
    broken: bool = False
    key: bytes = b"k" * 32

    async def hear(self, wish):
        if self.broken and isinstance(wish, Tokenize | Seal | Unseal):
            return SecureFault(key_missing=True)
        match wish:
            case Tokenize():
                return self.secure.tokenize(wish)
            case Seal():
                return self.secure.seal(wish, "webinos")
            case Unseal():
                return self.secure.unseal(wish, "webinos")
            case Sign():
                return Signed(self.sign(dict(wish.claims))) if self.can_sign else SecureFault()
            case Check():
                return self.check(wish.proof)
            case CheckBill():
                return check_bill(wish)
            case SendCode():
                if self.can_send:
                    self.sent.append(wish)
                return CodeSent(self.can_send, "***34" if self.can_send else "")
            case Changed():
                self.changed.append(wish.payment)
                self.broken = self.loses_its_keys
                return None
        raise AssertionError(wish)

    def sign(self, claims):
        body = urlsafe_b64encode(json.dumps(claims).encode()).decode()
        return f"{body}.{hmac.new(self.key, body.encode(), hashlib.sha256).hexdigest()}"

    def check(self, proof):
        body, _, mac = proof.partition(".")
        right = hmac.new(self.key, body.encode(), hashlib.sha256).hexdigest()
        if mac != right:
            return Checked(None, "the signature is wrong")
        return Checked(json.loads(urlsafe_b64decode(body)))

    @property
    def code(self):
        """The code that was sent last."""
        return re.search(r"\b(\d{6})\b", self.sent[-1].text.reveal())[1]


class Counter:
    """A provider in a world; every call runs on a fresh engine, as after a restart of it."""

    def __init__(self, world=None, **settings):
        self.world = world or World()
        self.house = House(SecureElement(None, self.world.ids))
        self.house.secure._key = b"s" * 32
        self.settings = {
            "url": HOME, "sellers": SELLERS, "customers": {ADA: customer()}, "policy": QUIET,
        } | settings  # fmt: skip
        self.keys = 0
        self.restart()

    def restart(self):
        self.face = face(self.settings, self.world.clock, self.world.ids)

    @property
    def parties(self):
        return {Party.DEVICE: self.house.hear}

    # Sending

    async def send(self, request):
        for endpoint in self.face.endpoints():
            names = _match(endpoint.path, request.url)
            if endpoint.method == request.method and names is not None:
                try:
                    message = endpoint.decode(request, names)
                except RemoteProtocolError as error:
                    return endpoint.refuse(error)
                return endpoint.encode(
                    await self.world.engine.serve(self.face, message, self.parties)
                )
        raise AssertionError(request)

    async def one(self, request):
        response = await self.send(request)
        return response.status, json.loads(response.body) if response.body else None

    def call(self, *requests, crash_at=None):
        answers = []

        async def main():
            answers.extend(await asyncio.gather(*(self.one(request) for request in requests)))

        if self.world.run(main(), crash_at):
            return None
        return answers if len(answers) > 1 else answers[0]

    def raw(self, request):
        answers = []

        async def main():
            answers.append(await self.send(request))

        self.world.run(main())
        return answers[0]

    def say(self, message):
        """Give the face a message of the house."""
        answers = []

        async def main():
            answers.append(await self.world.engine.serve(self.face, message, self.parties))

        self.world.run(main())
        return answers[0]

    # What tests need most

    def begin(self, bill=None, *, items=None, customer=ADA, seller="ShopName12345", key=None,
              text=None, **more):  # fmt: skip
        body = {
            "bill": BILL if bill is None else bill or None, "itemList": items,
            "customerID": customer, "sellerID": seller,
            "service": more.pop("service", self.service),
        }  # fmt: skip
        if "signed" in more:
            body["signedBill"] = more.pop("signed")
        if "challenges" in more:
            body["challenges"] = more.pop("challenges")
        if key is None:
            self.keys += 1
            key = f"key-{self.keys:06d}"
        known = self.settings["sellers"].get(seller, SELLERS["ShopName12345"])
        credential = more.pop("credential", known["publishable_key"])
        origin = more.pop("origin", known["origins"][0])
        return sent("POST", "/web/payments", text or body, credential=credential, origin=origin,
                    idempotency_key=key)  # fmt: skip

    @property
    def service(self):
        return self.face.provider.services[0].id

    def pay(self, *args, **more):
        """Begin a payment and give what came of it."""
        status, answer = self.call(self.begin(*args, **more))
        assert status in (200, 201), answer
        return answer

    def fails(self, *args, **more):
        """Begin a payment that is refused, and give why."""
        status, answer = self.call(self.begin(*args, **more))
        assert status == 422, answer
        assert self.world.payments == [] or more, "nothing was begun"
        return answer["error"]

    def answer(self, payment, text, challenge=None, token=None):
        return self.call(answered(payment, text, challenge, token))

    def cancel(self, payment):
        return self.call(cancelled(payment))

    def show(self, payment, **more):
        status, answer = self.call(shown(payment, **more))
        assert status == 200, answer
        return answer

    def follow(self, payment):
        caller = Caller(credential=Secret(payment["client_token"]), origin=SHOP)
        return self.say(Follow(caller, payment["id"]))

    def refresh(self, payment):
        return self.say(Refresh(payment["id"]))

    def unfinished(self, *args):
        return self.say(Unfinished(*args))

    def tell(self, payment, operation):
        return self.say(Tell(payment, operation))

    def notices(self):
        """Everything the sellers are told of."""
        told = [notice for payment in self.world.payments[::-1] for op in payment.operations
                for notice in self.tell(payment, op)]  # fmt: skip
        return told + list(self.say(Ended(1000)))

    def look(self, payment):
        return self.call(sent("POST", "/web/confirm/look", ticket(payment), origin=HOME))

    def decide(self, payment, decision="pay", **more):
        return self.call(decided(payment, decision, **more))

    def verify(self, proof, credential="sk_shop_1", *, consume=False):
        body = {"proof": proof, "consume": consume}
        return self.call(sent("POST", "/v1/verify", body, credential=credential))

    def taken(self):
        """What the network's book says was taken, in minor units."""
        return sum(movement.taken_minor for movement in self.world.movements)

    def pages(self, prefix=""):
        return self.world.journal.browse("webinos", prefix, "", 10_000)

    def checkouts(self):
        """All payments, as their pages have them."""
        return [sessions.read(page) for _, page in self.pages("payment/")]

    def settle(self):
        """Let time pass until nothing is left to learn, and sweep as the house does."""
        self.world.recover()
        self.world.clock.advance(notebook.STALLED_S + 1)
        for _ in range(3):
            for name in self.unfinished():
                self.say(Refresh(name))
            self.world.recover()

    def verdict(self):
        """List every contradiction between the network's book, the journal and the pages."""
        found = self.world.differences()
        made = {}
        for payment in self.world.payments:
            for op in payment.operations:
                if op.key.scope == "webinos":
                    made.setdefault(op.request.details["webinos.payment"], []).append(op)
        for checkout in self.checkouts():
            moved = sum(op.approved_amount.amount_minor for op in made.pop(checkout.id, [])
                        if op.state is State.APPROVED and op.approved_amount)  # fmt: skip
            told = checkout.minor if checkout.state == "succeeded" else 0
            if checkout.error and checkout.error["reason"] == "refund_incomplete":
                told = refunds.done(checkout)
            if moved != told:
                found.append(f"{checkout.id}: {checkout.state}, {told} told, {moved} moved")
        return found + [f"{name}: no page" for name in made]

    def written(self):
        """Everything that was written down anywhere, as text."""
        facts = [[row.body for row in self.world.journal.read(each.id)]
                 for each in self.world.payments]  # fmt: skip
        return repr(self.pages()) + repr(facts)


def sent(method, url, body=None, *, credential="", origin="", **more):
    fields = [("content-type", "application/json"), ("host", "pay.example")]
    if credential:
        fields.append(("authorization", f"Bearer {credential}"))
    if origin:
        fields.append(("origin", origin))
    fields += [(name.replace("_", "-"), value) for name, value in more.items()]
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(method, url, Headers(fields), data)


def answered(payment, text, challenge=None, token=None):
    challenge = challenge or payment["challenge"]["id"]
    return sent(
        "POST", f"/web/payments/{payment['id']}/challenges/{challenge}/answer", {"answer": text},
        credential=payment["client_token"] if token is None else token, origin=SHOP,
    )  # fmt: skip


def cancelled(payment, origin=SHOP):
    url = f"/web/payments/{payment['id']}/cancel"
    return sent("POST", url, credential=payment["client_token"], origin=origin)


def shown(payment, **more):
    credential = more.pop("credential", payment["client_token"])
    return sent("GET", f"/web/payments/{payment['id']}", credential=credential, **more)


def ticket(payment):
    """What the provider's page finds in its address."""
    parts = parse_qs(urlsplit(payment["challenge"]["challenge"]).fragment)
    return {"challenge": parts["ch"][0], "token": parts["t"][0]}


def decided(payment, decision="pay", **more):
    origin = more.pop("origin", HOME)
    body = ticket(payment) | {"decision": decision} | more
    return sent("POST", "/web/confirm/decide", body, origin=origin)
