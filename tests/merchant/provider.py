"""A provider on a real socket that says what the test wants, for merchants to distrust."""

import json
from contextlib import asynccontextmanager

from starlette.routing import Route, Router

from tollbridge.faces.webinos.wishes import Sign
from tollbridge.ground.clock import SystemClock
from tollbridge.server.asgi import Endpoint
from tollbridge.server.errors import failed
from tollbridge.server.inside import Served, listen
from tollbridge.web.keys import ProofKeys
from tollbridge.wire.http import JSON, Limits, Response

SELLER = "ShopName12345"
CLAIMS = {"sub": "wp_1", "aud": SELLER, "jti": "j1", "iat": 1_700_000_000, "bill_id": "B-1",
          "bill_hash": "h", "amount": "25.96", "currency": "EUR", "kind": "charge"}  # fmt: skip
TOLD = {"valid": True, "payment": "wp_1", "sellerID": SELLER,
        "bill": {"productID": "B-1", "currency": "EUR", "itemPrice": "25.96"},
        "items": [{"description": "Cup"}], "amount": "25.96", "currency": "EUR", "kind": "charge",
        "status": "paid", "time": "2026-03-01T09:30:00.250Z", "customerID": None,
        "first_verified_at": None, "consumed": False, "signed": True}  # fmt: skip


class Provider:
    def __init__(self):
        self.keys = ProofKeys(None, SystemClock())
        self.answers = []
        self.asked = []
        self.fetched = 0

    def proof(self, **claims):
        return self.keys.sign(Sign({"iss": self.url} | CLAIMS | claims)).proof

    async def verify(self, request, _):
        self.asked.append((request.headers["authorization"], json.loads(request.body)))
        status, body = self.answers.pop(0) if self.answers else (200, TOLD)
        return Response(
            status, JSON, body if isinstance(body, bytes) else json.dumps(body).encode()
        )

    async def jwks(self, _request, _names):
        self.fetched += 1
        return Response(200, JSON, json.dumps(self.keys.jwks).encode())


@asynccontextmanager
async def providing():
    provider = Provider()
    limits = Limits()
    app = Router([
        Route("/v1/verify", Endpoint(provider.verify, failed, limits, None), methods=["POST"]),
        Route("/.well-known/jwks.json", Endpoint(provider.jwks, failed, limits, None)),
    ])  # fmt: skip
    listening = listen("127.0.0.1", 0)
    provider.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    provider.served = Served(app, listening)
    await provider.served.start()
    try:
        yield provider
    finally:
        await provider.served.close()
