"""What an office does with cases beside paying them: every route of their lives, once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from api.client import case_lives, cases, persons, quashing
from ledger.aid.obligations import ObligationKind
from ledger.identities.evidence import EvidenceKind
from tests.cast import byn
from tests.papers import a_list_row

if TYPE_CHECKING:
    from tests.office import Office  # whose path through all routes leads through here

APPEAL_DAY = datetime(2020, 11, 3, 9, tzinfo=UTC)


def walk_with_lives(office: Office) -> None:
    """Held and resumed, corrected, withdrawn, a duplicate, upheld, reduced, ruled on again, confirmed and closed."""
    anna = office.desk("anna")
    row = a_list_row()
    (held,), (same,) = office.take_in(), office.take_in(row)
    (twice,) = office.take_in(a_list_row(ruling_number=row.ruling_number))
    for what in ("hold", "resume"):
        case_lives.step(anna, held, what)
    case_lives.suspicions(anna, twice)
    case_lives.mark_duplicate(anna, twice, of=same)
    persons.say(anna, twice, same, is_one=False)
    persons.say(anna, same, twice, is_one=True)
    case_lives.correct(anna, held, a_list_row(amount=byn("405.00")))
    case = case_lives.add_obligation(anna, held, kind=ObligationKind.DETENTION, amount="40.50", detained_days=3)
    (added,) = [one["alias"] for one in case["obligations"] if one["kind"] == "detention"]
    case_lives.correct_obligation(anna, held, added, kind=ObligationKind.DETENTION, amount="54.00", detained_days=4)
    case_lives.step(anna, held, "withdraw")
    fined = a_list_row()
    quashed = office.a_verified_case(fined)
    case_lives.uphold(anna, quashed)
    case_lives.reduce(anna, quashed, to=byn("300.00"))
    quashing.quash(anna, quashed)
    case_lives.rule_again(anna, quashed, a_list_row(name=fined.name, issued_on=date(2020, 9, 14)))
    office.set_clock(APPEAL_DAY)
    (paid,) = [case["alias"] for case in cases.listed(anna, state="paid")]
    office.bring_evidence(paid, kind=EvidenceKind.RECEIPT)
    case_lives.confirm(anna, paid)
    case_lives.close(anna, paid)
    case_lives.acknowledge(anna, paid, amount=byn("100.00"))
