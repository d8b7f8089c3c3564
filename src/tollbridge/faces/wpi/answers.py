"""The response of a financial service (4.2), and the slip it is printed from."""

from typing import Any

from tollbridge.faces.wpi import check, codec
from tollbridge.faces.wpi.messages import Call, Extras, Reply
from tollbridge.faces.wpi.outcome import Done
from tollbridge.faces.wpi.profile import Profile
from tollbridge.faces.wpi.receipt import receipt
from tollbridge.faces.wpi.sessions import Session
from tollbridge.faces.wpi.slip import Slip
from tollbridge.faces.wpi.state import Refused
from tollbridge.faces.wpi.tables import (
    SERVICES,
    SUCCESS,
    Action,
    Condition,
    Kind,
    Road,
    Service,
)
from tollbridge.faces.wpi.versions import LATEST
from tollbridge.ground.clock import Instant
from tollbridge.wire import json


def response(profile: Profile, session: Session, done: Done, slip: Slip | None) -> dict[str, Any]:
    """Make the response of an exchange that asked the host, or whose card decided alone."""
    if done.approved:
        made = _success(profile, session, done, slip)
    else:
        made = codec.failed(done.condition, done.remark)
    if slip is not None:
        paper = receipt(session.receipt_formats, profile, slip)
        made |= {"receipt": paper} if paper else {}
    return made | {"paymentSolutionReference": session.reference} | session.echoes


def completed(profile: Profile, session: Session, done: Done) -> Slip | None:
    """Put down on an exchange's slip what it came to."""
    slip = session.slip
    if slip is None:
        return None
    slip.at = timestamp(profile, done.at)
    slip.approved, slip.offline = done.approved, done.offline
    slip.code, slip.text = done.code, done.text or done.remark
    slip.operation, slip.authorization_code = done.operation, done.authorization_code
    if done.amount is not None:
        slip.currency, slip.amount_minor = done.amount.currency.code, done.amount.amount_minor
    slip.identification |= done.action is Action.ASK_LEGAL_IDENTIFICATION
    signed = slip.verification == "signature" or done.action is Action.ASK_SIGNATURE
    slip.signature_wanted = done.approved and signed
    return slip


def timestamp(profile: Profile, at: Instant) -> str:
    """Write the time the acquirer was told: extended ISO 8601 with a numeric offset (4.1.2)."""
    return profile.local_time(at).isoformat(timespec="seconds")


def reply(call: Call, made: dict[str, Any]) -> Reply:
    """Put a response into the extras."""
    return Reply(
        {
            "WPI_SERVICE_TYPE": call.service.name,
            "WPI_RESPONSE": json.write(made).decode(),
            "WPI_VERSION": call.version,
            "WPI_SESSION_ID": call.session,
        }
    )


def failure(call: Call, refused: Refused) -> dict[str, Any]:
    """Make the response of an exchange that was refused, repeating what can be repeated."""
    if not _has_action(call.service):
        return codec.failed_plainly(refused.condition, refused.remark)
    return codec.failed(refused.condition, refused.remark) | check.echoes(call.request)


def _has_action(service: Service) -> bool:
    """Say whether responses of a service have the fields all financial ones share (4.2)."""
    return service.kind is Kind.FINANCIAL and service.road is not Road.RECOGNITION


def refusal(message: Extras, refused: Refused) -> Reply:
    """Answer a request whose extras are not in order, repeating those that can be."""
    extras = {
        name: value
        for name in ("WPI_SERVICE_TYPE", "WPI_VERSION", "WPI_SESSION_ID")
        if isinstance(value := message.extras.get(name), str) and value
    }
    extras.setdefault("WPI_VERSION", LATEST)
    service = SERVICES.get(extras.get("WPI_SERVICE_TYPE", ""))
    request = message.extras.get("WPI_REQUEST")
    made: dict[str, Any]
    if service is None or _has_action(service):
        made = codec.failed(refused.condition, refused.remark)
        made |= check.echoes(request) if isinstance(request, str) else {}
    else:
        made = codec.failed_plainly(refused.condition, refused.remark)
    return Reply({**extras, "WPI_RESPONSE": json.write(made).decode()})


def _success(profile: Profile, session: Session, done: Done, slip: Slip | None) -> dict[str, Any]:
    assert done.amount is not None
    made: dict[str, Any] = {"result": SUCCESS, "errorCondition": Condition.NONE.wire}
    action = _action(done, slip)
    if action is not Action.NONE:
        made["actionCode"] = action
    made["timestamp"] = timestamp(profile, done.at)
    made["currency"] = done.amount.currency.code
    made["authorizedAmount"] = done.amount.amount_minor
    if slip is not None and slip.card_read:
        made["customerLanguage"] = slip.language
        made["brandName"] = slip.brand
        made["applicationIdentifier"] = slip.application_id
        made["applicationLabel"] = slip.application_label
        # Present as soon as the terminal offers them.
        if session.converts:
            made["dccUsed"] = slip.dcc is not None
        if session.tips:
            made["tipAmount"] = slip.tip_minor or 0
    return made


def _action(done: Done, slip: Slip | None) -> Action:
    """Say what the business application must still do (4.1.2.4): a signature on the screen is
    done."""
    if slip is not None:
        if slip.identification:
            return Action.ASK_LEGAL_IDENTIFICATION
        if slip.signature_wanted and not slip.signature:
            return Action.ASK_SIGNATURE
    return done.action if done.action is not Action.ASK_SIGNATURE else Action.NONE
