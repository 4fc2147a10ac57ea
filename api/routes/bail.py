"""The route of bail: what courts hold, by age."""

from datetime import date

from fastapi import APIRouter

from api.authentication import Admitted, Now
from api.routes.wire import AmountOnWire, Wire
from api.transactions import Tx
from ledger.aid import hearings

router = APIRouter()


class StandingOut(Wire):
    """Bail that a court holds; `announced` of it is to come back."""

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


class AgesOut(Wire):
    """All bail that courts hold, the oldest first."""

    bail: list[StandingOut]


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
            )
            for one in hearings.age(session, on=now.date())
        ]
    )
