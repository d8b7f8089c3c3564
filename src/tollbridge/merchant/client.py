"""A merchant's side of the Payment API: proofs checked here or at the provider, notices believed
only if they are signed."""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tollbridge.engine.transport import HttpTransport
from tollbridge.faces.webinos.settings import SIGNING_LETTERS_MIN
from tollbridge.ground.clock import MICROSECONDS_PER_S, Clock, SystemClock
from tollbridge.ground.errors import ConfigError, RemoteProtocolError, TransportError
from tollbridge.ground.ids import RandomIds
from tollbridge.ground.secret import Secret
from tollbridge.merchant import results
from tollbridge.merchant.errors import (
    NotHeard,
    NotProven,
    ProviderRefused,
    ProviderUnreachable,
)
from tollbridge.merchant.results import Claims, Notice, Purchase
from tollbridge.server import bills, jws, proofs
from tollbridge.wire import json, webhook
from tollbridge.wire.http import Headers, Limits, Request, Response, is_private_way

if TYPE_CHECKING:
    from joserfc.jwk import OKPKey

LIMIT_S = 15.0
KEYS_AGE_S = 300.0
KEYS_PAUSE_S = 5.0
REMEMBERED = 10_000
KEYS_MAX = 100
NAME_LETTERS = 32
"""128 bits."""
NOTICE_BYTES_MAX = 256 * 1024


