"""What stands in the tables of aid, and what the journal says of each obligation: read anew, by no verb's questions."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, SQLModel

PAID_IN = {
    "2100": {"aid_paid", "aid_paid_by_agent", "bail_applied", "aid_payment_returned"},
    "1300": {"bail_posted", "bail_payment_returned"},
    "1350": {"aid_payment_returned"},
}
"""By account, which entries pay: what the bank gives back stands there on the other side, and is a payment no more.

What an authority owed back of it since an appeal, and has come with it, stands among refunds.
"""
Row = dict[str, Any]
TABLES = (
    *("aid_case", "ruling", "obligation", "disbursement", "batch", "batch_line", "agent", "advance", "correction"),
    *(
        "refund",
        "resolution",
        "resolution_agreement",
        "outlay_repayment",
        "purse_movement",
        "line_failure",
        "order_failure",
        "bail_part",
        "same_person",
    ),
)


@dataclass(frozen=True)
class Sight:
    """The rows of aid as they stand, by table and key, and what the journal says of each obligation."""

    rows: dict[str, dict[str, Row]]
    quashed: frozenset[str]
    paid: Counter[str]
    owed_back: Counter[str]
    payable: Counter[str]

    def refunds_of(self, obligation: str) -> list[Row]:
        """What is to come back of what was sent for it, and what has."""
        return [row for row in self.rows["refund"].values() if row["obligation_alias"] == obligation]


def look(session: Session) -> Sight:
    """Everything as it stands in this transaction."""
    session.flush()
    tables = SQLModel.metadata.tables
    rows = {
        name: {
            "/".join(str(row[key.name]) for key in tables[name].primary_key): dict(row)
            for row in session.connection().execute(select(tables[name])).mappings()
        }
        for name in TABLES
    }
    quashed = frozenset(session.connection().scalars(select(tables["quashing"].c.ruling_alias)))
    entry, line = tables["entry"], tables["line"]
    told = select(line.c.subject, line.c.account_code, entry.c.kind, line.c.minor).join_from(
        line, entry, entry.c.id == line.c.entry_id
    )
    paid, owed_back, payable = Counter[str](), Counter[str](), Counter[str]()
    for subject, account, kind, minor in session.connection().execute(told.where(line.c.subject.startswith("O-"))):
        if kind in PAID_IN.get(account, ()):
            paid[subject] += minor
        if account in {"1350", "1380"}:
            owed_back[subject] += minor
        if account == "2100":
            payable[subject] -= minor
    return Sight(rows, quashed, paid, owed_back, payable)


def payable_of(owed: Row) -> int:
    """What of an obligation is to be paid, or was, in minor units."""
    return int(owed["minor"]) - int(owed["forgone_minor"])


def is_waiting(refund: Row) -> bool:
    return refund["received_on"] is None and refund["given_up_on"] is None
