"""The way to a payment software in another process: documents of the Payment API over HTTP."""

from tollbridge.engine.transport import Transport
from tollbridge.faces.iotp.api.remote import Carry, Lost
from tollbridge.faces.iotp.roles.calls import CALL_LIMIT_S
from tollbridge.ground.errors import NoAnswer, NotSent
from tollbridge.wire.http import Headers, Request


class Way:
    """Carries documents to payment software; a server's device."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def __call__(self, wish: object) -> bytes | Lost:
        """Carry a document there, and what is answered back."""
        if not isinstance(wish, Carry):
            raise TypeError(f"payment software is not told {type(wish).__name__}")
        shown = ("authorization", f"Bearer {wish.token.reveal()}")
        fields = Headers([("content-type", "application/xml"), shown])
        request = Request("POST", wish.url, fields, wish.document, moves_money=True)
        try:
            response = await self._transport.send(request, CALL_LIMIT_S)
        except (NotSent, NoAnswer) as error:
            return Lost(str(error))
        if response.status != 200:
            return Lost(f"HTTP {response.status}")
        return response.body
