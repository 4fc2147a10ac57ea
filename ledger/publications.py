"""What has been published: drafted by a publisher, approved by a second person, and from then on never changed."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from ledger import approvals
from ledger.aid import likenesses
from ledger.aid.agents import PURSES
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement, Payee
from ledger.aid.obligations import Obligation, ObligationKind
from ledger.aliases import AliasTaken, Kind, check
from ledger.approvals import Agreed, Verb
from ledger.errors import Conflict, NotFound, Tampered
from ledger.money import Money
from ledger.storage.columns import UtcDateTime


class UnknownDraft(NotFound):
    """No draft has this alias."""

    rule = "unknown_draft"


class DraftOutdated(Conflict):
    """Something was published since the draft was made; make it again."""

    rule = "draft_outdated"


class DraftAltered(Tampered):
    """The draft is not what its publisher has signed."""

    rule = "draft_altered"


class Draft(SQLModel, table=True):
    """What is proposed for publication: the exact content, its SHA-256, and who proposes it."""

    __tablename__ = "publication_draft"
    alias: str = Field(primary_key=True, max_length=20)
    number: int
    content: str
    digest: str = Field(max_length=64)
    drafted_by: str = Field(max_length=20)
    drafted_at: datetime = Field(sa_type=UtcDateTime)


class Publication(SQLModel, table=True):
    """A released block. Numbers have no gaps; rows are only added."""

    number: int = Field(primary_key=True)
    alias: str = Field(foreign_key="publication_draft.alias", max_length=20, unique=True)
    content: str
    digest: str = Field(max_length=64)
    approved_by: str = Field(max_length=20)
    published_at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment as reports need it: whose, how much, of which kind, how, and recorded on which day.

    What the bank gave back has been `returned_on` a day, recorded on `return_recorded_on`.
    `purse` is the agent's leaf when an agent paid: their list, once seized, tells who stands on it.
    """

    person: str
    amount: Money
    kind: ObligationKind
    payee: Payee
    purse: str | None
    paid_on: date
    recorded_on: date
    returned_on: date | None = None
    return_recorded_on: date | None = None

    @property
    def way(self) -> str:
        """`agent`, or from the bank to the `authority` or the `beneficiary`."""
        return "agent" if self.purse else self.payee


def draft(session: Session, alias: str, *, content: str, agreed: Agreed) -> Draft:
    """Keeps a proposal with the publisher's signed act over its hash.

    Raises:
        AliasTaken, BadAlias, and what `approvals.accept` raises.
    """
    check(alias, Kind.PUBLICATION)
    if session.get(Draft, alias) is not None:
        raise AliasTaken("the alias is taken")
    kept = Draft(
        alias=alias,
        number=len(published(session)) + 1,
        content=content,
        digest=_digest(content),
        drafted_by=agreed.signer.alias,
        drafted_at=agreed.now,
    )
    _accept(session, "draft_publication", kept, agreed)
    session.add(kept)
    session.flush()
    return kept


def approve(session: Session, alias: str, *, agreed: Agreed) -> Publication:
    """Publishes a draft: another person than its drafter has agreed to its hash.

    Raises:
        UnknownDraft: there is none. DraftOutdated: another one was published in between.
        DraftAltered: content and hash do not agree. SamePerson, and what `approvals.accept` raises.
    """
    kept = require_draft(session, alias)
    approvals.require_other(agreed.signer.alias, than={kept.drafted_by})
    if kept.number != len(published(session)) + 1:
        raise DraftOutdated("something was published since this draft", number=kept.number)
    if kept.digest != _digest(kept.content):
        raise DraftAltered("the draft was altered", draft=alias)
    publication = Publication(
        number=kept.number,
        alias=alias,
        content=kept.content,
        digest=kept.digest,
        approved_by=agreed.signer.alias,
        published_at=agreed.now,
    )
    try:
        with session.begin_nested():  # act and effect, or neither
            _accept(session, "approve_publication", kept, agreed)
            session.add(publication)
    except IntegrityError:  # on PostgreSQL another transaction published between our look and our insert
        raise DraftOutdated("something was published since this draft", number=kept.number) from None
    return publication


def published(session: Session) -> list[Publication]:
    """All publications from the first on."""
    return sorted(session.exec(select(Publication)).all(), key=lambda publication: publication.number)


def waiting(session: Session) -> list[Draft]:
    """The drafts of the next publication, which wait for a second signature."""
    number = len(published(session)) + 1
    drafts = session.exec(select(Draft).where(Draft.number == number)).all()
    return sorted(drafts, key=lambda draft: draft.alias)


def require_draft(session: Session, alias: str) -> Draft:
    """The draft.

    Raises:
        UnknownDraft: there is none.
    """
    kept = session.get(Draft, alias)
    if kept is None:
        raise UnknownDraft("no draft has this alias")
    return kept


def payments(session: Session) -> list[Payment]:
    """Every payment but of bail, which comes back, on the day it was recorded: late ones are of the next block.

    A person is one under all aliases that somebody has signed to be theirs, and with all of their name who were not
    told apart: nobody who applied several times is taken for a crowd.

    What the bank gave back is among them: reports count it, and count it back, by its two days.
    """
    one_persons = likenesses.roots(session)
    rows = session.exec(
        select(Disbursement, Obligation.kind, Case.beneficiary_alias)
        .join(Obligation, col(Obligation.alias) == Disbursement.obligation_alias)
        .join(Case, col(Case.alias) == Disbursement.case_alias)
        .where(col(Disbursement.paid_recorded_on).is_not(None), Obligation.kind != ObligationKind.BAIL)
        .order_by(Disbursement.alias)
    )
    return [
        Payment(
            person=one_persons.get(person, person),
            amount=disbursement.amount(),
            kind=ObligationKind(kind),
            payee=Payee(disbursement.payee),
            purse=disbursement.account_code if disbursement.account_code.startswith(f"{PURSES}:") else None,
            paid_on=disbursement.paid_on,
            recorded_on=disbursement.paid_recorded_on,
            returned_on=disbursement.returned_on,
            return_recorded_on=disbursement.returned_recorded_on,
        )
        for disbursement, kind, person in rows
        if disbursement.paid_on is not None and disbursement.paid_recorded_on is not None
    ]


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _accept(session: Session, verb: Verb, kept: Draft, agreed: Agreed) -> None:
    approvals.accept(
        session,
        agreed,
        verb=verb,
        object_alias=kept.alias,
        version=kept.number,
        evidence_commitments=[kept.digest],
    )
