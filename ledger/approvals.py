"""Signed acts: what moves money or trust is restated by the one who agrees, signed on their device, and kept.

The server checks an act against its own view of the object, field by field, so that nobody agrees to something else
than what is done. Act and signature stay, and anybody with the roster can check them again.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal, cast

import rfc8785
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints
from sqlalchemy import Index
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, select

from ledger import book, people, suspensions
from ledger.errors import BadInput, Conflict, Refused, Tampered
from ledger.money import Money
from ledger.people import Hex32, Operator, Role
from ledger.storage.columns import UtcDateTime

ACT_DOMAIN = b"solidarity-ledger act 1\x00"
"""What stands before an act's canonical bytes when they are signed."""
OLDEST_ACT = timedelta(hours=24)
"""An act is handed in within this time of its signing: an outbox may hold it for a while, a drawer may not."""
CLOCK_SKEW = timedelta(minutes=5)
"""How far a device's clock may be ahead."""
NEW_APPROVER_WAITS = timedelta(hours=72)
"""How long who joins after roster 1 waits before the first act."""

Verb = Literal[
    "create_key",
    "suspend_operator",
    "verify_case",
    "reject_case",
    "hold_case",
    "resume_case",
    "withdraw_case",
    "confirm_case",
    "close_case",
    "mark_duplicate",
    "join_beneficiaries",
    "tell_apart",
    "acknowledge_duplicate",
    "approve_disbursement",
    "release_disbursement",
    "activate_agent",
    "approve_advance",
    "release_advance",
    "tell_movement",
    "approve_purse_movement",
    "approve_outlay",
    "agree_failure",
    "tell_unexecuted",
    "agree_unexecuted",
    "confirm_return",
    "approve_batch",
    "release_batch",
    "quash_ruling",
    "reduce_ruling",
    "uphold_ruling",
    "request_transfer",
    "approve_transfer",
    "approve_conversion",
    "release_conversion",
    "draft_publication",
    "approve_publication",
    "close_period",
    "prepare_reconciliation",
    "review_reconciliation",
    "admit_entry",
    "request_erasure",
    "agree_erasure",
    "drop_evidence",
    "apply_bail",
    "forfeit_bail",
    "request_withdrawal",
    "agree_withdrawal",
    "request_refund",
    "approve_refund",
    "clear_exception",
    "agree_clearing",
    "match_lines",
    "unmatch_lines",
    "draft_purpose",
    "approve_purpose",
    "assign_gift",
    "merge_donors",
    "issue_receipt",
    "cancel_receipt",
    "set_confirmations",
    "match_gift",
    "condition_gift",
    "meet_condition",
    "claim_gift",
    "tell_payout",
    "answer_line",
    "request_gift_return",
    "approve_gift_return",
    "count_cash",
    "witness_cash",
    "bank_cash",
    "value_gift",
    "approve_gift_in_kind",
    "request_resolution",
    "agree_resolution",
    "agree_loss",
]
ROLE_OF: dict[str, Role | None] = {
    "create_key": Role.ADMIN,
    "suspend_operator": None,
    "verify_case": Role.INTAKE,
    "reject_case": Role.INTAKE,
    "hold_case": None,
    "resume_case": Role.INTAKE,
    "withdraw_case": Role.INTAKE,
    "confirm_case": Role.INTAKE,
    "close_case": Role.INTAKE,
    "mark_duplicate": Role.INTAKE,
    "join_beneficiaries": Role.INTAKE,
    "tell_apart": Role.INTAKE,
    "acknowledge_duplicate": Role.INTAKE,
    "approve_disbursement": Role.APPROVER,
    "release_disbursement": Role.TREASURER,
    "activate_agent": Role.APPROVER,
    "approve_advance": Role.APPROVER,
    "release_advance": Role.TREASURER,
    "tell_movement": Role.TREASURER,
    "approve_purse_movement": Role.APPROVER,
    "approve_outlay": Role.APPROVER,
    "agree_failure": Role.APPROVER,
    "tell_unexecuted": Role.TREASURER,
    "agree_unexecuted": Role.APPROVER,
    "confirm_return": Role.APPROVER,
    "approve_batch": Role.APPROVER,
    "release_batch": Role.TREASURER,
    "quash_ruling": Role.INTAKE,
    "reduce_ruling": Role.INTAKE,
    "uphold_ruling": Role.INTAKE,
    "request_transfer": Role.TREASURER,
    "approve_transfer": Role.APPROVER,
    "approve_conversion": Role.APPROVER,
    "release_conversion": Role.TREASURER,
    "draft_publication": Role.PUBLISHER,
    "approve_publication": Role.APPROVER,
    "close_period": Role.TREASURER,
    "prepare_reconciliation": Role.TREASURER,
    "review_reconciliation": None,
    "admit_entry": Role.TREASURER,
    "request_erasure": Role.INTAKE,
    "agree_erasure": Role.APPROVER,
    "drop_evidence": Role.APPROVER,
    "apply_bail": Role.APPROVER,
    "forfeit_bail": Role.APPROVER,
    "request_withdrawal": Role.TREASURER,
    "agree_withdrawal": Role.APPROVER,
    "request_refund": Role.TREASURER,
    "approve_refund": Role.APPROVER,
    "clear_exception": Role.TREASURER,
    "agree_clearing": Role.APPROVER,
    "match_lines": Role.TREASURER,
    "unmatch_lines": Role.TREASURER,
    "draft_purpose": Role.PUBLISHER,
    "approve_purpose": Role.APPROVER,
    "assign_gift": Role.TREASURER,
    "merge_donors": Role.TREASURER,
    "issue_receipt": Role.TREASURER,
    "cancel_receipt": Role.TREASURER,
    "set_confirmations": Role.ADMIN,
    "match_gift": Role.TREASURER,
    "condition_gift": Role.TREASURER,
    "meet_condition": Role.APPROVER,
    "claim_gift": Role.TREASURER,
    "tell_payout": Role.TREASURER,
    "answer_line": Role.TREASURER,
    "request_gift_return": Role.TREASURER,
    "approve_gift_return": Role.APPROVER,
    "count_cash": Role.TREASURER,
    "witness_cash": None,
    "bank_cash": Role.TREASURER,
    "value_gift": Role.TREASURER,
    "approve_gift_in_kind": Role.APPROVER,
    "request_resolution": Role.TREASURER,
    "agree_resolution": Role.APPROVER,
    "agree_loss": Role.APPROVER,
}
"""Which role of the roster each act needs; None where any will do, at once."""


