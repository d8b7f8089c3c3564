"""What a producer offers: services, each with its rates, which may change while it is open."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tollbridge.faces.within.errors import BadArgument
from tollbridge.faces.within.messages import Price, ServiceDetails
from tollbridge.ground.money import Money

Supply = Callable[[int, int], int]
"""Given a price's id and the units asked for, the units that can be supplied now (0 to asked)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service. `prices` are its rates by their ids; `supply` caps what can be sold at once."""

    service_id: int
    name: str
    description: str = ""
    service_type: str = ""
    prices: Mapping[int, Price] = field(default_factory=dict)
    supply: Supply | None = None

    @property
    def details(self) -> ServiceDetails:
        """What a list of services says about it."""
        return ServiceDetails(self.service_id, self.description, self.name, self.service_type)


class Catalogue:
    """The services of one producer, by their ids. Shared with whoever adds and removes them."""

    def __init__(self) -> None:
        self._services: dict[int, Service] = {}

    def add(self, service: Service) -> None:
        """Offer a service. Raises BadArgument when its id is taken or a price is not one."""
        if service.service_id in self._services:
            raise BadArgument(
                "SERVICEEXISTS",
                "WPW",
                f"service with that id already exists, service.ID={service.service_id}",
            )
        for price in service.prices.values():
            cost = Money.of(price.per_unit.amount_minor, price.per_unit.currency_code)
            if cost.amount_minor < 0:
                raise BadArgument("UNKNOWN", "WPW", f"{cost} is below zero, price {price.price_id}")
        self._services[service.service_id] = service

    def replace(self, service: Service) -> None:
        """Offer a service instead of the one with its id: how prices change."""
        self.remove(service.service_id)
        self.add(service)

    def remove(self, service_id: int) -> None:
        """Offer it no more; what was sold stays sold."""
        self._services.pop(service_id, None)

    def get(self, service_id: int) -> Service | None:
        """Find a service."""
        return self._services.get(service_id)

    def __iter__(self) -> Iterator[Service]:
        return iter(list(self._services.values()))

    def types(self) -> tuple[str, ...]:
        """Name the distinct types of what is offered, for the broadcast."""
        return tuple(dict.fromkeys(service.service_type for service in self))
