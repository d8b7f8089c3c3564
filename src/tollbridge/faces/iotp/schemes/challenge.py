"""Authentication by an instrument: a challenge, and an answer under the instrument's key.

Both sides are stateless (RFC 3867, 4.1.4 to 4.1.6): the challenge carries its own proof that the
Merchant made it, for which authentication, and when.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tollbridge.faces.iotp.api.answer import Answer, Refused, refused
from tollbridge.faces.iotp.api.calls import (
    Authenticate,
    AuthenticateResponse,
    CheckAuthResponse,
    CheckAuthResponseResponse,
    InquireAuthChallenge,
    InquireAuthChallengeResponse,
)
from tollbridge.faces.iotp.api.elements import Algorithm
from tollbridge.faces.iotp.api.words import (
    CompletionCode,
    ErrorCode,
    ProcessState,
)
from tollbridge.faces.iotp.schemes import statements
from tollbridge.faces.iotp.schemes.wallet import Wallets
from tollbridge.ground.clock import MICROSECONDS_PER_S, Clock
from tollbridge.ground.flow import Flow
from tollbridge.ground.ids import IdSource
from tollbridge.ground.secret import Secret

ALGORITHM = "x-tollbridge-hmac"
"""HMAC-SHA-256 under an instrument's key over the challenge and the authentication's id."""
CHALLENGE, RESPONSE = "Challenge", "Response"
GOOD_FOR_S = 3600


@dataclass(frozen=True, slots=True)
class Challenger:
    """The Merchant's part. `secret` marks its own challenges, `keys` are those of instruments."""

    secret: Secret[bytes]
    keys: Mapping[str, Secret[bytes]]
    clock: Clock
    ids: IdSource

    def inquire_auth_challenge(
        self, call: InquireAuthChallenge, /
    ) -> Flow[Answer[InquireAuthChallengeResponse]]:
        yield from ()
        if call.algorithms and all(one.name != ALGORITHM for one in call.algorithms):
            raise refused(
                ErrorCode.BUS_ERROR, f"{ALGORITHM} is all there is", element="InquireAuthChallenge"
            )
        body = {"for": call.authentication_id, "at": self.clock.now(), "nonce": self.ids.secret()}
        challenge = statements.said("", body, self.secret.reveal())
        offered = next((one for one in call.algorithms if one.name == ALGORITHM), None)
        return Answer(
            InquireAuthChallengeResponse(
                auth_req_packaged_content=(challenge.packed(CHALLENGE),),
                algorithm=offered or Algorithm(id="A1", name=ALGORITHM),
            )
        )

    def check_auth_response(
        self, call: CheckAuthResponse, /
    ) -> Flow[Answer[CheckAuthResponseResponse]]:
        yield from ()
        wrong = self._wrong(call)
        if not wrong:
            return Answer(CheckAuthResponseResponse(process_state=ProcessState.COMPLETED_OK))
        return Answer(
            CheckAuthResponseResponse(
                process_state=ProcessState.FAILED,
                completion_code=CompletionCode.AUTH_FAILED,
                status_desc=wrong,
            )
        )

    def _wrong(self, call: CheckAuthResponse) -> str:
        """Say why an authentication fails; "" when it does not."""
        try:
            challenge = statements.unpacked(call.auth_req_packaged_content, CHALLENGE)
            response = statements.unpacked(call.auth_res_packaged_content, RESPONSE)
            body, answered = challenge.body, response.body
        except Refused as error:
            return error.error.error_desc
        if not statements.sealed(challenge, self.secret.reveal()) or challenge.by:
            return "the challenge is not ours"
        if body.get("for") != call.authentication_id:
            return "the challenge is another authentication's"
        at = body.get("at")
        limit = GOOD_FOR_S * MICROSECONDS_PER_S
        if not isinstance(at, int) or not 0 <= self.clock.now() - at <= limit:
            return "the challenge is too old"
        key = self.keys.get(response.by)
        if key is None or not statements.sealed(response, key.reveal()):
            return "the response is not that of an instrument we know"
        if answered.get("to") != challenge.digest:
            return "the response is to another challenge"
        return ""


@dataclass(frozen=True, slots=True)
class Responder:
    """The Consumer's part: answers with the first instrument of the wallet."""

    wallets: Wallets

    def authenticate(self, call: Authenticate, /) -> Flow[Answer[AuthenticateResponse]]:
        yield from ()
        element = "Authenticate"
        if call.algorithm.name != ALGORITHM:
            text = f"{call.algorithm.name} is not done here"
            raise refused(ErrorCode.EL_NOT_SUPP, text, element="Algorithm")
        wallet = self.wallets.open(element, call.wallet_id, call.passphrase)
        challenge = statements.unpacked(call.auth_req_packaged_content, CHALLENGE)
        if challenge.body.get("for") != call.authentication_id or not wallet.instruments:
            raise refused(ErrorCode.BUS_ERROR, "this cannot be answered", element=element)
        own = wallet.instruments[0]
        response = statements.said(own.token, {"to": challenge.digest}, own.key.reveal())
        content = response.packed(RESPONSE)
        return Answer(AuthenticateResponse(auth_res_packaged_content=(content,)))
