"""The agent's log, masked, in a file or on standard error.

With a file nothing is logged elsewhere: most wrappers do not read what the agent prints, and a full
pipe would stop it.
"""

import logging
from pathlib import Path

from tollbridge.ground.secret import scrub

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
    "panic": logging.CRITICAL,
}


class _Masked(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))


def configure(path: str, level: str) -> None:
    """Log to a file, or to standard error when there is none or it cannot be written."""
    handler: logging.Handler
    problem = ""
    try:
        handler = (
            logging.FileHandler(Path(path), encoding="utf-8") if path else logging.StreamHandler()
        )
    except OSError as error:
        handler, problem = logging.StreamHandler(), f"no log file: {error}"
    handler.setFormatter(_Masked("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    logging.basicConfig(level=_LEVELS[level], handlers=[handler], force=True)
    if problem:
        logging.getLogger(__name__).warning("%s", problem)
