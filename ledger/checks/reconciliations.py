"""Checks of what reconciliations rest on: sheets are what was signed."""

import json
from collections.abc import Iterator

from sqlmodel import Session

from ledger.checks.findings import Check, Finding, Tell, paged
from ledger.reconciliation import sheets
from ledger.reconciliation.sheets import Sheet


def find_altered_sheets(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Sheets whose content has another hash than was signed, or that say of themselves what their content does not."""
    for page in paged(session, Sheet, Sheet.alias):
        for one in page:
            where = _why_not(one)
            if where is not None:
                yield Finding("sheets", "sheet", one.alias, {"where": where})


def _why_not(sheet: Sheet) -> str | None:
    """Which part of a sheet does not hold, or None."""
    if sheet.digest != sheets.digest_of(sheet.content):
        return "digest"
    told = json.loads(sheet.content)  # as it was signed
    if (told["compared"], told["account"]) != (sheet.compared, sheet.account):
        return "compared"
    return None


CHECKS = (Check("sheets", "every reconciliation is the one that was signed", find_altered_sheets),)
