"""The line to a network in this very process: a transport that never touches a socket."""

import asyncio

from tollbridge.ground.errors import NoAnswer, NotSent
from tollbridge.sandbox.faults import Trouble
from tollbridge.sandbox.service import Service
from tollbridge.wire.http import Request, Response


class Line:
    """Carries requests to a service with the manners of a real line: it refuses, breaks, and
    stays silent until the caller's patience ends."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def send(self, request: Request, limit_s: float) -> Response:
        try:
            trouble = self.service.trouble(request)
            if trouble is None:
                return await self.service.do(request)
            async with asyncio.timeout(limit_s):
                return await self._troubled(request, trouble, limit_s)
        except TimeoutError:
            raise NoAnswer(f"the sandbox did not answer within {limit_s:g} s") from None
        except OSError as error:
            raise NoAnswer(f"the sandbox broke down: {error}") from None

    async def _troubled(self, request: Request, trouble: Trouble, limit_s: float) -> Response:
        reply = await self.service.serve(request, trouble)
        if reply.refused:
            raise NotSent("the sandbox refuses the connection")
        if reply.silent:
            await asyncio.sleep(limit_s)
        if reply.answer is None:
            raise NoAnswer("the sandbox broke the connection")
        return reply.answer

    async def close(self) -> None:
        await self.service.close()
