"""The whole life of bail over the API: a list, two signatures, the bank, a hearing, and all that a court can decide."""

from api.client import bail, cases
from ledger.aid.obligations import ObligationKind
from tests import bailing
from tests.bailing import BACK_ON, COURT_DAY, HEARING, usd
from tests.bookcheck import assert_it_holds
from tests.office import Office


def test_bail_is_posted_pays_a_fine_is_forfeited_in_part_and_the_rest_comes_back(furnished: Office) -> None:
    anna, boris = furnished.desk("anna"), furnished.desk("boris")
    bailing.open_dollars(furnished)

    # From the list to the court: what was posted stands in 1300, and is no expense.
    alias = bailing.a_posted_bail(furnished)["obligation"]
    assert furnished.balance("1300", "USD") == usd("1500.00")
    assert furnished.balance(bailing.USD_LEAF, "USD") == usd("3500.00")

    # A hearing is noted, and stands in the report by age.
    bail.note_hearing(anna, alias, on=HEARING)
    furnished.set_clock(COURT_DAY)
    held = bail.find(anna, alias)
    assert (held["last_hearing"], held["age_days"], held["group"]) == ("2020-11-16", 41, "31 to 90 days")

    # The court counts 400.00 as the payment of a fine: the payment that was agreed to is not made.
    fined = bailing.a_told_payment(furnished, bailing.a_row("400.00", kind=ObligationKind.FINE))
    furnished.set_clock(COURT_DAY)
    part = bail.apply(boris, alias, to=fined["case"])
    assert (part["fate"], part["outstanding"]["amount"]) == ("applied", "1100.00")
    assert furnished.payment(fined["alias"])["state"] == "cancelled"
    assert anna.api.get(f"/v1/cases/{fined['case']}")["state"] == "paid"

    # It keeps 300.00 for good, and gives 800.00 back less a fee.
    bail.forfeit(boris, alias, amount="300.00")
    announced = bail.announce_return(anna, alias, amount="800.00", fee="24.00")
    assert bail.find(anna, alias)["returns"] == [announced]
    (answer,) = bailing.move(furnished, usd("776.00"), reference=announced["reference"], on=BACK_ON)

    assert answer["booked"] == 1
    assert bail.listed(anna) == []
    books = {code: furnished.balance(code, "USD") for code in ("1300", "2100", "5000", "5300", "5400")}
    assert books == {
        "1300": usd("0.00"),
        "2100": usd("0.00"),
        "5000": usd("400.00"),
        "5300": usd("300.00"),
        "5400": usd("24.00"),
    }
    (case,) = [one for one in cases.listed(anna, state="paid") if one["alias"] != fined["case"]]
    signed = furnished.desk("clara").api.get("/v1/approvals", of=alias)["approvals"]
    assert sorted(one["verb"] for one in signed) == ["apply_bail", "forfeit_bail"]
    assert case["state"] == "paid"
    assert_it_holds(furnished.engine)
