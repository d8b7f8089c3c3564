"""Finding payment services: what a feature URI stands for, and how a service shows itself."""

import re
from typing import Any

from tollbridge.faces.webinos.policy import KINDS
from tollbridge.faces.webinos.settings import URI, Provider, Seller, Service
from tollbridge.ground.currency import CURRENCIES

ASKED_LETTERS_MAX = 200


def matches(asked: str, api: str) -> bool:
    """Say whether a feature URI is asked for: the bare one finds all, `*` stands for anything."""
    if asked.rstrip("/") == URI:
        return True
    if len(asked) > ASKED_LETTERS_MAX:
        return False
    pieces = [re.escape(piece) for piece in re.split(r"\*+", asked)]
    return re.fullmatch(".*".join(pieces), api) is not None


def found(
    provider: Provider, asked: str, address: str, seller: Seller | None = None
) -> list[dict[str, Any]]:
    """List the services for a feature URI."""
    return [
        shown(service, address, seller) for service in provider.services
        if matches(asked, service.api)
    ]  # fmt: skip


def shown(service: Service, address: str, seller: Seller | None = None) -> dict[str, Any]:
    """Show a service as pages find it."""
    codes = seller.currencies if seller and seller.currencies else ()
    usable = sorted(
        code for code, unit in CURRENCIES.items() if unit.exponent is not None
        and unit.valid_to is None
    )  # fmt: skip
    return {
        "id": service.id,
        "api": service.api,
        "displayName": service.name,
        "description": service.description,
        "serviceAddress": address,
        "icon": service.icon,
        "capabilities": {
            "challenges": list(KINDS),
            "refunds": True,
            "currencies": list(codes) or usable,
        },
    }
