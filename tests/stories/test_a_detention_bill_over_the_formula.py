from datetime import date

from api.client import cases
from ledger.aid.obligations import ObligationKind
from ledger.aid.rules import Answer, Outcome
from tests.cast import byn
from tests.office import Office
from tests.papers import a_list_row


def test_a_bill_over_the_formula_is_shown_and_taken_on_as_billed(furnished: Office) -> None:
    """No days are told: the bill is nearest to fourteen, which are 189.00 at half a base value; 189.40 was billed."""
    bill = {"kind": ObligationKind.DETENTION, "issued_on": date(2020, 8, 31), "served_on": date(2020, 9, 12)}
    rows = [a_list_row(line=line, amount=byn(amount), **bill) for line, amount in ((2, "189.40"), (3, "135.00"))]
    anna = furnished.desk("anna")
    taken = {anna.api.get(f"/v1/cases/{alias}")["owed"]["amount"]: alias for alias in furnished.take_in(*rows)}
    dear, plain = taken["189.40"], taken["135.00"]
    seen: dict[str, list[Answer]] = {}

    # Anna's client holds the bill against the tariff of the ruling's day, shows the difference, and signs all the same.
    answers = cases.verify_many(anna, [dear, plain], show=seen.__setitem__)

    assert answers == {dear: "verified", plain: "verified"}
    (shown,) = [one for one in seen[dear] if one.rule == "detention_tariff"]
    assert (shown.outcome, shown.facts["bill"]) == (Outcome.SHOWN, "189.40")
    assert (shown.facts["formula"], shown.facts["difference"]) == ("189.00", "0.40")
    assert not [one for one in seen[plain] if one.rule == "detention_tariff"]
    assert anna.api.get(f"/v1/cases/{dear}")["owed"]["amount"] == "189.40"
