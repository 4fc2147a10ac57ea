"""What an office does for people held on bail: a gift in dollars, bail that the bank posts, and what the court says."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from api.client import bail, case_imports, cases, payments, rates, resolutions, statements, verifications
from ledger.aid.obligations import ObligationKind
from ledger.money import Money
from ledger.reconciliation.answers import Answer, Because
from tests.papers import BankLine, a_camt_file, a_list_row

if TYPE_CHECKING:
    from tests.office import Office  # whose path through all routes leads through here

USD_LEAF = "1000:usd-main"
ACCUSED = "Invented Person before the Court"
"""Whose bail it is, and whose fine, unless told."""
GIVEN_ON, POSTED_ON, BACK_ON = date(2020, 10, 2), date(2020, 10, 8), date(2020, 11, 20)
ASKED, COURT_DAY = datetime(2020, 10, 5, 9, tzinfo=UTC), datetime(2020, 11, 18, 9, tzinfo=UTC)
"""When bail is asked for, and when the court has decided."""
HEARING = date(2020, 11, 16)


def usd(amount: str) -> Money:
    return Money.parse(amount, "USD")


def open_dollars(office: Office, amount: str = "5000.00") -> None:
    """A bank leaf in dollars, and a gift on it for whatever the fund needs."""
    office.set_clock(ASKED)
    admin = office.desk("clara").api
    admin.post("/v1/accounts", {"code": USD_LEAF, "name": "A leaf", "currency": "USD"}, key="account:usd")
    body = {"code": "BAIL", "fund": "general", "text": "For bail.", "net_of_costs": False}
    purpose = admin.post("/v1/purposes", body, key="purpose:BAIL")
    move(office, usd(amount), reference=purpose["reference"], on=GIVEN_ON)
    told = b"currency,on,rate,source\nBYN,2020-10-01,0.33,nbrb\nUSD,2020-10-01,0.85,ecb\n"
    rates.send(office.desk("anna"), told)  # fines are paid by the fund that has roubles


def a_row(amount: str, *, kind: ObligationKind = ObligationKind.BAIL, **facts: Any) -> Any:
    """A row of a list of the bail fund."""
    known: dict[str, Any] = {
        "amount": usd(amount),
        "kind": kind,
        "article": "240.20",
        "part": None,
        "region": "county",
        "ruling_kind": "bail_order" if kind is ObligationKind.BAIL else "sentence",
        "issued_on": date(2020, 10, 1),
        "in_force_on": date(2020, 10, 1),
        "name": ACCUSED,
    }
    return a_list_row(**(known | facts))


def a_told_payment(office: Office, row: Any) -> dict[str, Any]:
    """From its list to the day the person is told: Anna verifies and asks, Boris agrees; the case and its payment."""
    office.set_clock(ASKED)
    anna = office.desk("anna")
    before = {case["alias"] for case in cases.listed(anna)}
    case_imports.import_rows(anna, [row], jurisdiction="us-bail", list_name=f"bail {row.ruling_number}")
    (alias,) = {case["alias"] for case in cases.listed(anna)} - before
    assert verifications.verify(anna, alias) is None
    asked = payments.request(anna, alias, account=USD_LEAF)
    payments.approve(office.desk("boris"), asked)
    cases.tell(anna, alias, told_on=ASKED.date())
    return office.payment(asked["alias"])


def a_posted_bail(office: Office, amount: str = "1500.00") -> dict[str, Any]:
    """Bail that the bank has posted, as the court holds it."""
    payment = payments.release(office.desk("anna"), a_told_payment(office, a_row(amount)))
    move(office, usd(f"-{amount}"), reference=payment["reference"], on=POSTED_ON)
    return bail.find(office.desk("anna"), payment["obligation"])


def move(office: Office, moved: Money, *, reference: str, on: date) -> list[dict[str, Any]]:
    """The bank tells of one movement on the dollars' leaf, on that day."""
    office.set_clock(datetime.combine(on, ASKED.timetz()))
    standing = office.balance(USD_LEAF, "USD")
    file = a_camt_file([BankLine(moved, on, reference=reference)], opening=standing, first=on, last=on)
    return statements.send(office.desk("anna"), file, account=USD_LEAF)


def walk_with_bail(office: Office) -> None:
    """Every route of bail that writes, once."""
    open_dollars(office)
    alias = a_posted_bail(office)["obligation"]
    fine = a_told_payment(office, a_row("400.00", kind=ObligationKind.FINE))
    office.set_clock(COURT_DAY)
    bail.note_hearing(office.desk("anna"), alias, on=HEARING)
    withdrawn = bail.announce_return(office.desk("anna"), alias, amount="1000.00")
    bail.withdraw_return(office.desk("anna"), alias, withdrawn["reference"])
    told = bail.announce_return(office.desk("anna"), alias, amount="1000.00", fee="30.00")
    bail.apply(office.desk("boris"), alias, to=fine["case"])
    bail.forfeit(office.desk("boris"), alias, amount="50.00")
    move(office, usd("900.00"), reference=told["reference"], on=BACK_ON)
    say_what_came(office)


def say_what_came(office: Office) -> None:
    """The court sent less than it had announced: Anna says that it kept more, Boris agrees."""
    anna, boris = office.desk("anna"), office.desk("boris")
    (line,) = resolutions.listed(anna)["waiting"]
    settled, because = usd("1000.00"), Because.DECIDED_SO
    about = line["about"]
    resolutions.say(anna, about, Answer.BAIL_RETURNED, of=line["of"], because=because, settles=settled)
    resolutions.agree(boris, about)
