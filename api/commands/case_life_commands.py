"""Commands for the lives of cases: held, resumed, withdrawn, duplicates, corrected, ruled on again."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from api.client import case_lives, lists
from api.client.lists import BadList, ListRow
from api.commands import output
from api.commands.connection import connect
from api.commands.files import read_file
from api.commands.output import AsJson
from ledger.aid.obligations import ObligationKind
from ledger.money import Money

CaseAlias = Annotated[str, typer.Argument(help="The case.")]
RowFile = Annotated[Path, typer.Argument(help="A list of this one row, as CSV.")]
Which = Annotated[str | None, typer.Option("--obligation", help="The sum that is meant, when the case owes several.")]


def add_to(app: typer.Typer) -> None:
    """Puts the commands among those for cases."""
    commands: dict[str, Callable[..., None]] = {
        "hold": hold_case,
        "resume": resume_case,
        "withdraw": withdraw_case,
        "confirm": confirm_case,
        "close": close_case,
        "suspicions": show_suspicions,
        "duplicate": mark_duplicate,
        "correct": correct_case,
        "owes": add_obligation,
        "rule-again": rule_again,
        "reduce": reduce_ruling,
        "uphold": uphold_ruling,
        "paid-by-others": acknowledge_duplicate,
    }
    for name, command in commands.items():
        app.command(name)(command)


def hold_case(alias: CaseAlias, as_json: AsJson = False) -> None:
    """Stops a case: nothing of it is approved or released until it is resumed."""
    _step(alias, "hold", as_json=as_json)


def resume_case(alias: CaseAlias, as_json: AsJson = False) -> None:
    """Lets a case go on from where it was held."""
    _step(alias, "resume", as_json=as_json)


def withdraw_case(alias: CaseAlias, as_json: AsJson = False) -> None:
    """Notes that the beneficiary does not want the aid; nothing of it is paid any more."""
    _step(alias, "withdraw", as_json=as_json)


def confirm_case(alias: CaseAlias, as_json: AsJson = False) -> None:
    """Signs that the receipts of a paid case are right; open them first."""
    with connect() as desk:
        case = case_lives.confirm(desk, alias)
    output.show(case, as_json=as_json, lines=[f"{alias}: {case['state']}"])


def close_case(alias: CaseAlias, as_json: AsJson = False) -> None:
    """Closes a confirmed case of which nothing is open."""
    with connect() as desk:
        case = case_lives.close(desk, alias)
    output.show(case, as_json=as_json, lines=[f"{alias}: {case['state']}"])


def show_suspicions(alias: CaseAlias, as_json: AsJson = False) -> None:
    """Opens a case here and shows which others may be the same: by its ruling, and by its person."""
    with connect() as desk:
        found = case_lives.suspicions(desk, alias)
    said = [f"{name.replace('_', ' ')}: {other}" for name, others in found.items() for other in others]
    output.show(found, as_json=as_json, lines=said or ["No other case is like it."])


def mark_duplicate(
    alias: CaseAlias, of: Annotated[str, typer.Option(help="The case that it is again.")], as_json: AsJson = False
) -> None:
    """Opens both cases here and signs that they are the same; the first can never be paid."""
    with connect() as desk:
        case = case_lives.mark_duplicate(desk, alias, of=of)
    output.show(case, as_json=as_json, lines=[f"{alias}: a duplicate of {of}"])


def correct_case(alias: CaseAlias, file: RowFile, as_json: AsJson = False) -> None:
    """Amends a case that nobody has verified yet to what the row says."""
    row = _only_row(file)
    with connect() as desk:
        case = case_lives.correct(desk, alias, row)
    output.show(case, as_json=as_json, lines=[f"{alias}: corrected, version {case['version']}"])


def add_obligation(
    alias: CaseAlias,
    kind: Annotated[ObligationKind, typer.Option(help="What it is.")],
    amount: Annotated[str, typer.Option(help="How much, in the case's currency.")],
    days: Annotated[int | None, typer.Option(min=1, help="The days in detention, of a bill for them.")] = None,
    obligation: Annotated[str | None, typer.Option(help="A sum that was added wrongly: it is amended.")] = None,
    as_json: AsJson = False,
) -> None:
    """Adds a fee or a bill that the ruling led to beside its fine, or amends it; the case is not verified yet."""
    with connect() as desk:
        if obligation is None:
            case = case_lives.add_obligation(desk, alias, kind=kind, amount=amount, detained_days=days)
        else:
            told: dict[str, Any] = {"kind": kind, "amount": amount, "detained_days": days}
            case = case_lives.correct_obligation(desk, alias, obligation, **told)
    owed = case["owed"]
    said = [f"{alias}: owes {owed['amount']} {owed['currency']} in {len(case['obligations'])} sums"]
    said += [f"  {one['alias']}: {one['kind']}, {one['amount']['amount']}" for one in case["obligations"]]
    output.show(case, as_json=as_json, lines=said)


def rule_again(alias: CaseAlias, file: RowFile, as_json: AsJson = False) -> None:
    """Enters a new ruling on the event of a case whose ruling was quashed: a new case."""
    row = _only_row(file)
    with connect() as desk:
        case = case_lives.rule_again(desk, alias, row)
    output.show(case, as_json=as_json, lines=[f"{case['alias']}: received, follows {alias}"])


def reduce_ruling(
    alias: CaseAlias,
    to: Annotated[str, typer.Option(help="What is left, in the ruling's currency.")],
    obligation: Which = None,
    as_json: AsJson = False,
) -> None:
    """Signs that an appeal left less of a ruling; what was paid beyond is owed back."""
    with connect() as desk:
        currency = desk.api.get(f"/v1/cases/{alias}")["owed"]["currency"]
        answer = case_lives.reduce(desk, alias, to=Money.parse(to, currency), obligation=obligation)
    output.show(answer, as_json=as_json, lines=[f"{alias}: {state}" for state in answer["obligations"].values()])


def uphold_ruling(alias: CaseAlias, as_json: AsJson = False) -> None:
    """Signs that an appeal left a ruling as it was."""
    with connect() as desk:
        answer = case_lives.uphold(desk, alias)
    output.show(answer, as_json=as_json, lines=[f"{alias}: upheld"])


def acknowledge_duplicate(
    alias: CaseAlias,
    amount: Annotated[str, typer.Option(help="What the other one owes.")],
    obligation: Which = None,
    as_json: AsJson = False,
) -> None:
    """Signs that another organisation had paid the same and owes the fund; shows the reference for its payment."""
    with connect() as desk:
        currency = desk.api.get(f"/v1/cases/{alias}")["owed"]["currency"]
        refund = case_lives.acknowledge(desk, alias, amount=Money.parse(amount, currency), obligation=obligation)
    said = f"{alias}: another organisation owes {refund['amount']['amount']}, reference {refund['reference']}"
    output.show(refund, as_json=as_json, lines=[said])


def _step(alias: str, what: str, *, as_json: bool) -> None:
    with connect() as desk:
        case = case_lives.step(desk, alias, what)
    output.show(case, as_json=as_json, lines=[f"{alias}: {case['state'].replace('_', ' ')}"])


def _only_row(file: Path) -> ListRow:
    rows = lists.read(read_file(file))
    if len(rows) != 1:
        raise BadList("one row is expected", where="file")
    return rows[0]
