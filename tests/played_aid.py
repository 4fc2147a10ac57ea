"""A book of cases, agents and money on which a state machine acts, and what must be true of it whatever happens.

What is looked at here is read from the tables and the journal's lines, and reckoned anew: none of the verbs' own
questions ("is it owed?", "what is left?") is asked.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant
from sqlalchemy import func, select
from sqlmodel import SQLModel

from ledger.aid import agent_acts, cases
from ledger.aid.agents import Agent
from ledger.aid.cases import Case
from ledger.aliases import Kind, draw
from ledger.books import exchange
from ledger.giving import donations, purposes
from ledger.identities.person_keys import ShredKeys
from ledger.money import Money
from ledger.reconciliation import bank
from ledger.reconciliation.statements import NewLine, NewStatement
from tests.cast import NOW, House, Person, byn, eur, give, the_fund
from tests.courts import open_dollars
from tests.played_book import Answer, Played
from tests.purses import a_vetted_agent, on_agent

BANKS = {"BYN": "1000:byn-main", "EUR": "1000:eur-main", "USD": "1000:usd-main"}
STOPPED = {"on_hold", "rejected", "duplicate", "withdrawn"}
LEFT = STOPPED - {"on_hold"}
PAID_BY = {"aid_paid", "aid_paid_by_agent", "bail_applied"}
BACK_BY = {"refund_received", "recoverable_repaid", "bail_returned"}
Row = dict[str, Any]
TABLES = ("aid_case", "ruling", "obligation", "disbursement", "batch", "batch_line", "agent", "advance", "correction")


@dataclass(frozen=True)
class Sight:
    """The rows of aid as they stand, by table and key, and what the journal says of each obligation."""

    rows: dict[str, dict[str, Row]]
    quashed: frozenset[str]
    paid: Counter[str]
    back: Counter[str]
    owed_back: Counter[str]
    payable: Counter[str]


def who(right: str) -> st.SearchStrategy[str]:
    """Mostly the person whose part it is, now and then anybody."""
    return st.sampled_from([right] * 6 + ["ana", "anton", "boris", "bella", "clara", "olga"])


class PlayedAid(Played):
    """Money in three currencies, two agents, and a look at everything after each step."""

    shred_keys: ShredKeys
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.today = date(2020, 12, 7)
        self.house = House(self.session, the_fund(), type(self).shred_keys)
        give_money(self.house)
        self.quote_rates()
        self.agents = [self._an_agent() for _ in range(2)]
        self.session.commit()
        self.places: dict[str, int] = {}
        """Each alias and reference by when it was seen: the random ones order nothing, or no game is played twice."""
        self.seen = self.look()
        self.owed_at_payment: dict[str, int] = {}

    # --- what must be true

    @invariant()
    def what_happened_may_happen(self) -> None:
        now = self.look()
        self._nothing_is_paid_beyond_what_was_owed(now)
        self._whoever_goes_does_not_come_back(now)
        self._no_purse_gives_more_than_it_was_given()
        self._every_step_may_be_taken(now)
        self.seen = now
        for rows in now.rows.values():
            self.in_order(rows)

    def _nothing_is_paid_beyond_what_was_owed(self, now: Sight) -> None:
        for alias, paid in now.paid.items():
            owed = self.owed_at_payment.setdefault(alias, self.seen.rows["obligation"][alias]["minor"])
            assert paid == owed, "paid once, and the whole of what was owed then"
            assert now.back[alias] >= 0
            assert 0 <= now.owed_back[alias] <= paid - now.back[alias], "and no more comes back than was paid"
        for alias, one in now.rows["obligation"].items():
            assert now.payable[alias] == (one["minor"] if one["state"] == "recognised" else 0)
            assert (alias in now.paid) == (one["state"] in {"paid", "refund_due", "refunded"})

    def _whoever_goes_does_not_come_back(self, now: Sight) -> None:
        for alias, was in self.seen.rows["aid_case"].items():
            assert was["state"] not in LEFT or now.rows["aid_case"][alias]["state"] == was["state"]

    def _no_purse_gives_more_than_it_was_given(self) -> None:
        lines, cells = SQLModel.metadata.tables["line"], Counter[tuple[str, str, str]]()
        where = (lines.c.account_code, lines.c.fund_code, lines.c.currency)
        for code, fund, currency, minor in self._all(select(*where, func.sum(lines.c.minor)).group_by(*where)):
            cells[code, fund, currency] += int(minor)
        for (code, *_), minor in cells.items():
            assert minor >= 0 or not code.startswith(("1200:", "1210:", "1300", "1350", "1380")), code
            assert minor <= 0 or code not in {"2100", "2150"}, code

    def _every_step_may_be_taken(self, now: Sight) -> None:
        for alias, one in now.rows["disbursement"].items():
            was = self.seen.rows["disbursement"].get(alias, {"state": None})
            if one["state"] != was["state"] and one["state"] in {"approved", "released"}:
                self._was_lawful(one, now)
        for name in ("advance", "batch"):
            for alias, one in now.rows[name].items():
                moved = one["state"] != self.seen.rows[name].get(alias, {"state": None})["state"]
                if moved and one["state"] in {"approved", "released"} and one["agent_alias"] is not None:
                    assert self.seen.rows["agent"][one["agent_alias"]]["state"] == "active"

    def _was_lawful(self, one: Row, now: Sight) -> None:
        """A payment that was just approved or released might be, by what stood before."""
        before = self.seen.rows
        case, owed = before["aid_case"][one["case_alias"]], before["obligation"][one["obligation_alias"]]
        ruling = before["ruling"][owed["ruling_alias"]]
        assert case["state"] in {"verified", "approved"}
        assert ruling["alias"] not in self.seen.quashed
        assert ruling["ruled_by"] <= self.today, "no approval before its ruling"
        assert one["minor"] == owed["minor"]
        corrected = {
            row["corrected_by"] for row in now.rows["correction"].values() if row["case_alias"] == case["alias"]
        }
        earlier = {case["entered_by"], case["verified_by"], one["requested_by"], *corrected}
        assert one["approved_by"] not in earlier
        if one["state"] == "released":
            assert ruling["payable_from"] <= self.today, "no payment before its ruling is in force"
            assert owed["told_on"] is not None
            assert one["released_by"] != one["approved_by"]

    # --- how it is looked at

    def look(self) -> Sight:
        """Everything as it stands in this transaction."""
        self.session.flush()
        tables = SQLModel.metadata.tables
        rows = {
            name: {
                "/".join(str(row[key.name]) for key in tables[name].primary_key): dict(row)
                for row in self.session.connection().execute(select(tables[name])).mappings()
            }
            for name in TABLES
        }
        quashed = frozenset(self.session.connection().scalars(select(tables["quashing"].c.ruling_alias)))
        entry, line = tables["entry"], tables["line"]
        told = select(line.c.subject, line.c.account_code, entry.c.kind, line.c.minor).join_from(
            line, entry, entry.c.id == line.c.entry_id
        )
        paid, back, owed_back, payable = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
        for subject, account, kind, minor in self._all(told.where(line.c.subject.startswith("O-"))):
            if (account == "2100" and kind in PAID_BY) or (account == "1300" and kind == "bail_posted"):
                paid[subject] += minor
            if account in {"1300", "1350", "1380"} and kind in BACK_BY:
                back[subject] -= minor
            if account in {"1350", "1380"}:
                owed_back[subject] += minor
            if account == "2100":
                payable[subject] -= minor
        return Sight(rows, quashed, paid, back, owed_back, payable)

    def standing(self) -> Any:
        """Besides counts and balances, every row of aid."""
        return super().standing(), self.look()

    # --- who acts on what

    def all_or_nothing(self, verbs: Callable[[], Answer]) -> Answer:
        """Several verbs of one request, which is rolled back when one of them refuses."""
        with self.session.begin_nested():
            return verbs()

    def bank_shows(self, moved: Money, *, leaf: str, reference: str, ago: int = 0) -> None:
        """A statement of one line; what it does not explain is an exception, and no refusal."""
        line = NewLine(self.today - timedelta(days=ago), None, moved, reference, reversal=False)
        ends: dict[str, Any] = dict.fromkeys(("opened_on", "closed_on", "opening", "closing"))
        content = secrets.token_hex(32)
        statement = NewStatement(
            draw(Kind.STATEMENT), leaf, moved.currency, content_token=content, lines=[line], **ends
        )
        at = self.now()
        self.does(partial(bank.receive, self.session, statement, received_at=at, received_by=self.clara.alias))

    def person(self, name: str) -> Person:
        found: Person = getattr(self.house.fund, name)
        return found

    def some(self, data: st.DataObject, table: str, *states: str, **others: Any) -> Any:
        """One row of a table, in one of the states unless none is told; None without any."""
        rows = self.seen.rows[table]
        found = [
            row
            for row in map(rows.__getitem__, self.in_order(rows))
            if (not states or row["state"] in states) and all(row[name] == value for name, value in others.items())
        ]
        return data.draw(st.sampled_from(found)) if found else None

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Aliases or references in the order in which they came up."""
        return sorted(names, key=lambda name: self.places.setdefault(name, len(self.places)))

    def a_case(self, data: st.DataObject, *states: str) -> Case | None:
        row = self.some(data, "aid_case", *states)
        return cases.require(self.session, row["alias"]) if row else None

    def quote_rates(self) -> None:
        """What the currencies are worth today."""
        for currency, value in (("BYN", "1/3"), ("USD", "4/5")):
            quoted = exchange.parse(value)
            exchange.add(self.session, currency, on=self.today, value=quoted, source="nbrb", **self.recorded())

    def _an_agent(self) -> Agent:
        agent = a_vetted_agent(self.house, cap=Money(2_000_00, "EUR"), cap_lines=4)
        agreed = on_agent(agent, by=self.house.fund.boris, now=self.now())
        agent_acts.activate_agent(self.session, agent.alias, agreed)
        return agent

    def rows_of(self, table: str) -> list[Row]:
        """The rows of any table as they stand."""
        return [
            dict(row) for row in self.session.connection().execute(select(SQLModel.metadata.tables[table])).mappings()
        ]

    def _all(self, query: Any) -> Any:
        return self.session.connection().execute(query).all()


def give_money(house: House) -> None:
    """Gifts on the leaves of three currencies; the general fund has little."""
    give(house.session, byn("9000.00"))
    give(house.session, eur("3000.00"), leaf=BANKS["EUR"])
    open_dollars(house, "5000.00")
    general = purposes.add(house.session, "GENERAL", fund="general", text="For what is needed.", net_of_costs=False)
    told: dict[str, Any] = {"source_key": "test:general", "leaf": BANKS["EUR"], "on": date(2020, 10, 5)}
    gift: dict[str, Any] = {"gift": eur("50.00"), "reference": general.reference}
    donations.receive_at_bank(house.session, **told, **gift, recorded_at=NOW, recorded_by="test")


def week_end(day: date) -> date:
    return day + timedelta(days=6 - day.weekday())