class AsyncMerchant:
    """One seller at one provider.

    `url` is the provider's, `secret_key` the seller's `sk_…`, `notices_key` one `whsec_…` or
    several between spaces. `seller` is whose proofs `check` believes, `issuer` who signs them; the
    defaults are nobody and `url`. `tls` is what https trusts (None: this system's authorities).
    Raises ConfigError.
    """

    def __init__(
        self,
        url: str,
        secret_key: str | Secret[str],
        notices_key: str | Secret[str] = "",
        *,
        seller: str = "",
        issuer: str = "",
        tls: ssl.SSLContext | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._secret_key = _secret(secret_key)
        self._seller = seller
        self._issuer = issuer or self._url
        self._clock = clock or SystemClock()
        self._transport = HttpTransport(Limits(body_bytes_max=1024 * 1024), tls=tls)
        self._keys: dict[str, OKPKey] = {}
        self._keys_at_s = self._tried_at_s = float("-inf")
        self._fetching = asyncio.Lock()
        self._heard: OrderedDict[tuple[str, int], int] = OrderedDict()
        self._notices_keys = _notices_keys(_secret(notices_key))
        try:
            private = is_private_way(self._url)
        except ValueError:
            private = False
        if not private:
            raise ConfigError([f"{url!r:.60}: an https address is expected"])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of connections."""
        await self._transport.close()

    def sign_bill(
        self,
        bill: Mapping[str, Any],
        items: Sequence[Mapping[str, Any]] = (),
        *,
        customer: str = "",
        good_for_s: float = 900,
        once: bool = True,
    ) -> str:
        """Sign a bill, so that the page that pays it cannot change it; give what the page passes.

        It holds bill and lines as they are (prices are texts in units of the currency, "25.96"),
        and the customer if one is named. It is good for some seconds, and for one payment if
        `once`. Needs the constructor's `seller` and a secret key of 24 letters.
        Raises ConfigError, and ValueError for what cannot be written as JSON or is too long.
        """
        jws.require()
        if not self._seller:
            raise ConfigError(["seller: is needed to sign bills"])
        if len(self._secret_key.reveal()) < SIGNING_LETTERS_MIN:
            text = f"at least {SIGNING_LETTERS_MIN} letters are needed to sign bills"
            raise ConfigError([f"secret_key: {text}"])
        claims = {
            "iss": self._seller,
            "jti": RandomIds().secret()[:NAME_LETTERS],
            "exp": int(self._clock.now() / MICROSECONDS_PER_S + good_for_s),
            "once": once,
            "customerID": customer or None,
            "bill": dict(bill),
            "items": [dict(item) for item in items],
        }
        try:
            token = bills.sign(claims, self._secret_key)
        except TypeError as error:
            raise ValueError(str(error)) from None
        if len(token) > bills.BILL_BYTES_MAX:
            raise ValueError(f"a signed bill has at most {bills.BILL_BYTES_MAX} bytes")
        return token

    async def verify(self, proof: str, *, consume: bool = False) -> Purchase:
        """Ask the provider about a proof: this is the last word.

        `consume` uses the proof up, so that it pays for one order: who sees `consumed` in the
        answer came second. Raises NotProven, ProviderRefused or ProviderUnreachable.
        """
        if not isinstance(proof, str) or len(proof) > proofs.PROOF_BYTES_MAX:
            raise NotProven("malformed")
        body = json.write({"proof": proof, "consume": consume})
        fields = Headers(
            [
                ("content-type", "application/json"),
                ("authorization", f"Bearer {self._secret_key.reveal()}"),
            ]
        )
        answer = await self._call(Request("POST", f"{self._url}/v1/verify", fields, body))
        if answer.status == 404:
            raise NotProven("another seller's")
        told = _object(answer)
        if told.get("valid") is not True:
            raise NotProven(str(told.get("reason", "forged")))
        try:
            bought = results.purchase(told)
        except (LookupError, TypeError, ValueError) as error:
            raise ProviderRefused(f"the provider told nonsense: {error}", answer.status) from None
        if self._seller and bought.seller != self._seller:
            raise NotProven("another seller's")
        return bought

    async def check(self, proof: str) -> Claims:
        """Check a proof's signature with the provider's public keys, which are kept for a while.

        Needs the constructor's `seller`. Raises NotProven, ProviderRefused or
        ProviderUnreachable.
        """
        if not self._seller:
            raise ConfigError(["seller: is needed to check offline whose proof it is"])
        proofs.require()
        try:
            old = self._clock.monotonic_s() - self._keys_at_s > KEYS_AGE_S
            if proofs.kid_of(proof) not in self._keys or old:
                await self._fetch_keys()
            fields = proofs.read(proof, self._keys)
        except RemoteProtocolError as error:
            raise NotProven(error.hint) from None
        if fields["iss"] != self._issuer:
            raise NotProven("issuer")
        if fields["aud"] != self._seller:
            raise NotProven("another seller's")
        return results.claims(fields)

    def notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Read a notice the provider posted: its header fields, and its body byte for byte.

        The same bytes under the same signature are refused as replayed when they come again. What
        the provider sends again by itself, because it had no 2xx for it, is signed afresh and has
        the same `id`. Raises NotHeard.
        """
        if not self._notices_keys:
            raise ConfigError(["notices_key: is needed to believe notices"])
        if len(body) > NOTICE_BYTES_MAX:
            raise NotHeard("malformed")
        now_s = self._clock.now() // MICROSECONDS_PER_S
        try:
            fields = Headers((str(name), str(value)) for name, value in headers.items())
            message_id, signed_at_s = webhook.check(self._notices_keys, fields, body, now_s)
            told = results.notice(message_id, json.read_object(body, what="notice"))
        except RemoteProtocolError as error:
            raise NotHeard(error.hint or "malformed") from None
        except (LookupError, TypeError, ValueError):
            raise NotHeard("malformed") from None
        if self._seller and told.purchase.seller != self._seller:
            raise NotHeard("forged")
        self._remember((message_id, signed_at_s), now_s)
        return told

    # The rest

    def _remember(self, signed: tuple[str, int], now_s: int) -> None:
        """Refuse what was heard before, for as long as its signature is fresh."""
        while self._heard and (
            len(self._heard) > REMEMBERED
            or next(iter(self._heard.values())) < now_s - 2 * webhook.TOLERANCE_S
        ):
            self._heard.popitem(last=False)
        if signed in self._heard:
            raise NotHeard("replayed")
        self._heard[signed] = now_s

    async def _fetch_keys(self) -> None:
        """Fetch the public keys, not more often than every few seconds."""
        async with self._fetching:
            now_s = self._clock.monotonic_s()
            if now_s - self._tried_at_s < KEYS_PAUSE_S:
                return
            self._tried_at_s = now_s
            try:
                answer = await self._call(Request("GET", f"{self._url}/.well-known/jwks.json"))
                listed = _object(answer)["keys"][:KEYS_MAX]
                keys = {str(each["kid"]): proofs.key_of(each) for each in listed}
            except (LookupError, TypeError, ValueError) as error:
                raise ProviderRefused(f"the provider lists no keys: {error}") from None
            except ProviderUnreachable:
                if not self._keys:
                    raise
                return  # what was signed with a key that is known can still be believed
            self._keys = keys
            self._keys_at_s = now_s

    async def _call(self, request: Request) -> Response:
        try:
            answer = await self._transport.send(request, LIMIT_S)
        except TransportError as error:
            raise ProviderUnreachable(str(error)) from None
        if answer.status in (429, 502, 503, 504):
            raise ProviderUnreachable(f"the provider answered {answer.status}")
        if answer.status not in (200, 404):
            text = f"the provider answered {answer.status}{_said(answer)}"
            raise ProviderRefused(text, answer.status)
        return answer


def _object(answer: Response) -> dict[str, Any]:
    try:
        return json.read_object(answer.body, what="answer")
    except RemoteProtocolError as error:
        raise ProviderRefused(f"the provider answered no JSON: {error}", answer.status) from None


def _said(answer: Response) -> str:
    try:
        return f": {json.read_object(answer.body)['error']['message']}"
    except (RemoteProtocolError, LookupError, TypeError):
        return ""


def _secret(text: str | Secret[str]) -> Secret[str]:
    return text if isinstance(text, Secret) else Secret(text)


def _notices_keys(text: Secret[str]) -> webhook.Keys:
    if not text.reveal():
        return ()
    try:
        return webhook.keys_of(text)
    except ValueError as error:
        raise ConfigError([f"notices_key: {error}"]) from None
