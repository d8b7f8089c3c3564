"""WPI_SVC_PAYMENT_INFORMATION (4.4.2): what this payment solution is and can do."""

from typing import Any

from tollbridge.core.brands import BY_NAME
from tollbridge.faces.wpi.codec import failed_plainly
from tollbridge.faces.wpi.profile import Profile
from tollbridge.faces.wpi.receipt import shop_info
from tollbridge.faces.wpi.tables import (
    CANCELLED_BY,
    ENTRY_MODES,
    RECEIPT_FORMATS,
    SERVICES,
    SUCCESS,
    Condition,
    Kind,
)
from tollbridge.ground.version import __version__


def answer(profile: Profile) -> dict[str, Any]:
    """Make the response. Without a configuration it is NOT_INITIALIZED."""
    if not profile.initialized:
        return failed_plainly(
            Condition.NOT_INITIALIZED, "the terminal has no configuration (4.4.2)"
        )
    delegation = profile.prints_receipts
    return {
        "result": SUCCESS,
        "errorCondition": Condition.NONE.wire,
        "softwareVersion": f"Tollbridge {__version__}",
        "terminalIdentifier": profile.terminal_id,
        "terminalModel": profile.model,
        "macAddress": profile.mac_address,
        "supportedLanguages": list(profile.languages),
        "cardholderDefaultLanguage": profile.languages[0],
        "merchantLanguage": profile.merchant_language,
        "countryCode": profile.country,
        "defaultCurrency": profile.currencies[0],
        "supportedCurrencies": list(profile.currencies),
        "shopInfo": shop_info(profile),
        "acquirerProtocol": profile.acquirer_protocol,
        "supportedTicketFormats": list(RECEIPT_FORMATS),
        # The standard spells it both ways.
        "supportReceiptDelegation": delegation,
        "supportsReceiptDelegation": delegation,
        "paymentInformation": [_brand(profile, name) for name in profile.brands],
        "paymentSolutionSupportedServiceTypes": [
            name
            for name, service in SERVICES.items()
            if service.kind is not Kind.INFORMATION and profile.offers(service)
        ],
    }


def _brand(profile: Profile, name: str) -> dict[str, Any]:
    application_id = BY_NAME[name].application_id
    limits, acquirer = profile.limits_of(name), profile.acquirer_of(name)
    services = [
        service.name
        for service in SERVICES.values()
        if service.kind is Kind.FINANCIAL
        and profile.offers(service)
        and (not limits.services or service.name in limits.services)
    ]
    return {
        "acquirerIdentifier": acquirer.id,
        "merchantIdentifier": profile.merchant,
        "acquirerTerminalIdentifier": acquirer.terminal_id,
        # The standard misspells it; readers of either spelling are served.
        "brandIdentifer": application_id,
        "brandIdentifier": application_id,
        "brandName": name,
        "supportedServiceTypes": services,
        # What can be cancelled here: the service type that does it is offered as well.
        "cancellableServiceTypes": [
            name for name in services if name in CANCELLED_BY and CANCELLED_BY[name] in services
        ],
        "numberOfCancellableTransactions": profile.cancellable_last,
        "supportedTechnologies": [ENTRY_MODES[entry] for entry in profile.entries],
        "supportsDCC": profile.dcc is not None,
    }
