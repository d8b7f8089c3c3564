"""How commands reach an engine: over HTTP where a server runs, or in this very process."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import click
import msgspec

from tollbridge.cli import settings as sources
from tollbridge.engine.config import DEFAULT_PORT, Settings
from tollbridge.ground.errors import NoAnswer, NotSent
from tollbridge.ground.ids import RandomIds
from tollbridge.ground.secret import Secret
from tollbridge.wire.http import Headers, Request, Response

F = TypeVar("F", bound=Callable[..., Any])
LIMIT_S = 90.0


def options(command: F) -> F:
    """Give a command the options that say which engine it talks to."""
    for option in (
        sources.JSON,
        sources.JOURNAL,
        click.option(
            "--url",
            envvar="TOLLBRIDGE_URL",
            help=f"The server (default http://127.0.0.1:{DEFAULT_PORT}).",
        ),
    ):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine answered."""

    status: int
    fields: dict[str, Any]


class Client:
    """Talks to the server at `url`; without one, and with a journal, to an engine in this process.

    Raises ClickException with what to do when neither is there.
    """

    def __init__(self, url: str | None, journal: Path | None) -> None:
        self._embedded = url is None and journal is not None
        self._url = (url or f"http://127.0.0.1:{DEFAULT_PORT}").rstrip("/")
        self._journal = journal or Settings().journal

    def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        key: str = "",
        query: dict[str, Any] | None = None,
    ) -> Answer:
        """Make a call of the JSON API and give its answer; errors end the command."""
        token = sources.token_of(self._journal)
        if token is None and self._embedded:
            token = sources.make_token(self._journal, RandomIds())
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        url = self._url + path + (f"?{urlencode(asked)}" if asked else "")
        request = Request(
            method,
            url,
            Headers(_headers(token, key)),
            msgspec.json.encode(body) if body is not None else b"",
        )
        answer = asyncio.run(self._send(request, token or Secret("")))
        return _read(answer)

    async def _send(self, request: Request, token: Secret[str]) -> Response:
        if self._embedded:
            from tollbridge.cli.embedded import call

            return await call(Settings(journal=self._journal), token, request)
        from tollbridge.engine.transport import HttpTransport

        transport = HttpTransport()
        try:
            return await transport.send(request, LIMIT_S)
        except NotSent:
            raise click.ClickException(
                f"there is no server at {self._url}. Start one with `tollbridge serve`, name "
                "another with --url, or work on a journal of your own with --journal FILE."
            ) from None
        except NoAnswer as error:
            raise click.ClickException(
                f"no answer from {self._url} ({error}). The outcome is not lost: look with "
                "`tollbridge payments`, or ask again with the same --key."
            ) from None
        finally:
            await transport.close()


def _headers(token: Secret[str] | None, key: str) -> list[tuple[str, str]]:
    fields = [("content-type", "application/json")]
    if token is not None:
        fields.append(("authorization", f"Bearer {token.reveal()}"))
    if key:
        fields.append(("idempotency-key", key))
    return fields


def _read(answer: Response) -> Answer:
    try:
        fields = msgspec.json.decode(answer.body or b"{}")
    except msgspec.DecodeError:
        raise click.ClickException(f"the server answered {answer.status} in no JSON") from None
    if answer.status == 401:
        raise click.ClickException(
            "the server wants another credential: set TOLLBRIDGE_TOKEN, or name the server's "
            "--journal, beside which the token is kept"
        )
    if answer.status >= 400:
        error = fields.get("error", {})
        raise click.ClickException(f"{error.get('message', answer.status)} ({error.get('code')})")
    return Answer(answer.status, fields)
