"""What the bank shows that answers nothing by itself, and what two people say it is."""

from datetime import date, datetime
from typing import Any

from ledger import exceptions
from ledger.aliases import Kind, draw
from ledger.approvals import Agreed
from ledger.exceptions import OpenException
from ledger.money import Money
from ledger.reconciliation import bank, resolutions
from ledger.reconciliation.answers import Answer
from ledger.reconciliation.resolutions import Because, NewResolution, Resolution
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
    return exceptions.listed(house.session)


def shown(house: House, moved: Money, reference: str | None, **other: Any) -> OpenException:
    """The one difference that the line opens."""
    (opened,) = show(house, moved, reference, **other)
    return opened


def saying(about: str, answer: Answer, of: str, settles: Money, because: Because = Because.SENT_BACK) -> NewResolution:
    return NewResolution(about=about, answer=answer, of=of, settles=settles, because=because)


def on_request(house: House, new: NewResolution, *, by: Person | None = None, **other: Any) -> Agreed:
    """What a treasurer's client signs."""
    line = resolutions.moved_by(house.session, new)
    said = [one for one in resolutions.listed(house.session) if one.about == new.about]
    seen: dict[str, Any] = {
        "object": new.about,
        "version": len(said) + 1,
        "amount": line.decimal(),
        "currency": line.currency,
        "payee_commitment": resolutions.commitment(
            answer=new.answer, of=new.of, settles=new.settles, because=new.because
        ),
    }
    return agreed_by(by or house.fund.clara, "request_resolution", detail=new.answer, **(seen | other))


def on_agreement(house: House, said: Resolution, *, by: Person | None = None, **other: Any) -> Agreed:
    """What an approver's client signs."""
    seen: dict[str, Any] = {
        "object": said.about,
        "version": said.number,
        "amount": said.amount().decimal(),
        "currency": said.currency,
        "payee_commitment": resolutions.commitment_of(said),
    }
    return agreed_by(by or house.fund.boris, resolutions.verb_of(said), detail=said.answer, **(seen | other))


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
