"""The parts of the command line: their names, what each is for in one line, and the module that is read for it."""

import importlib
from collections.abc import Mapping
from functools import cache
from typing import Any

import typer

PARTS: Mapping[str, str] = {
    "init": "Founds the book: tables, chart, funds, roster 1, vault keys, and one bearer key for the administrator.",
    "migrate": "Brings the database to this version's tables and guards.",
    "serve": "Serves the API. No addresses are logged; put a reverse proxy with TLS in front of it.",
    "accounts": "Shows the chart of accounts, or adds a leaf.",
    "trial-balance": "Every account that moved, per fund and currency; a credit balance is negative.",
    "balance": "What stands on an account.",
    "reconcile": "Books against bank, for every bank leaf that has a statement.",
    "report": "Writes a report for auditors.",
    "position": "What the fund has and owes at the end of a day, in its functional currency.",
    "activities": "What changed net assets from a day to a day, with and without donors' restrictions.",
    "cash-flows": "What cash came for and went for from a day to a day, and what rates did to it.",
    "ledger": "What the fund has recognised and paid for somebody, with the balance after each line.",
    "accesses": "Lists who opened whose boxes and files, the newest first.",
    "demo": "Lets an invented fund live through the autumn of 2020: gifts, lists, an agent, the bank, publication.",
    "queue": "Shows what waits for you today: counts, then a section, the oldest deadline first, and what to do next.",
    "bail": "Bail that courts hold: heard, returned, applied to a fine, forfeited.",
    "jobs": "What the server does by itself: pulling, checks, reminders, expiry. On the server only.",
    "reconciliations": "Reconciliations as signed sheets: one person prepares, another reviews.",
    "doctor": "Looks at settings, database, clock and key files, and says what to do. Ends with 3 when one is wrong.",
    "verify": "Verify what the fund has promised.",
    "database": "The database: who may do what on it.",
    "operators": "Device keys and the roster.",
    "keys": "Bearer keys.",
    "recovery": "The recovery key: three of five people join it.",
    "cases": "Cases of fined and detained people.",
    "evidence": "Rulings, bills and receipts as sealed files.",
    "disbursements": "Money leaving for one obligation each.",
    "payments": "Files that tell a bank to pay what was released.",
    "unexecuted": "What the bank was told to pay and never paid, ended by two people.",
    "batches": "Payments that are agreed to and released together.",
    "agents": "People who pay on the fund's behalf.",
    "advances": "The fund's money in agents' hands.",
    "purses": "What moves in agents' purses beside claims and returns.",
    "outlays": "What agents laid out of their own, repaid from a bank leaf.",
    "resolutions": "What bank and processor show and nobody expected so: said by one, agreed to by another.",
    "conversions": "Money that a bank changes into another currency.",
    "transfers": "Money of one fund that becomes another's.",
    "purposes": "What gifts are for, and what donors are told.",
    "donations": "Gifts by card and bank.",
    "donors": "Donors: aliases, sealed identities, whose gifts are whose.",
    "receipts": "Legal receipts, written on this device; and confirmations.",
    "statements": "Bank statements.",
    "exceptions": "Differences between the books and the world, and what each comes to.",
    "matches": "Lines of the bank, and the entries that they are.",
    "entries": "The journal as a file: exported, or imported into a book.",
    "rates": "Exchange rates: added, never changed.",
    "periods": "Months: open, closed softly, closed for good.",
    "publications": "Transparency reports: released once, never changed.",
    "site": "The public page as static files.",
    "erasures": "Erasing people: two operators, for a reason.",
    "backup": "Backups of books and keyring, apart.",
    "emergency": "When somebody is at the door.",
}
"""What a part is for in one line, by its name, in the order in which they are shown; as its module says it."""
_PLACES: Mapping[str, str] = {
    "init": "book_commands:init",
    "migrate": "book_commands:migrate",
    "serve": "book_commands:serve",
    "accounts": "account_commands:accounts",
    "trial-balance": "report_commands:trial_balance",
    "balance": "report_commands:balance",
    "reconcile": "report_commands:reconcile",
    "report": "report_commands:report",
    "position": "figure_commands:position",
    "activities": "figure_commands:activities",
    "cash-flows": "figure_commands:cash_flows",
    "ledger": "subledger_commands:show_ledger",
    "accesses": "access_commands:list_accesses",
    "demo": "demo:run_demo",
    "queue": "queue_commands:show_queue",
    "bail": "bail_commands:app",
    "jobs": "job_commands:app",
    "reconciliations": "reconciliation_commands:app",
    "doctor": "doctor:app",
    "verify": "verify_commands:app",
    "database": "database_commands:app",
    "operators": "operator_commands:operators",
    "keys": "operator_commands:keys",
    "recovery": "recovery_commands:app",
    "cases": "case_commands:app",
    "evidence": "evidence_commands:app",
    "disbursements": "payment_commands:app",
    "payments": "payment_file_commands:app",
    "unexecuted": "order_failure_commands:app",
    "batches": "batch_commands:app",
    "agents": "agent_commands:agents_app",
    "advances": "agent_commands:advances_app",
    "purses": "purse_commands:app",
    "outlays": "outlay_commands:app",
    "resolutions": "resolution_commands:app",
    "conversions": "conversion_commands:app",
    "transfers": "transfer_commands:app",
    "purposes": "purpose_commands:app",
    "donations": "donation_commands:app",
    "donors": "donor_commands:app",
    "receipts": "donor_commands:receipts_app",
    "statements": "statement_commands:app",
    "exceptions": "exception_commands:app",
    "matches": "match_commands:app",
    "entries": "entry_commands:app",
    "rates": "rate_commands:app",
    "periods": "period_commands:app",
    "publications": "publication_commands:publications",
    "site": "publication_commands:site",
    "erasures": "erasure_commands:app",
    "backup": "backup_commands:app",
    "emergency": "emergency_commands:app",
}
"""By name, the module and what in it is the part: a command, or a group of them."""
_ALSO: Mapping[str, tuple[str, ...]] = {
    "doctor": ("linkage",),
    "operators": ("roster_commands",),
    "keys": ("vault_commands",),
    "cases": ("case_life_commands", "person_commands"),
    "donations": (
        "processor_commands",
        "gift_commands",
        "processor_side_commands",
        "bank_gift_commands",
        "cash_commands",
    ),
}
"""By name, the modules that add commands of their own to the group, by `add_to`."""


@cache
def load(name: str) -> Any:
    """The part as Typer makes it: only its own modules are read for it, and once.

    Raises:
        KeyError: there is no such part.
    """
    module, _, attribute = _PLACES[name].partition(":")
    found = getattr(_module(module), attribute)
    holder = typer.Typer(pretty_exceptions_enable=False)
    if isinstance(found, typer.Typer):
        for also in _ALSO.get(name, ()):
            _module(also).add_to(found)
        holder.add_typer(found, name=name)
    else:
        holder.command(name)(found)
    return typer.main.get_group(holder).commands[name]


def _module(name: str) -> Any:
    return importlib.import_module(f"api.commands.{name}")
