"""The reconciliation sheet on paper: both sides, what explains them, and who prepared and reviewed it."""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from ledger.money import Money
from ledger.reconciliation import sheets
from ledger.reconciliation.sheets import Review, Sheet, With
from reports import layout
from reports.pagination import LINE, NOTE, SECTION, SUBTOTAL, TOTAL, Column, Row

TITLES = {
    With.BANK: "Bank reconciliation",
    With.PROCESSOR: "Card processor reconciliation",
    With.AGENT: "Reconciliation of an agent's advances",
    With.LEDGER: "Reconciliation of the ledger with itself",
}
_NAMES = {
    "per_bank": "Balance per bank",
    "per_processor": "Balance per processor: the sum of all its movements",
    "coming": "Add: in transit to them, booked and not shown there",
    "going": "Less: in transit from them, booked and not shown there",
    "not_booked": "Less: shown there and not booked",
    "per_books": "Balance per books",
    "advanced": "Advanced, in the currency that was received",
    "moved": "Moved between agents, exchanged and given back",
    "claimed": "Less: claimed by results",
    "returned": "Less: returned",
    "per_advances": "Balance per advances",
    "debit": "Debits of all lines",
    "credit": "Credits of all lines",
    "debit_by_roll_ups": "Debits by roll-ups",
}
_PLACES = {
    "shown_not_booked": "Shown by them and not booked",
    "in_transit": "In transit: booked and not shown by them",
    "on_its_way": "Ordered or announced, and in neither balance",
}
_COLUMNS = (
    Column("Since", width=64),
    Column("Item"),
    Column("In", holds_figures=True),
    Column("Out", holds_figures=True),
)


def render_pdf(sheet: Sheet, review: Review | None) -> bytes:
    """The sheet on A4, as it was signed.

    Raises:
        SheetAltered: the content does not have the hash that was signed.
        MissingGlyph: a character that cannot be shown.
    """
    return layout.render(lay_out(sheet, review))


def lay_out(sheet: Sheet, review: Review | None) -> layout.Document:
    """The sheet before it is drawn.

    Raises:
        SheetAltered: see `render_pdf`.
    """
    if sheets.digest_of(sheet.content) != sheet.digest:
        raise sheets.SheetAltered("the sheet was altered", sheet=sheet.alias)
    told: dict[str, Any] = json.loads(sheet.content)
    on = date.fromisoformat(told["on"])
    day = f"{on.day} {on:%B %Y}"
    title = TITLES[sheet.compared]
    return layout.Document(
        organisation=told["organisation"],
        label=f"{title} · {day}",
        title=title,
        subtitle=f"As at {day}" + (f", {sheet.account}" if sheet.account else ", all accounts and funds"),
        prepared=f"Sheet {sheet.alias} · SHA-256 {sheet.digest[:32]}…",
        columns=_COLUMNS,
        rows=tuple(_rows(told, sheet, review)),
    )


def _rows(told: dict[str, Any], sheet: Sheet, review: Review | None) -> Iterator[Row]:
    yield Row(SECTION, ("Both sides",))
    for figure in told["figures"]:
        yield _line("", f"{_NAMES[figure['name']]}, {figure['currency']}", figure)
    if told["differences"]:
        for figure in told["differences"]:
            yield _line("", f"Difference not explained, {figure['currency']}", figure, look=TOTAL)
    else:
        yield Row(TOTAL, ("", "Difference not explained", "\N{EN DASH}", ""))
    for where, heading in _PLACES.items():
        items = [one for one in told["items"] if one["where"] == where]
        if items:
            yield Row(SECTION, (heading,))
        for item in items:
            yield _line(item["since"] or "", f"{item['about']}, {item['currency']}", item, side=item["side"])
        if len(items) > 1:
            yield from _sums(items)
    if told["checks"]:
        yield Row(SECTION, ("Checks",))
        for name in told["failed_checks"]:
            yield Row(LINE, ("", f"Failed: {name}", "", ""))
        failed = len(told["failed_checks"]) or "none"
        yield Row(NOTE, (f"{len(told['checks'])} checks were run: {', '.join(told['checks'])}. Failed: {failed}.",))
    yield from _signatures(told, sheet, review)


def _signatures(told: dict[str, Any], sheet: Sheet, review: Review | None) -> Iterator[Row]:
    yield Row(SECTION, ("Signatures",))
    yield Row(LINE, (sheet.prepared_at.date().isoformat(), f"Prepared by {sheet.prepared_by}", "", ""))
    if review is None:
        yield Row(NOTE, ("Not reviewed yet: this is a draft.",))
        signed = "The preparer has signed"
    else:
        yield Row(LINE, (review.reviewed_at.date().isoformat(), f"Reviewed by {review.reviewed_by}", "", ""))
        signed = "Both have signed"
    kept = "the SHA-256 of the sheet's content, which the ledger keeps with what was signed"
    yield Row(NOTE, (f"{told['organisation']} \N{MIDDLE DOT} {signed} {kept}: {sheet.digest}",))


def _sums(items: Sequence[dict[str, str]]) -> Iterator[Row]:
    """What goes each way together, in each currency."""
    for currency in sorted({item["currency"] for item in items}):
        sums = [
            sum((_money(item) for item in items if (item["side"], item["currency"]) == (side, currency)), zero)
            for zero in [Money(0, currency)]
            for side in ("in", "out")
        ]
        yield Row(SUBTOTAL, ("", f"Together, {currency}", *(layout.figure(one) for one in sums)))


def _money(figure: dict[str, str]) -> Money:
    return Money.parse(figure["amount"], figure["currency"])


def _line(since: str, text: str, figure: dict[str, str], *, side: str | None = None, look: Any = LINE) -> Row:
    money = _money(figure)
    # That nothing differs is what a sheet is for: it stands there in digits.
    is_agreed = look == TOTAL and not money.minor
    shown = money.decimal() if is_agreed else layout.figure(Money(abs(money.minor), money.currency))
    is_in = side == "in" if side else money.minor >= 0
    return Row(look, (since, text, shown if is_in else "", "" if is_in else shown))