_DETAIL = r"[A-Za-z0-9_.+-]{1,2000}"
"""What may stand behind the verb of an act: a code, an amount, or aliases joined by `+`."""


class BadAct(BadInput):
    """A number or a text that no JSON can hold exactly."""

    rule = "bad_act"


class BadSignature(Tampered):
    """The signature is not by the signer over this act."""

    rule = "bad_signature"


class ActDiffers(Conflict):
    """The act restates something else than what would be done; `field` tells which part."""

    rule = "act_differs"


class ActExpired(Refused):
    """Signed too long ago, or in the future."""

    rule = "act_expired"


class NonceUsed(Conflict):
    """The act was handed in before."""

    rule = "nonce_used"


class NotInRole(Refused):
    """The roster does not give the signer the role this act needs, or not yet."""

    rule = "not_in_role"


class Suspended(Refused):
    """The signer is suspended: a roster of two officers lets them in again, or takes them off."""

    rule = "suspended"


class SamePerson(Refused):
    """Four eyes are two people: who entered, asked or approved does not do the next step too."""

    rule = "same_person"


class NotAgreed(Tampered):
    """What stands in the books is not what was signed before."""

    rule = "not_agreed"


class Amount(BaseModel):
    """An amount as the wire has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    amount: str
    currency: str


def _known_verb(stated: str) -> str:
    if stated.partition(":")[0] not in ROLE_OF:
        raise ValueError("a verb")
    return stated


class Act(BaseModel):
    """Everything that is agreed. `object` is an alias, `version` the state of it that the signer saw.

    `act` is a verb, or `verb:detail` where the verb alone does not say what is agreed: `reject_case:illegible`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    act: Annotated[str, StringConstraints(pattern=rf"^[a-z_]{{1,40}}(:{_DETAIL})?$"), AfterValidator(_known_verb)]
    book: str
    signer: str
    object: str
    version: int
    amount: str | None
    currency: str | None
    payee_commitment: Hex32 | None
    evidence_commitments: tuple[Hex32, ...]
    at: AwareDatetime
    nonce: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]

    @property
    def verb(self) -> Verb:
        """What is done, without its detail."""
        return cast("Verb", self.act.partition(":")[0])  # known, or there was no act

    @property
    def detail(self) -> str | None:
        """What stands behind the verb, or None."""
        return self.act.partition(":")[2] or None

    def canonical(self) -> bytes:
        """The bytes that are signed after `ACT_DOMAIN`: JSON by RFC 8785; `BadAct` when there are none."""
        try:
            return rfc8785.dumps(self.model_dump(mode="json"))
        except rfc8785.CanonicalizationError:
            raise BadAct("a number or a text has no canonical form (RFC 8785)", where="act") from None


