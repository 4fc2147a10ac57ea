"""Two worked years, made and confirmed independently: every figure of every statement, to the cent."""

import itertools
import re
import shutil
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlmodel import Session

from ledger.books import exchange, valuation
from ledger.storage.engine import open_database, transaction
from reports.audit import activities, cash_flows, position
from tests import two_years as two_years_book

REFERENCE = Path(__file__).parents[2] / "../shared/reference/two-years"

pytestmark = pytest.mark.skipif(not REFERENCE.is_dir(), reason="../shared/reference/two-years is not here")

YEARS = {"2020": (date(2020, 8, 15), date(2020, 12, 31)), "2021": (date(2021, 1, 1), date(2021, 12, 31))}
ROWS = {
    "start": ["restatement"],
    "gifts": ["donations"],
    "inkind": ["gifts_in_kind"],
    "refunds": ["refunds_and_disputes"],
    "recov": ["recoveries_of_earlier_years"],
    "other": ["other_income"],
    "losses": ["losses"],
    "fx": ["exchange"],
    "transfers": ["transfers"],
    "release": ["release"],
    "fines": ["fines"],
    "det": ["detention"],
    "legal": ["legal_aid"],
    "bail": ["bail"],
    "rec": ["recoveries"],
    "proc": ["processing"],
    "bank": ["bank_and_agents"],
    "admin": ["administration"],
    "opening": ["opening", "balances_brought_in"],
    "closing": ["closing"],
}
CLASSES = {
    "administration and bank": "administration",
    "advances and agents": "agents",
    "assistance paid directly": "assistance",
    "bail": "bail",
    "conditional gifts": "conditional_gifts",
    "gifts": "donations",
    "processing fees": "processing",
    "recoveries": "recoveries",
    "refunds and disputes": "refunds_and_disputes",
    "unidentified": "unidentified",
}


# --- what is expected


def expected(year: str) -> str:
    return (REFERENCE / "expected.txt").read_text("utf-8").split("PERIOD ")[list(YEARS).index(year) + 1]


def section(year: str, name: str) -> list[str]:
    return expected(year).split(f"-- {name}")[1].split("\n-- ")[0].splitlines()[1:]


def minor(text: str) -> int:
    return int(Decimal(text.replace(",", "")) * 100)


def figures_in(line: str) -> list[int]:
    return [minor(one) for one in re.findall(r"-?[\d,]+\.\d\d\b", line)]


