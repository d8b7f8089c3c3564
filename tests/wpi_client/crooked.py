"""A terminal that misbehaves as told, on a real socket, and counts what it really carried out."""

import asyncio
import json
import threading

HEAD = "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{more}\r\n"


def extras(service, session, response=None):
    made = {"WPI_SERVICE_TYPE": service, "WPI_SESSION_ID": session, "WPI_VERSION": "2.0"}
    if response is not None:
        made["WPI_RESPONSE"] = json.dumps(response)
    return {name: value for name, value in made.items() if value is not None}


def success(request, **more):
    return {
        "result": "WPI_RESULT_SUCCESS",
        "errorCondition": "WPI_ERR_COND_NONE",
        "currency": request.get("currency", "EUR"),
        "authorizedAmount": request.get("requestedAmount", 1191),
        "paymentSolutionReference": "ABC0000001",
        **more,
    }


def failure(condition, remark="because", **more):
    return {
        "result": "WPI_RESULT_FAILURE",
        "errorCondition": f"WPI_ERR_COND_{condition}",
        "remark": remark,
        **more,
    }


def with_response(response):
    return lambda service, session, _: (extras(service, session, response),)


SPOILED = {
    "well": lambda _, __, answer: (answer,),
    "empty": lambda *_: (b"",),
    "500": lambda *_: ({}, 500),
    "canceled": lambda _, __, answer: (answer, 200, "WPI-Android-Result: RESULT_CANCELED\r\n"),
    "garbage": lambda *_: (b"<html>",),
    "other session": lambda _, __, answer: (answer | {"WPI_SESSION_ID": "other"},),
    "other service": lambda _, __, answer: (answer | {"WPI_SERVICE_TYPE": "WPI_SVC_REFUND"},),
    "no response": with_response(None),
    "no result": with_response({"result": "MAYBE"}),
    "internal": with_response(failure("INTERNAL")),
    "timeout": with_response(failure("TRANSACTION_TIMEOUT")),
    "delivered twice": with_response(failure("SESSION_ID_ALREADY_IN_USE")),
}
"""What comes back, by trouble: body, status and further headers."""


class Crooked:
    """Answers like a terminal; `trouble` is a list of what happens to requests that are no
    LAST_TRANSACTION, `told` a list of what LAST_TRANSACTION says instead of the truth."""

    def __init__(self):
        self.trouble, self.told = [], []
        self.requests, self.executed, self.stored = [], {}, {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        start = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result()
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_):
        async def end():
            self._server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def sent(self):
        """The service types that came in, those that ask for the truth left out."""
        return [name for name, _ in self.requests if name != "WPI_SVC_LAST_TRANSACTION"]

    async def _serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(int(line.split(":")[1]) for line in head.splitlines()
                              if line.lower().startswith("content-length"))  # fmt: skip
                body = json.loads(await reader.readexactly(length))
                self.head = head
                await self._answer(writer, body)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, writer, body):
        service, session = body["WPI_SERVICE_TYPE"], body["WPI_SESSION_ID"]
        self.requests.append((service, session))
        if service == "WPI_SVC_LAST_TRANSACTION":
            self._write(writer, self._last(session))
            return
        request = json.loads(body.get("WPI_REQUEST") or "{}")
        trouble = self.trouble.pop(0) if self.trouble else "well"
        if isinstance(trouble, dict):  # a response
            self._write(writer, extras(service, session, trouble))
            return
        if trouble == "lost on the way":
            writer.transport.abort()
            return
        if trouble.startswith("status"):
            self._write(writer, {}, trouble.split()[1])
            return
        self.executed[session] = self.executed.get(session, 0) + 1
        self.stored.setdefault(session, extras(service, session, success(request)))
        if trouble == "dropped":
            writer.transport.abort()
        elif trouble == "silent":
            await asyncio.sleep(3600)
        else:
            self._write(writer, *SPOILED[trouble](service, session, self.stored[session]))

    def _last(self, session):
        if self.told:
            told = self.told.pop(0)
            if told == "busy":
                return extras("WPI_SVC_LAST_TRANSACTION", session, failure("BUSY"))
            if told == "absent":
                return extras(None, session)
            return told(session)
        return self.stored.get(session) or extras(None, session)

    def _write(self, writer, body, status=200, more=""):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        writer.write(HEAD.format(status=status, length=len(data), more=more).encode() + data)
