"""Reconciliation sheets on paper: nothing is cut, however long an alias is; a draft says that it is one."""

import hashlib
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from ledger.reconciliation.sheets import Review, Sheet, SheetAltered, With
from reports import reconciliations

LEAF = "1000:eur-main-of-the-fund-at-an-invented-bank"
LINE = f"bank:{LEAF}:2020-10-05:90071992547409:12"
PAYOUT = "po_1InventedPayoutWithAnIdAsLongAsTheProcessorMayEverMakeIt0001"
ORGANISATION = "An Invented Fund for Everybody Who Is Fined or Detained after Peaceful Assemblies e.V."
PREPARED, REVIEWED = datetime(2020, 11, 2, tzinfo=UTC), datetime(2020, 11, 3, tzinfo=UTC)


def figure(name: str, amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"name": name, "amount": amount, "currency": currency}


def item(where: str, side: str, about: str, amount: str) -> dict[str, Any]:
    on = "2020-10-05" if where == "shown_not_booked" else None
    return {"where": where, "side": side, "about": about, "amount": amount, "currency": "EUR", "since": on}


FIGURES = {
    With.BANK: [
        figure("per_bank", "1.00"),
        figure("coming", "3.25"),
        figure("going", "0.75"),
        figure("not_booked", "-12.50"),
        figure("per_books", "16.00"),
    ],
    With.PROCESSOR: [figure("per_processor", "-1.00"), figure("not_booked", "0.00"), figure("per_books", "-1.00")],
    With.AGENT: [figure("advanced", "90071992547409.93", "BYN"), figure("per_books", "5.00", "BYN")],
    With.LEDGER: [figure("debit", "5.00"), figure("credit", "5.00"), figure("debit_by_roll_ups", "5.00")],
}
IN_TRANSIT = [
    item("shown_not_booked", "in", LINE, "900719925474.09"),
    item("shown_not_booked", "out", "X-7K3M-Q2XD-0000", "12.50"),
    item("in_transit", "in", "1000017", "3.25"),
    item("in_transit", "out", "1000018", "0.75"),
    item("on_its_way", "in", PAYOUT, "96.80"),
    *(item("on_its_way", "out", f"D-7K3M-Q2XD-{nth:04d}", "810.00") for nth in range(40)),
]


def a_sheet(compared: With, **more: Any) -> Sheet:
    account = {With.BANK: LEAF, With.PROCESSOR: "1100:eur", With.AGENT: "1200:A-7K3M-Q2XD-0000"}.get(compared)
    told = {"organisation": ORGANISATION, "on": "2020-10-31", "figures": FIGURES[compared], "items": []}
    content = rfc8785.dumps(told | {"differences": [], "checks": [], "failed_checks": []} | more).decode()
    digest = hashlib.sha256(content.encode()).hexdigest()
    facts: dict[str, Any] = {"prepared_by": "OP-7K3M-Q2XD-0000", "prepared_at": PREPARED}
    return Sheet(alias="RC-7K3M", compared=compared, account=account, content=content, digest=digest, **facts)


def drawn(sheet: Sheet, folder: Path, *, is_reviewed: bool = True) -> str:
    """All that stands on the pages, without white space."""
    review = Review(sheet=sheet.alias, reviewed_by="OP-9K3M-Q2XD-0000", reviewed_at=REVIEWED)
    file = folder / "sheet.pdf"
    file.write_bytes(reconciliations.render_pdf(sheet, review if is_reviewed else None))
    read = subprocess.run(["pdftotext", "-raw", file, "-"], capture_output=True, check=True, text=True).stdout
    return "".join(read.split())


def test_whatever_is_in_transit_each_way_stands_there_whole_and_is_summed(tmp_path: Path) -> None:
    sheet = a_sheet(With.BANK, items=IN_TRANSIT, differences=[figure("difference", "-31.00")])

    told = drawn(sheet, tmp_path)

    for said in (LINE, PAYOUT, LEAF, "900,719,925,474.09", "D-7K3M-Q2XD-0039", "31.00", sheet.digest):
        assert said in told
    assert "".join(ORGANISATION.split()) in told
    assert "Together,EUR96.8032,400.00" in told
    assert "Together,EUR3.250.75" in told
    assert "Intransit:bookedandnotshownbythem" in told


def test_that_nothing_differs_is_a_figure(tmp_path: Path) -> None:
    told = drawn(a_sheet(With.BANK, differences=[figure("difference", "0.00")]), tmp_path)

    assert "Differencenotexplained,EUR0.00" in told


@pytest.mark.parametrize("compared", list(With))
def test_each_of_the_four_names_its_figures_and_who_signed(compared: With, tmp_path: Path) -> None:
    sheet = a_sheet(compared, checks=["balanced", "purses"], failed_checks=["purses"])

    told = drawn(sheet, tmp_path)

    assert "".join(reconciliations.TITLES[compared].split()) in told
    for said in ("PreparedbyOP-7K3M-Q2XD-0000", "ReviewedbyOP-9K3M-Q2XD-0000", "Bothhavesigned", "Failed:purses"):
        assert said in told


def test_a_draft_does_not_say_that_somebody_else_signed(tmp_path: Path) -> None:
    told = drawn(a_sheet(With.AGENT), tmp_path, is_reviewed=False)

    assert "90,071,992,547,409.93" in told
    assert "Notreviewedyet" in told
    assert "Bothhavesigned" not in told


def test_a_sheet_whose_text_was_changed_is_not_drawn() -> None:
    sheet = a_sheet(With.BANK)
    sheet.content = sheet.content.replace("12.50", "11.50")

    with pytest.raises(SheetAltered):
        reconciliations.render_pdf(sheet, None)
