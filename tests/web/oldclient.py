"""A client of 2013, written from the message tables of the wire's description only: it registers,
finds, pays, and answers challenges if it is of the extended kind."""

import asyncio
import itertools
import json
import uuid

import websockets

_pages = itertools.count()


class OldClient:
    """One page with its socket. `inbox` holds what came that answers nothing."""

    def __init__(self, port, path="/", origin="http://old.example", host=None):
        self.url = f"ws://{host or '127.0.0.1'}:{port}{path}"
        self.port, self.origin = port, origin
        self.waiting, self.called = {}, {}
        self.me = self.device = None

    async def __aenter__(self):
        self.socket = await websockets.connect(self.url, origin=self.origin)
        self.reading = asyncio.create_task(self.read())
        return self

    async def __aexit__(self, *_):
        self.reading.cancel()
        await self.socket.close()

    async def register(self, page="/index.html"):
        self.registered = asyncio.get_running_loop().create_future()
        await self.send({"type": "prop", "from": None, "resp_to": None, "payload": {
            "status": "registerBrowser", "value": page, "origin": self.origin}})  # fmt: skip
        return await asyncio.wait_for(self.registered, 5)

    async def send(self, frame):
        await self.socket.send(frame if isinstance(frame, str) else json.dumps(frame))

    async def read(self):
        async for text in self.socket:
            frame = json.loads(text)
            payload = frame["payload"]
            if frame["type"] == "prop":
                if payload["status"] == "registeredBrowser":
                    self.me, self.device = frame["to"], frame["from"]
                    self.registered.set_result(payload["message"])
                continue
            assert frame["type"] == "JSONRPC"
            assert frame["to"] == self.me, "the client handles what is for its own address only"
            assert frame["resp_to"] == frame["from"] == self.device
            if "method" in payload:
                call, _, name = payload["method"].rpartition(".")
                self.called.setdefault((call, name), asyncio.Queue()).put_nowait(payload["params"])
            else:
                self.waiting.pop(payload["id"]).set_result(payload)

    async def call(self, method, params, *, call=None, sender=None):
        """Make a call; gives its id and the future of its answer."""
        call = call or str(uuid.uuid4())
        answer = self.waiting[call] = asyncio.get_running_loop().create_future()
        await self.send({"type": "JSONRPC", "from": sender or self.me, "to": self.device,
                         "resp_to": self.me, "payload": {"jsonrpc": "2.0", "id": call,
                         "method": method, "params": params}})  # fmt: skip
        return call, answer

    async def heard(self, call, name):
        """Wait for a callback of a call."""
        queue = self.called.setdefault((call, name), asyncio.Queue())
        return await asyncio.wait_for(queue.get(), 5)

    async def find(self, api="http://webinos.org/api/payment"):
        call, _ = await self.call("ServiceDiscovery.findServices", [{"api": api}, None, None])
        return await self.heard(call, "onservicefound")

    async def pay(self, service, bill, customer, seller, *, items=None, answers=None):
        """Pay; gives the call and the future of the answer."""
        params = [items, bill, customer, seller, answers]
        return await self.call(f"{service['api']}@{service['id']}.pay", params)

    async def answer(self, service, challenge, text):
        method = f"{service['api']}@{service['id']}.answerChallenge"
        _, answer = await self.call(method, [challenge, text])
        return (await asyncio.wait_for(answer, 5))["result"]