def braces(line: str) -> dict[str, int]:
    return {name: minor(amount) for name, amount in re.findall(r"'(\w+)': '(-?[\d,.]+)'", line)}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def two_years(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """The worked years on each database, booked once: nothing here writes."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("two_years") / "book.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        engine = open_database(f"sqlite:///{file}")
    else:
        server: str = request.getfixturevalue("postgresql")
        administration = create_engine(server, isolation_level="AUTOCOMMIT")
        with administration.connect() as connection:
            connection.execute(text("CREATE DATABASE two_years TEMPLATE template_book"))
        administration.dispose()
        engine = open_database(server.replace("/postgres?", "/two_years?"))
    with transaction(engine) as session:
        two_years_book.load(session)
        _quote_every_month(session)
    with transaction(engine, write=False) as session:
        yield session
    engine.dispose()


def _quote_every_month(session: Session) -> None:
    """Each rate of the worked years is valid until the next: its source says so on the first of every month."""
    for currency in two_years_book.RATES:
        for number in range(8, 25):
            day = date(2020 + (number - 1) // 12, (number - 1) % 12 + 1, 1)
            standing = exchange.rate(session, currency, on=day, oldest_days=366)
            exchange.add(
                session,
                currency,
                on=day,
                value=standing.value,
                source="worked",
                recorded_at=two_years_book.RECORDED_AT,
                recorded_by="test",
            )


# --- the statements


@pytest.mark.parametrize("year", YEARS)
def test_the_financial_position_is_the_expected_one(two_years: Session, year: str) -> None:
    figures = position.gather(two_years, on=YEARS[year][1])

    shown = {row.account_code: row.total_minor for row in figures.assets}
    shown |= {row.account_code: -row.total_minor for row in figures.liabilities}
    *rows, totals = section(year, "financial position")
    assert {code: amount for code, amount in shown.items() if amount} == {
        row.split()[0]: figures_in(row)[0] for row in rows if figures_in(row)[0]
    }
    assert [
        sum(row.total_minor for row in figures.assets),
        sum(row.total_minor for row in figures.liabilities),
        sum(figures.net_assets.values()),
    ] == figures_in(totals)


@pytest.mark.parametrize("year", YEARS)
def test_the_activities_are_the_expected_ones_in_both_columns(two_years: Session, year: str) -> None:
    figures = activities.gather(two_years, since=YEARS[year][0], until=YEARS[year][1])

    rows = {row.key: row.all_funds for row in figures.rows}
    lines = section(year, "activities")
    table = {line.split()[0]: figures_in(line) for line in lines[: lines.index("   per fund:")]}
    assert table.keys() == ROWS.keys()
    for name, keys in ROWS.items():
        columns = sum((rows.pop(key) for key in keys), activities.Columns())
        assert [columns.unrestricted_minor, columns.restricted_minor, columns.total_minor] == table[name], name
    assert {key: row.total_minor for key, row in rows.items()} == {"other_expenses": 0}


@pytest.mark.parametrize("year", YEARS)
def test_the_activities_of_every_fund_are_the_expected_ones(two_years: Session, year: str) -> None:
    figures = activities.gather(two_years, since=YEARS[year][0], until=YEARS[year][1])

    rows = {row.key: row.by_fund for row in figures.rows}
    lines = section(year, "activities")
    per_fund = {line.split()[0]: braces(line) for line in lines[lines.index("   per fund:") + 1 :]}
    assert per_fund.keys() == rows["closing"].keys()
    for fund, told in per_fund.items():
        released = told.pop("release", 0)
        expense = told.pop("expense", 0)
        assert rows["release"][fund].unrestricted_minor == released
        assert sum(rows[key][fund].total_minor for key in activities.RELEASED) == expense
        for name, keys in ROWS.items():
            if name != "release":
                assert sum(rows[key][fund].total_minor for key in keys) == told.get(name, 0), (fund, name)


@pytest.mark.parametrize("year", YEARS)
def test_the_exchange_result_is_the_expected_one_and_proved_by_its_causes(two_years: Session, year: str) -> None:
    results = activities.gather(two_years, since=YEARS[year][0], until=YEARS[year][1]).exchange_results

    head = re.search(r"-- FX: .*", expected(year))
    assert head is not None
    report, exact, revaluation, dealing, back_valued, total = map(Decimal, re.findall(r"-?\d+\.\d+", head[0]))
    assert sum(result.reported_minor for result in results.values()) == report * 100
    assert sum(result.exact for result in results.values()) == exact * 100
    assert report == total
    for name, cause in {"revaluation": revaluation, "dealing": dealing, "back_valued": back_valued}.items():
        assert sum(getattr(result, name) for result in results.values()) == cause * 100
    for line in section(year, "FX"):
        of_fund = re.match(r" +(\w+) +(\S+) \[(.*)\]", line)
        if of_fund and of_fund[1] in results:
            result = results[of_fund[1]]
            causes = [result.revaluation, result.dealing, result.back_valued]
            assert result.reported_minor == minor(of_fund[2])
            assert [float(cause / 100) for cause in causes] == pytest.approx([float(x) for x in of_fund[3].split(",")])
    assert all(result.is_proved for result in results.values())


def test_it_is_none_of_the_results_that_wrong_methods_give(two_years: Session) -> None:
    since, until = YEARS["2020"]
    results = activities.gather(two_years, since=since, until=until).exchange_results

    naive = [figures_in(line)[0] for line in section("2020", "FX") if "naive" in line]
    assert len(naive) == 4
    assert sum(result.reported_minor for result in results.values()) not in naive


@pytest.mark.parametrize("year", YEARS)
def test_the_cash_flows_are_the_expected_ones(two_years: Session, year: str) -> None:
    figures = cash_flows.gather(two_years, since=YEARS[year][0], until=YEARS[year][1])

    lines = section(year, "cash flow (direct)")
    end = next(number for number, line in enumerate(lines) if "effect of rates" in line)
    totals, by_account = lines[end : end + 2]
    told = {CLASSES[re.split(r" {2,}", line.strip())[0]]: figures_in(line)[0] for line in lines[:end]}
    assert {row.key: row.total_minor for row in figures.operating if row.total_minor} == told
    assert figures_in(totals) == [
        sum(told.values()),
        figures.positions.total_minor,
        figures.conversions.total_minor,
        figures.opening.total_minor + figures.brought_in.total_minor,
        figures.closing.total_minor,
    ]
    cash = braces(by_account)
    assert figures.closing_by_account == {code: amount for code, amount in cash.items() if amount}
    assert figures.is_proved


def test_the_months_add_up_to_the_years(two_years: Session) -> None:
    whole = activities.gather(two_years, since=date(2020, 8, 1), until=date(2021, 12, 31))
    months = [date(2020 + n // 12, n % 12 + 1, 1) for n in range(7, 25)]

    parts = [
        activities.gather(two_years, since=first, until=date.fromordinal(following.toordinal() - 1))
        for first, following in itertools.pairwise(months)
    ]

    for number, row in enumerate(whole.rows):
        by_month = [part.rows[number].by_fund for part in parts]
        if row.key == "opening":
            assert row.by_fund == by_month[0]
        elif row.key == "closing":
            assert row.by_fund == by_month[-1]
        else:
            assert row.by_fund == {
                fund: sum((one[fund] for one in by_month), activities.Columns()) for fund in row.by_fund
            }


def test_the_next_opening_is_the_last_closing(two_years: Session) -> None:
    closed = valuation.net_assets(two_years, on=date(2020, 12, 31))

    assert closed == {"bail": 48_000, "detention": 496_439, "fines": 618_432, "general": 931_329, "unassigned": 0}