@dataclass(frozen=True, slots=True)
class Agreed:
    """An act with its signature and who hands it in, at the moment it comes in."""

    act: Act
    signature: str
    signer: Operator
    now: datetime


class SignedAct(SQLModel, table=True):
    """An act and its signature, kept for good."""

    __tablename__ = "signed_act"
    nonce: str = Field(primary_key=True, max_length=32)
    verb: str = Field(max_length=40)
    signer: str = Field(max_length=20, index=True)
    object: str = Field(max_length=64)
    document: str
    signature: str = Field(max_length=128)
    roster: int
    recorded_at: datetime = Field(sa_type=UtcDateTime, index=True)

    __table_args__ = (Index("acts_on_an_object", "object", "verb", "signer"),)


def accept(
    session: Session,
    agreed: Agreed,
    *,
    verb: Verb,
    object_alias: str,
    version: int,
    detail: str | None = None,
    amount: Money | None = None,
    payee_commitment: str | None = None,
    evidence_commitments: Sequence[str] = (),
) -> SignedAct:
    """Checks the act against what would be done, and keeps it; `detail` is what it says behind its verb.

    Raises:
        BadSignature: not signed by the signer's device. ActDiffers: it restates something else.
        ActExpired: older than a day, or from the future. NonceUsed: handed in before.
        NotInRole: the roster does not admit the signer to this act, or the waiting time runs.
        UnknownOperator, Suspended: the signer is not in the roster any more, or stopped.
    """
    act, signature, now = agreed.act, agreed.signature, agreed.now
    roster = people.current(session)  # keys and roles are the roster's of this moment, not the caller's
    signer = roster.operator(agreed.signer.alias, on=now.date())
    if suspensions.is_suspended(session, signer.alias):
        raise Suspended("the signer is suspended", signer=signer.alias)
    if not people.holds(signer.signing_key, ACT_DOMAIN + act.canonical(), signature):
        raise BadSignature("the signature does not hold", signer=signer.alias)
    expected = {
        "act": stated(verb, detail),
        "book": book.require(session).book_id,
        "signer": signer.alias,
        "object": object_alias,
        "version": version,
        "amount": amount.decimal() if amount is not None else None,
        "currency": amount.currency if amount is not None else None,
        "payee_commitment": payee_commitment,
        "evidence_commitments": tuple(sorted(evidence_commitments)),
    }
    for field, value in expected.items():
        if getattr(act, field) != value:
            raise ActDiffers("the act restates something else than what would be done", field=field)
    if not now - OLDEST_ACT <= act.at <= now + CLOCK_SKEW:
        raise ActExpired("the act was signed too long ago or in the future", field="at")
    _check_role(session, verb, signer, now=now)
    if session.get(SignedAct, act.nonce) is not None:
        raise NonceUsed("the act was handed in before", field="nonce")
    kept = SignedAct(
        nonce=act.nonce,
        verb=verb,
        signer=signer.alias,
        object=object_alias,
        document=act.canonical().decode(),
        signature=signature,
        roster=roster.number,
        recorded_at=now,
    )
    try:
        with session.begin_nested():
            session.add(kept)
    except IntegrityError:  # on PostgreSQL the same act came in twice at once
        raise NonceUsed("the act was handed in before", field="nonce") from None
    return kept


