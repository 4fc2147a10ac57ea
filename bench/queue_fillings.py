"""What waits in every section of the queue, at fitting numbers, written past all guards: for measuring only."""

from sqlalchemy import Connection, Engine, text

from bench import queued_cases, queued_orders, queued_papers
from bench.databases import DAY
from bench.unguarded import write
from ledger.storage import guards
from ledger.storage.engine import transaction

_STATES = {
    2: "closed",
    3: "confirmed",
    4: "approved",
    5: "verified",
    6: "closed",
    7: "approved",
    8: "on_hold",
    9: "paid",
}
"""By the last digit of a case's alias; the others stay received, and every tenth of these shares a ruling with another.

Of 4 the payments are released, of 5 requested, of 7 approved: what nobody has asked for yet are the last few. Nine of
ten of 4 are paid by now.
"""
_CASE, _SUM, _PERSON = "UPDATE aid_case SET ", "UPDATE obligation SET ", "UPDATE beneficiary SET "
_CHANGES = (
    _CASE + "state = 'paid' WHERE alias LIKE '%4' AND alias NOT LIKE '%04'",
    _CASE + "is_suspect = true WHERE alias LIKE '%0'",
    *(_SUM + f"state = 'paid' WHERE alias LIKE '%{digit}'" for digit in (2, 3, 4, 6, 9)),
    *(_SUM + f"state = 'approved' WHERE alias LIKE '%{end}'" for end in ("04", "7")),
    *(_SUM + f"kind = 'bail' WHERE alias LIKE '%{end}'" for end in ("03", "09")),  # a court holds these
    _SUM + "told_on = :day WHERE alias LIKE '%7' AND alias NOT LIKE '%77'",
    *(_CASE + f"due_by = :day WHERE alias LIKE '%{end}'" for end in ("00", "25", "57", "71")),
    *(_PERSON + f"alike_since = :day WHERE alias LIKE '%{end}'" for end in ("11", "61")),
)
"""Of a hundred cases one or two each are bail, overdue, or of somebody whose name another one carries."""


def fill(engine: Engine, many: int) -> None:
    """Moves the cases of `linkages.fill` on, and has so much wait as a fund of so many cases may have; once."""
    with transaction(engine, write=False) as session:
        if session.connection().execute(text("SELECT 1 FROM disbursement")).first() is not None:
            return
    with transaction(engine) as session:
        guards.remove(session.connection())
        _move_on(session.connection())
    some = many // 50
    for made in (queued_cases.make(many), queued_orders.make(some), queued_papers.make(some)):
        for table, rows in made.items():
            write(engine, table, rows)
    with transaction(engine) as session:
        guards.install(session.connection())
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _move_on(connection: Connection) -> None:
    moved = text("UPDATE aid_case SET state = :state, resumes_as = :resumes WHERE alias LIKE :end")
    for digit, state in _STATES.items():
        resumes = "verified" if state == "on_hold" else None
        connection.execute(moved, {"state": state, "end": f"%{digit}", "resumes": resumes})
    for change in _CHANGES:
        told = {"day": DAY.replace(day=1)} if ":day" in change else {}
        connection.execute(text(change), told)
