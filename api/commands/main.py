"""The command `solidarity`: its parts, and what each kind of error means to a shell."""

import logging
import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Annotated

import typer
from sqlalchemy.exc import OperationalError

from api import logs
from api.client.http import ApiRefusal, ApiUnreachable
from api.commands import (
    access_commands,
    agent_commands,
    backup_commands,
    bail_commands,
    bank_gift_commands,
    batch_commands,
    book_commands,
    case_commands,
    case_life_commands,
    cash_commands,
    conversion_commands,
    database_commands,
    demo,
    doctor,
    donation_commands,
    donor_commands,
    emergency_commands,
    entry_commands,
    erasure_commands,
    evidence_commands,
    exception_commands,
    figure_commands,
    gift_commands,
    job_commands,
    linkage,
    match_commands,
    operator_commands,
    order_failure_commands,
    outlay_commands,
    output,
    payment_commands,
    payment_file_commands,
    period_commands,
    person_commands,
    processes,
    processor_commands,
    processor_side_commands,
    publication_commands,
    purpose_commands,
    purse_commands,
    queue_commands,
    rate_commands,
    reconciliation_commands,
    recovery_commands,
    report_commands,
    resolution_commands,
    roster_commands,
    statement_commands,
    subledger_commands,
    transfer_commands,
    vault_commands,
    verify_commands,
)
from api.commands.connection import ROSTER_FINGERPRINT
from api.logs import describe
from api.stripe_link import ProcessorUnavailable
from ledger.errors import BadInput, LedgerError

REFUSED, BAD_INPUT, SERVICE_DOWN, BUG = 1, 65, 69, 70
"""Exit codes, beside 0 for done, 2 for usage, 3 for findings: by a rule; unreadable data; no answer; our own fault."""

app = typer.Typer(
    name="solidarity",
    help="A double-entry ledger for funds that pay fines and detention costs after peaceful assemblies.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def take_options(
    roster_fingerprint: Annotated[
        str | None,
        typer.Option(envvar=ROSTER_FINGERPRINT, help="The first roster's fingerprint, said at first contact."),
    ] = None,
) -> None:
    """A double-entry ledger for funds that pay fines and detention costs after peaceful assemblies."""
    if roster_fingerprint:
        os.environ[ROSTER_FINGERPRINT] = roster_fingerprint


book_commands.add_to(app)
report_commands.add_to(app)
figure_commands.add_to(app)
app.command("ledger")(subledger_commands.show_ledger)
app.command("accesses")(access_commands.list_accesses)
app.add_typer(bail_commands.app, name="bail")
app.command("demo")(demo.run_demo)
doctor.app.command("linkage")(linkage.measure_linkage)
app.add_typer(job_commands.app, name="jobs")
app.add_typer(reconciliation_commands.app, name="reconciliations")
app.add_typer(doctor.app, name="doctor")
app.add_typer(verify_commands.app, name="verify")
app.add_typer(database_commands.app, name="database")
roster_commands.add_to(operator_commands.operators)
vault_commands.add_to(operator_commands.keys)
app.add_typer(operator_commands.operators, name="operators")
app.add_typer(operator_commands.keys, name="keys")
app.add_typer(recovery_commands.app, name="recovery")
case_life_commands.add_to(case_commands.app)
person_commands.add_to(case_commands.app)
app.command("queue")(queue_commands.show_queue)
app.add_typer(case_commands.app, name="cases")
app.add_typer(evidence_commands.app, name="evidence")
app.add_typer(payment_commands.app, name="disbursements")
app.add_typer(payment_file_commands.app, name="payments")
app.add_typer(order_failure_commands.app, name="unexecuted")
app.add_typer(batch_commands.app, name="batches")
app.add_typer(agent_commands.agents_app, name="agents")
app.add_typer(agent_commands.advances_app, name="advances")
app.add_typer(purse_commands.app, name="purses")
app.add_typer(outlay_commands.app, name="outlays")
app.add_typer(resolution_commands.app, name="resolutions")
app.add_typer(conversion_commands.app, name="conversions")
app.add_typer(transfer_commands.app, name="transfers")
processor_commands.add_to(donation_commands.app)
gift_commands.add_to(donation_commands.app)
app.add_typer(purpose_commands.app, name="purposes")
processor_side_commands.add_to(donation_commands.app)
bank_gift_commands.add_to(donation_commands.app)
cash_commands.add_to(donation_commands.app)
app.add_typer(donation_commands.app, name="donations")
app.add_typer(donor_commands.app, name="donors")
app.add_typer(donor_commands.receipts_app, name="receipts")
app.add_typer(statement_commands.app, name="statements")
app.add_typer(exception_commands.app, name="exceptions")
app.add_typer(match_commands.app, name="matches")
app.add_typer(entry_commands.app, name="entries")
app.add_typer(rate_commands.app, name="rates")
app.add_typer(period_commands.app, name="periods")
app.add_typer(publication_commands.publications, name="publications")
app.add_typer(publication_commands.site, name="site")
app.add_typer(erasure_commands.app, name="erasures")
app.add_typer(backup_commands.app, name="backup")
app.add_typer(emergency_commands.app, name="emergency")


def run() -> None:
    """Runs the command line and exits with a code that tells what happened."""
    logs.write_to(sys.stderr, level=logging.WARNING)
    processes.dump_no_core()
    try:
        command()()
    except LedgerError as error:
        output.show_refusal(error)
        sys.exit(exit_code(error))
    except OperationalError:
        sys.stderr.write("unavailable: the database does not answer\n")
        sys.exit(SERVICE_DOWN)
    except OSError as error:
        sys.stderr.write(f"file_refused: {error.strerror}\n")
        sys.exit(REFUSED)
    except Exception as error:  # noqa: BLE001  # a traceback would show what was read: names stand in it
        sys.stderr.write(f"bug: {describe(error)}; please report this line\n")
        sys.exit(BUG)


@cache
def command() -> Callable[[], object]:
    """Made once: all parts of all commands are looked at for it."""
    return typer.main.get_command(app)


def exit_code(error: LedgerError) -> int:
    """What a refusal means to a shell."""
    if isinstance(error, (ApiUnreachable, ProcessorUnavailable)):
        return SERVICE_DOWN
    if isinstance(error, ApiRefusal):
        if error.status == 503:  # noqa: PLR2004  # HTTP's own number
            return SERVICE_DOWN
        if error.status >= 500:  # noqa: PLR2004  # HTTP's own border
            return BUG
        return BAD_INPUT if error.status == 422 else REFUSED  # noqa: PLR2004  # HTTP's own number
    return BAD_INPUT if isinstance(error, BadInput) else REFUSED
