"""What a dossier tells of payments that the bank never carried out, or late."""

from ledger.aid.disbursements import Disbursement
from ledger.aid.order_failures import Reason
from ledger.reconciliation.answers import Answer, Because
from reports.dossier import pages
from reports.dossier.chain import chains
from reports.dossier.facts import Facts
from reports.dossier.gathering import gather
from reports.dossier.steps import Standing, Step
from tests.cast import LEAF, NOW, House, byn, give
from tests.office import on_one_database
from tests.purses import a_released_batch, an_agent, items
from tests.saying import resolve, shown
from tests.unexecuted import a_payment, end


def step(house: House, payment: Disbursement, title: str, *, without: str = "") -> Step:
    """One statement of the chain, by all acts, or without those of a verb."""
    facts: Facts = gather(house.session, payment.case_alias, as_of=NOW)
    kept = facts.model_copy(update={"acts": tuple(act for act in facts.acts if act.verb != without)})
    (chain,) = chains(kept)
    (found,) = [one for one in chain.steps if one.title == title]
    return found


@on_one_database
def test_a_payment_that_two_people_ended_is_told_with_their_acts_and_the_next_one_is_the_chain(house: House) -> None:
    payment = a_payment(house)
    end(house, payment, because=Reason.BANK_REFUSED)
    house.a_released_payment(of=house.case_of(payment))

    told = step(house, payment, "Attempt")

    assert told.standing is Standing.RECORDED
    assert told.says == (
        "A payment of 810.00 BYN was released on 20 November 2020, and never carried out (bank refused); two people "
        "signed that by 20 November 2020. It is no part of this chain."
    )
    assert [house.fund.clara.alias in one or house.fund.boris.alias in one for one in told.rests_on[1:]] == [True, True]
    assert step(house, payment, "Release").standing is Standing.ESTABLISHED
    for verb in ("tell_unexecuted", "agree_unexecuted"):
        assert step(house, payment, "Attempt", without=verb).standing is Standing.MISSING


@on_one_database
def test_a_line_that_two_people_stopped_is_told_with_the_reason_on_the_page_and_in_the_json(house: House) -> None:
    give(house.session, byn("5000.00"))
    (item,) = items(house, a_released_batch(house, an_agent(house), LEAF, [house.a_verified_case()]))
    end(house, item.disbursement, because=Reason.STOPPED)

    told = step(house, item.disbursement, "Attempt")

    assert told.says == (
        "A payment of 810.00 BYN was released to an agent on 20 November 2020, and the fund told them not to pay it "
        "(stopped); two people signed that by 20 November 2020. It is no part of this chain."
    )
    assert len(told.rests_on) == 3
    facts = gather(house.session, item.case.alias, as_of=NOW)
    assert told.says in pages.render_json(facts).decode()
    assert told.says in str(pages.lay_out(facts).rows)
    assert step(house, item.disbursement, "Attempt", without="agree_unexecuted").says == (
        "A payment of 810.00 BYN was asked for and failed: it is no part of this chain."
    )


@on_one_database
def test_a_line_that_left_late_is_the_payment_by_two_signatures(house: House) -> None:
    give(house.session, byn("5000.00"))
    (item,) = items(house, a_released_batch(house, None, LEAF, [house.a_verified_case()]))
    end(house, item.disbursement)
    late = shown(house, byn("-810.00"), item.disbursement.reference)

    resolve(house, late.alias, Answer.CARRIED_OUT, item.disbursement.alias, byn("810.00"), Because.TOLD_BY_BANK)

    told = step(house, item.disbursement, "Left late")
    assert told.standing is Standing.ESTABLISHED
    assert "ended as never carried out, which was signed by 20 November 2020; two people signed" in told.says
    assert step(house, item.disbursement, "Payment").standing is Standing.ESTABLISHED
    unsigned = step(house, item.disbursement, "Left late", without="agree_resolution")
    assert unsigned.standing is Standing.MISSING
