"""What donors are told is signed by two people, begins on a day to come, and never changes what was given before."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.approvals import ActDiffers, BadSignature, NonceUsed, NotInRole, SamePerson
from ledger.books import accounts, balances
from ledger.books.funds import UnknownFund
from ledger.giving import donations, purpose_texts, purpose_versions, purposes
from ledger.giving.donations import Donation
from ledger.giving.purpose_texts import BadPurposeText
from ledger.giving.purpose_versions import (
    LinkTaken,
    NotToCome,
    PurposeDraftOutdated,
    PurposeVersion,
    UnknownPurpose,
    UnknownPurposeDraft,
)
from ledger.giving.purposes import Purpose
from ledger.people import Role
from tests import cards
from tests.attempts import WORDS
from tests.bookcheck import assert_it_holds, found
from tests.bookkeeping import CARD_LEAF
from tests.cards import a_charge
from tests.cast import LEAF, NOW, TODAY, House, byn, engine_of, eur, nothing_written, race
from tests.coffers import joins
from tests.told import LINK, a_draft, a_text, a_version, content, on_draft, on_text, publish

TOMORROW = TODAY + timedelta(days=1)


def fines(house: House) -> Purpose:
    found_one = purposes.by_code(house.session, "FINES")
    assert found_one is not None
    return found_one


def give(house: House, *, on: date) -> Donation:
    gift, _ = donations.receive_at_bank(
        house.session,
        source_key=f"test:{draw(Kind.DONATION)}",
        leaf=LEAF,
        gift=byn("100.00"),
        reference=fines(house).reference,
        on=on,
        recorded_at=NOW + (on - TODAY),
        recorded_by="test",
    )
    house.session.commit()
    return gift


# --- what two signatures do


def test_two_people_publish_what_donors_are_told_from_the_next_day_on(house: House) -> None:
    draft = a_draft(house)
    assert [one.alias for one in purpose_versions.waiting(house.session)] == [draft.alias]

    version = publish(house, draft)

    assert (version.number, version.fund_code, version.net_of_costs) == (1, "fines", False)
    assert version.text() == a_text()
    assert purpose_versions.waiting(house.session) == []
    assert purpose_versions.shown(house.session, on=TODAY) == []
    assert purpose_versions.shown(house.session, on=TOMORROW) == [(fines(house), a_text())]
    assert_it_holds(engine_of(house.session))


def test_a_new_version_never_changes_what_was_given_before_it(house: House) -> None:
    before = give(house, on=TODAY)
    a_version(house, fund="detention", net_of_costs=True)
    a_version(house, number=2, effective_from=(TODAY + timedelta(days=5)).isoformat(), fund="general")
    days = [give(house, on=TODAY + timedelta(days=late)) for late in (0, 1, 4, 5)]

    assert [(gift.purpose_version, gift.fund_code) for gift in (before, *days)] == [
        (0, "fines"),
        (0, "fines"),
        (1, "detention"),
        (1, "detention"),
        (2, "general"),
    ]
    assert_it_holds(engine_of(house.session))


def test_the_fee_of_a_card_gift_is_borne_as_the_text_of_its_day_says(house: House) -> None:
    session = house.session
    accounts.add_leaf(session, CARD_LEAF, name="Cards", currency="EUR")
    a_version(house, fund="detention", net_of_costs=True)
    charges = [a_charge(eur("100.00"), fee=eur("3.20"), nth=nth, on=TODAY + timedelta(days=nth)) for nth in (0, 1)]

    cards.book(session, *charges)

    gifts = {gift.received_on: gift for gift in donations.listed(session)}
    assert [(gifts[day].purpose_version, gifts[day].fund_code) for day in (TODAY, TOMORROW)] == [
        (0, "fines"),
        (1, "detention"),
    ]
    fees = {fund: balances.balance(session, "6000", currency="EUR", fund=fund) for fund in ("general", "detention")}
    assert fees == {"general": eur("3.20"), "detention": eur("3.20")}
    session.commit()
    assert_it_holds(engine_of(session))


# --- drafts and signatures that are refused


IMPOSSIBLE: tuple[tuple[dict[str, Any], Any], ...] = (
    ({"code": "NOBODYS"}, UnknownPurpose),
    ({"fund": "holidays"}, UnknownFund),
    ({"fund": "unassigned"}, BadPurposeText),
    ({"number": 2}, PurposeDraftOutdated),
    ({"effective_from": TODAY.isoformat()}, NotToCome),
    ({"effective_from": "2020-01-01"}, NotToCome),
)


def test_a_version_that_cannot_be_the_next_one_is_refused(house: House) -> None:
    for stated, error in IMPOSSIBLE:
        with nothing_written(house.session), pytest.raises(error):
            a_draft(house, a_text(**stated))


def test_a_version_begins_after_the_one_before(house: House) -> None:
    a_version(house, effective_from="2020-12-24")

    with nothing_written(house.session), pytest.raises(NotToCome):
        a_draft(house, number=2, effective_from="2020-12-24")


def test_a_link_is_one_purposes_forever(house: House) -> None:
    a_version(house)
    a_version(house, number=2, effective_from="2020-12-24", link=None)
    purposes.add(house.session, "DETENTION", fund="detention", text="For bills.", net_of_costs=False)
    house.session.commit()

    with nothing_written(house.session), pytest.raises(LinkTaken):
        a_draft(house, code="DETENTION", fund="detention")
    a_draft(house, number=3, effective_from="2020-12-25", link=LINK)


def test_the_draft_is_a_publishers_and_of_the_very_text(house: House) -> None:
    text, alias = a_text(), draw(Kind.PURPOSE_DRAFT)
    dina, clara = house.fund.dina, house.fund.clara
    other = a_text(link="https://donate.stripe.com/Evil0001")
    forged = on_text(alias, text, by=dina)
    attempts: list[tuple[Any, Any, Any]] = [
        (alias, on_text(alias, text, by=clara), NotInRole),
        (alias, on_text(alias, other, by=dina), ActDiffers),
        (alias, on_text(alias, text, by=dina, version=2), ActDiffers),
        (alias, on_text(alias, text, by=dina, verb="approve_purpose"), ActDiffers),
        (alias, type(forged)(forged.act, "0" * 128, forged.signer, forged.now), BadSignature),
        (draw(Kind.PUBLICATION), on_text(alias, text, by=dina), BadAlias),
    ]

    for stated, agreed, error in attempts:
        with nothing_written(house.session), pytest.raises(error):
            purpose_versions.draft(house.session, stated, document=text.canonical(), agreed=agreed)


def test_an_alias_and_an_act_serve_once(house: House) -> None:
    draft = a_draft(house)
    agreed = on_text(draft.alias, a_text(), by=house.fund.dina)

    with nothing_written(house.session), pytest.raises(AliasTaken):
        purpose_versions.draft(house.session, draft.alias, document=draft.document, agreed=agreed)
    publish(house, draft)
    with nothing_written(house.session), pytest.raises(PurposeDraftOutdated):
        publish(house, draft)


def test_nobody_publishes_their_own_draft_by_any_row(house: House) -> None:
    both = joins(house, Role.PUBLISHER, Role.APPROVER)
    draft = a_draft(house, by=both)

    with nothing_written(house.session), pytest.raises(SamePerson):
        publish(house, draft, by=both)
    with nothing_written(house.session), pytest.raises(NotInRole):
        publish(house, draft, by=house.fund.clara)
    with nothing_written(house.session), pytest.raises(UnknownPurposeDraft):
        purpose_versions.approve(house.session, draw(Kind.PURPOSE_DRAFT), on_draft(draft, by=house.fund.boris))


def test_a_draft_whose_day_has_come_is_published_no_more(house: House) -> None:
    draft = a_draft(house)

    with nothing_written(house.session), pytest.raises(NotToCome):
        publish(house, draft, now=NOW + timedelta(days=1), at=NOW + timedelta(days=1))


def test_an_act_is_not_handed_in_twice(house: House) -> None:
    agreed = on_text(alias := draw(Kind.PURPOSE_DRAFT), a_text(), by=house.fund.dina)
    purpose_versions.draft(house.session, alias, document=a_text().canonical(), agreed=agreed)
    house.session.commit()

    with nothing_written(house.session), pytest.raises((NonceUsed, AliasTaken)):
        purpose_versions.draft(house.session, alias, document=a_text().canonical(), agreed=agreed)


def test_of_two_drafts_at_once_one_is_published(house: House) -> None:
    drafts = [a_draft(house), a_draft(house, statement_shows="OTHER WORDS")]
    agreed = [on_draft(one, by=by) for one, by in zip(drafts, (house.fund.boris, house.fund.bella), strict=True)]

    def approving(one: Any) -> Callable[[Session], PurposeVersion]:
        return lambda session: purpose_versions.approve(session, one.act.object, one)

    answers = race(house.session, *(approving(one) for one in agreed))

    assert sorted(type(answer).__name__ for answer in answers) == ["PurposeDraftOutdated", "PurposeVersion"]
    assert_it_holds(engine_of(house.session))


# --- attacks on the rows


CHANGES = (
    "UPDATE purpose SET fund_code = 'general'",
    "DELETE FROM purpose",
    "UPDATE purpose_version SET document = replace(document, 'Invented0001', 'Evil0001')",
    "UPDATE purpose_version SET fund_code = 'general'",
    "UPDATE purpose_version SET effective_from = '2020-01-01'",
    "DELETE FROM purpose_version",
    "UPDATE purpose_draft SET document = '{}'",
    "DELETE FROM purpose_draft",
)


def test_the_database_lets_nobody_change_what_was_told(house: House) -> None:
    a_version(house)

    for statement in CHANGES:
        with pytest.raises(DBAPIError, match="rows are only added"):
            house.session.connection().execute(sql(statement))
        house.session.rollback()


def test_no_row_of_what_was_told_is_replaced(house: House) -> None:
    version = a_version(house)
    if house.session.get_bind().dialect.name != "sqlite":
        return
    for table in ("purpose", "purpose_draft", "purpose_version"):
        with pytest.raises(DBAPIError, match="not replaced"):
            house.session.connection().execute(sql(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"))  # noqa: S608  # names of our own
        house.session.rollback()
    assert version.text() == a_text()


COLUMNS = "purpose_code, number, alias, document, effective_from, fund_code, net_of_costs, approved_by, published_at"


FORGERIES: tuple[tuple[dict[str, str], set[str]], ...] = (
    ({"document": "document || ' '"}, {"purposes"}),
    ({"fund_code": "'general'"}, {"purposes"}),
    ({"effective_from": "'2020-01-01'"}, {"purposes"}),
    ({"number": "2"}, {"purposes"}),
    ({"approved_by": "'OP-0000-0000-0001'"}, set()),
)


def test_a_version_that_somebody_wrote_past_the_program_is_found(house: House) -> None:
    """As if an owner of the database had put it there: the row is new, so no guard stands before it."""
    draft = a_draft(house)
    parts = {
        "purpose_code": "purpose_code",
        "number": "number",
        "alias": "alias",
        "document": "document",
        "effective_from": f"'{TOMORROW}'",
        "fund_code": "'fines'",
        "net_of_costs": "false",
        "approved_by": f"'{house.fund.boris.alias}'",
        "published_at": "drafted_at",
    }
    for change, checks in FORGERIES:
        forged = ", ".join((parts | change).values())
        house.session.connection().execute(
            sql(f"INSERT INTO purpose_version ({COLUMNS}) SELECT {forged} FROM purpose_draft")  # noqa: S608  # our own
        )

        told = {(one.check, one.name) for one in found(house.session, by={"purposes", "signed"})}
        house.session.rollback()

        assert {check for check, _ in told} == checks | {"signed"}
        assert ("signed", draft.alias) in told


def test_a_gift_that_is_made_to_be_given_under_another_text_is_found(house: House) -> None:
    a_version(house, fund="detention")
    alias = give(house, on=TOMORROW).alias

    for change in ("purpose_version = 0", "purpose_version = 7", "purpose_version = NULL", "purpose_code = NULL"):
        house.session.connection().execute(sql(f"UPDATE donation SET {change}"))  # noqa: S608  # our own
        told = [(one.check, one.name) for one in found(house.session, by={"given-under"})]
        house.session.rollback()

        assert told == [("given-under", alias)], change


def test_no_refusal_repeats_what_was_drafted(house: House) -> None:
    for word in WORDS:
        document = purpose_texts.make(content(texts={"en": {"title": word, "text": word}}, number=2)).canonical()
        alias = draw(Kind.PURPOSE_DRAFT)
        text = purpose_texts.read(document)
        agreed = on_text(alias, text, by=house.fund.dina)

        with pytest.raises(PurposeDraftOutdated) as refusal:
            purpose_versions.draft(house.session, alias, document=document, agreed=agreed)

        assert word not in f"{refusal.value} {refusal.value.data}"
