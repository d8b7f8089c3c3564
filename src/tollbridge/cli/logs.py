"""Logs: to standard error, as lines or as JSON, and through the mask that hides card data."""

import json
import logging

from tollbridge.ground.secret import scrub


class Lines(logging.Formatter):
    """One line per record, tracebacks below, everything masked."""

    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))


class JsonLines(logging.Formatter):
    """One JSON object per record, everything masked."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": scrub(record.getMessage()),
        }
        if record.exc_info:
            fields["traceback"] = scrub(self.formatException(record.exc_info))
        return json.dumps(fields, ensure_ascii=False)


def configure(level: str, *, as_json: bool) -> None:
    """Send the logs of everything in this process to standard error."""
    handler = logging.StreamHandler()
    text = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    handler.setFormatter(JsonLines() if as_json else Lines(text))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
