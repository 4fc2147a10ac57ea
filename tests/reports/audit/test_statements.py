from datetime import date

import pytest

from reports.audit import disbursements, statements, trial_balance
from tests.canaries import text_of_pdf

DAY = date(2020, 11, 30)
BALANCE = trial_balance.Figures(
    "Invented Fund",
    DAY,
    None,
    (
        trial_balance.Row("1000:byn-main", "Bank", "asset", "BYN", 5_000, 0),
        trial_balance.Row("4000", "Donations", "income", "BYN", 0, 5_000),
    ),
)
PAID = disbursements.Figures("Invented Fund", DAY, (disbursements.Row("fine", "agent", "BYN", 250, 13_500_000),))


def test_the_audit_file_holds_every_statement_behind_one_cover() -> None:
    written = text_of_pdf(statements.render_pdf(BALANCE, paid=PAID)).decode(errors="ignore")

    assert written.count("Statements for audit") >= 2  # the cover and the file's title
    for said in ("As at 30 November 2020, all funds, in BYN", "Totals until 30 November 2020", "Page 3 of 3"):
        assert said in written
    for figure in ("50.00", "135,000.00", "250"):
        assert figure in written


def test_a_statement_that_is_not_drawn_alone_is_not_drawn_in_the_file() -> None:
    unbalanced = trial_balance.Figures("Invented Fund", DAY, None, BALANCE.rows[:1])
    unknown = disbursements.Figures("Invented Fund", DAY, (disbursements.Row("bribe", "agent", "BYN", 1, 1),))

    with pytest.raises(trial_balance.OutOfBalance):
        statements.render_pdf(unbalanced, paid=PAID)
    with pytest.raises(disbursements.BadRow):
        statements.render_pdf(BALANCE, paid=unknown)


def test_a_book_of_nothing_has_an_audit_file() -> None:
    empty = trial_balance.Figures("Invented Fund", DAY, None, ())

    written = text_of_pdf(statements.render_pdf(empty, paid=disbursements.Figures("Invented Fund", DAY, ())))

    assert b"No account has a balance." in written
    assert b"Nothing has been paid." in written
