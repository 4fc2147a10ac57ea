"""What was answered to a request that books, so that the same request again gets the same answer."""

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel

from ledger.errors import BadInput
from ledger.storage.columns import UtcDateTime

LONGEST_KEY = 100
"""Characters of an idempotency key."""


class IdempotencyKeyReused(BadInput):
    """The key came before, from the same person, with another request."""

    rule = "idempotency_key_reused"


class StoredAnswer(SQLModel, table=True):
    """Status and body under (operator, key); kept without limit, because the key stands for money."""

    __tablename__ = "stored_answer"
    operator: str = Field(primary_key=True, max_length=20)
    key: str = Field(primary_key=True, max_length=LONGEST_KEY)
    fingerprint: str = Field(max_length=64)
    status: int
    body: str
    recorded_at: datetime = Field(sa_type=UtcDateTime)


def reserve(
    session: Session, *, operator: str, key: str, fingerprint: str, recorded_at: datetime
) -> tuple[StoredAnswer, bool]:
    """The answer's row and whether it stood there already. A concurrent duplicate waits for the first to end.

    Raises:
        IdempotencyKeyReused: the key stands for a request with another fingerprint.
    """
    standing = session.get(StoredAnswer, (operator, key))
    if standing is None:
        fresh = StoredAnswer(
            operator=operator, key=key, fingerprint=fingerprint, status=0, body="", recorded_at=recorded_at
        )
        try:
            with session.begin_nested():
                session.add(fresh)
        except IntegrityError:  # somebody was first between our look and our insert, and has committed
            standing = session.get_one(StoredAnswer, (operator, key))
        else:
            return fresh, False
    if standing.fingerprint != fingerprint:
        raise IdempotencyKeyReused("the key came before with another request")
    return standing, True


def complete(session: Session, row: StoredAnswer, *, status: int, body: str) -> None:
    """Fills the reserved row."""
    row.status = status
    row.body = body
    session.add(row)
    session.flush()
