"""The command for bail: what courts hold, by age."""

from api.commands import output
from api.commands.connection import connect
from api.commands.output import AsJson

COLUMNS = {
    "obligation": "Bail",
    "case": "Case",
    "outstanding": "The court holds",
    "announced": "To come back",
    "posted_on": "Posted",
    "group": "Age",
    "last_hearing": "Last hearing",
    "next_hearing": "Next hearing",
}


def show_ages(as_json: AsJson = False) -> None:
    """Shows what courts hold of posted bail, the oldest first."""
    with connect() as desk:
        rows = desk.api.get("/v1/bail")["bail"]
    told = [row | {name: _amount(row[name]) for name in ("outstanding", "announced")} for row in rows]
    output.show_table(rows if as_json else told, COLUMNS, as_json=as_json)


def _amount(told: dict[str, str]) -> str:
    return f"{told['amount']} {told['currency']}"
