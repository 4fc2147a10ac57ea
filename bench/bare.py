"""The floor: the bare driver runs the same statements under the same guards, and commits; it checks nothing."""

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine

from bench.databases import DAY, DONATION, LEAVES, NOW, RECORDER
from ledger.books.premises import LOOK_UP

_HASH = "0" * 64
_LINES = [
    (LEAVES[0], "fines", "EUR", 2000, DONATION, None, None),
    ("4000", "fines", "EUR", -2000, DONATION, None, None),
]
_CODES = json.dumps([LEAVES[0], "4000"])
_SQLITE_FIND = "SELECT source_key, id, fingerprint FROM entry WHERE source_key = ?"
_SQLITE_LINE = (
    "INSERT INTO line (entry_id, number, account_code, fund_code, currency, minor, subject, case_alias, rate_on, "
    "xact_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"
)
_SQLITE_ENTRY = "INSERT INTO entry VALUES (?, 0, ?, ?, 'bank_gift', ?, ?, ?, ?, NULL, NULL)"
_COPY_LINES = (
    "COPY line (entry_id, number, account_code, fund_code, currency, minor, subject, case_alias, rate_on, xact_id) "
    "FROM STDIN"
)
_POST = "SELECT * FROM post_entry(%s, %s, 'bank_gift', %s, %s, %s, %s, NULL, NULL, %s)"


def writer(engine: Engine, *, many: int) -> Callable[[int], None]:
    """Writes `many` entries in one transaction at each call, which is told its number: COPY, or `executemany`.

    One entry is looked up and written as `post` does it; of many only the writing counts: the floor is COPY itself.
    """
    pooled = engine.raw_connection()
    driver: Any = pooled.driver_connection
    if engine.dialect.name == "sqlite":
        return lambda nth: _on_sqlite(driver, nth, many)
    return (lambda nth: _one_on_postgresql(driver, nth)) if many == 1 else (lambda nth: _copied(driver, nth, many))


def _on_sqlite(driver: Any, nth: int, many: int) -> None:
    driver.execute("BEGIN IMMEDIATE")
    if many == 1:
        driver.execute(LOOK_UP["sqlite"], (_CODES,)).fetchall()
        driver.execute(_SQLITE_FIND, (f"bare:{nth}",)).fetchone()
    (first,) = driver.execute("SELECT coalesce(max(id), 0) + 1 FROM entry").fetchone()
    numbers = range(first, first + many)
    driver.executemany(_SQLITE_LINE, [(number, at, *line) for number in numbers for at, line in enumerate(_LINES, 1)])
    dates = DAY.isoformat(), DAY.isoformat(), NOW.replace(tzinfo=None).isoformat(" ", "microseconds"), RECORDER
    driver.executemany(_SQLITE_ENTRY, [(number, f"bare:{many}:{nth}:{number}", _HASH, *dates) for number in numbers])
    driver.execute("COMMIT")


def _one_on_postgresql(driver: Any, nth: int) -> None:
    driver.execute(LOOK_UP["postgresql"], (_CODES,)).fetchall()
    driver.execute(_POST, (f"bare:1:{nth}", _HASH, DAY, DAY, NOW, RECORDER, json.dumps(_LINES))).fetchone()
    driver.commit()


def _copied(driver: Any, nth: int, many: int) -> None:
    rows = driver.execute("SELECT nextval('entry_number') FROM generate_series(1, %s)", (many,)).fetchall()
    with driver.cursor() as cursor:
        with cursor.copy(_COPY_LINES) as copy:
            for (number,) in rows:
                for at, line in enumerate(_LINES, 1):
                    copy.write_row((number, at, *line, 0))
        with cursor.copy("COPY entry FROM STDIN") as copy:
            for (number,) in rows:
                key = f"bare:{many}:{nth}:{number}"
                copy.write_row((number, 0, key, _HASH, "bank_gift", DAY, DAY, NOW, RECORDER, None, None))
    driver.commit()
