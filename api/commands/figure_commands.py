"""Commands for the statements in the functional currency: position, activities, cash flows."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import typer

from api.commands import output
from api.commands.connection import connect
from api.commands.output import DAYS, AsJson

Since = Annotated[datetime, typer.Option("--from", formats=DAYS, help="The first day.")]
Until = Annotated[datetime, typer.Option("--to", formats=DAYS, help="The last day.")]
Known = Annotated[str | None, typer.Option(help="Leave out what was recorded after this moment.")]


def position(
    on: Annotated[datetime, typer.Option(formats=DAYS, help="The day.")],
    as_known_at: Known = None,
    as_json: AsJson = False,
) -> None:
    """What the fund has and owes at the end of a day, in its functional currency."""
    with connect() as desk:
        answer = desk.api.get("/v1/reports/position", on=on.date().isoformat(), as_known_at=as_known_at)
    net = answer["net_assets"]
    rows = [
        *({"title": f"{row['account']} {row['name']}", "total": row["total"]} for row in answer["assets"]),
        {"title": "Total assets", "total": answer["total_assets"]},
        *({"title": f"{row['account']} {row['name']}", "total": row["total"]} for row in answer["liabilities"]),
        {"title": "Total liabilities", "total": answer["total_liabilities"]},
        {"title": "Net assets without donors' restrictions", "total": net["unrestricted"]},
        {"title": "Net assets with donors' restrictions", "total": net["restricted"]},
        {"title": "Total net assets", "total": net["total"]},
    ]
    rates = [
        f"1 {rate['currency']} = {rate['rate']} {answer['currency']}, quoted on {rate['quoted_on']}"
        for rate in answer["rates"]
    ]
    _show(answer, rows, {"total": "Total"}, as_json=as_json, notes=rates)


def activities(since: Since, until: Until, as_known_at: Known = None, as_json: AsJson = False) -> None:
    """What changed net assets from a day to a day, with and without donors' restrictions."""
    with connect() as desk:
        answer = desk.api.get("/v1/reports/activities", **_days(since, until), as_known_at=as_known_at)
    proofs = [
        f"Exchange result of {fund}: {one['reported']} = {one['revaluation']} held while rates moved, "
        f"{one['dealing']} in dealing, {one['back_valued']} back-valued" + ("" if one["is_proved"] else ": NOT PROVED")
        for fund, one in answer["exchange_results"].items()
    ]
    overspent = [f"Overspent by {fund}: {amount}" for fund, amount in answer["overspent"].items() if amount.strip("0.")]
    columns = {"unrestricted": "Without restriction", "restricted": "With restriction", "total": "Total"}
    _show(answer, answer["rows"], columns, as_json=as_json, notes=[*overspent, *proofs])


def cash_flows(since: Since, until: Until, as_known_at: Known = None, as_json: AsJson = False) -> None:
    """What cash came for and went for from a day to a day, and what rates did to it."""
    with connect() as desk:
        answer = desk.api.get("/v1/reports/cash-flows", **_days(since, until), as_known_at=as_known_at)
    effect = answer["effect_of_rates"]
    rows = [
        answer["opening"],
        answer["balances_brought_in"],
        *answer["operating"],
        {"title": "Total operating", "total": answer["total_operating"]},
        effect["positions"],
        effect["conversions"],
        answer["closing"],
    ]
    unproved = [] if effect["is_proved"] else ["The effect of rates is NOT PROVED."]
    _show(answer, rows, {"total": "Total"}, as_json=as_json, notes=unproved)


def _days(since: datetime, until: datetime) -> dict[str, str]:
    return {"from": since.date().isoformat(), "to": until.date().isoformat()}


def _show(
    answer: dict[str, Any],
    rows: Iterable[dict[str, Any]],
    columns: dict[str, str],
    *,
    as_json: bool,
    notes: Iterable[str],
) -> None:
    if as_json:
        output.show(answer, as_json=True)
        return
    amounts = [
        {
            "title": row["title"],
            **{key: {"amount": row[key], "currency": answer["currency"]} for key in columns},
        }
        for row in rows
    ]
    output.show_table(amounts, {"title": "", **columns}, as_json=False)
    output.show(answer, as_json=False, lines=list(notes))
