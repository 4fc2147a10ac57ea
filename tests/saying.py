"""What the bank shows that answers nothing by itself, and what two people say it is."""

from datetime import date, datetime
from typing import Any

from ledger import exceptions
from ledger.aliases import Kind, draw
from ledger.approvals import Agreed
from ledger.exceptions import Difference, OpenException
from ledger.money import Money
from ledger.reconciliation import bank, resolutions
from ledger.reconciliation.answers import Answer, Because, magnitude
from ledger.reconciliation.resolutions import NewResolution, Resolution
from ledger.reconciliation.statements import NewLine, NewStatement
from tests.cast import LEAF, NOW, TODAY, House, Person, agreed_by


def show(
    house: House,
    moved: Money,
    reference: str | None,
    *,
    leaf: str = LEAF,
    on: date = TODAY,
    at: datetime = NOW,
    reversal: bool = False,
) -> list[OpenException]:
    """A statement of one line; what waits for a person afterwards."""
    new = NewStatement(
        alias=draw(Kind.STATEMENT),
        account=leaf,
        currency=moved.currency,
        opened_on=None,
        closed_on=None,
        opening=None,
        closing=None,
        content_token=draw(Kind.STATEMENT).encode().hex().ljust(64, "0"),
        lines=[NewLine(on, None, moved, reference, reversal)],
    )
    bank.receive(house.session, new, received_at=at, received_by=house.fund.clara.alias)
    house.session.commit()
    waiting = exceptions.listed(house.session)  # agents of tests pay before the release, which is another exception
    return [one for one in waiting if one.difference is not Difference.PAID_BEFORE_RELEASE]


def shown(house: House, moved: Money, reference: str | None, **other: Any) -> OpenException:
    """The one difference that the line opens."""
    (opened,) = show(house, moved, reference, **other)
    return opened


def saying(
    about: str, answer: Answer, of: str | None, settles: Money, because: Because = Because.SENT_BACK
) -> NewResolution:
    return NewResolution(about=about, answer=answer, of=of, settles=settles, because=because)


def on_request(house: House, new: NewResolution, *, by: Person | None = None, **other: Any) -> Agreed:
    """What a treasurer's client signs."""
    said, _ = resolutions.draft(house.session, new, by=house.fund.clara.alias, on=TODAY)
    seen = _seen(said) | other
    verb = seen.pop("verb", resolutions.verb_of_request(said))
    return agreed_by(by or house.fund.clara, verb, **seen)


def on_agreement(house: House, said: Resolution, *, by: Person | None = None, **other: Any) -> Agreed:
    """What an approver's client signs."""
    seen = _seen(said) | {"amount": magnitude(said.amount()).decimal()} | other
    return agreed_by(by or house.fund.boris, resolutions.verb_of(said), **seen)


def _seen(said: Resolution) -> dict[str, Any]:
    return {
        "object": said.about,
        "version": said.number,
        "amount": resolutions.restated_by(said).decimal(),
        "currency": said.currency,
        "payee_commitment": resolutions.commitment_of(said),
        "detail": said.answer,
    }


def say(house: House, new: NewResolution, *, by: Person | None = None) -> Resolution:
    """Clara says it."""
    said = resolutions.request(house.session, new, on_request(house, new, by=by))
    house.session.commit()
    return said


def agree(house: House, said: Resolution, *, by: Person | None = None) -> Resolution:
    """Boris agrees."""
    agreed = resolutions.agree(house.session, said.about, on_agreement(house, said, by=by))
    house.session.commit()
    return agreed


def resolve(house: House, *said: Any) -> Resolution:
    """Clara says it, and Boris agrees."""
    return agree(house, say(house, saying(*said)))
