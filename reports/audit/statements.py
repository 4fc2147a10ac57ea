"""The audit file: every statement for auditors in one PDF, behind a cover with a line for each."""

from reports import layout
from reports.audit import disbursements, trial_balance

_NOTE = "Every figure is a total of the books, in its own currency. It names nobody who gave or was helped."


def render_pdf(balance: trial_balance.Figures, *, paid: disbursements.Figures) -> bytes:
    """The trial balance and the statement of disbursements of one organisation and one day.

    Raises:
        OutOfBalance, trial_balance.BadRow, disbursements.BadRow: see there.
        MissingGlyph: a character that cannot be shown.
    """
    return layout.bind(
        [trial_balance.lay_out(balance), disbursements.lay_out(paid)],
        title="Statements for audit",
        subtitle=f"As at {balance.on.day} {balance.on:%B %Y}",
        note=_NOTE,
    )
