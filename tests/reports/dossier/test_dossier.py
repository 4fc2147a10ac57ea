"""The dossier: what a case's books establish, what they do not, and what contradicts them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from ledger import exceptions
from ledger.aid import acts, disbursements, quashing, refunds, ruling_acts, rulings
from ledger.aid.cases import UnknownCase
from ledger.aid.disbursements import Disbursement
from ledger.aid.eligibility import Rejection
from ledger.aliases import Kind, draw
from ledger.exceptions import Difference
from ledger.identities.shelves import Shelf
from ledger.reconciliation.answers import Answer, Because
from ledger.storage import guards
from reports.dossier import pages
from reports.dossier.chain import chains
from reports.dossier.facts import SERVER, Act, Facts, Opened, OpenedAnswer
from reports.dossier.gathering import gather
from reports.dossier.steps import Standing
from tests.canaries import sightings, text_of_pdf
from tests.cast import LEAF, NOW, TODAY, House, byn, give, sealed
from tests.clearing import clear
from tests.courts import a_recognised_fine, apply, forfeit, open_dollars, posted_bail, usd
from tests.purses import LATER, a_released_batch, an_advance, an_agent, enter, give_euros, items, verified
from tests.saying import agree, say, saying, shown


def pay(house: House, released: Disbursement) -> Disbursement:
    disbursements.pay(
        house.session,
        released,
        source_key=f"bank:{LEAF}:{released.alias}",
        on=TODAY,
        recorded_at=NOW,
        recorded_by=house.fund.clara.alias,
    )
    house.session.commit()
    return released


@pytest.fixture
def paid(house: House) -> Disbursement:
    """A fine of 810.00 roubles from the list to the bank's line."""
    give(house.session, byn("5000.00"))
    return pay(house, house.a_released_payment())


def dossier_of(house: House, case: str) -> Facts:
    return gather(house.session, case, as_of=NOW)


def standings(facts: Facts) -> dict[str, str]:
    (chain,) = chains(facts)
    return {step.title: step.standing.value for step in chain.steps}


def words(facts: Facts) -> str:
    return " ".join(cell for row in pages.lay_out(facts).rows for cell in row.cells)


YES, NO, AGAINST = Standing.ESTABLISHED.value, Standing.MISSING.value, Standing.CONTRADICTED.value


def test_a_payment_by_the_bank_is_established_but_for_the_receipt_that_nobody_has_brought(
    house: House, paid: Disbursement
) -> None:
    facts = dossier_of(house, paid.case_alias)

    assert standings(facts) == {
        "Ruling": YES,
        "Eligibility": YES,
        "Approval": YES,
        "Recognition": YES,
        "Release": YES,
        "Payment": YES,
        "Receipt": NO,
    }
    (chain,) = chains(facts)
    assert not chain.holds
    resting = {step.title: step.rests_on for step in chain.steps}
    approver, treasurer = house.fund.boris.alias, house.fund.clara.alias
    assert approver in resting["Approval"][0]
    assert treasurer in resting["Release"][0]
    assert resting["Payment"] == (f"entry {facts.entries[-1].number}",)
    assert facts.checked_by == SERVER
    assert "The chain is INCOMPLETE. Contradicted by what is kept: 0. Not established: 1." in words(facts)


def test_a_payment_through_an_agent_with_a_verified_receipt_is_established_from_end_to_end(house: House) -> None:
    give_euros(house)
    agent = an_agent(house)
    an_advance(house, agent, received=byn("1000.00"))
    give(house.session, byn("810.00"))
    case = house.a_verified_case()
    batch = a_released_batch(house, agent, LEAF, [case])
    (item,) = items(house, batch)
    key = house.session.get_one(Shelf, case.beneficiary_alias).sealing_key
    receipt = sealed(
        key, kind="disbursement", alias=item.disbursement.alias, field="receipt", content="An invented receipt"
    )
    in_time = verified(item, paid_by=TODAY + timedelta(days=2), verified_on=TODAY, receipt_box=receipt)
    enter(house, batch, in_time, at=LATER)

    facts = dossier_of(house, case.alias)

    assert standings(facts) == dict.fromkeys(
        ("Ruling", "Eligibility", "Approval", "Recognition", "Release", "Payment", "Receipt"), YES
    )
    assert agent.alias in words(facts)
    assert "Every statement from the ruling to the receipt is established" in words(facts)


