"""What may stand in a log: listed fields in listed forms. Everything else is dropped where the line is written."""

import errno
import json
import logging
import re
import sys
import threading
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

_TIME = r"\d{4}-\d\d-\d\dT[\d:.]+Z"
_NAME = r"[A-Za-z_]\w{0,79}"
ADMITTED: dict[str, re.Pattern[str]] = {
    name: re.compile(form, re.ASCII)
    for name, form in {
        "event": r"[a-z_]{1,40}",
        "level": r"[a-z]{1,10}",
        "timestamp": _TIME,
        "method": "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS",
        "route": r"/[A-Za-z0-9_./{}-]{0,100}|none",
        "status": r"\d{3}",
        "milliseconds": r"\d{1,9}",
        "request_id": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "operator": r"OP(-[0-9A-Z]{4}){3}",
        "error": rf"{_NAME}(: E[A-Z0-9]{{1,20}})?",
        "job": r"[a-z]{1,40}",
        "outcome": r"[a-z]{1,20}",
        "rule": _NAME,
        "what": r"[\w.]{1,80} in [\w.<>-]{1,200}(:\d+)?",
    }.items()
}
"""Every field a line may have, and the whole form of its value. None is admitted everywhere."""
WITHHELD = "withheld"
"""Stands in place of a value that has another form; as a field, it counts those that are not on the list."""


def keep_admitted(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    """A structlog processor: the line with what is admitted. A mistake in our code loses a field, and tells nothing."""
    kept: dict[str, Any] = {name: _admitted(name, fields[name]) for name in fields if name in ADMITTED}
    strange = len(fields) - len(kept)
    return kept | {WITHHELD: strange} if strange else kept


def describe(error: BaseException) -> str:
    """The kind and the place of a failure, without its text."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_qualname}:{place.tb_lineno}" if place else "unknown"
    return f"{type(error).__name__} in {where}"


class Placed(logging.Formatter):
    """For everything that libraries log: from where, how grave, and the kind of a failure; never what they say."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        error = record.exc_info[1] if record.exc_info else record.msg
        fields = {
            "event": "library",
            "level": record.levelname.lower(),
            "timestamp": structlog.processors.TimeStamper(fmt="iso", utc=True)(None, "", {})["timestamp"],
            "what": f"{record.name} in {record.funcName}:{record.lineno}",
            "error": _kind(error) if isinstance(error, BaseException) else None,
        }
        return json.dumps(keep_admitted(None, "", fields))


LIBRARIES: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"placed": {"()": Placed}},
    "handlers": {"placed": {"class": "logging.StreamHandler", "formatter": "placed"}},
    "loggers": {"uvicorn": {"handlers": ["placed"], "propagate": False}},
}
"""How the HTTP server's own lines are written; its access log is off."""


def write_to(stream: TextIO, *, level: int) -> None:
    """Sends our lines, from `level` on, and those of libraries, from warnings on, to `stream`; nothing else is said."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            keep_admitted,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Placed())
    logging.getLogger().handlers = [handler]
    threading.excepthook = _tell_of_thread


def _admitted(name: str, value: object) -> object:
    if value is None or (isinstance(value, str | int) and ADMITTED[name].fullmatch(str(value))):
        return value
    return WITHHELD


def _kind(error: BaseException) -> str:
    """The class of a failure, of the operating system's also its number by name: `OSError: EADDRINUSE`."""
    number = errno.errorcode.get(error.errno or 0) if isinstance(error, OSError) else None
    return f"{type(error).__name__}: {number}" if number else type(error).__name__


def _tell_of_thread(failed: threading.ExceptHookArgs) -> None:
    """In place of a traceback with the text of the failure."""
    if failed.exc_value is not None:
        sys.stderr.write(f"bug: {describe(failed.exc_value)}; please report this line\n")
