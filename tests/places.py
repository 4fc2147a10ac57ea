"""Where many tests begin, beyond the empty house: played once for each kind of database, and copied for each test.

A test, or a module, names its place: `pytestmark = pytest.mark.place("verified_cases")`. What was played there is
what its builders would have made: `House.a_verified_case` gives one that lies ready instead of making another.
"""

from typing import TypeVar

import pyrage
from sqlmodel import Session, select

from ledger.aid import batches, disbursements
from ledger.aid.agents import Agent
from ledger.aid.batches import Batch
from ledger.aid.cases import Case, State
from ledger.aid.disbursements import Disbursement
from tests.cast import LEAF, House, Stock, byn, eur, give
from tests.courts import open_dollars, posted_bail
from tests.purses import (
    a_released_batch,
    an_advance,
    an_agent,
    enter,
    give_euros,
    give_to_general,
    items,
    verified,
)

LIST_IDENTITY = pyrage.x25519.Identity.generate()
"""What opens the lists of the agent who has a key for them."""
CASES = 4
"""As many as most tests use at most; a test that needs more makes them."""
Thing = TypeVar("Thing")


def verified_cases(house: House) -> None:
    """Fines of 810.00 BYN that wait to be paid."""
    for _ in range(CASES):
        house.a_verified_case()


def requested_payments(house: House) -> None:
    """Two payments of fines that Clara has asked for, whose shelves both approvers have opened; and three cases."""
    for _ in range(2):
        house.a_requested_payment()
    for _ in range(3):
        house.a_verified_case()


def agent_with_a_purse(house: House) -> None:
    """Verified cases; and an agent with 1,000.00 BYN of the fines' fund, of 10,000.00 EUR."""
    verified_cases(house)
    give_euros(house)
    an_advance(house, an_agent(house), received=byn("1000.00"))


def agent_with_a_line(house: House) -> None:
    """The same with one case less: it stands on a list that was released, and paid for by a gift of its sum."""
    agent_with_a_purse(house)
    give(house.session, byn("810.00"))
    (case, *_) = stock(house.session).cases
    a_released_batch(house, the(house.session, Agent), LEAF, [case])


def agent_with_two_funds(house: House) -> None:
    """An agent with 3,000.00 BYN for 1,000.00 EUR: 2,100.00 of the fines' fund, 900.00 of the general one."""
    give_euros(house)
    give_to_general(house, eur("1000.00"))
    an_advance(house, an_agent(house), received=byn("3000.00"), fines=eur("700.00"), general=eur("300.00"))


def agent_who_is_owed(house: House) -> None:
    """An agent who had 600.00 BYN and paid 810.00: the fines' fund, which has 5,000.00, owes them 210.00."""
    give_euros(house)
    give(house.session, byn("5000.00"))
    agent = an_agent(house)
    an_advance(house, agent, received=byn("600.00"), fines=eur("200.00"))
    batch = a_released_batch(house, agent, LEAF, [house.a_verified_case()])
    enter(house, batch, *(verified(item) for item in items(house, batch)))


def agent_with_a_list(house: House) -> None:
    """An agent with a key for their lists and 1,000.00 BYN, and a released list of one fine; two cases more."""
    give_euros(house)
    agent = an_agent(house, list_key=str(LIST_IDENTITY.to_public()))
    an_advance(house, agent, received=byn("1000.00"))
    give(house.session, byn("810.00"))
    a_released_batch(house, agent, LEAF, [house.a_verified_case()])
    for _ in range(2):
        house.a_verified_case()


def released_payment(house: House) -> None:
    """A released payment of a fine, out of a gift of 5,000.00 BYN."""
    give(house.session, byn("5000.00"))
    house.a_released_payment()


def bail_at_the_court(house: House) -> None:
    """9,000.00 USD, of which the fund has posted 1,500.00 as bail."""
    open_dollars(house)
    posted_bail(house)


def stock(session: Session) -> Stock:
    """What lies ready in a place: payments that were asked for, cases of which nobody asked, and released lists."""
    asked = session.exec(select(Disbursement).where(Disbursement.state == disbursements.State.REQUESTED)).all()
    verified = session.exec(select(Case).where(Case.state == State.VERIFIED)).all()
    released = session.exec(select(Batch).where(Batch.state == batches.State.RELEASED)).all()
    session.commit()
    free = {one.alias for one in verified} - {one.case_alias for one in asked}
    return Stock([one for one in verified if one.alias in free], list(asked), list(released))


def the(session: Session, kind: type[Thing]) -> Thing:
    """The only one of its kind."""
    return session.exec(select(kind)).one()
