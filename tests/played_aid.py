"""A book of cases, agents and money on which a state machine acts: see `tests/watched_aid.py` for what must hold."""

import secrets
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlmodel import SQLModel

from ledger import people
from ledger.aid import agent_acts, cases
from ledger.aid.agents import Agent
from ledger.aid.cases import Case
from ledger.aliases import Kind, draw
from ledger.books import exchange
from ledger.giving import donations, purposes
from ledger.identities import evidence
from ledger.identities.person_keys import ShredKeys
from ledger.identities.shelves import Reason
from ledger.money import Money
from ledger.people import Role
from ledger.reconciliation import bank
from ledger.reconciliation.statements import NewLine, NewStatement
from tests.cast import NOW, House, Person, a_person, byn, enrol, eur, give, the_fund, the_next
from tests.courts import open_dollars
from tests.played_book import Answer, Played
from tests.played_sight import Row, Sight, look
from tests.purses import a_vetted_agent, on_agent

BANKS = {"BYN": "1000:byn-main", "EUR": "1000:eur-main", "USD": "1000:usd-main"}


def who(right: str) -> st.SearchStrategy[str]:
    """Mostly the person whose part it is, often Mila, who has every role, and now and then anybody."""
    return st.sampled_from([right] * 14 + ["mila"] * 5 + ["ana", "anton", "boris", "bella", "clara", "olga"])


@cache
def mila() -> Person:
    """Somebody with all roles: whom only what they did before keeps from deciding alone."""
    return a_person(Role.INTAKE, Role.APPROVER, Role.TREASURER)


class PlayedAid(Played):
    """Money in three currencies, two agents, and a look at everything after each step."""

    shred_keys: ShredKeys
    dice: Random
    """What draws aliases and references: much goes by their order, and the same game is to be played twice."""
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.dice.seed("the beginning")  # no number that a rule may draw
        self.today = date(2020, 12, 7)
        self.house = House(self.session, the_fund(), type(self).shred_keys)
        give_money(self.house)
        self.quote_rates()
        everybody = (*people.current(self.session).operators, mila().operator)
        following = the_next(people.current(self.session), operators=everybody)
        enrol(self.session, following, self.house.fund.olga, self.house.fund.oleg, at=self.now())
        self.agents = [self._an_agent() for _ in range(2)]
        self.given = self.on_leaves()
        self.session.commit()
        self.seen = self.look()

    # --- how it is looked at

    def look(self) -> Sight:
        """Everything as it stands in this transaction."""
        return look(self.session)

    def standing(self) -> Any:
        """Besides counts and balances, every row of aid."""
        return super().standing(), self.look()

    def on_leaves(self) -> dict[str, int]:
        """What stands on each leaf of the bank, in minor units."""
        lines = SQLModel.metadata.tables["line"].c
        sums = select(lines.account_code, func.sum(lines.minor)).where(lines.account_code.startswith("1000:"))
        return {code: int(minor) for code, minor in self.all(sums.group_by(lines.account_code))}

    # --- who acts on what

    def all_or_nothing(self, verbs: Callable[[], Answer]) -> Answer:
        """Several verbs of one request, which is rolled back when one of them refuses."""
        with self.session.begin_nested():
            return verbs()

    def bank_shows(self, moved: Money, *, leaf: str, reference: str | None, ago: int = 0) -> None:
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
        found: Person = mila() if name == "mila" else getattr(self.house.fund, name)
        return found

    def some(self, data: st.DataObject, table: str, *states: str, **others: Any) -> Any:
        """One row of a table, in one of the states unless none is told; None without any."""
        rows = self.seen.rows[table]
        found = [
            row
            for row in map(rows.__getitem__, sorted(rows))
            if (not states or row["state"] in states) and all(row[name] == value for name, value in others.items())
        ]
        return data.draw(st.sampled_from(found)) if found else None

    def a_case(self, data: st.DataObject, *states: str) -> Case | None:
        row = self.some(data, "aid_case", *states)
        return cases.require(self.session, row["alias"]) if row else None

    def look_into(self, case: Case, person: Person) -> None:
        """Somebody is handed all that a case rests on."""
        self.house.open(case, by=person, at=self.now())
        for file in evidence.current(self.session, [case.alias])[case.alias]:
            told: dict[str, Any] = {"operator": person.alias, "reason": Reason.APPROVAL, "at": self.now()}
            evidence.hand_out(self.session, file.alias, file.version, **told)

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

    def all(self, query: Any) -> Any:
        """What a query says."""
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