def stated(verb: Verb, detail: str | None) -> str:
    """What an act says of what is done: the verb, and its detail where there is one."""
    return verb if detail is None else f"{verb}:{detail}"


def require_other(person: str, *, than: Collection[str | None]) -> None:
    """Refuses when `person` is among those who did the steps before.

    Raises:
        SamePerson: the same roster entry, whatever key was used.
    """
    if person in than:
        raise SamePerson("another person does this step", operator=person)


def require_agreed(
    session: Session,
    object_alias: str,
    *,
    verb: Verb,
    amount: Money,
    payee_commitment: str | None,
    evidence: Sequence[str] | None = None,
) -> None:
    """Refuses what no kept act covers: whoever takes the next step does it on a signature, not on a state in a row.

    Raises:
        NotAgreed: nobody signed the verb on this object with this amount and this commitment, nor, where told, on
            this evidence.
    """
    signers = agreed_by(
        session, object_alias, verb=verb, amount=amount, payee_commitment=payee_commitment, evidence=evidence
    )
    if not signers:
        raise NotAgreed("no kept signature covers what stands here", object=object_alias, verb=verb)


def agreed_by(
    session: Session,
    object_alias: str,
    *,
    verb: Verb,
    amount: Money,
    payee_commitment: str | None,
    evidence: Sequence[str] | None = None,
) -> set[str]:
    """Who signed the verb on this object with this amount and this commitment, as far as their acts still hold.

    Where `evidence` is told, they signed on exactly this.
    """
    agreed: dict[str, object] = {
        "amount": amount.decimal(),
        "currency": amount.currency,
        "payee_commitment": payee_commitment,
    }
    if evidence is not None:
        agreed["evidence_commitments"] = sorted(evidence)
    return {
        kept.signer
        for kept in of_object(session, object_alias)
        if kept.verb == verb and still_holds(session, kept) and agreed.items() <= json.loads(kept.document).items()
    }


def signers_of(session: Session, object_alias: str, *, verb: Verb) -> set[str]:
    """Who has ever signed the verb on this object, whether it sufficed or not: none of them takes the next step."""
    return {kept.signer for kept in of_object(session, object_alias) if kept.verb == verb}


def of_object(session: Session, object_alias: str) -> list[SignedAct]:
    """All acts about one object, in the order they were recorded."""
    acts = session.exec(select(SignedAct).where(SignedAct.object == object_alias)).all()
    return sorted(acts, key=lambda kept: (kept.recorded_at, kept.nonce))


def still_holds(session: Session, kept: SignedAct) -> bool:
    """Whether a kept act still verifies by the roster of its time, and its columns agree with its document."""
    version = next((v for v in people.versions(session) if v.number == kept.roster), None)
    if version is None:
        return False
    operators = {operator.alias: operator for operator in people.read_roster(version.document).operators}
    signer = operators.get(kept.signer)
    # The signature first: what it covers was an act once, and can be read.
    if signer is None or not people.holds(signer.signing_key, ACT_DOMAIN + kept.document.encode(), kept.signature):
        return False
    content = json.loads(kept.document)
    columns = {"signer": kept.signer, "object": kept.object, "nonce": kept.nonce}
    is_verb: bool = content["act"].partition(":")[0] == kept.verb
    return is_verb and all(content[name] == value for name, value in columns.items())


def _check_role(session: Session, verb: str, signer: Operator, *, now: datetime) -> None:
    role = ROLE_OF[verb]
    if role is None:
        return
    if role not in signer.roles:
        raise NotInRole("the roster does not give the signer this role", role=role)
    until = people.waits_until(session, signer.alias, role, wait=NEW_APPROVER_WAITS)
    if until is not None and now < until:
        raise NotInRole("who joined after the first roster waits before the first act", role=role)