def test_a_case_without_payment_says_that_nothing_is_established(house: House) -> None:
    received, verified_one = house.a_case(), house.a_verified_case()

    assert standings(dossier_of(house, received.alias)) == {
        "Ruling": NO,
        "Eligibility": NO,
        "Approval": NO,
        "Payment": NO,
    }
    assert standings(dossier_of(house, verified_one.alias)) == {
        "Ruling": YES,
        "Eligibility": YES,
        "Approval": NO,
        "Payment": NO,
    }
    assert "The journal has no entry about this case." in words(dossier_of(house, received.alias))


def test_a_rejected_case_is_not_eligible_and_a_cancelled_payment_is_no_part_of_the_chain(house: House) -> None:
    rejected = house.a_case()
    agreed = house.on_case("reject_case", rejected, by=house.fund.anton, detail="illegible")
    acts.reject_case(house.session, rejected.alias, agreed, because=Rejection.ILLEGIBLE)
    given_up = house.a_requested_payment()
    disbursements.cancel(house.session, given_up, on=TODAY)

    assert standings(dossier_of(house, rejected.alias))["Eligibility"] == AGAINST
    assert standings(dossier_of(house, given_up.case_alias)) == {
        "Ruling": YES,
        "Eligibility": YES,
        "Attempt": Standing.RECORDED.value,
        "Approval": NO,
        "Payment": NO,
    }


def test_a_quashed_ruling_is_told_with_the_entry_that_followed(house: House, paid: Disbursement) -> None:
    (ruling,) = rulings.of_case(house.session, paid.case_alias)
    quashing.quash(house.session, ruling, by=house.fund.ana.alias, on=TODAY, recorded_at=NOW)

    facts = dossier_of(house, paid.case_alias)

    assert standings(facts)["Afterwards"] == NO  # it was noted without a signature
    (chain,) = chains(facts)
    assert chain.steps[-1].rests_on == (f"entry {facts.entries[-1].number}",)


# --- attacks: by somebody who owns the database and drops the guards first


ON_ACTS = {
    "amount": "UPDATE signed_act SET document = replace(document, '810.00', '910.00') WHERE verb = '{verb}'",
    "signature": "UPDATE signed_act SET signature = replace(signature, '0', '1') WHERE verb = '{verb}'",
    "signer": "UPDATE signed_act SET signer = '{other}' WHERE verb = '{verb}'",
    "no json": "UPDATE signed_act SET document = 'no json' WHERE verb = '{verb}'",
}
STEP_OF = {"verify_case": "Eligibility", "approve_disbursement": "Approval", "release_disbursement": "Release"}
ON_ROWS = {
    "UPDATE disbursement SET minor = minor - 100": "Approval",
    "UPDATE disbursement SET payee_commitment = 'another'": "Approval",
    "UPDATE obligation SET minor = minor - 1": "Eligibility",
    "UPDATE ruling SET ruled_by = '2030-01-06', payable_from = '2030-01-06'": "Approval",
    "UPDATE ruling SET payable_from = '2030-01-06'": "Payment",
    "UPDATE ruling SET article = '17.1'": "Eligibility",
    "DELETE FROM signed_act WHERE verb = 'approve_disbursement'": "Approval",
    "DELETE FROM signed_act WHERE verb = 'verify_case'": "Ruling",
    "UPDATE box SET commitment = 'another' WHERE field = 'details'": "Ruling",
    "UPDATE assessment SET document = replace(document, 'holds', 'shown')": "Eligibility",
    "UPDATE assessment SET document = 'no json'": "Eligibility",
    "DELETE FROM assessment": "Eligibility",
    "UPDATE obligation SET told_on = NULL": "Recognition",
    "UPDATE obligation SET told_on = '2019-01-01'": "Recognition",
    "UPDATE obligation SET told_on = '2020-11-19'": "Recognition",
    "UPDATE entry SET effective_on = '2020-11-10', happened_on = '2020-11-10' WHERE kind = 'aid_paid'": "Payment",
    "UPDATE line SET minor = minor * 2 WHERE subject IS NOT NULL": "Payment",
    "UPDATE hold_movement SET source_key = source_key || 'x'": "Payment",
}


