"""Commands for batches: many payments asked for, locked, approved and released together; agents' lists and results."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from api.client import agents_lists, batches, purses, results
from api.client.batch_reviews import Review
from api.commands import output
from api.commands.connection import connect
from api.commands.endings import REFUSED
from api.commands.files import read_file
from api.commands.output import DAYS, AsJson
from ledger.aid.disbursements import Payee
from ledger.aid.line_failures import Reason
from ledger.aid.obligations import ObligationKind
from ledger.errors import Conflict, LedgerError

app = typer.Typer(help="Payments that are agreed to and released together.", no_args_is_help=True)

LARGEST_RECEIPT = 2 * 1024 * 1024
"""Bytes of one receipt: a scan of a slip of paper."""
WITHOUT_IT = (
    "Nothing was signed. Put these cases on hold (cases hold) and approve again: the batch goes without them. "
    "Or cancel it (batches cancel), and ask for the others anew."
)
"""What to do about lines that keep a batch from being agreed to."""
COLUMNS = {"alias": "Batch", "agent": "Agent", "account": "From", "state": "State", "amount": "Amount"}
Alias = Annotated[str, typer.Argument(help="The batch.")]


class FileExists(Conflict):
    """A list is written once: another file of this name stands there."""

    rule = "file_exists"


@app.command("list")
def list_batches(
    state: Annotated[str | None, typer.Option(help="Only batches in this state.")] = None, as_json: AsJson = False
) -> None:
    """Lists batches."""
    with connect() as desk:
        rows = batches.listed(desk, state=state)
    output.show_table(rows, COLUMNS, as_json=as_json)


@app.command("create")
def create_batch(
    account: Annotated[str, typer.Option(help="The bank leaf, or the agent's purse, to pay from.")],
    agent: Annotated[str | None, typer.Option(help="The agent who pays; the bank unless given.")] = None,
    kind: Annotated[ObligationKind | None, typer.Option(help="Only obligations of this kind.")] = None,
    currency: Annotated[str | None, typer.Option(help="Only what is owed in it; the leaf's own unless given.")] = None,
    jurisdiction: Annotated[str | None, typer.Option(help="Only cases of this jurisdiction.")] = None,
    to: Annotated[Payee, typer.Option(help="Who receives the money.")] = Payee.AUTHORITY,
    most: Annotated[int, typer.Option(help="The most lines.", min=1, max=batches.MOST_LINES)] = batches.MOST_LINES,
    as_json: AsJson = False,
) -> None:
    """Asks for what verified cases owe to be paid together, the next deadlines first."""
    with connect() as desk:
        wanted = {"kind": kind, "currency": currency, "jurisdiction": jurisdiction}
        chosen = batches.choose(desk, account=account, most=most, **wanted)
        payee_of = {one["kind"]: to.value for one in chosen}
        answer = batches.create(desk, chosen, account=account, agent=agent, payee_of=payee_of)
    left_out = answer["left_out"]
    said = [f"  left out: {case}, {why}" for case, why in left_out.items()]
    _show(answer, *said, as_json=as_json, said=f"{len(chosen) - _lines_of(chosen, left_out)} lines")


@app.command("lock")
def lock_batch(alias: Alias, as_json: AsJson = False) -> None:
    """Fixes the lines: from now on they are agreed to as they are."""
    with connect() as desk:
        _show(batches.lock(desk, alias), as_json=as_json)


@app.command("approve")
def approve_batch(
    alias: Alias,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking; what is to be looked at is shown.")] = False,
    as_json: AsJson = False,
) -> None:
    """Opens the evidence of every line, shows first what is unusual, and gives one second signature for all."""
    reviews: list[Review] = []

    def look(review: Review) -> None:
        reviews.append(review)
        if not as_json:
            output.show({}, as_json=False, lines=_told(review))
        if not yes:
            typer.confirm("Do you agree to all of it?", abort=True, err=True)

    with connect() as desk:
        try:
            answer = batches.approve(desk, alias, look=look)
        except LedgerError as error:
            if "case" in error.data or "refused" in error.data:
                output.show_hint(WITHOUT_IT)
            raise
    (review,) = reviews
    output.show(answer | {"review": review.on_wire()}, as_json=as_json, lines=[f"{alias}: approved"])


@app.command("told")
def note_told(
    alias: Alias,
    on: Annotated[datetime, typer.Option(formats=DAYS, help="The day the beneficiaries were told.")],
    as_json: AsJson = False,
) -> None:
    """Notes that everybody in a batch was told that the fund pays; who cannot have been is named, and stays untold."""
    with connect() as desk:
        answer = batches.tell(desk, alias, told_on=on.date())
    refused = {one["case"]: f"{one['rule']}, earliest {one['earliest'] or 'never'}" for one in answer["refused"]}
    _show(answer, *(f"  not told: {case}, {why}" for case, why in refused.items()), as_json=as_json)
    _end(refused)


@app.command("release")
def release_batch(alias: Alias, as_json: AsJson = False) -> None:
    """Releases an approved batch to the bank, or to its agent."""
    with connect() as desk:
        _show(batches.release(desk, alias), as_json=as_json)


@app.command("cancel")
def cancel_batch(alias: Alias, as_json: AsJson = False) -> None:
    """Withdraws a batch that was not released."""
    with connect() as desk:
        _show(batches.cancel(desk, alias), as_json=as_json)


@app.command("write-list")
def write_list(
    alias: Alias,
    out: Annotated[Path, typer.Option(help="The file to write; only its owner can read it.")],
    as_json: AsJson = False,
) -> None:
    """Writes the list an agent works from, opened here, into a file on this device; it names people."""
    with connect() as desk:
        found = batches.agents_list(desk, alias)
    write_private(out, agents_lists.as_csv(found.rows))
    said = [f"{len(found.rows)} lines written. Delete the file after use.", *_left_out(found.left_out)]
    output.show({"lines": len(found.rows), "left_out": found.left_out}, as_json=as_json, lines=said)
    _end(found.left_out)


@app.command("seal-list")
def seal_list(
    alias: Alias,
    last_day: Annotated[datetime, typer.Option(formats=DAYS, help="The last day on which it is handed out.")],
    as_json: AsJson = False,
) -> None:
    """Seals the list to the agent's key and has the server keep it until its last day."""
    with connect() as desk:
        answer = agents_lists.put(desk, alias, expires_on=last_day.date())
    said = [f"{alias}: sealed until {answer['expires_on']}", *_left_out(answer["left_out"])]
    output.show(answer | {"sealed": None}, as_json=as_json, lines=said)
    _end(answer["left_out"])


