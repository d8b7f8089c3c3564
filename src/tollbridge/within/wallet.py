"""What a consumer has bought, kept so that a restart loses nothing that was paid for.

One file, readable by its owner only: delivery tokens are as good as what was bought, and a client
token is kept until it is known what became of the payment tried with it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tollbridge.faces.within import codec
from tollbridge.faces.within.errors import BadArgument, WithinError
from tollbridge.faces.within.messages import Broadcast, DeliveryToken, PaymentResponse, Total
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.money import Money
from tollbridge.ground.secret import Secret
from tollbridge.wire import json
from tollbridge.within.files import alone_with, write_privately

WALLET = "within.wallet.json"
KEPT_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One purchase: what was agreed, whether it is paid, and what is still to come.

    `token` None: it is not known yet whether it was paid.
    """

    producer: Broadcast
    service_id: int
    service_name: str
    total: Total
    client_token: Secret[str] | None
    token: DeliveryToken | None = None
    remaining: int = 0

    @property
    def reference(self) -> str:
        """The payment reference: the purchase's name."""
        return self.total.payment_reference

    @property
    def price(self) -> Money:
        """What it costs in all."""
        return Money.of(self.total.total_minor, self.total.currency_code)

    def paid(self, token: DeliveryToken) -> "Purchase":
        """Paid: the client token is used up."""
        return replace(self, client_token=None, token=token, remaining=self.total.units)

    def supplied(self, remaining: int) -> "Purchase":
        """Supplied in part or in full."""
        return replace(self, remaining=remaining)


class Wallet:
    """The purchases in one file, oldest first; of the finished ones the last thousand.

    Several processes may have it open: what one writes, another does not undo.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._purchases = {one.reference: one for one in _read(file)}

    @property
    def purchases(self) -> list[Purchase]:
        """All purchases."""
        return list(self._purchases.values())

    def get(self, reference: str) -> Purchase:
        """Find a purchase by its reference or the beginning of it. Raises BadArgument."""
        found = [one for name, one in self._purchases.items() if name.startswith(reference)]
        if len(found) != 1 or not reference:
            many = "several purchases begin" if found else "no purchase begins"
            raise BadArgument("NO_DATA", "DATA", f"{many} with {reference!r:.40}")
        return found[0]

    def keep(self, purchase: Purchase) -> Purchase:
        """Write a purchase down, durably. Raises WithinError when that is not possible."""
        with self._changing() as purchases:
            purchases[purchase.reference] = purchase
            finished = [name for name, one in purchases.items() if one.token and not one.remaining]
            for name in finished[:-KEPT_MAX]:
                del purchases[name]
        return purchase

    def forget(self, reference: str) -> None:
        """Forget a purchase that was certainly not made."""
        with self._changing() as purchases:
            purchases.pop(reference, None)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Purchase]]:
        """Read what the others wrote, let it be changed, and write it, alone."""
        try:
            with alone_with(self._file):
                purchases = {one.reference: one for one in _read(self._file)}
                yield purchases
                written = [_written(one) for one in purchases.values()]
                write_privately(self._file, json.write(written))
        except OSError as error:
            text = f"cannot write the wallet {self._file}"
            raise WithinError("SAVE_FILE", "CONFIG", text, error) from None
        self._purchases = purchases


def _written(one: Purchase) -> Mapping[str, Any]:
    token = PaymentResponse(token=one.token) if one.token else None
    return {
        "producer": _object(one.producer),
        "service": one.service_id,
        "name": one.service_name,
        "total": _object(one.total),
        "clientToken": one.client_token.reveal() if one.client_token else None,
        "paid": _object(token) if token else None,
        "remaining": one.remaining,
    }


def _object(message: object) -> Any:
    return json.read(codec.write(message))


def _read(file: Path) -> list[Purchase]:
    try:
        if not file.exists():
            return []
        return [_purchase(item) for item in json.read(file.read_bytes(), what=str(file))]
    except (RemoteProtocolError, KeyError, TypeError) as error:
        raise BadArgument("DECODE_JSON", "JSON", f"{file} is not a wallet", error) from None
    except OSError as error:
        raise BadArgument("OPEN_FILE", "CONFIG", f"cannot read the wallet {file}", error) from None


def _purchase(item: Mapping[str, Any]) -> Purchase:
    paid = item["paid"]
    return Purchase(
        producer=codec.read(Broadcast, json.write(item["producer"])),
        service_id=item["service"],
        service_name=item["name"],
        total=codec.read(Total, json.write(item["total"])),
        client_token=Secret(item["clientToken"]) if item["clientToken"] else None,
        token=codec.read(PaymentResponse, json.write(paid)).token if paid else None,
        remaining=item["remaining"],
    )
