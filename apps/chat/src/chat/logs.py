"""One JSON object a line on standard error; a request's and its user's id are on every line that belongs to it."""

from __future__ import annotations

import json
import logging
import re
import sys
import uuid
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
user_id: ContextVar[int | None] = ContextVar("user_id", default=None)

_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# What a LogRecord has by itself; everything else came through extra= and is printed.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def new_request_id(offered: str | None = None) -> str:
    """The id that the caller (the edge, another service) offers, where it is harmless; otherwise a new one."""
    return offered if offered and _ACCEPTED_ID.fullmatch(offered) else uuid.uuid4().hex


class JsonFormatter(logging.Formatter):
    """Everything a client sent is a JSON string here, so that it cannot start a line of its own."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self.service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if current := request_id.get():
            line["request_id"] = current
        if (user := user_id.get()) is not None:
            line["user_id"] = user
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def dict_config(service: str, level: str) -> dict[str, Any]:
    """For logging.config.dictConfig and for gunicorn's ``logconfig_dict``."""
    console = {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "json"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter, "service": service}},
        "handlers": {"console": console},
        "root": {"level": level.upper(), "handlers": ["console"]},
        "loggers": {
            # gunicorn would print its own format otherwise; access lines are written by chat.http.
            "gunicorn.error": {"level": "INFO", "handlers": ["console"], "propagate": False},
            "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
            "alembic": {"level": "WARNING"},
        },
    }
