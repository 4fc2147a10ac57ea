"""Attacks on what is said of what waits, past the verbs: the guards refuse, and who drops them is found by checks."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger.books import accounts
from ledger.giving import disputes
from ledger.reconciliation.answers import Answer, Because
from ledger.reconciliation.resolutions import NewResolution
from ledger.storage import guards
from tests.bookcheck import found
from tests.cards import DAY, a_dispute, a_move, a_payout
from tests.cast import House, eur
from tests.given import answer, shown, the_exception
from tests.purses import EUR_LEAF
from tests.saying import agree, say
from tests.tills import GIFT, open_till, receive, waits

STRANGE = a_move("other_adjustment", eur("-7.00"))
TOLD = Because.TOLD_BY_PROCESSOR


@pytest.fixture
def said(house: House) -> House:
    """A line is one of two payouts (one has signed), a movement is a loss (two have); a dispute was lost, says one."""
    open_till(house)
    accounts.add_leaf(house.session, EUR_LEAF, name="A leaf", currency="EUR")
    receive(house, a_payout(eur("5.00")), a_payout(eur("5.00"), nth=2), a_dispute(GIFT, eur("90.00")))
    shown(house, eur("5.00"), leaf=EUR_LEAF, on=DAY)
    answer(house, the_exception(house), Answer.PAYOUT, "po_Invented0001")
    agree(house, say(house, NewResolution(about=waits(house, STRANGE), answer=Answer.LOSS, because=TOLD)))
    (dispute,) = disputes.listed(house.session)
    say(house, NewResolution(about=dispute.alias, answer=Answer.LOST, because=TOLD, happened_on=DAY))
    assert found(house.session) == []
    house.session.commit()
    return house


STAYS = (
    "UPDATE resolution SET answer = 'cost'",
    "UPDATE resolution SET alone = true, because = NULL",
    "DELETE FROM resolution WHERE answer = 'lost'",
    "UPDATE resolution_agreement SET agreed_by = 'OP-0000-0000-0000'",
    "DELETE FROM resolution_agreement",
    "INSERT INTO resolution_agreement SELECT * FROM resolution_agreement",
)
REPLACED = (
    "INSERT OR REPLACE INTO resolution SELECT * FROM resolution",
    "INSERT OR REPLACE INTO resolution_agreement SELECT * FROM resolution_agreement",
)


def test_what_was_said_stays(said: House) -> None:
    on_sqlite = said.session.connection().dialect.name == "sqlite"
    for attack in (*STAYS, *(REPLACED if on_sqlite else ())):
        with pytest.raises(DBAPIError, match=r"guard|UNIQUE|duplicate key"), said.session.begin_nested():
            said.session.connection().execute(text(attack))


COPY = (
    "about, 2, answer, of, because, source_key, minor, currency, settles_minor, settles_currency, happened_on, alone, "
    "'OP-0', asked_on"
)
LOOKED_AT = ("signed", "four-eyes", "resolutions", "unsaid", "unheard", "disputes", "movements", "statement-lines")
ATTACKS = {
    "another answer": ("UPDATE resolution SET answer = 'cost' WHERE answer = 'loss'", {"signed"}),
    "another amount": ("UPDATE resolution SET minor = -701 WHERE answer = 'loss'", {"signed"}),
    "another line's amount": ("UPDATE resolution SET minor = 501 WHERE alone", {"signed", "resolutions"}),
    "settles more": ("UPDATE resolution SET settles_minor = 501 WHERE alone", {"resolutions"}),
    "settles another sum": ("UPDATE resolution SET settles_minor = 701 WHERE answer = 'loss'", {"signed"}),
    "of another payout": ("UPDATE resolution SET of = 'po_Invented0002' WHERE alone", {"signed"}),
    "on another day": ("UPDATE resolution SET happened_on = '2020-09-15' WHERE answer = 'lost'", {"signed"}),
    "said by another": (
        "UPDATE resolution SET asked_by = 'OP-0000-0000-0000' WHERE answer = 'lost'",
        {"signed", "unheard"},
    ),
    "alone": (
        "UPDATE resolution SET alone = true, because = NULL WHERE answer = 'lost'",
        {"signed", "resolutions"},
    ),
    "agreed to by the one who said it": (
        "UPDATE resolution_agreement SET agreed_by = (SELECT asked_by FROM resolution WHERE answer = 'loss')",
        {"signed", "four-eyes", "resolutions", "unheard"},
    ),
    "no agreement": ("DELETE FROM resolution_agreement", {"unsaid", "unheard"}),
    "an agreement of nobody": (
        "INSERT INTO resolution_agreement SELECT about, number, 'OP-0', asked_on FROM resolution WHERE answer = 'lost'",
        {"signed", "resolutions"},
    ),
    "an answer of nobody": (
        "INSERT INTO resolution SELECT " + COPY + " FROM resolution WHERE answer = 'lost'",  # noqa: S608  # our own
        {"signed"},
    ),
    "nothing was said": ("DELETE FROM resolution WHERE answer = 'lost'", {"unheard"}),
    "nothing was said of the line": ("DELETE FROM resolution WHERE alone", {"unheard"}),
    "nobody signed": ("DELETE FROM signed_act WHERE verb = 'answer_line'", {"signed"}),
    "nobody agreed": ("DELETE FROM signed_act WHERE verb = 'agree_resolution'", {"signed"}),
    "lost by nobody's word": ("UPDATE dispute SET state = 'lost'", {"unsaid", "disputes"}),
    "a cost by nobody's word": (
        "UPDATE movement SET category = 'other_adjustment' WHERE category = 'payout'",
        {"unsaid"},
    ),
}


def test_who_owns_the_database_is_found(said: House) -> None:
    connection = said.session.connection()
    guards.remove(connection)
    told = {}
    for name, (statement, _) in ATTACKS.items():
        attack = connection.begin_nested()
        connection.execute(text(statement))
        said.session.expire_all()
        told[name] = {one.check for one in found(said.session, by=LOOKED_AT)}
        attack.rollback()

    assert told == {name: checks for name, (_, checks) in ATTACKS.items()}
