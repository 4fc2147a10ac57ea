"""The command `queue`: what waits for you, how long it has or is late, and the command by which it goes on."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

import typer

from api.commands import output
from api.commands.connection import connect, moment
from api.commands.output import AsJson
from ledger.aliases import Kind, kind_of

NEXT: Mapping[str, str] = {
    "overdue": "cases show {object}",
    "to_verify": "cases verify {object}",
    "possible_duplicates": "cases suspicions {object}",
    "persons_to_compare": "cases suspicions {object}",
    "to_ask_for": "disbursements request {object} --account LEAF",
    "batches_to_lock": "batches lock {object}",
    "to_approve": "disbursements approve {object}",
    "batches_to_approve": "batches approve {object}",
    "to_release": "disbursements release {object}",
    "batches_to_release": "batches release {object}",
    "payments_to_file": "payments file --help",
    "promises_ending": "cases show {object}",
    "hearings_near": "bail list",
    "advances_to_approve": "advances approve {object}",
    "advances_to_release": "advances release {object}",
    "advances_to_acknowledge": "advances acknowledge {object} --received AMOUNT --currency CODE --on DAY",
    "agents_to_activate": "agents activate {object}",
    "results_missing": "batches results {object} FILE",
    "outlays_to_approve": "outlays approve AGENT {object}",
    "outlays_to_pay": "payments file --help",
    "conversions_to_approve": "conversions approve {object}",
    "conversions_to_release": "conversions release {object}",
    "movements_to_agree": "purses approve AGENT {object}",
    "failures_to_agree": "batches agree-failures BATCH",
    "unexecuted_to_agree": "unexecuted agree {object}",
    "withdrawals_to_agree": "payments agree {object}",
    "erasures_to_agree": "erasures agree {object}",
    "transfers_to_approve": "transfers approve {object}",
    "refund_orders_to_approve": "donations refunds approve {object}",
    "gift_returns_to_approve": "donations returns approve {object}",
    "gifts_in_kind_to_approve": "donations in-kind agree {object}",
    "cash_to_witness": "donations cash witness {object} --amount AMOUNT --currency CODE",
    "purposes_to_approve": "purposes publish {object}",
    "publications_to_approve": "publications approve {object}",
    "returns_to_confirm": "advances confirm-returns",
    "resolutions_to_agree": "resolutions agree {object}",
    "exceptions_to_agree": "exceptions agree {object}",
    "exceptions": "exceptions list",
    "disputes": "donations disputes list",
    "refunds_failed": "donations refunds list",
    "cash_on_its_way": "donations cash deposits",
    "sheets_to_review": "reconciliations review {object}",
    "months_to_close": "periods close {object}",
    "on_hold": "cases resume {object}",
    "receipts_missing": "cases confirm {object}",
    "gifts_to_match": "donations match {object} --purpose CODE",
    "gifts_without_purpose": "donations assign {object} --purpose CODE --account LEAF",
    "conditions_to_meet": "donations meet {object}",
    "agents_receipts": "cases show {case}",
    "refunds_due": "cases show {case}",
    "cases_to_close": "cases close {object}",
    "files_to_drop": "evidence drop {object}",
}
"""By section: the command by which what waits goes on, or is looked at. In capitals what the queue does not tell.

The payments that a file is made of are told to it together: all that are released from a leaf.
"""
ORDERED: Mapping[Kind, str] = {
    Kind.ADVANCE: "advances list",
    Kind.CONVERSION: "conversions list",
    Kind.GIFT_RETURN: "donations returns list",
    Kind.REFUND_ORDER: "donations refunds list",
}
"""By kind: where the reference stands under which the bank is told of what is in the section `orders_for_the_bank`."""
_COLUMNS = {"object": "What", "case": "Case", "deadline": "Until", "left": "", "next": "Next"}


def show_queue(
    section: Annotated[str | None, typer.Argument(help="A section; the counts unless given.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many things.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Shows what waits for you today: counts, then a section, the oldest deadline first, and what to do next."""
    with connect() as desk:
        if section is None:
            waiting = desk.api.get("/v1/queue")["waiting"]
            output.show(waiting, as_json=as_json, lines=_counted(waiting))
            return
        page = desk.api.get(f"/v1/queue/{section}", limit=limit)
    rows = page["waiting"]
    if not as_json:
        today = moment().date()
        rows = [row | {"left": _left(row, today), "next": f"solidarity {command(section, row)}"} for row in rows]
    of_others = any(row["case"] not in {None, row["object"]} for row in rows)
    columns = {key: head for key, head in _COLUMNS.items() if key != "case" or of_others}
    output.show_table(rows, columns, as_json=as_json)
    if page["next"] and not as_json:
        output.show(page, as_json=False, lines=[f"More wait: these are the first {len(rows)}."])


def command(section: str, row: Mapping[str, Any]) -> str:
    """The command for one thing of a section, without the program's name; of a section of a newer server only looks."""
    if section == "orders_for_the_bank":
        return next((told for kind, told in ORDERED.items() if kind is kind_of(row["object"])), "queue --json")
    return NEXT.get(section, f"queue {section} --json").format(object=row["object"], case=row["case"])


def _counted(waiting: Mapping[str, int]) -> list[str]:
    """What waits, in the order of work; sections in which nothing does are not shown."""
    if not waiting:
        return ["Nothing waits for your roles."]
    wide = max(len(name) for name in waiting)
    said = [
        f"{count:>7}  {name.replace('_', ' '):<{wide}}  solidarity queue {name}"
        for name, count in waiting.items()
        if count
    ]
    return said or ["Nothing waits for you today."]


def _left(row: Mapping[str, Any], today: date) -> str:
    days = (date.fromisoformat(row["deadline"]) - today).days
    if days == 0:
        return "today"
    return f"{_days(days)} left" if days > 0 else f"{_days(-days)} LATE"


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"
