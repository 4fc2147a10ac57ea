from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from ledger.books import funds
from ledger.books.funds import BadFund, FundExists, UnknownFund
from ledger.storage.engine import transaction
from tests.bookkeeping import a_gift, post
from tests.cast import eur, nothing_written

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def test_a_new_book_has_two_free_and_two_restricted_funds(founded: Session) -> None:
    assert {fund.code: fund.restricted for fund in funds.listed(founded)} == {
        "detention": True,
        "fines": True,
        "general": False,
        "unassigned": False,
    }


def test_an_added_fund_is_known_at_once(founded: Session) -> None:
    assert "legal_aid" not in funds.codes(founded)

    added = funds.add(founded, "legal_aid", name="Legal aid", restricted=True)

    assert "legal_aid" in funds.codes(founded)
    assert funds.require(founded, "legal_aid") == added
    assert [fund.code for fund in funds.listed(founded)] == ["detention", "fines", "general", "legal_aid", "unassigned"]


def test_a_fund_that_was_rolled_back_is_unknown(founded: Session) -> None:
    funds.add(founded, "legal_aid", name="Legal aid", restricted=True)
    assert "legal_aid" in funds.codes(founded)

    founded.rollback()

    assert "legal_aid" not in funds.codes(founded)


def test_a_fund_is_added_once(founded: Session) -> None:
    with nothing_written(founded), pytest.raises(FundExists):
        funds.add(founded, "fines", name="Fines", restricted=False)


@pytest.mark.parametrize("code", ["", "f", "Fines", "9fines", "fines ", "fines\n", "fi-nes", "f" * 31, "\u0444ines"])
def test_what_is_no_code_of_a_fund_is_refused(founded: Session, code: str) -> None:
    with nothing_written(founded), pytest.raises(BadFund) as refusal:
        funds.add(founded, code, name="Fines", restricted=True)

    assert refusal.value.data == {"where": "code"}


@pytest.mark.parametrize("name", ["", " ", "a\tb", "a\x00b", "a" * 81])
def test_what_is_no_name_of_a_fund_is_refused(founded: Session, name: str) -> None:
    with nothing_written(founded), pytest.raises(BadFund) as refusal:
        funds.add(founded, "legal_aid", name=name, restricted=True)

    assert refusal.value.data == {"where": "name"}


@pytest.mark.parametrize(("code", "shown"), [("bail", "bail"), ("Invented Person", None)])
@pytest.mark.parametrize("lock", [False, True])
def test_an_unknown_fund_is_named_back_only_when_it_looks_like_one(
    founded: Session, code: str, shown: str | None, *, lock: bool
) -> None:
    with pytest.raises(UnknownFund) as refusal:
        funds.require(founded, code, lock=lock)

    assert refusal.value.data == {"fund": shown}


def test_two_decisions_on_one_fund_wait_for_each_other(founded: Session, engine: Engine) -> None:
    def decide() -> str:
        with transaction(engine) as session:
            return funds.require(session, "fines", lock=True).code

    funds.require(founded, "fines", lock=True)
    with ThreadPoolExecutor(1) as threads:
        second = threads.submit(decide)
        finished, _ = wait([second], timeout=0.2)
        founded.commit()

        assert not finished
        assert second.result() == "fines"


@on_postgresql
def test_money_coming_in_never_waits_for_a_decision(founded: Session, engine: Engine) -> None:
    funds.require(founded, "fines", lock=True)

    with transaction(engine) as other:
        posted = post(other, a_gift(eur("20.00")))

    assert not posted.replayed
