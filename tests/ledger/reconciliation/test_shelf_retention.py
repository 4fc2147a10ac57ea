"""A statement's sealed part is proposed by its date, erased by two people, and the books stay as they were."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from api.client import sealing
from ledger import checks
from ledger.aid import retention
from ledger.aid.eligibility import Rejection
from ledger.aid.retention import Due, NotDue
from ledger.aliases import Kind, draw
from ledger.books import balances
from ledger.identities import shelves
from ledger.identities.erasure import KEYRING, Erasure
from ledger.identities.erasure_list import FILE_NAME, ErasureList, Reason
from ledger.identities.shelves import NewShelf, PersonKey, UnknownShelf
from ledger.identities.shelves import Reason as ReadingReason
from ledger.reconciliation import bank, shelf_retention
from ledger.reconciliation.statements import NewLine, NewStatement, Statement
from ledger.storage import residue
from tests.cast import LEAF, NOW, House, a_shelf, byn, engine_of, nothing_written, sealed
from tests.erasing import signed
from tests.raw_bytes import files_of, holds

CANARY = "Kanarejka Invented-Payer"
CLOSED = date(2020, 10, 31)
DUE = date(2030, 10, 31)


def a_statement(house: House, *, closed_on: date | None = CLOSED) -> Statement:
    """A gift of 7.00 by somebody whose name only the sealed box tells."""
    alias = draw(Kind.STATEMENT)
    new = NewStatement(
        alias=alias,
        account=LEAF,
        currency="BYN",
        opened_on=None,
        closed_on=closed_on,
        opening=None,
        closing=None,
        content_token=alias.encode().hex().ljust(64, "0"),
        lines=[NewLine(CLOSED, None, byn("7.00"), None, reversal=False)],
    )
    statement = bank.receive(house.session, new, received_at=NOW, received_by=house.fund.clara.alias).statement
    put_up(house, alias)
    return statement


def put_up(house: House, alias: str) -> None:
    shelf = a_shelf(house.fund, alias, by=house.fund.ana)
    new = NewShelf(shelf.alias, shelf.vault, shelf.epoch, shelf.public, shelf.signature, shelf.wrap)
    shelves.put_up(house.session, new, signer=house.fund.ana.operator, shred_keys=house.shred_keys)
    box = sealed(shelf.public, kind="statement", alias=alias, field="rest", content=CANARY)
    shelves.keep(house.session, [box], shelf=alias)
    house.session.commit()


def opened(house: House, alias: str) -> str:
    """What a member of the vault reads in the box."""
    kept = shelves.open_shelf(
        house.session,
        alias,
        operator=house.fund.boris.alias,
        reason=ReadingReason.AUDIT,
        at=NOW,
        shred_keys=house.shred_keys,
    )
    seed = sealing.open_wrap(house.fund.vault, kept.wrap, alias=alias, public=kept.shelf.sealing_key)
    return sealing.open_box(seed, kept.boxes[0].data, kind="statement", alias=alias, field="rest").decode()


def ask(house: House, alias: str, reason: Reason) -> Erasure:
    agreed = signed(house.fund.ana, "request_erasure", alias, reason)
    return shelf_retention.request_erasure(house.session, alias, reason=reason, agreed=agreed)


def erase(house: House, alias: str, folder: Path, reason: Reason = Reason.DANGER) -> None:
    ask(house, alias, reason)
    agreed = signed(house.fund.boris, "agree_erasure", alias, reason)
    retention.carry_out_erasure(house.session, alias, agreed=agreed, listed=ErasureList(folder / FILE_NAME))
    house.session.commit()


def test_a_statement_is_due_after_the_policys_months_and_is_listed_with_people(house: House) -> None:
    statement = a_statement(house)
    person = house.a_case(rejection=Rejection.ILLEGIBLE).beneficiary_alias

    found = [one.shelf for one in shelf_retention.due(house.session, on=DUE)]

    assert found == [person, statement.alias]
    assert [one.shelf for one in shelf_retention.due(house.session, on=DUE - timedelta(days=1))] == [person]
    assert shelf_retention.due(house.session, on=DUE, after=person) == [Due(statement.alias, DUE)]
    assert [one.shelf for one in shelf_retention.due(house.session, on=DUE, limit=1)] == [person]


def test_a_statement_without_a_last_day_is_due_by_the_day_on_which_it_came(house: House) -> None:
    statement = a_statement(house, closed_on=None)

    assert shelf_retention.kept_until(statement) == date(2030, 11, 20)


def test_what_was_asked_for_is_not_proposed_again(house: House) -> None:
    statement = a_statement(house)
    ask(house, statement.alias, Reason.DANGER)

    assert shelf_retention.due(house.session, on=DUE) == []


@pytest.mark.parametrize("kind", [Kind.STATEMENT, Kind.DONOR])
def test_reasons_of_retention_need_what_is_due(house: House, kind: Kind) -> None:
    alias = a_statement(house).alias
    if kind is Kind.DONOR:
        alias = draw(kind)
        put_up(house, alias)

    with nothing_written(house.session), pytest.raises(NotDue):
        ask(house, alias, Reason.RETENTION)


def test_an_erased_statement_opens_for_nobody_and_the_books_stay_valid(
    house: House, engine: Engine, tmp_path: Path
) -> None:
    erased, kept = a_statement(house), a_statement(house)
    key = house.session.get_one(PersonKey, (erased.alias, 1)).locked
    assert opened(house, erased.alias) == opened(house, kept.alias) == CANARY  # it was there to be read
    house.session.commit()
    assert holds(files_of(engine), key)
    before = balances.balance(house.session, LEAF, currency="BYN")

    erase(house, erased.alias, tmp_path)
    residue.clear(engine_of(house.session), tables=KEYRING)

    with pytest.raises(UnknownShelf):
        opened(house, erased.alias)
    assert opened(house, kept.alias) == CANARY
    assert not holds(files_of(engine), key)
    assert balances.balance(house.session, LEAF, currency="BYN") == before == byn("7.00")
    assert [one for one in checks.findings(house.session) if one.check != "settings"] == []  # tests need no fsync


def test_a_donors_shelf_is_erased_by_its_alias(house: House, tmp_path: Path) -> None:
    donor = draw(Kind.DONOR)
    put_up(house, donor)
    assert opened(house, donor) == CANARY

    erase(house, donor, tmp_path, Reason.WISH)

    with pytest.raises(UnknownShelf):
        opened(house, donor)
