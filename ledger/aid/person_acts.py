"""The signed acts on persons: a reviewer who has opened both says that two beneficiaries are one person, or two."""

from collections.abc import Collection

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, or_, select

from ledger import approvals, book
from ledger.aid import bail, beneficiaries, likenesses, persons
from ledger.aid.bail_parts import BailPart
from ledger.aid.cases import Case
from ledger.aid.obligations import Obligation
from ledger.aid.persons import SamePerson
from ledger.approvals import Agreed, Verb
from ledger.errors import Conflict
from ledger.identities import erasure, shelves


class PaidAsOne(Conflict):
    """A court has counted the bail of the one as the payment of what the other owes: no word makes them two."""

    rule = "paid_as_one"


def join(session: Session, alias: str, other: str, agreed: Agreed) -> SamePerson:
    """Says that two beneficiaries are one person: from now on caps, ledger, retention and erasure take them for one.

    The act is about the lesser alias, names the other (`join_beneficiaries:B-…`), counts what was said of the two, and
    restates both identities as they lie sealed.

    Raises:
        UnknownBeneficiary, BadPair, SaidAlready, PersonsContradict, PaidAsOne, NotOpened: see there. ErasureStands:
        somebody has asked to erase one of them. UnknownShelf: one cannot be opened. What `approvals.accept` raises.
    """
    return _say(session, alias, other, agreed, verb="join_beneficiaries", is_one=True)


def tell_apart(session: Session, alias: str, other: str, agreed: Agreed) -> SamePerson:
    """Says that two beneficiaries are two people: nobody is asked about them again. It also takes back a `join`.

    Raises:
        What `join` raises.
    """
    return _say(session, alias, other, agreed, verb="tell_apart", is_one=False)


def commitments_of(session: Session, alias: str, other: str) -> list[str]:
    """The sorted commitments of the identities of two beneficiaries, in the newest versions: what an act restates."""
    return shelves.commitments(session, [alias, other])


def _say(session: Session, alias: str, other: str, agreed: Agreed, *, verb: Verb, is_one: bool) -> SamePerson:
    book.require(session, lock=True)  # approvals, and whatever else is said of persons, take turns with it
    of = persons.pair(alias, other)
    for one in of:
        beneficiaries.require(session, one)
        erasure.require_none(session, one)
        needed = shelves.commitments(session, [one])
        shelves.require_opened(session, operator=agreed.signer.alias, shelf=one, needed=needed)
    before = {one for found in persons.joined(session, of).values() for one in found}
    with session.begin_nested():  # act and effect, or neither
        act = approvals.accept(
            session,
            agreed,
            verb=verb,
            object_alias=of[0],
            version=len(persons.told_of(session, of)) + 1,
            detail=of[1],
            evidence_commitments=commitments_of(session, *of),
        )
        said = persons.say(session, of, is_one=is_one, nonce=act.nonce, by=agreed.signer.alias, at=agreed.now)
        _require_paid_as_one(session, before)
        if not is_one:
            likenesses.note(session, before, on=agreed.now.date())
        likenesses.settle(session, before)
    return said


def _require_paid_as_one(session: Session, beneficiaries_: Collection[str]) -> None:
    """Refuses that people are two of whom one's bail has paid what the other owes, whichever word makes them two."""
    bail_of, owed, posted, fined = aliased(Obligation), aliased(Obligation), aliased(Case), aliased(Case)
    parts = (
        select(bail_of, owed)
        .join(BailPart, col(BailPart.obligation_alias) == bail_of.alias)
        .join(owed, col(owed.alias) == BailPart.fine_alias)
        .join(posted, col(posted.alias) == bail_of.case_alias)
        .join(fined, col(fined.alias) == owed.case_alias)
        .where(or_(col(posted.beneficiary_alias).in_(beneficiaries_), col(fined.beneficiary_alias).in_(beneficiaries_)))
    )
    for of, paid in session.exec(parts):
        if not bail.is_same_person(session, of, paid):
            raise PaidAsOne("bail of the one has paid for the other", obligation=of.alias, fine=paid.alias)
