"""A conversation as text, for people. Safe to print: whatever looks like card data is masked."""

from tollbridge.ground.secret import scrub
from tollbridge.wire.http import Request, Response

_HIDDEN = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization"})
BODY_LETTERS_MAX = 2000


def dump(message: Request | Response) -> str:
    """Write a message as text: first line, header fields, body; secrets masked, body shortened."""
    if isinstance(message, Request):
        money = "  (moves money)" if message.moves_money else ""
        lines = [f"{message.method} {scrub(message.url)}{money}"]
    else:
        lines = [str(message.status)]
    for name, value in message.headers.items():
        lines.append(f"{name}: {'[hidden]' if name in _HIDDEN else scrub(value)}")
    text = message.body.decode("utf-8", "replace")
    if text:
        lines += ["", scrub(text)[:BODY_LETTERS_MAX]]
    return "\n".join(lines)
