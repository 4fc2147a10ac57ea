"""Row 28: what a log line may hold, whoever writes it: our code, a library, a thread that fails."""

import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from api import logs
from api.logs import ADMITTED, WITHHELD, Placed, keep_admitted
from tests.canaries import sightings
from tests.office import Office, on_one_database

REQUEST_ID = "01234567-89ab-cdef-0123-456789abcdef"
LINE: dict[str, Any] = {
    "event": "request",
    "level": "info",
    "timestamp": "2020-10-02T09:00:00.123456Z",
    "method": "POST",
    "route": "/v1/cases/{alias}",
    "status": 201,
    "milliseconds": 12,
    "request_id": REQUEST_ID,
    "operator": "OP-7K3M-Q2XD-0001",
    "error": "OperationalError",
    "job": "rollups",
    "outcome": "failed",
    "rule": "lease_lost",
    "what": "ValueError in approve.<locals>.check:12",
}
WORDS = ["kanarejka", "Канарейка", "192.0.2.1"]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the log goes during the test, configured as the command line does."""
    before, handlers, hook = structlog.get_config(), logging.getLogger().handlers, threading.excepthook
    written = io.StringIO()
    logs.write_to(written, level=logging.INFO)
    yield written
    structlog.configure(**before)
    logging.getLogger().handlers = handlers
    threading.excepthook = hook


def test_a_line_of_admitted_fields_stays_as_it_is() -> None:
    assert set(LINE) == set(ADMITTED)

    assert keep_admitted(None, "", dict(LINE)) == LINE
    assert keep_admitted(None, "", dict.fromkeys(LINE)) == dict.fromkeys(LINE)


def test_a_field_that_is_not_listed_is_dropped_and_counted() -> None:
    told = LINE | {"name": "kanarejka", "kanarejka": 1, "client": ("192.0.2.1", 80)}

    assert keep_admitted(None, "", told) == LINE | {WITHHELD: 3}


@pytest.mark.parametrize("field", sorted(ADMITTED))
@pytest.mark.parametrize(
    "value",
    ["kanarejka Канарейка", "/v1/cases?q=kanarejka", "192.0.2.1", ["kanarejka"], 1.5, b"kanarejka", "a\nb", "é"],
)
def test_a_value_of_another_form_is_withheld(field: str, value: object) -> None:
    assert keep_admitted(None, "", LINE | {field: value}) == LINE | {field: WITHHELD}


def test_our_own_careless_line_tells_nothing(stream: io.StringIO) -> None:
    log = structlog.get_logger("solidarity")
    try:
        int("kanarejka")
    except ValueError:
        log.exception("kanarejka Канарейка", name="Канарейка", address="192.0.2.1", status="kanarejka")

    line = json.loads(stream.getvalue())
    assert (line["event"], line["status"], line["level"]) == (WITHHELD, WITHHELD, "error")
    assert line[WITHHELD] == 3
    assert sightings(WORDS, stream.getvalue().encode()) == []


def test_what_a_library_logs_tells_where_and_how_grave_only(stream: io.StringIO) -> None:
    library = logging.getLogger("some.library")
    try:
        Path("/kanarejka").iterdir().__next__()
    except OSError:
        library.exception("kanarejka from %s", "192.0.2.1", extra={"person": "Канарейка"})
    library.warning("kanarejka")
    library.error(OSError(98, "kanarejka"))

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["level"] for line in lines] == ["error", "warning", "error"]
    assert {line["what"].split(":")[0] for line in lines} == {
        "some.library in test_what_a_library_logs_tells_where_and_how_grave_only"
    }
    assert [line["error"] for line in lines] == ["FileNotFoundError: ENOENT", None, "OSError: EADDRINUSE"]
    assert sightings(WORDS, stream.getvalue().encode()) == []


@pytest.mark.usefixtures("stream")
def test_a_thread_that_fails_tells_its_kind_and_place(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise ValueError("kanarejka")

    thread = threading.Thread(target=fail, name="kanarejka")
    thread.start()
    thread.join()

    shown = capfd.readouterr().err
    assert "ValueError in test_a_thread_that_fails_tells_its_kind_and_place.<locals>.fail" in shown
    assert sightings(WORDS, shown.encode()) == []


@on_one_database
def test_nothing_that_a_request_says_of_itself_is_logged(office: Office) -> None:
    """Through the processor, as `serve` writes: a method of the caller's own invention too."""
    office.logs.clear()
    told = {"User-Agent": "kanarejka", "X-Forwarded-For": "192.0.2.1", "X-Request-Id": "kanarejka"}
    for method in ("GET", "KANAREJKA", "kanarejka"):
        office.send(method, "/v1/cases/kanarejka?kanarejka=1", bearer=office.bearer("anna"), headers=told)

    lines = [keep_admitted(None, "", dict(line) | {"level": line.pop("log_level")}) for line in office.logs]
    assert [line["method"] for line in lines] == ["GET", WITHHELD, WITHHELD]
    assert [set(line.values()) & {WITHHELD} for line in lines] == [set(), {WITHHELD}, {WITHHELD}]
    assert sightings([*WORDS, "KANAREJKA"], repr(lines).encode()) == []


def test_the_form_of_libraries_lines_is_json_without_a_message() -> None:
    record = logging.LogRecord(
        "uvicorn.error", logging.WARNING, "kanarejka.py", 7, "kanarejka %s", ("Канарейка",), None
    )

    line = json.loads(Placed().format(record))

    assert line["what"] == "uvicorn.error in None:7"
    assert set(line) == {"event", "level", "timestamp", "what", "error"}


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is Linux's")
def test_a_process_that_serves_leaves_no_core_and_no_memory_to_others() -> None:
    told = (
        "import ctypes, resource\n"
        "from api.commands import processes\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (1024, resource.getrlimit(resource.RLIMIT_CORE)[1]))\n"
        "look = lambda: (resource.getrlimit(resource.RLIMIT_CORE)[0], ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))\n"
        "before = look()\n"
        "processes.stay_undumped()\n"
        "print(before, look())\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )

    assert answer.stdout.strip() == "(1024, 1) (0, 0)"
