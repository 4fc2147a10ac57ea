"""The queries behind the reports: figures gathered from the books, and nothing drawn."""

import json
from collections import Counter
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from ledger import book, publications
from ledger.aid import jurisdictions
from ledger.books import balances
from ledger.errors import BadInput
from ledger.reconciliation import resolutions
from reports.audit import disbursements, trial_balance
from reports.transparency import disclosure, months
from reports.transparency.blocks import Block, block_as_json, block_from_json
from reports.transparency.safety import Item

FORMAT = "solidarity-publication-1"
KINDS = ("fine", "detention", "court_fee")
"""The tree of the main series: what is split off first stands first."""


class BadPublication(BadInput):
    """The content is no publication, or not what the books say may be published now."""

    rule = "bad_publication"


def gather_trial_balance(session: Session, *, on: date, as_known_at: datetime | None = None) -> trial_balance.Figures:
    """The trial balance of a day over all funds, per currency."""
    totals: dict[tuple[str, str], int] = {}
    accounts = {}
    for balance in balances.trial_balance(session, on=on, as_known_at=as_known_at):
        key = (balance.account.code, balance.currency)
        totals[key] = totals.get(key, 0) + balance.minor
        accounts[balance.account.code] = balance.account
    rows = tuple(
        trial_balance.Row(
            account_code=code,
            account_name=accounts[code].name,
            account_class=accounts[code].account_class,
            currency=currency,
            debit_minor=max(minor, 0),
            credit_minor=max(-minor, 0),
        )
        for (code, currency), minor in sorted(totals.items())
    )
    return trial_balance.Figures(
        organisation=book.require(session).organisation, on=on, as_known_at=as_known_at, rows=rows
    )


def gather_disbursements(session: Session, *, on: date) -> disbursements.Figures:
    """What was paid until the end of a day and not given back by then, by kind and way, per currency."""
    totals: Counter[tuple[str, str, str]] = Counter()
    counts: Counter[tuple[str, str, str]] = Counter()
    for payment in publications.payments(session):
        if payment.paid_on <= on and not (payment.returned_on is not None and payment.returned_on <= on):
            key = (payment.kind, payment.way, payment.amount.currency)
            totals[key] += payment.amount.minor
            counts[key] += 1
    rows = tuple(
        disbursements.Row(kind=kind, way=way, currency=currency, payments=counts[kind, way, currency], paid_minor=minor)
        for (kind, way, currency), minor in sorted(totals.items())
    )
    return disbursements.Figures(
        organisation=book.require(session).organisation,
        on=on,
        rows=rows,
        accepted_early=resolutions.count_accepted_early(session, until=on),
    )


def gather_items(session: Session) -> list[Item]:
    """Every payment as the release rule needs it, in the month of its recording; see docs/decisions/0051.

    What the bank gave back in a later month is a correction of that month: the rule says whether it may be told of.
    What it gave back in the same month was no payment.
    """
    items = []
    for payment in publications.payments(session):
        paid, back = payment.recorded_on, payment.return_recorded_on
        if back is None or months.of(back) != months.of(paid):
            items.append(_item(payment, payment.amount.minor, on=paid))
            if back is not None:
                items.append(_item(payment, -payment.amount.minor, on=back))
    return items


def _item(payment: publications.Payment, minor: int, *, on: date) -> Item:
    return Item(person=payment.person, minor=minor, kind=payment.kind, month=months.of(on), list_of=payment.purse)


def disclosure_settings(session: Session) -> disclosure.Settings:
    """The fixed choices of this book's release rule: they follow from its founding and its jurisdiction alone."""
    founded = book.require(session)
    pack = jurisdictions.load(founded.jurisdiction)
    base_value = pack.base_value(on=founded.created_at.date())
    return disclosure.Settings(
        kinds=KINDS,
        first_month=months.of(founded.created_at.date()),
        currency=pack.currency,
        base_value_minor=base_value.minor if base_value else 0,
    )


def published_blocks(session: Session) -> list[Block]:
    """What has been published, oldest first."""
    return [read_publication(publication.content) for publication in publications.published(session)]


def write_publication(block: Block) -> str:
    """The text that is drafted, signed, stored and hashed for a block."""
    return json.dumps({"format": FORMAT, "paid": block_as_json(block)}, sort_keys=True, separators=(",", ":"))


def read_publication(content: str) -> Block:
    """The block of a publication's text.

    Raises:
        BadPublication: not such a text, or not in its one form.
    """
    try:
        document: Any = json.loads(content)
    except ValueError:
        raise BadPublication("not a publication", where="content") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT or set(document) != {"format", "paid"}:
        raise BadPublication("not a publication", where="content")
    block = block_from_json(document["paid"])
    if write_publication(block) != content:
        raise BadPublication("not in the one form of a publication", where="content")
    return block


def require_publishable(session: Session, content: str, *, on: date) -> Block:
    """The block of a draft, when the release rule gives this very block now, without a register of rulings.

    Raises:
        BadPublication: it is another one. StillOpen: its last month is not over.
    """
    proposed = read_publication(content)
    allowed = disclosure.release(
        gather_items(session),
        history=published_blocks(session),
        register=None,
        settings=disclosure_settings(session),
        on=on,
    )
    if proposed != allowed:
        raise BadPublication("the release rule gives another block", where="content")
    return proposed
