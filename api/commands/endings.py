"""How a command that failed ends: what it says on the standard error, and what its exit code tells a shell.

Read only when something failed: it knows every kind of error, and with them the database's library.
"""

import sys

from sqlalchemy.exc import OperationalError

from api.client.http import ApiRefusal, ApiUnreachable
from api.commands import output
from api.logs import describe
from api.stripe_link import ProcessorUnavailable
from ledger.errors import BadInput, LedgerError

REFUSED, BAD_INPUT, SERVICE_DOWN, BUG = 1, 65, 69, 70
"""Exit codes, beside 0 for done, 2 for usage, 3 for findings: by a rule; unreadable data; no answer; our own fault."""


def tell(error: Exception) -> int:
    """Says what happened, in one line; the exit code. Of what is no refusal neither text nor traceback is shown."""
    if isinstance(error, LedgerError):
        output.show_refusal(error)
        return exit_code(error)
    if isinstance(error, OperationalError):
        sys.stderr.write("unavailable: the database does not answer\n")
        return SERVICE_DOWN
    if isinstance(error, OSError):
        sys.stderr.write(f"file_refused: {error.strerror}\n")
        return REFUSED
    sys.stderr.write(f"bug: {describe(error)}; please report this line\n")
    return BUG


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
