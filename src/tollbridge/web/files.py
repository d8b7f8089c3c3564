"""Files that browsers fetch: the client for shops' pages, and the provider's own pages."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tollbridge.server.errors import failure
from tollbridge.wire.http import Headers, Request, Response

HERE = Path(__file__).parent
CLIENT, PAGES = HERE / "client", HERE / "pages"
TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "ico": "image/x-icon",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "map": "application/json",
    "mjs": "text/javascript; charset=utf-8",
    "png": "image/png",
    "svg": "image/svg+xml",
    "ts": "text/plain; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "webmanifest": "application/manifest+json",
    "webp": "image/webp",
}
_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,80}"
_PATH = re.compile(rf"{_PART}(?:/{_PART}){{0,4}}", re.ASCII)

POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
          "connect-src 'self'; frame-src 'self'; manifest-src 'self'; base-uri 'none'; "
          "form-action 'none'; require-trusted-types-for 'script'")  # fmt: skip
ALWAYS = (("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"))


@dataclass(frozen=True, slots=True)
class _Kept:
    """A file as it was when it was last looked at."""

    state: tuple[int, int]
    tag: str
    body: bytes


class Files:
    """The files of a folder, each with a tag: a browser asks whether it changed and is told no."""

    def __init__(self, folder: Path, fields: tuple[tuple[str, str], ...] = ()) -> None:
        self._folder = folder
        self._fields = fields
        self._kept: dict[str, _Kept] = {}

    async def give(self, request: Request, names: Mapping[str, str]) -> Response:
        """Answer a request for a file."""
        return self.answer(request.headers, names["path"])

    def answer(self, asked: Headers, path: str, *more: tuple[str, str], kind: str = "") -> Response:
        """Answer a request for a file by its path, with further fields; a folder is its index."""
        path = f"{path}index.html" if path.endswith("/") else path
        kept = self._find(path)
        if kept is None:
            return failure(404, "unknown_address", "there is no such file", *self._fields)
        kind = kind or TYPES.get(path.rpartition(".")[2], "application/octet-stream")
        fields = [("etag", kept.tag), ("cache-control", "no-cache"), *ALWAYS, *self._fields, *more]
        if asked.get("if-none-match") == kept.tag:
            return Response(304, Headers(fields))
        return Response(200, Headers([("content-type", kind), *fields]), kept.body)

    def _find(self, path: str) -> _Kept | None:
        if not _PATH.fullmatch(path):
            return None
        file = self._folder / path
        try:
            seen = file.stat()
            state = (seen.st_mtime_ns, seen.st_size)
            kept = self._kept.get(path)
            if kept is None or kept.state != state:
                if not file.resolve().is_relative_to(self._folder.resolve()):
                    return None
                body = file.read_bytes()
                kept = _Kept(state, f'"{sha256(body).hexdigest()[:20]}"', body)
                self._kept[path] = kept
        except OSError:
            return None
        return kept
