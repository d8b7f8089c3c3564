"""Who a role is, what a Merchant sells, and what a Payment Handler handles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from tollbridge.faces.iotp.api.words import PayDirection
from tollbridge.faces.iotp.message.components import Org, PostalAddress, TradingRole
from tollbridge.faces.iotp.message.signing import Verifier
from tollbridge.faces.iotp.message.words import Role, TransactionType
from tollbridge.faces.iotp.roles.draft import LANG
from tollbridge.faces.iotp.roles.goods import Goods
from tollbridge.faces.iotp.roles.sealing import Seal
from tollbridge.ground.secret import Secret

WalletKeys = tuple[str | None, Secret[str] | None]
"""The id of a wallet and its pass phrase, as far as they are needed."""
OFFER_S = 30 * 60


@dataclass(frozen=True, slots=True)
class PartySettings:
    """An organisation. `url` is where its role is served; people are sent to pages below it."""

    org_id: str
    legal_name: str
    url: str
    street: str = "Bridge Street 1"
    city: str = "Tollbridge"
    country: str = "GB"

    def org(self, name: str, role: Role, prefix: str) -> Org:
        """Make the component, whose id is `name` with parts below."""
        one = self.trading_role(f"{name}.2" if "." not in name else f"{name}2", role, prefix)
        return self.with_role(f"{name}.1" if "." not in name else name, one)

    @property
    def locations(self) -> tuple[str | None, str | None]:
        """Where it is reached, as a pair of net locations: plain, and by TLS."""
        return (None, self.url) if self.url.startswith("https:") else (self.url, None)

    def trading_role(self, name: str, role: Role, prefix: str) -> TradingRole:
        """Make the component of a role, whose id is `name`, with the pages below our address."""
        return TradingRole(
            id=name,
            trading_role=role,
            iotp_msg_id_prefix=prefix,
            cancel_net_locn=f"{self.url}/cancelled",
            error_net_locn=f"{self.url}/error",
            error_log_net_locn=f"{self.url}/log",
        )

    def with_role(self, name: str, role: TradingRole) -> Org:
        """Make the component with a role."""
        return Org(
            id=name,
            lang=LANG,
            org_id=self.org_id,
            legal_name=self.legal_name,
            trading_roles=(role,),
            postal_address=PostalAddress(
                address_line_1=self.street,
                city_or_town=self.city,
                country=self.country,
                legal_location=True,
            ),
        )


@dataclass(frozen=True, slots=True)
class Address:
    """Where a parcel goes."""

    name: str
    street: str
    city: str
    country: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Leg:
    """One payment of a trade. `brands` are those the Merchant wants (none: all that are offered),
    in the order it prefers; `protocols` likewise. `discounted` says what is paid by some brands
    where that is not `amount`."""

    direction: PayDirection
    amount: Decimal
    currency: str
    what: str
    brands: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    discounted: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Item:
    """Something that can be traded.

    `independent`: make the offer at once if all ways to pay allow it; with one way it always is.
    `authentication`: how the Consumer must authenticate itself first ("" its organisation only).
    `apart`: it does so in a transaction of its own, once it has selected how to pay.
    `goods`: what is delivered when it is paid (None: nothing by messages).
    """

    name: str
    kind: TransactionType
    description: str
    legs: tuple[Leg, ...]
    independent: bool = False
    authentication: tuple[str, ...] = ()
    wants_org: bool = False
    valid_s: int = OFFER_S
    apart: bool = False
    goods: Goods | None = None


@dataclass(frozen=True, slots=True)
class KeySettings:
    """Where keys of signatures come from.

    `signing_key` is a file (PEM) with our private key, `signing_certificate` one with its
    certificate, `trusted` are files with public keys by OrgId, `trust_anchors` is one with
    certificates of authorities. What is not given follows from `secret`, which all partners then
    share.
    """

    secret: Secret[str]
    signing_key: str = ""
    signing_certificate: str = ""
    trusted: Mapping[str, str] = field(default_factory=dict)
    trust_anchors: str = ""


@dataclass(frozen=True, slots=True)
class MerchantSettings:
    """A Merchant's shop. `bridges` are asked in this order (none: all).

    `seal` signs offers, and what is asked and said of authentications; None signs nothing.
    `signed_receipts`: Payment Handlers are told to sign their receipts; those that others want to
    see they always are. `verifier` believes who pings with a signature. `deliverer` is who delivers
    what does not come with the payment's answer (None: nobody, and such items are not for sale).
    `members` are pass phrases by name, for items that authenticate by membership.
    """

    party: PartySettings
    items: Mapping[str, Item]
    law: str = "GB"
    success_url: str = ""
    bridges: tuple[str, ...] = ()
    ask_state: bool = False
    seal: Seal | None = None
    verifier: Verifier | None = None
    signed_receipts: bool = False
    deliverer: PartySettings | None = None
    skip_brands: bool = False
    keys: Mapping[str, WalletKeys] = field(default_factory=dict)
    members: Mapping[str, Secret[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HandlerSettings:
    """A Payment Handler. `protocols` say which bridge handles what, `merchants` for whom it works
    (none: everybody).

    With a `verifier`, a Payment Request is good only with an offer that its Merchant signed: nobody
    else can say which brands and amounts were offered. `seal` signs receipts, where they are
    promised, and answers to inquiries. `goods` by item are handed out with the answer to a payment.

    A payment whose Consumer says nothing for `close_after_s` seconds is closed when somebody else
    pays, so that it holds nothing back; None keeps it for ever.
    """

    party: PartySettings
    protocols: Mapping[str, str] = field(default_factory=dict)
    merchants: tuple[str, ...] = ()
    verifier: Verifier | None = None
    seal: Seal | None = None
    keys: Mapping[str, WalletKeys] = field(default_factory=dict)
    goods: Mapping[str, Goods] = field(default_factory=dict)
    close_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """A Delivery Handler: what it delivers, by item, and for which merchants.

    Who asks shows what `verifier` finds signed: the Merchant's offer, the Payment Handler's
    receipt. `seal` signs what it answers.
    """

    party: PartySettings
    goods: Mapping[str, Goods]
    merchants: tuple[str, ...]
    verifier: Verifier
    seal: Seal | None = None