@app.command("fetch-list")
def fetch_list(
    alias: Alias, out: Annotated[Path, typer.Option(help="The age file to hand to the agent.")], as_json: AsJson = False
) -> None:
    """Fetches the sealed list, to be handed to the agent: only their key opens it."""
    with connect() as desk:
        sealed = agents_lists.fetch(desk, alias)
    write_private(out, sealed)
    output.show({"bytes": len(sealed)}, as_json=as_json, lines=[f"{alias}: {len(sealed)} bytes for the agent"])


@app.command("fail-line")
def fail_line(
    alias: Alias,
    code: Annotated[str, typer.Argument(help="The line's code on the list.")],
    because: Annotated[Reason, typer.Option(help="Why a line that was said to be paid has failed.")],
    as_json: AsJson = False,
) -> None:
    """Tells that a paid line without a receipt that holds has failed; a second person agrees."""
    with connect() as desk:
        answer = purses.tell_failure(desk, alias, code=code, because=because)
    output.show(
        answer, as_json=as_json, lines=[f"{answer['disbursement']}: {answer['because']}, a second person agrees"]
    )


@app.command("agree-failures")
def agree_failures(alias: Alias, as_json: AsJson = False) -> None:
    """Gives the second signature on every line of a batch that was told to have failed."""
    with connect() as desk:
        waiting = [one for one in purses.failures(desk, alias) if one["agreed_by"] is None]
        answers = [purses.agree_failure(desk, one) for one in waiting]
    output.show({"agreed": len(answers)}, as_json=as_json, lines=[f"{alias}: {len(answers)} lines have failed"])


@app.command("results")
def enter_results(
    alias: Alias,
    file: Annotated[Path, typer.Argument(help="A CSV: code; outcome; receipt; verified_on; perhaps paid_on.")],
    receipts: Annotated[
        Path | None, typer.Option(help="A folder of the receipts that were looked at, each named by its code.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Enters what an agent says became of their lines; exact days stay on this device, receipts are sealed here."""
    rows = results.read(read_file(file))
    codes = {row.code for row in rows}
    found = sorted(receipts.iterdir()) if receipts is not None else []
    scans = {one.stem.upper(): read_file(one, at_most=LARGEST_RECEIPT) for one in found if one.stem.upper() in codes}
    with connect() as desk:
        entered = batches.enter_results(desk, alias, rows, receipts=scans)
    left_out = entered["left_out"]
    said = f"{len(rows) - len(left_out)} results, {len(scans.keys() - left_out)} receipts"
    _show(entered, *_left_out(left_out), as_json=as_json, said=said)
    _end(left_out)


def write_private(path: Path, content: bytes) -> None:
    """Writes a new file that its owner alone can read.

    Raises:
        FileExists: there is one.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise FileExists("a file of this name stands there", where="out") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _told(review: Review) -> list[str]:
    """The lines to look at, and then the sums."""
    said = [f"To look at, lines: {len(review.noted)}"] if review.noted else ["Nothing unusual."]
    for one in review.noted:
        left_out = f", left out: {one.excluded}" if one.excluded else ""
        said.append(f"  {one.case} {one.amount}{left_out}")
        for answer in one.answers:
            facts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in answer.facts.items())
            said.append(f"    {answer.rule.replace('_', ' ')} {answer.outcome}: {facts}")
    return said + [f"{kind}: {total}, lines: {lines}" for kind, (lines, total) in review.by_kind.items()]


def _left_out(codes: dict[str, str]) -> list[str]:
    """What is said of lines whose boxes do not hold."""
    return [f"  left out: {code}, {why}" for code, why in codes.items()]


def _end(refused: dict[str, str]) -> None:
    """Lets a shell know that not every line went through."""
    if refused:
        raise typer.Exit(REFUSED)


def _lines_of(chosen: list[dict[str, Any]], left_out: dict[str, str]) -> int:
    return sum(one["case"]["alias"] in left_out for one in chosen)


def _show(batch: dict[str, Any], *more: str, as_json: bool, said: str | None = None) -> None:
    amount = f"{batch['amount']['amount']} {batch['amount']['currency']}"
    parts = [batch["state"], amount, *([said] if said else [])]
    output.show(batch, as_json=as_json, lines=[f"{batch['alias']}: {', '.join(parts)}", *more])
