"""The part of a wallet's payment software that registers instruments (RFC 3867, 4.6.1).

The core hands the wish over, the software asks the person itself: here, whoever plays the device.
"""

from dataclasses import dataclass

from tollbridge.faces.iotp.api.answer import Answer, refused
from tollbridge.faces.iotp.api.calls import ManagePaymentSoftware, ManagePaymentSoftwareResponse
from tollbridge.faces.iotp.api.words import Action, ErrorCode
from tollbridge.faces.iotp.schemes.challenge import ALGORITHM
from tollbridge.ground.flow import Exchange, Flow, Party


@dataclass(frozen=True, slots=True)
class Enrol:
    """Register, change or remove an instrument; answered with what was done, "" for nothing.

    `action` None: show the software.
    """

    bridge: str
    action: Action | None
    brand_id: str | None
    protocol_id: str | None


@dataclass(frozen=True, slots=True)
class Registrar:
    """Does Manage Payment Software for the bridge of this name."""

    bridge: str

    def manage_payment_software(
        self, call: ManagePaymentSoftware, /
    ) -> Flow[Answer[ManagePaymentSoftwareResponse]]:
        wish = Enrol(self.bridge, call.action, call.brand_id, call.protocol_id)
        done: str = yield Exchange(Party.DEVICE, wish)
        if not done and call.action is not None:
            text = f"nothing was registered with {self.bridge}"
            raise refused(ErrorCode.REQ_REFUSED, text, element=type(call).__name__)
        names = (ALGORITHM,) if call.action is Action.NEW else ()
        return Answer(
            ManagePaymentSoftwareResponse(action=Action.UPDATE if done else None, auth_names=names)
        )
