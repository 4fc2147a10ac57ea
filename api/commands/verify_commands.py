"""Commands that verify: the whole book against everything that it promises."""

from typing import Any

import typer

from api import settings
from api.commands import output
from api.commands.output import FINDINGS, AsJson, Steps
from ledger import checks
from ledger.checks import Outcome
from ledger.checks.findings import Finding
from ledger.storage import schema
from ledger.storage.engine import open_database, transaction

app = typer.Typer(help="Verify what the fund has promised.", no_args_is_help=True)


@app.callback()
def verify() -> None:
    """Verify what the fund has promised."""


@app.command("books")
def verify_books(as_json: AsJson = False) -> None:
    """Checks every promise over the whole book, and writes nothing. Ends with 3 when one is broken."""
    engine = open_database(settings.load().database_url)
    schema.require_current(engine)
    with transaction(engine, write=False) as session, Steps("Checking") as report:
        outcomes = checks.run(session, progress=lambda _name, done, total: report(done, total))
    engine.dispose()
    found = [finding for outcome in outcomes for finding in outcome.findings]
    if as_json:
        told = {"holds": not found, "checks": [_told(outcome) for outcome in outcomes]}
        output.show(told | {"findings": [_row(finding) for finding in found]}, as_json=True)
    else:
        columns = {"check": "Check", "promise": "What is promised", "findings": "Findings"}
        output.show_table([_told(outcome) for outcome in outcomes], columns, as_json=False)
        if found:
            columns = {"check": "Check", "kind": "What", "name": "Which", "facts": "Facts"}
            output.show_table([_row(one) | {"facts": _facts(one)} for one in found], columns, as_json=False)
        said = f"{len(found)} findings: the book is not what it promises." if found else "The book holds."
        output.show(None, as_json=False, lines=[said])
    if found:
        raise typer.Exit(FINDINGS)


def _told(outcome: Outcome) -> dict[str, Any]:
    check = outcome.check
    return {"check": check.name, "promise": check.promise, "findings": len(outcome.findings)}


def _row(finding: Finding) -> dict[str, Any]:
    facts = {name: finding.facts[name] for name in sorted(finding.facts)}
    return {"check": finding.check, "kind": finding.kind, "name": finding.name, "facts": facts}


def _facts(finding: Finding) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(finding.facts.items()) if value is not None)
