"""The card processor: each of its balance transactions is one movement, and each movement is booked once."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, not_, select

from ledger.aliases import Kind, draw
from ledger.books import journal, recipes
from ledger.books.accounts import Account
from ledger.books.journal import SourceKeyConflict
from ledger.errors import BadInput
from ledger.giving import donations, purposes
from ledger.giving.donations import Donation, Source, State
from ledger.money import Money

PROCESSOR = "1100"


class UnknownMovement(BadInput):
    """A category no recipe stands for yet, or sums that do not tie: nothing is booked."""

    rule = "unknown_movement"


class NoLeaf(BadInput):
    """The processor has no leaf in this currency: add `1100:<name>` first."""

    rule = "no_leaf"


@dataclass(frozen=True, slots=True)
class Movement:
    """One balance transaction: `gross` less `fee` is `net`. `purpose` is our neutral code, if it came back."""

    balance_transaction: str
    category: str
    gross: Money
    fee: Money
    net: Money
    created_on: date
    purpose: str | None


def book(
    session: Session, movement: Movement, *, recorded_at: datetime, recorded_by: str
) -> tuple[Donation, journal.Posted]:
    """Books a charge by the recipe of a card gift; a replay books nothing new.

    Raises:
        UnknownMovement: the category has no recipe, or gross less fee is not net.
        NoLeaf: the chart has no processor leaf in this currency.
        SourceKeyConflict: the same balance transaction came before with another content.
    """
    if movement.category != "charge" or movement.gross.minor <= 0:
        raise UnknownMovement("no recipe stands for this movement", where="reporting_category")
    if movement.gross - movement.fee != movement.net or movement.fee.minor < 0:
        raise UnknownMovement("gross less fee is not net", where="net")
    source_key = f"stripe:{movement.balance_transaction}"
    standing = donations.by_source(session, source_key)
    try:
        return _book(session, movement, source_key, standing, recorded_at=recorded_at, recorded_by=recorded_by)
    except SourceKeyConflict:
        # On PostgreSQL another transaction may have booked it between our look and our post, under another alias.
        found = donations.by_source(session, source_key)
        if standing is not None or found is None:
            raise
        return _book(session, movement, source_key, found, recorded_at=recorded_at, recorded_by=recorded_by)


def _book(
    session: Session,
    movement: Movement,
    source_key: str,
    standing: Donation | None,
    *,
    recorded_at: datetime,
    recorded_by: str,
) -> tuple[Donation, journal.Posted]:
    purpose = purposes.by_code(session, movement.purpose) if movement.purpose else None
    fund = purpose.fund_code if purpose else recipes.UNASSIGNED
    alias = standing.alias if standing else draw(Kind.DONATION)
    posted = journal.post(
        session,
        source_key=source_key,
        kind="card_gift",
        postings=recipes.card_gift(
            leaf=_leaf(session, movement.gross.currency),
            gift=movement.gross,
            fee=movement.fee,
            fund=fund,
            donation=alias,
            net_of_costs=purpose.net_of_costs if purpose else False,
        ),
        happened_on=movement.created_on,
        recorded_at=recorded_at,
        recorded_by=recorded_by,
    )
    if standing is not None:
        return standing, posted
    donation = Donation(
        alias=alias,
        source=Source.CARD,
        state=State.RECEIVED,
        source_key=source_key,
        fund_code=fund,
        purpose_code=purpose.code if purpose else None,
        minor=movement.gross.minor,
        fee_minor=movement.fee.minor,
        currency=movement.gross.currency,
        received_on=movement.created_on,
    )
    return donations.keep(session, donation), posted


def _leaf(session: Session, currency: str) -> str:
    leaf = session.exec(
        select(Account.code)
        .where(Account.parent_code == PROCESSOR, Account.currency == currency, not_(Account.closed))
        .order_by(Account.code)
    ).first()
    if leaf is None:
        raise NoLeaf("the processor has no leaf in this currency", account=PROCESSOR, currency=currency)
    return leaf
