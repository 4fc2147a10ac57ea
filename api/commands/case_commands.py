"""Commands for cases: lists imported, cases listed and shown, verified, told."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from api.client import case_evidence, case_lives, cases, dossiers, private_files, quashing, verifications
from api.commands import output
from api.commands.connection import connect
from api.commands.list_commands import import_list
from api.commands.output import DAYS, AsJson, Steps
from ledger.aid.eligibility import Rejection
from ledger.aid.rules import Answer, Outcome
from reports.dossier.chain import chains

app = typer.Typer(help="Cases of fined and detained people.", no_args_is_help=True)
app.command("import")(import_list)


REFUSED = 1
"""The exit code when one of several was refused."""


class Form(StrEnum):
    """How a dossier is written."""

    PDF = "pdf"
    JSON = "json"


COLUMNS = {"alias": "Case", "state": "State", "rejection": "Rejected as", "received_on": "Received"}


@app.command("list")
def list_cases(
    state: Annotated[str | None, typer.Option(help="Only cases in this state.")] = None, as_json: AsJson = False
) -> None:
    """Lists cases by alias."""
    with connect() as desk:
        rows = list(cases.listed(desk, state=state))
    output.show_table(rows, COLUMNS, as_json=as_json)


@app.command("show")
def show_case(alias: Annotated[str, typer.Argument(help="The case.")], as_json: AsJson = False) -> None:
    """Shows a case with its evidence, opened on this device; the opening is logged."""
    with connect() as desk:
        case = desk.api.get(f"/v1/cases/{alias}")
        evidence = case_evidence.check_evidence(desk, case, reason="verification")
        answers = {
            one["alias"]: verifications.answer(desk, case, evidence, obligation=one["alias"])
            for one in case["obligations"]
        }
        chain = case_lives.chain(desk, alias)
    shown = case | {"identity": evidence.identity, "ruling_details": evidence.ruling, "chain": chain}
    shown["further"] = evidence.further
    shown["rules"] = {owed: [_told(one) for one in told] for owed, told in answers.items()}
    facts = evidence.identity | evidence.ruling
    said = [f"{alias}: {case['state']}, owes {case['owed']['amount']} {case['owed']['currency']}"]
    said += [f"  {name.replace('_', ' ')}: {value}" for name, value in facts.items() if value is not None]
    for one in case["obligations"]:
        said.append(f"  {one['alias']}: {one['kind']} of {one['amount']['amount']}, {one['state'].replace('_', ' ')}")
        said += [f"    {_said(told)}" for told in answers[one["alias"]] if told.outcome is not Outcome.UNKNOWN]
    said += [f"  the same again: {other}" for other in case["duplicates"]]
    if case["duplicate_of"]:
        said.append(f"  a duplicate of {case['duplicate_of']}")
    if len(chain) > 1:
        said += [f"  ruling {link['alias']} of {link['case']}, {link['case_state']}" for link in chain]
    output.show(shown, as_json=as_json, lines=said)


@app.command("dossier")
def write_dossier(
    alias: Annotated[str, typer.Argument(help="The case.")],
    out: Annotated[Path, typer.Option(help="The folder to write to; with --opened it is yours alone (chmod 700).")],
    opened: Annotated[bool, typer.Option("--opened", help="Add exact days, court and number; readings are logged.")] = (
        False
    ),
    form: Annotated[Form, typer.Option("--format", help="How it is written.")] = Form.PDF,
    as_json: AsJson = False,
) -> None:
    """Writes what the books show about a case, from the ruling to the receipt, with every signature checked here."""
    if opened:
        private_files.require_private(out)
    with connect() as desk:
        facts = dossiers.fetch(desk, alias)
        if opened:
            facts = dossiers.open_facts(desk, facts)
    from reports.dossier import pages  # noqa: PLC0415  # the library that draws: no other command for cases needs it

    content = pages.render_pdf(facts) if form is Form.PDF else pages.render_json(facts)
    path = out / f"dossier-{alias}{'-opened' if opened else ''}.{form}"
    private_files.write(path, content)
    holds = all(chain.holds for chain in chains(facts))
    said = [f"Written: {path}", "The chain holds." if holds else "The chain does not hold, or not all of it: read why."]
    output.show({"written": str(path), "holds": holds}, as_json=as_json, lines=said)


@app.command("verify")
def verify_cases(
    alias: Annotated[list[str] | None, typer.Argument(help="The cases; all that are received unless given.")] = None,
    no_duplicate: Annotated[
        list[str] | None, typer.Option(help="With one case: another that you looked at, and it is none of it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Opens each case here, tests its exact dates, and signs the answer."""
    if no_duplicate:
        if alias is None or len(alias) != 1:
            raise typer.BadParameter("one case is compared with others at a time", param_hint="--no-duplicate")
        with connect() as desk:
            code = verifications.verify(desk, alias[0], not_duplicates=no_duplicate)
        answer = code.value if code else "verified"
        output.show({alias[0]: answer}, as_json=as_json, lines=[f"{alias[0]}: {answer}"])
        return
    with connect() as desk, Steps("Verifying") as progress:
        chosen = alias or [case["alias"] for case in cases.listed(desk, state="received")]
        seen: dict[str, list[Answer]] = {}
        answers = verifications.verify_many(desk, chosen, progress=progress, show=seen.__setitem__)
    said = []
    for case, answer in answers.items():
        said += [f"{case}: {answer}", *(f"  {_said(one)}" for one in seen.get(case, []))]
    output.show(answers, as_json=as_json, lines=said)


