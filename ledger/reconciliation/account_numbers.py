"""Which account a leaf is: tokens of the numbers that its statements tell, so that it takes no other's files."""

from collections.abc import Iterable

from sqlmodel import Session, col, select

from ledger.errors import BadInput, Conflict
from ledger.reconciliation.statements import NewStatement, Statement


class OtherAccountNumber(Conflict):
    """The file is of an account of which this leaf had no file; of `known_at`, where that is a leaf of its currency.

    A treasurer says the number once, where the bank changed it or writes it otherwise in another format.
    """

    rule = "other_account_number"


class NumberNotSaid(BadInput):
    """The leaf had no file with an account's number so far: somebody says once which account it is."""

    rule = "number_not_said"


def require_own(session: Session, new: NewStatement) -> None:
    """Refuses a statement of an account that nobody has said is the leaf's. What was said once is known from then on.

    A statement that tells no number is held against nothing.

    Raises:
        OtherAccountNumber, NumberNotSaid: see there.
    """
    if not new.number_tokens or new.number_said:
        return
    numbers = listed(session)
    if not numbers.get(new.account, set()).isdisjoint(new.number_tokens):
        return
    known_at = _leaf_with(session, new)
    if known_at is not None or new.account in numbers:
        raise OtherAccountNumber(
            "the file is of an account that is not this leaf's so far", account=new.account, known_at=known_at
        )
    raise NumberNotSaid("the first file of this leaf: say its account's number", account=new.account)


def listed(session: Session) -> dict[str, set[str]]:
    """For each leaf whose statements told numbers, their tokens."""
    query = select(Statement.account_code, Statement.number_token).where(col(Statement.number_token).is_not(None))
    return _gather(session.exec(query.distinct()))


def _gather(pairs: Iterable[tuple[str, str | None]]) -> dict[str, set[str]]:
    numbers: dict[str, set[str]] = {}
    for leaf, token in pairs:
        if token is not None:
            numbers.setdefault(leaf, set()).add(token)
    return numbers


def _leaf_with(session: Session, new: NewStatement) -> str | None:
    """Another leaf of the same currency that had files of this account; one account may hold several currencies."""
    query = select(Statement.account_code).where(
        col(Statement.number_token).in_(new.number_tokens),
        Statement.currency == new.currency,
        Statement.account_code != new.account,
    )
    return session.exec(query.order_by(Statement.account_code)).first()
