"""Who a device is, and the small files of the originals (WIRE 5.6): identity, settings, profiles.

Files are read once, at the start; paths are the caller's, `uuid.txt` and its siblings by custom in
the working directory.
"""

import base64
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tollbridge.faces.within.card import HceCard
from tollbridge.faces.within.catalogue import Service
from tollbridge.faces.within.errors import BadArgument
from tollbridge.faces.within.messages import Price, PricePerUnit
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import Secret
from tollbridge.wire import json
from tollbridge.within.files import write_privately

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

IDENTITY_FILE = "uuid.txt"
KEY_FILE = "within.key"
SDK_CONFIG_FILE = "wpwconfig.json"


class PspKey:
    """The keys of a payment provider's configuration (WIRE 3.1). All values are texts."""

    NAME = "psp_name"
    ENDPOINT = "api_endpoint"
    HTE_PUBLIC_KEY = "hte_public_key"
    HTE_PRIVATE_KEY = "hte_private_key"
    MERCHANT_CLIENT_KEY = "merchant_client_key"
    MERCHANT_SERVICE_KEY = "merchant_service_key"
    DEVELOPER_ID = "developer_id"
    APP_VERSION = "app_version"
    PUBLIC_KEY = "public_key"
    SECURE_KEY = "secure_key"
    SECURE_NET_ID = "secure_net_id"
    HTTP_PROXY = "http_proxy"


WORLDPAY_ONLINE = "worldpayonlinepayments"
SECURENET = "securenet"
_MISSPELT = {"merchant_client_id": PspKey.MERCHANT_CLIENT_KEY}  # by two of the wrappers


def psp_config(given: Mapping[str, str]) -> dict[str, str]:
    """Copy a provider's configuration with its keys spelled right."""
    config = {key: value for key, value in given.items() if key not in _MISSPELT}
    for key, right in _MISSPELT.items():
        if key in given:
            config.setdefault(right, given[key])
    return config


# Identity


def device_id(file: Path, ids: IdSource) -> str:
    """Read the device's id, which is never checked for form; make one where there is none.

    Raises BadArgument: UUID_FILE_READ when it cannot be read or is empty, UUID_FILE_SAVE when it
    cannot be written.
    """
    if not file.exists():
        made = uuid.UUID(hex=ids.secret()[:32], version=4)
        try:
            write_privately(file, str(made).encode(), keep_existing=True)
        except OSError as error:
            raise BadArgument(
                "UUID_FILE_SAVE", "CORE", f"cannot keep the device's id in {file}", error
            ) from None
    try:
        found = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadArgument("UUID_FILE_READ", "CORE", _delete(file), error) from None
    if not found:
        raise BadArgument("UUID_FILE_READ", "CORE", _delete(file))
    return found


class Signer:
    """The device's own key (Ed25519), which signs what it promises.

    `public_key` is the base64 of its 32 bytes, for whoever wants to check.
    """

    def __init__(self, key: "Ed25519PrivateKey") -> None:
        self._key = key
        self.public_key = base64.b64encode(key.public_key().public_bytes_raw()).decode()

    @classmethod
    def open(cls, file: Path) -> Self:
        """Read the key, or make one on first use, readable by its owner only.

        Raises BadArgument OPEN_FILE when it cannot be read or written, is not such a key, or others
        may read it.
        """
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        try:
            if not file.exists():
                made = Ed25519PrivateKey.generate().private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
                write_privately(file, made, keep_existing=True)
            if os.name == "posix" and file.stat().st_mode & 0o077:
                raise BadArgument("OPEN_FILE", "CONFIG", f"others may read {file}: chmod 600 it")
            key = serialization.load_pem_private_key(file.read_bytes(), None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise BadArgument(
                "OPEN_FILE", "CONFIG", f"cannot use the device's key in {file}", error
            ) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise BadArgument("OPEN_FILE", "CONFIG", f"the key in {file} is not an Ed25519 key")
        return cls(key)

    def sign(self, data: bytes) -> bytes:
        """Sign: 64 bytes, the same for the same data."""
        return self._key.sign(data)

    def secret(self, label: str) -> bytes:
        """Derive 32 secret bytes for one use, which its label names (HKDF with SHA-256)."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return HKDF(SHA256(), 32, None, f"tollbridge within {label}".encode()).derive(
            self._key.private_bytes_raw()
        )


def signed_by(public_key: str, data: bytes, signature: bytes) -> bool:
    """Say whether the device with this key signed the data. False for what is no key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        raw = base64.b64decode(public_key, validate=True)
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, data)
    except (ValueError, InvalidSignature):
        return False
    return True


# Settings and profiles


def sdk_config(file: Path) -> dict[str, str]:
    """Read `wpwconfig.json`, a list of keys with values; of two equal keys the last counts.

    Empty when there is no file. Raises BadArgument when it cannot be read.
    """
    if not file.exists():
        return {}
    items = _read(file)
    if not isinstance(items, list):
        raise _bad(f"{file}: a list of keys with values expected")
    tables = [_Table(item, f"{file}[{place}]") for place, item in enumerate(items)]
    return {table.text("key"): table.text("value") for table in tables}


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What the sample applications are configured with. `psp` is empty when nothing is said.

    `host`, `port` and `callback_port` are those of the RPC agent.
    """

    device_name: str = ""
    interface_addr: str = ""
    psp: Mapping[str, str] = field(default_factory=dict, repr=False)
    card: HceCard | None = None
    host: str = ""
    port: int = 0
    callback_port: int = 0
    log_file: str = ""


def application(file: Path) -> Application:
    """Read an application's configuration, keys without case. Raises BadArgument."""
    table = _Table(_read(file), str(file))
    return Application(
        device_name=table.text("deviceName"),
        interface_addr=table.text("interfaceAddr"),
        psp=psp_config(table.table("pspConfig").texts()),
        card=_card(table.table("hceCard")),
        host=table.text("host"),
        port=table.number("port"),
        callback_port=table.number("callbackPort"),
        log_file=table.text("logFileName"),
    )