@app.command("quash")
def quash_ruling(alias: Annotated[str, typer.Argument(help="The case.")], as_json: AsJson = False) -> None:
    """Signs that the ruling of a case was quashed; what was paid is to be refunded under a reference of ours."""
    with connect() as desk:
        answer = quashing.quash(desk, alias)
        refunds = [one for one in quashing.refunds(desk) if one["case"] == alias]
    said = [f"{alias}: {state}" for state in answer["obligations"].values()]
    said += [f"  the authority owes {one['amount']['amount']}, reference {one['reference']}" for one in refunds]
    output.show(answer | {"refunds": refunds}, as_json=as_json, lines=said)


@app.command("reject")
def reject_case(
    alias: Annotated[str, typer.Argument(help="The case.")],
    because: Annotated[Rejection, typer.Option(help="The code.")],
    as_json: AsJson = False,
) -> None:
    """Opens a case here and rejects it with a code, signed; it can never be paid."""
    with connect() as desk:
        verifications.reject(desk, alias, because=because)
    output.show({alias: because.value}, as_json=as_json, lines=[f"{alias}: {because.value}"])


@app.command("told")
def note_told(
    on: Annotated[datetime, typer.Option(formats=DAYS, help="The day the beneficiaries were told.")],
    alias: Annotated[
        list[str] | None, typer.Argument(help="The cases; all that are approved and were not told unless given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Notes that beneficiaries were told that the fund pays; what is in force becomes a liability.

    Of all that are approved, who was told before stays as they are. One that is refused does not stop the others.
    """
    with connect() as desk:
        answers = cases.tell_many(desk, alias or list(cases.untold(desk)), told_on=on.date())
    told = [case for case, answer in answers.items() if answer == cases.TOLD]
    refused = {case: answer for case, answer in answers.items() if answer != cases.TOLD}
    lines = [f"{len(told)} beneficiaries told.", *(f"{case}: {answer}" for case, answer in refused.items())]
    output.show({"told": told, "refused": refused}, as_json=as_json, lines=lines)
    if refused:
        raise typer.Exit(REFUSED)


def _told(answer: Answer) -> dict[str, Any]:
    return {"rule": answer.rule, "outcome": answer.outcome, "facts": dict(answer.facts), "because": answer.because}


def _said(answer: Answer) -> str:
    facts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in answer.facts.items())
    return f"{answer.rule.replace('_', ' ')}: {answer.outcome}" + (f" ({facts})" if facts else "")