@contextmanager
def struck(house: House, statement: str) -> Iterator[None]:
    """The statement without the guards, taken back afterwards."""
    with house.session.begin_nested() as attack:
        guards.remove(house.session.connection())
        house.session.connection().execute(text(statement))
        house.session.expire_all()
        yield
        attack.rollback()
    house.session.expire_all()


def test_a_tampered_act_is_told(house: House, paid: Disbursement) -> None:
    case, other = paid.case_alias, house.fund.bella.alias

    for attack in ON_ACTS.values():
        for verb, title in STEP_OF.items():
            with struck(house, attack.format(verb=verb, other=other)):
                found = dossier_of(house, case)

            assert standings(found)[title] == AGAINST
            assert "THE CHAIN DOES NOT HOLD" in words(found)
            assert [act.holds for act in found.acts if act.verb == verb] == [False]
    assert YES in standings(dossier_of(house, case)).values()


def test_rows_that_are_not_what_was_signed_or_booked_are_told(house: House, paid: Disbursement) -> None:
    case = paid.case_alias

    for attack, title in ON_ROWS.items():
        with struck(house, attack):
            found = dossier_of(house, case)

        assert standings(found)[title] in {NO, AGAINST}, attack
        assert not chains(found)[0].holds
    assert standings(dossier_of(house, case))["Payment"] == YES


def test_a_missing_case_is_refused(house: House) -> None:
    with pytest.raises(UnknownCase):
        dossier_of(house, draw(Kind.CASE))


# --- pages


def test_the_pages_are_the_same_twice_and_hold_every_whole_signature_and_no_author(
    house: House, paid: Disbursement
) -> None:
    facts = dossier_of(house, paid.case_alias)

    pdf = pages.render_pdf(facts)

    assert pdf == pages.render_pdf(facts)
    written = "".join(text_of_pdf(pdf).decode("utf-8", "replace").split())
    assert all(act.signature in written and act.nonce in written for act in facts.acts)
    assert all(entry.fingerprint in written for entry in facts.entries)
    assert all(box.commitment in written for box in facts.boxes)
    assert sightings(["Author", "Creator", "CreationDate", "ModDate"], pdf) == []


def test_the_facts_go_over_the_wire_and_come_back(house: House, paid: Disbursement) -> None:
    facts = dossier_of(house, paid.case_alias)

    content = json.loads(pages.render_json(facts))

    assert Facts.model_validate(content["facts"]) == facts
    assert content["chains"][0]["steps"][0]["title"] == "Ruling"


def test_what_a_device_opened_makes_the_day_exact_and_what_it_could_not_open_contradicts(
    house: House, paid: Disbursement
) -> None:
    facts = dossier_of(house, paid.case_alias)
    by = house.fund.boris.alias
    opened = facts.model_copy(update={"opened": Opened(by=by, issued_on="2020-09-28", court="Суд, invented")})
    later = facts.model_copy(update={"opened": Opened(by=by, issued_on="2020-12-28")})
    refused = facts.model_copy(update={"opened": Opened(by=by, refused="wrong_commitment")})

    assert standings(opened)["Ruling"] == YES
    assert "28 September 2020" in words(opened)
    assert pages.render_pdf(opened)
    assert standings(later)["Ruling"] == standings(refused)["Ruling"] == AGAINST


