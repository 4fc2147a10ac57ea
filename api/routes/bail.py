"""Routes of bail: what courts hold, by age; hearings; what becomes of it: returned, applied to a fine, forfeited."""

from datetime import date

from fastapi import APIRouter
from sqlmodel import Session

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, AmountOnWire, Day, Reference, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.aid import bail, bail_acts, hearings, obligations
from ledger.aid.bail import BailReturn
from ledger.aid.bail_parts import BailPart
from ledger.approvals import Agreed
from ledger.bearer_keys import Caller
from ledger.money import Money

router = APIRouter()


class BailReturnOut(Wire):
    """Bail announced to come back; `arrives` is what the bank is to bring under `reference`: `amount` less `fee`."""

    obligation: str
    reference: str
    amount: AmountOnWire
    fee: AmountOnWire
    arrives: AmountOnWire
    announced_on: date

    @classmethod
    def of(cls, announced: BailReturn) -> "BailReturnOut":
        """A return as the wire has it."""
        return cls(
            obligation=announced.obligation_alias,
            reference=announced.reference,
            amount=AmountOnWire.of(announced.amount()),
            fee=AmountOnWire.of(announced.fee()),
            arrives=AmountOnWire.of(announced.arrives()),
            announced_on=announced.announced_on,
        )


class StandingOut(Wire):
    """Bail that a court holds; `announced` of it is to come back; `version` is what the next act on it restates."""

    obligation: str
    case: str
    fund: str
    outstanding: AmountOnWire
    announced: AmountOnWire
    posted_on: date
    age_days: int
    group: str
    last_hearing: date | None
    next_hearing: date | None
    returns: list[BailReturnOut]
    version: int


class AgesOut(Wire):
    """All bail that courts hold, the oldest first."""

    bail: list[StandingOut]


class HearingIn(Wire):
    """The last day of the grain in which the court hears the case."""

    on: Day


class HearingOut(Wire):
    """A hearing as it is kept: at the grain of the case's pack."""

    obligation: str
    held_by: date


class BailReturnIn(Wire):
    """How much of the bail comes back, and what of that the court keeps as its fee."""

    amount: AmountOnWire
    fee: AmountOnWire


class WithdrawnIn(Wire):
    """The reference under which bail was to come back."""

    reference: Reference


class StepIn(Wire):
    """The signed act."""

    agreed: SignedActOnWire

    def by(self, caller: Caller, now: Now) -> Agreed:
        """The act as it is handed in."""
        return Agreed(self.agreed.act, self.agreed.signature, caller.operator, now)


class ApplyIn(StepIn):
    """The approver's signed act, the obligation that the court counts bail against, and how much of it."""

    fine: Alias
    amount: AmountOnWire


class ForfeitIn(StepIn):
    """The approver's signed act, and how much the court keeps."""

    amount: AmountOnWire


class BailPartOut(Wire):
    """A part of bail that does not come back, by number, and what the court holds now."""

    obligation: str
    number: int
    fate: str
    amount: AmountOnWire
    fine: str | None
    decided_on: date
    outstanding: AmountOnWire


@router.get("/v1/bail")
def age_bail(session: Tx, _caller: Admitted, now: Now) -> AgesOut:
    """What courts hold today, for how long, and the hearings around today."""
    return AgesOut(
        bail=[
            StandingOut(
                obligation=one.obligation,
                case=one.case,
                fund=one.fund,
                outstanding=AmountOnWire.of(one.outstanding),
                announced=AmountOnWire.of(one.announced),
                posted_on=one.posted_on,
                age_days=one.age_days,
                group=one.group,
                last_hearing=one.last_hearing,
                next_hearing=one.next_hearing,
                returns=[BailReturnOut.of(announced) for announced in one.returns],
                version=one.version,
            )
            for one in hearings.age(session, on=now.date())
        ]
    )


@router.post("/v1/bail/{alias}/hearings", status_code=201)
def note_hearing(alias: Alias, body: HearingIn, session: Tx, caller: Admitted, once: Claimed) -> HearingOut:
    """Notes a hearing of the case for which bail was posted; the same again changes nothing."""
    hearing = hearings.note_hearing(session, alias, on=body.on, by=caller.operator.alias)
    return once.keep(HearingOut(obligation=alias, held_by=hearing.held_by))


@router.post("/v1/bail/{alias}/returns", status_code=201)
def announce_return(
    alias: Alias, body: BailReturnIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> BailReturnOut:
    """Announces that bail comes back less the court's fee; the answer has the reference for the court's payment."""
    announced = bail.announce_return(
        session,
        alias,
        amount=body.amount.money(),
        fee=body.fee.money(),
        by=caller.operator.alias,
        on=now.date(),
    )
    return once.keep(BailReturnOut.of(announced))


@router.post("/v1/bail/{alias}/withdraw-return", status_code=201)
def withdraw_return(
    alias: Alias, body: WithdrawnIn, session: Tx, caller: Admitted, now: Now, once: Claimed
) -> BailReturnOut:
    """Takes an announcement back: the court sends nothing so, and what was set aside is free."""
    announced = bail.by_reference(session, body.reference)
    if announced is None or announced.obligation_alias != alias:
        raise bail.NotPosted("no return of this bail has the reference", obligation=alias)
    bail.withdraw_return(session, announced, by=caller.operator.alias, on=now.date())
    return once.keep(BailReturnOut.of(announced))


@router.post("/v1/bail/{alias}/apply", status_code=201)
def apply_bail(alias: Alias, body: ApplyIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> BailPartOut:
    """The court counts a part of the bail as the payment of a recognised obligation."""
    part = bail_acts.apply_bail(session, alias, body.by(caller, now), fine=body.fine, amount=body.amount.money())
    return once.keep(_part(session, part))


@router.post("/v1/bail/{alias}/forfeit", status_code=201)
def forfeit_bail(alias: Alias, body: ForfeitIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> BailPartOut:
    """The court keeps a part of the bail for good, or all of it."""
    part = bail_acts.forfeit_bail(session, alias, body.by(caller, now), amount=body.amount.money())
    return once.keep(_part(session, part))


def _part(session: Session, part: BailPart) -> BailPartOut:
    posted = obligations.require(session, part.obligation_alias)
    return BailPartOut(
        obligation=posted.alias,
        number=part.number,
        fate=part.fate,
        amount=AmountOnWire.of(Money(part.minor, posted.currency)),
        fine=part.fine_alias,
        decided_on=part.decided_on,
        outstanding=AmountOnWire.of(bail.outstanding(session, posted)),
    )