def card_from(value: Any, where: str = "hceCard") -> HceCard:
    """Read a card as the configurations write it, keys without case. Raises BadArgument."""
    card = _card(_Table(value, where))
    if card is None:
        raise _bad(f"{where}: a card expected")
    return card


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoConsume:
    """What a device buys by itself. `maximum_minor`: the most it pays, in minor units."""

    device_uid: str = ""
    service_id: int = 0
    unit_id: int = 0
    maximum_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducerProfile:
    """What a device sells, and what it charges with."""

    services: tuple[Service, ...] = ()
    psp: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerProfile:
    """What a device pays with, how many milliseconds it looks around, and what it buys."""

    card: HceCard | None = None
    discovery_timeout_ms: int = 0
    auto_consume: AutoConsume | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceProfile:
    """A device of the developers' client: producer, consumer or both."""

    name: str = ""
    description: str = ""
    producer: ProducerProfile | None = None
    consumer: ConsumerProfile | None = None


def profile(file: Path) -> DeviceProfile:
    """Read a device's profile, keys without case. Raises BadArgument."""
    device = _Table(_read(file), str(file)).table("device")
    producer, consumer = device.table("producer"), device.table("consumer")
    return DeviceProfile(
        name=device.text("name"),
        description=device.text("description"),
        producer=_producer(producer) if producer else None,
        consumer=_consumer(consumer) if consumer else None,
    )


def _producer(table: "_Table") -> ProducerProfile:
    config = table.table("config")
    client, service = config.text("pspMerchantClientKey"), config.text("pspMerchantServiceKey")
    keys = {
        PspKey.HTE_PUBLIC_KEY: client,
        PspKey.MERCHANT_CLIENT_KEY: client,
        PspKey.HTE_PRIVATE_KEY: service,
        PspKey.MERCHANT_SERVICE_KEY: service,
    }
    return ProducerProfile(
        services=tuple(_service(one) for one in table.tables("services")),
        psp={key: value for key, value in keys.items() if value},
    )


def _service(table: "_Table") -> Service:
    prices = [_price(one) for one in table.tables("prices")]
    return Service(
        service_id=table.number("serviceID"),
        name=table.text("name"),
        description=table.text("description"),
        service_type=table.text("serviceType"),
        prices={price.price_id: price for price in prices},
    )


def _price(table: "_Table") -> Price:
    per_unit = table.table("pricePerUnit")
    return Price(
        table.number("priceID"),
        table.text("priceDescription"),
        PricePerUnit(per_unit.number("amount"), per_unit.text("currencyCode")),
        table.number("unitID"),
        table.text("unitDescription"),
    )


def _consumer(table: "_Table") -> ConsumerProfile:
    wish = table.table("autoConsume")
    return ConsumerProfile(
        card=_card(table.table("hceCard")),
        discovery_timeout_ms=table.table("config").number("deviceDiscoveryTimeout"),
        auto_consume=AutoConsume(
            device_uid=wish.text("deviceUid"),
            service_id=wish.number("serviceID"),
            unit_id=wish.number("unitID"),
            maximum_minor=wish.number("maximumAmount"),
        )
        if wish
        else None,
    )


def _card(table: "_Table") -> HceCard | None:
    if not table:
        return None
    return HceCard(
        first_name=table.text("firstName"),
        last_name=table.text("lastName"),
        exp_month=table.number("expMonth"),
        exp_year=table.number("expYear"),
        number=Secret(table.text("cardNumber")),
        cvc=Secret(table.text("cvc")),
        kind=table.text("type") or "Card",
    )


class _Table:
    """A JSON object read by its keys, without case; what is missing or null is zero or empty."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, Mapping):
            raise _bad(f"{where}: a JSON object expected")
        self._values = {key.lower(): item for key, item in value.items() if item is not None}
        self._where = where

    def __bool__(self) -> bool:
        return bool(self._values)

    def text(self, key: str) -> str:
        return str(self._get(key, str, ""))

    def number(self, key: str) -> int:
        return int(self._get(key, int, 0))

    def table(self, key: str) -> "_Table":
        return _Table(self._values.get(key.lower(), {}), f"{self._where}: {key}")

    def tables(self, key: str) -> list["_Table"]:
        items = self._get(key, list, [])
        return [_Table(one, f"{self._where}: {key}[{place}]") for place, one in enumerate(items)]

    def texts(self) -> dict[str, str]:
        return {key: self.text(key) for key in self._values}

    def _get(self, key: str, kind: type, zero: Any) -> Any:
        value = self._values.get(key.lower(), zero)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise _bad(f"{self._where}: {key}: {kind.__name__} expected")
        return value


def _read(file: Path) -> Any:
    try:
        return json.read(file.read_bytes(), what=str(file), last_of_equal_keys=True)
    except OSError as error:
        raise BadArgument("OPEN_FILE", "CONFIG", f"cannot read {file}", error) from None
    except RemoteProtocolError as error:
        raise _bad(str(error)) from None


def _bad(text: str) -> BadArgument:
    return BadArgument("CONVERT_VALUE", "CONFIG", text)


def _delete(file: Path) -> str:
    return f"cannot read the device's id in {file}; delete the file to get a new one"
