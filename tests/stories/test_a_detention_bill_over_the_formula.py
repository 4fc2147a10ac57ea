from datetime import date

from api.client import cases, dossiers, lists, payments, subledgers, verifications
from ledger.aid.obligations import ObligationKind
from ledger.aid.rules import Answer, Outcome
from tests.agency import bank_line
from tests.bookcheck import assert_it_holds
from tests.bookkeeping import BYN_LEAF
from tests.cast import byn
from tests.office import DECISION_DAY, RELEASE_DAY, Office
from tests.papers import a_list_row, list_file
from tests.proofs import ledger_told, told

GIVEN_ON, PAID_ON = date(2020, 10, 1), date(2020, 10, 6)


def test_a_bill_over_the_formula_is_shown_and_paid_as_billed(furnished: Office) -> None:
    """Thirteen days are 175.50 at half a base value; 189.40 was billed. Of another bill no days are told."""
    bill = {"kind": ObligationKind.DETENTION, "issued_on": date(2020, 8, 31), "served_on": date(2020, 9, 12)}
    written = list_file(
        a_list_row(amount=byn("189.40"), detained_days=13, **bill), a_list_row(amount=byn("135.00"), **bill)
    )
    anna = furnished.desk("anna")
    taken = {
        anna.api.get(f"/v1/cases/{alias}")["owed"]["amount"]: alias for alias in furnished.take_in(*lists.read(written))
    }
    dear, plain = taken["189.40"], taken["135.00"]
    seen: dict[str, list[Answer]] = {}

    # Anna's client holds the bill against the tariff of the ruling's day, shows the difference, and signs all the same.
    answers = verifications.verify_many(anna, [dear, plain], show=seen.__setitem__)

    assert answers == {dear: "verified", plain: "verified"}
    (shown,) = [one for one in seen[dear] if one.rule == "detention_tariff"]
    assert (shown.outcome, shown.facts["days"], shown.facts["bill"]) == (Outcome.SHOWN, 13, "189.40")
    assert (shown.facts["formula"], shown.facts["difference"]) == ("175.50", "13.90")
    assert not [one for one in seen[plain] if one.rule == "detention_tariff"]

    # How long somebody was held stands in a sealed box and nowhere else.
    assert "detained_days" not in str(anna.api.get(f"/v1/cases/{dear}"))

    # What is asked for, agreed to and paid is what was billed.
    (reference,) = [p["reference"] for p in anna.api.get("/v1/purposes")["purposes"] if p["code"] == "DETENTION"]
    bank_line(furnished, byn("500.00"), reference=reference, leaf=BYN_LEAF, on=GIVEN_ON)
    furnished.set_clock(DECISION_DAY)
    asked = payments.request(anna, dear, account=BYN_LEAF, to="beneficiary")
    payments.approve(furnished.desk("boris"), asked)
    cases.tell(anna, dear, told_on=DECISION_DAY.date())
    furnished.set_clock(RELEASE_DAY)
    released = payments.release(anna, furnished.payment(asked["alias"]))
    (answer,) = bank_line(furnished, byn("-189.40"), reference=released["reference"], leaf=BYN_LEAF, on=PAID_ON)

    assert answer["booked"] == 1
    assert (furnished.balance("5100"), furnished.balance("2100")) == (byn("189.40"), byn("0.00"))
    assert anna.api.get(f"/v1/cases/{dear}")["state"] == "paid"

    # The dossier, whose signatures Anna's client has checked again, and the ledger show it from end to end.
    established = {"Ruling", "Eligibility", "Approval", "Recognition", "Release", "Payment"}
    assert told(dossiers.fetch(anna, dear)) == {"established": established, "not established": {"Receipt"}}
    rows = subledgers.rows(anna, subledgers.path_of(case=dear, beneficiary=None))
    assert ledger_told(rows) == {}
    assert_it_holds(furnished.engine)
