"""What several bridges read alike: their settings, and JSON objects with amounts in decimals."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tollbridge.ground.errors import InvalidMoney, RemoteProtocolError
from tollbridge.ground.money import Money
from tollbridge.wire import json
from tollbridge.wire.http import Response, is_private_way

LIMITS = ("answer_limit_s", "in_flight_limit_s")
_LIMIT: Any = int | float
_EXPECTED = {str: "a text", bool: "true or false", Mapping: "a table"}


def wrong_settings(
    settings: Mapping[str, object], known: Mapping[str, Any], needed: tuple[str, ...]
) -> list[str]:
    """List what is wrong with settings: `known` are their types beside the limits and those of
    `endpoint_of`."""
    kinds = {"api_endpoint": str, "allow_plain": bool, **dict.fromkeys(LIMITS, _LIMIT), **known}
    problems = [
        f"{name}: {_EXPECTED.get(kind, 'a number of seconds')} is expected"
        for name, kind in kinds.items()
        if name in settings and not _is(settings[name], kind)
    ]
    problems += [f"{name}: there is no such setting" for name in settings if name not in kinds]
    return problems + [f"{name}: is needed" for name in needed if not settings.get(name)]


def endpoint_of(settings: Mapping[str, object], usual: str, problems: list[str]) -> str:
    """Give `api_endpoint` without a slash at its end; adds to `problems` when it cannot be used."""
    endpoint = str(settings.get("api_endpoint", usual)).rstrip("/")
    try:
        if not (is_private_way(endpoint) or settings.get("allow_plain")):
            problems.append("api_endpoint: https is needed; allow_plain = true sends keys openly")
    except ValueError:
        problems.append("api_endpoint: the address of the API is expected")
    return endpoint


def limits_of(settings: Mapping[str, object]) -> dict[str, Any]:
    """Give the capabilities that settings change, in seconds."""
    return {name: float(str(settings[name])) for name in LIMITS if name in settings}


def answered(answer: Response) -> dict[str, Any]:
    """Read an answer's JSON object. Raises RemoteProtocolError for nonsense and where the provider
    itself failed: then nobody knows."""
    if answer.status >= 500 or answer.status < 200:
        raise RemoteProtocolError(f"the provider answered {answer.status}")
    return json.read_object(answer.body, what="answer")


def inner(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Give the object within objects, an empty one where there is none."""
    found: Any = fields
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def listed(fields: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Give the objects of a list, none where there is no list."""
    found = fields.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def text(fields: Mapping[str, Any], name: str) -> str:
    """Give a text, "" where there is none."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def money(value: object, code: str) -> Money:
    """Read a decimal amount, as a text or a number. Raises RemoteProtocolError."""
    if isinstance(value, Decimal) or type(value) is int:
        value = f"{value:f}" if isinstance(value, Decimal) else str(value)
    try:
        whole, point, fraction = str(value).partition(".")
        kept = fraction.rstrip("0")
        return Money.parse(f"{whole}.{kept}" if point and kept else whole, code)
    except InvalidMoney as error:
        raise RemoteProtocolError(f"an amount that is none: {error}", path=["amount"]) from None


def _is(value: object, kind: Any) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