def test_the_rules_answers_stand_on_the_pages_with_their_pack_and_exact_facts_once_opened(
    house: House, paid: Disbursement
) -> None:
    facts = dossier_of(house, paid.case_alias)
    told = OpenedAnswer(
        obligation=paid.obligation_alias, rule="payment_deadline", outcome="holds", facts={"due_by": "2020-11-08"}
    )
    by = house.fund.boris.alias
    opened = facts.model_copy(update={"opened": Opened(by=by, issued_on="2020-09-28", answers=(told,))})
    swapped = facts.model_copy(update={"opened": Opened(by=by, issued_on="2020-09-28", answers=None)})
    unsigned = facts.model_copy(update={"assessment": None})

    assert facts.assessment is not None
    assert facts.assessment.content is not None
    assert facts.assessment.content.pack_digest in words(facts)
    assert "Payment deadline" in words(facts)
    assert "on: due by" in words(facts)
    assert "due by 2020-11-08" in words(opened)
    assert "11 rules of pack 'by' were asked on 20 November 2020: none refuses" in words(facts)
    assert standings(opened)["Eligibility"] == YES
    assert standings(swapped)["Eligibility"] == standings(unsigned)["Eligibility"] == AGAINST
    assert facts.assessment.document in json.loads(pages.render_json(facts))["facts"]["assessment"]["document"]


def test_a_case_verified_before_answers_were_signed_says_that_nobody_signed_them(
    house: House, paid: Disbursement
) -> None:
    facts = dossier_of(house, paid.case_alias)
    first, *others = facts.acts
    content = json.dumps(first.content | {"payee_commitment": None})
    act = Act.model_validate(first.model_dump() | {"document": content})
    before = facts.model_copy(update={"acts": (act, *others), "assessment": None})

    assert standings(before)["Eligibility"] == NO
    assert "What the rules answered was not signed" in words(before)


def test_days_do_not_matter_to_whoever_asks_later(house: House, paid: Disbursement) -> None:
    later = gather(house.session, paid.case_alias, as_of=NOW + timedelta(days=9))

    assert chains(later) == chains(dossier_of(house, paid.case_alias))


# --- what became of it beside its payments


def steps_of(facts: Facts, obligation: str) -> dict[str, tuple[str, str]]:
    """By title: how each statement of one obligation's chain stands, and what it says."""
    (chain,) = [one for one in chains(facts) if one.obligation.alias == obligation]
    return {step.title: (step.standing.value, step.says) for step in chain.steps}


def test_a_payment_that_left_early_is_told_with_the_two_who_accepted_it(house: House) -> None:
    give(house.session, byn("5000.00"))
    payment = house.a_released_payment()
    early = shown(house, byn("-810.00"), payment.reference, on=TODAY - timedelta(days=3))
    said = say(house, saying(early.alias, Answer.PAYMENT, payment.alias, byn("810.00"), Because.DATED_EARLIER))
    waiting = dossier_of(house, payment.case_alias)
    agree(house, said)
    facts = dossier_of(house, payment.case_alias)

    standing, says = steps_of(facts, payment.obligation_alias)["Left early"]
    forged = facts.model_copy(update={"acts": tuple(act for act in facts.acts if act.verb != "agree_resolution")})

    assert "Left early" not in steps_of(waiting, payment.obligation_alias)
    assert standing == YES
    assert says.startswith("It left on 17 November 2020, before it was released on 20 November 2020; two people signed")
    assert {house.fund.boris.alias, house.fund.clara.alias} <= {act.signer for act in facts.acts}
    assert steps_of(forged, payment.obligation_alias)["Left early"][0] == NO


def a_list_paid(house: House, **result: Any) -> Disbursement:
    """A line of an agent's list, released on 20 November, with what the agent says became of it."""
    give_euros(house)
    agent = an_agent(house)
    an_advance(house, agent, received=byn("1000.00"))
    give(house.session, byn("810.00"))
    batch = a_released_batch(house, agent, LEAF, [house.a_verified_case()])
    (item,) = items(house, batch)
    enter(house, batch, verified(item, **result), at=LATER)
    return item.disbursement


