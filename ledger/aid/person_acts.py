"""The signed acts on persons: a reviewer who has opened both says that two beneficiaries are one person, or two."""

from sqlmodel import Session, col, select

from ledger import approvals, book
from ledger.aid import bail, beneficiaries, likenesses, obligations, persons
from ledger.aid.bail_parts import BailPart
from ledger.aid.cases import Case
from ledger.aid.obligations import Obligation
from ledger.aid.persons import SamePerson
from ledger.approvals import Agreed, Verb
from ledger.errors import Conflict
from ledger.identities import erasure, shelves


class PaidAsOne(Conflict):
    """A court has counted the bail of the one as the payment of what the other owes: they stay one person."""

    rule = "paid_as_one"


def join(session: Session, alias: str, other: str, agreed: Agreed) -> SamePerson:
    """Says that two beneficiaries are one person: from now on caps, ledger, retention and erasure take them for one.

    The act is about the lesser alias, names the other (`join_beneficiaries:B-…`), counts what was said of the two, and
    restates both identities as they lie sealed.

    Raises:
        UnknownBeneficiary, BadPair, SaidAlready, PersonsContradict: see there. ErasureStands: somebody has asked to
        erase one of them. UnknownShelf: one cannot be opened. NotOpened, and what `approvals.accept` raises.
    """
    return _say(session, alias, other, agreed, verb="join_beneficiaries", is_one=True)


def tell_apart(session: Session, alias: str, other: str, agreed: Agreed) -> SamePerson:
    """Says that two beneficiaries are two people: nobody is asked about them again. It also takes back a `join`.

    Raises:
        PaidAsOne: see there. What `join` raises.
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
        if not is_one:
            _require_paid_apart(session, before)
            likenesses.note(session, before, on=agreed.now.date())
        likenesses.settle(session, before)
    return said


def _require_paid_apart(session: Session, beneficiaries_: set[str]) -> None:
    """Refuses that people are two of whom one's bail has paid what the other owes."""
    posted = select(BailPart, Obligation).join(Obligation, col(Obligation.alias) == BailPart.obligation_alias)
    posted = posted.join(Case, col(Case.alias) == Obligation.case_alias)
    posted = posted.where(col(BailPart.fine_alias).is_not(None), col(Case.beneficiary_alias).in_(beneficiaries_))
    for part, of in session.exec(posted):
        if part.fine_alias and not bail.is_same_person(session, of, obligations.require(session, part.fine_alias)):
            raise PaidAsOne("bail of the one has paid for the other", obligation=of.alias, fine=part.fine_alias)
