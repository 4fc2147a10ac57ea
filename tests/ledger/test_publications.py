import hashlib
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger import publications
from ledger.aid import cases, disbursements
from ledger.aid.disbursements import Payee
from ledger.aid.obligations import ObligationKind
from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.approvals import ActDiffers, Agreed, NotInRole, SamePerson
from ledger.people import Role
from ledger.publications import Draft, DraftAltered, DraftOutdated, Payment, Publication, UnknownDraft
from tests.cast import (
    NOW,
    TODAY,
    House,
    Person,
    a_person,
    agreed_by,
    byn,
    enrol,
    give,
    nothing_written,
    one_after_the_other,
    race,
    the_next,
)
from tests.comparing import join, tell_apart

CONTENT = '{"paid": "some"}'


def digest_of(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def drafting(house: House, alias: str, *, content: str = CONTENT, number: int = 1, **other: Any) -> Agreed:
    """What Dina's client signs over the content it made."""
    said: dict[str, Any] = {"object": alias, "version": number, "evidence_commitments": (digest_of(content),)}
    return agreed_by(house.fund.dina, "draft_publication", **(said | other))


def approving(draft: Draft, *, by: Person, **other: Any) -> Agreed:
    """What an approver's client signs over the content it was shown."""
    said: dict[str, Any] = {
        "object": draft.alias,
        "version": draft.number,
        "evidence_commitments": (digest_of(draft.content),),
    }
    return agreed_by(by, "approve_publication", **(said | other))


def a_draft(house: House, *, content: str = CONTENT) -> Draft:
    alias = draw(Kind.PUBLICATION)
    number = len(publications.published(house.session)) + 1
    agreed = drafting(house, alias, content=content, number=number)
    draft = publications.draft(house.session, alias, content=content, agreed=agreed)
    house.session.commit()
    return draft


def test_a_draft_is_published_by_a_second_person(house: House, boris: Person) -> None:
    draft = a_draft(house)
    assert publications.published(house.session) == []

    published = publications.approve(house.session, draft.alias, agreed=approving(draft, by=boris))

    assert (published.number, published.content, published.digest) == (1, CONTENT, digest_of(CONTENT))
    assert (draft.drafted_by, published.approved_by) == (house.fund.dina.alias, boris.alias)
    assert publications.published(house.session) == [published]


def test_numbers_have_no_gaps(house: House, boris: Person) -> None:
    for _ in range(3):
        draft = a_draft(house)
        publications.approve(house.session, draft.alias, agreed=approving(draft, by=boris))

    assert [one.number for one in publications.published(house.session)] == [1, 2, 3]


def test_a_draft_whose_content_is_not_what_was_signed_is_refused(house: House) -> None:
    alias = draw(Kind.PUBLICATION)
    agreed = drafting(house, alias, content="another content")

    with nothing_written(house.session), pytest.raises(ActDiffers) as refusal:
        publications.draft(house.session, alias, content=CONTENT, agreed=agreed)

    assert refusal.value.data == {"field": "evidence_commitments"}


def test_a_draft_for_a_number_that_is_not_the_next_is_refused(house: House) -> None:
    alias = draw(Kind.PUBLICATION)

    with nothing_written(house.session), pytest.raises(ActDiffers):
        publications.draft(house.session, alias, content=CONTENT, agreed=drafting(house, alias, number=2))


def test_a_drafts_alias_is_a_publications_and_not_taken(house: House) -> None:
    taken = a_draft(house).alias

    with nothing_written(house.session), pytest.raises(AliasTaken):
        publications.draft(house.session, taken, content=CONTENT, agreed=drafting(house, taken))
    with nothing_written(house.session), pytest.raises(BadAlias):
        publications.draft(house.session, "D-0000-0000-0001", content=CONTENT, agreed=drafting(house, taken))


def test_who_drafted_does_not_approve(house: House) -> None:
    both = a_person(Role.PUBLISHER, Role.APPROVER)
    roster = house.fund.roster()
    following = the_next(roster, operators=(*roster.operators, both.operator))
    enrol(house.session, following, house.fund.olga, house.fund.oleg)
    alias = draw(Kind.PUBLICATION)
    evidence = (digest_of(CONTENT),)
    agreed = agreed_by(both, "draft_publication", object=alias, evidence_commitments=evidence)
    draft = publications.draft(house.session, alias, content=CONTENT, agreed=agreed)

    with nothing_written(house.session), pytest.raises(SamePerson):
        publications.approve(house.session, alias, agreed=approving(draft, by=both))


def test_who_is_no_approver_does_not_publish(house: House, clara: Person) -> None:
    draft = a_draft(house)

    with nothing_written(house.session), pytest.raises(NotInRole):
        publications.approve(house.session, draft.alias, agreed=approving(draft, by=clara))


@pytest.mark.parametrize(
    "lie",
    [{"version": 2}, {"evidence_commitments": ("0" * 64,)}, {"object": "U-0000-0000-0001"}, {"book": "0" * 32}],
)
def test_an_approval_of_something_else_publishes_nothing(house: House, boris: Person, lie: dict[str, Any]) -> None:
    draft = a_draft(house)

    with nothing_written(house.session), pytest.raises(ActDiffers):
        publications.approve(house.session, draft.alias, agreed=approving(draft, by=boris, **lie))


def test_what_was_never_drafted_is_not_published(house: House, boris: Person) -> None:
    draft = a_draft(house)

    with nothing_written(house.session), pytest.raises(UnknownDraft):
        publications.approve(house.session, draw(Kind.PUBLICATION), agreed=approving(draft, by=boris))


def test_a_draft_that_another_one_overtook_is_outdated(house: House, boris: Person) -> None:
    first, second = a_draft(house), a_draft(house, content="another content")
    publications.approve(house.session, first.alias, agreed=approving(first, by=boris))

    for draft in (first, second):
        with nothing_written(house.session), pytest.raises(DraftOutdated):
            publications.approve(house.session, draft.alias, agreed=approving(draft, by=boris))


def test_a_draft_altered_in_the_database_is_not_published(house: House, boris: Person) -> None:
    draft = a_draft(house)
    agreed = approving(draft, by=boris)
    house.session.connection().execute(text("UPDATE publication_draft SET content = 'another content'"))
    house.session.expire_all()

    with nothing_written(house.session), pytest.raises(DraftAltered):
        publications.approve(house.session, draft.alias, agreed=agreed)


def test_two_approvals_at_once_publish_once(house: House) -> None:
    draft = a_draft(house)
    agreed = [approving(draft, by=person) for person in (house.fund.boris, house.fund.bella)]

    answers = race(
        house.session,
        *[lambda own, yes=yes: publications.approve(own, draft.alias, agreed=yes) for yes in agreed],
    )

    assert {type(answer) for answer in answers} == {Publication, DraftOutdated}
    assert len(publications.published(house.session)) == 1


def test_who_looked_before_another_draft_was_published_publishes_nothing(house: House) -> None:
    first, second = a_draft(house), a_draft(house, content="another content")
    yes, another = approving(first, by=house.fund.boris), approving(second, by=house.fund.bella)

    answers = one_after_the_other(
        house.session,
        lambda own: publications.approve(own, first.alias, agreed=yes),
        look=publications.published,
        then=lambda own: publications.approve(own, second.alias, agreed=another),
    )

    assert isinstance(answers[1], DraftOutdated)
    assert [one.alias for one in publications.published(house.session)] == [first.alias]


def test_a_publication_is_never_changed_or_removed(house: House, boris: Person) -> None:
    draft = a_draft(house)
    publications.approve(house.session, draft.alias, agreed=approving(draft, by=boris))

    for statement in ("UPDATE publication SET content = 'x'", "DELETE FROM publication"):
        refused = pytest.raises(DBAPIError, match="rows are only added")
        with nothing_written(house.session), refused, house.session.begin_nested():
            house.session.connection().execute(text(statement))


def test_a_payment_counts_on_the_day_it_was_recorded(house: House) -> None:
    give(house.session, byn("810.00"))
    released = house.a_released_payment()
    assert publications.payments(house.session) == []

    disbursements.pay(
        house.session,
        released,
        source_key="bank:1",
        on=TODAY - timedelta(days=3),
        recorded_at=NOW,
        recorded_by=house.fund.clara.alias,
    )

    case = cases.require(house.session, released.case_alias)
    assert released.paid_on == date(2020, 11, 17)
    assert publications.payments(house.session) == [
        Payment(
            person=case.beneficiary_alias,
            amount=byn("810.00"),
            kind=ObligationKind.FINE,
            payee=Payee.AUTHORITY,
            purse=None,
            paid_on=TODAY - timedelta(days=3),
            recorded_on=TODAY,
        )
    ]


def test_who_applied_several_times_is_one_person_unless_they_were_told_apart(house: House) -> None:
    give(house.session, byn("9000.00"))
    first, second, third = (house.a_case(name=name) for name in ("Invented Twin", "Invented Twin", "Other Letters"))
    for case in (first, second, third):
        payment = house.a_released_payment(of=house.verify(case, by=house.fund.anton))
        told: dict[str, Any] = {"on": TODAY, "recorded_at": NOW, "recorded_by": house.fund.clara.alias}
        disbursements.pay(house.session, payment, source_key=f"bank:{case.alias}", **told)
    counted = [len({one.person for one in publications.payments(house.session)})]

    for say, other in ((join, third), (tell_apart, second)):
        say(house, first, other)
        counted.append(len({one.person for one in publications.payments(house.session)}))

    assert counted == [2, 1, 2]
