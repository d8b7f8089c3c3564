"""What can go wrong for a till, one class for each way to deal with it.

A payment that was refused is no error: it is a result. An error says that there is no answer.

WpiError
├── NotExecuted         certainly nothing was done; the till may try again
│   └── Unreachable     certainly nothing was even sent
├── OutcomeUnknown      it may have been done; `recover` finds out
├── RecoverFirst        an earlier exchange has no answer yet; nothing was sent
└── Misanswered         the terminal refused the call itself, or answered no WPI; nothing was done
"""

from collections.abc import Sequence

from tollbridge.ground.errors import TollbridgeError


class WpiError(TollbridgeError):
    """Base of them all. `session` is the exchange it is about, "" where there is none."""

    code = "wpi"

    def __init__(self, message: str, session: str = "") -> None:
        super().__init__(message)
        self.session = session


class NotExecuted(WpiError):
    """The terminal knows nothing of the session: it was never executed. Only now, and after
    Unreachable, may the till send the same thing again (4.4.1)."""

    code = "wpi_not_executed"


class Unreachable(NotExecuted):
    """The terminal could not be reached; not a byte of the request left this machine."""

    code = "wpi_unreachable"


class OutcomeUnknown(WpiError):
    """Something may have happened, and nobody could say what in time. Do not send it again: call
    `recover`, now or when the terminal is back."""

    code = "wpi_outcome_unknown"


class RecoverFirst(WpiError):
    """Earlier exchanges have no answer yet; a terminal may remember the last one only, so nothing
    else was sent (4.3.5). Call `recover`; `sessions` names them, oldest first."""

    code = "wpi_recover_first"

    def __init__(self, sessions: Sequence[str]) -> None:
        super().__init__(f"no answer yet: {', '.join(sessions)}; recover first", sessions[0])
        self.sessions = tuple(sessions)


class Misanswered(WpiError):
    """The terminal's server refused the call before WPI began (credential, address, size), or
    answered a question that moves no money with no WPI. `status` is that of HTTP."""

    code = "wpi_misanswered"

    def __init__(self, message: str, session: str = "", status: int = 0) -> None:
        super().__init__(message, session)
        self.status = status
