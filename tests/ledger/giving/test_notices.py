from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from ledger.giving import cursors, notices
from ledger.giving.notices import QUIET, BadNotice, Notice
from tests.cast import NOW, nothing_written, race

ONE_SECOND = timedelta(seconds=1)


def test_a_notice_is_kept_once_with_what_moves_money_and_says_that_it_is_time(founded: Session) -> None:
    told: dict[str, Any] = {"kind": "charge.succeeded", "about": "ch_Invented0001", "received_at": NOW}

    first = notices.take(founded, "evt_Invented0001", **told)
    again = notices.take(founded, "evt_Invented0001", **(told | {"about": "ch_Invented0002"}))
    notices.take(founded, "evt_Invented0002", **(told | {"about": "cus_Kanarejka"}))

    kept = [one.about for one in founded.exec(select(Notice).order_by(Notice.id))]
    assert (first, again, kept) == (True, False, ["ch_Invented0001", None])
    assert not notices.is_time_to_look(founded, now=NOW + QUIET - ONE_SECOND)  # what came with it is still coming
    assert notices.is_time_to_look(founded, now=NOW + QUIET)
    cursors.advance(founded, 1, looked_at=NOW + ONE_SECOND)
    assert not notices.is_time_to_look(founded, now=NOW + QUIET)


def test_a_notice_that_comes_in_twice_at_once_is_kept_once(founded: Session) -> None:
    def take(own: Session) -> bool:
        return notices.take(own, "evt_Invented0001", kind="payout.paid", about=None, received_at=NOW)

    assert sorted(map(str, race(founded, take, take))) == ["False", "True"]


@pytest.mark.parametrize(("name", "kind"), [("", "a.b"), ("evt_é1234", "a.b"), ("evt_12345", ""), ("evt_12345", "A b")])
def test_what_names_nothing_is_no_notice(founded: Session, name: str, kind: str) -> None:
    with nothing_written(founded), pytest.raises(BadNotice):
        notices.take(founded, name, kind=kind, about=None, received_at=NOW)


def test_notices_that_were_looked_at_are_pruned_when_the_processor_sends_them_no_more(founded: Session) -> None:
    for number, days in enumerate((0, 29, 31, 300)):
        at = NOW - timedelta(days=days)
        notices.take(founded, f"evt_Invented{number:04d}", kind="payout.paid", about=None, received_at=at)
    assert notices.prune(founded, now=NOW) == 0  # nobody has looked
    cursors.advance(founded, 1, looked_at=NOW - timedelta(days=100))
    assert notices.prune(founded, now=NOW) == 1
    assert notices.is_time_to_look(founded, now=NOW)
    cursors.advance(founded, 1, looked_at=NOW)

    assert notices.prune(founded, now=NOW) == 1

    assert [one.id for one in founded.exec(select(Notice).order_by(Notice.id))] == [
        "evt_Invented0000",
        "evt_Invented0001",
    ]
