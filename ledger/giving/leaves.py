"""The processor's leaves: one currency, one place where its money stands, and one where it is on its way."""

from sqlmodel import Session, not_, select

from ledger.books.accounts import Account
from ledger.errors import BadInput

PROCESSOR = "1100"
IN_TRANSIT = "1050"


class NoLeaf(BadInput):
    """The account has no leaf in this currency: add `1100:<name>` or `1050:<name>` first."""

    rule = "no_leaf"


def require_leaf(session: Session, account: str, *, currency: str) -> str:
    """The leaf that `find_leaf` finds.

    Raises:
        NoLeaf: there is none.
    """
    leaf = find_leaf(session, account, currency=currency)
    if leaf is None:
        raise NoLeaf("the account has no leaf in this currency", account=account, currency=currency)
    return leaf


def find_leaf(session: Session, account: str, *, currency: str) -> str | None:
    """The open leaf of `account` in this currency, or None; the first by code, should there be several."""
    leaves = session.exec(
        select(Account.code).where(Account.parent_code == account, Account.currency == currency, not_(Account.closed))
    )
    return min(leaves, default=None)  # here: databases sort by their locale