def test_what_an_agent_paid_before_its_release_contradicts_until_two_have_looked_into_it(house: House) -> None:
    payment = a_list_paid(house)
    waiting = dossier_of(house, payment.case_alias)
    (opened,) = [one for one in exceptions.listed(house.session) if one.difference is Difference.PAID_BEFORE_RELEASE]
    clear(house, opened)
    facts = dossier_of(house, payment.case_alias)
    forged = facts.model_copy(update={"acts": tuple(act for act in facts.acts if act.verb != "agree_clearing")})

    said = [steps_of(one, payment.obligation_alias)["Left early"] for one in (waiting, facts, forged)]

    assert [standing for standing, _ in said] == [AGAINST, YES, AGAINST]
    assert said[1][1].startswith("The agent says that they paid by 15 November 2020: that was before it was released")


def test_what_an_agent_paid_before_legal_force_contradicts_whoever_has_looked_into_it(house: House) -> None:
    payment = a_list_paid(house, paid_by=date(2020, 10, 4))
    (opened,) = [one for one in exceptions.listed(house.session) if one.difference is Difference.PAID_BEFORE_FORCE]
    clear(house, opened)

    facts = dossier_of(house, payment.case_alias)

    standing, says = steps_of(facts, payment.obligation_alias)["Left early"]
    assert (standing, says) == (
        AGAINST,
        "The agent says that they paid by 4 October 2020: that was before the ruling was in force.",
    )


def test_an_early_payment_is_told_though_somebody_has_removed_its_exception(house: House) -> None:
    payment = a_list_paid(house)

    with struck(house, "DELETE FROM exception"):
        facts = dossier_of(house, payment.case_alias)

    assert steps_of(facts, payment.obligation_alias)["Left early"][0] == AGAINST


def test_bail_is_never_recognised_and_what_it_paid_is_part_of_the_fines_chain(house: House) -> None:
    open_dollars(house)
    posted = posted_bail(house)
    fine, _ = a_recognised_fine(house)
    apply(house, posted, fine)
    forfeit(house, posted, usd("300.00"))

    of_fine = steps_of(dossier_of(house, fine.case_alias), fine.alias)
    of_bail = steps_of(dossier_of(house, posted.case_alias), posted.alias)

    assert of_fine["Paid by bail"][0] == of_fine["Recognition"][0] == YES
    assert "took 400.00 USD of bail" in of_fine["Paid by bail"][1]
    assert not {"Approval", "Payment"} & set(of_fine)
    assert "Recognition" not in of_bail
    assert of_bail["Since"] == (YES, "The court keeps 300.00 USD of it for good, on 20 November 2020.")


def test_an_appeal_is_told_by_its_act_and_what_came_back_by_its_entry(house: House, paid: Disbursement) -> None:
    ana, case = house.fund.ana, house.case_of(paid)
    (ruling,) = rulings.of_case(house.session, case.alias)
    house.open(case, by=ana)
    agreed = house.on_case("reduce_ruling", case, by=ana, object=ruling.alias, detail="500.00")
    ruling_acts.reduce_ruling(house.session, ruling.alias, agreed, to=byn("500.00"))
    ((refund, _),) = refunds.listed(house.session)
    fact: dict[str, Any] = {"on": TODAY, "recorded_at": NOW, "recorded_by": house.fund.clara.alias}
    refunds.receive(house.session, refund, source_key="bank:back", leaf=LEAF, **fact)

    facts = dossier_of(house, case.alias)

    told = steps_of(facts, paid.obligation_alias)
    assert told["Appeal"] == (YES, "An appeal against the ruling left 500.00 BYN; that was signed on 20 November 2020.")
    assert told["Since"] == (YES, "310.00 BYN of it came back from the authority, on 20 November 2020.")
    unsigned = facts.model_copy(update={"acts": ()})
    assert steps_of(unsigned, paid.obligation_alias)["Appeal"][0] == NO
