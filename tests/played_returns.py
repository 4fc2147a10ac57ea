"""What the bank shows under our references, and what two people say of it: the rules of a state machine."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger.errors import LedgerError
from ledger.exceptions import OpenException
from ledger.money import Money
from ledger.reconciliation import aid_answers, confirmations, resolutions, waits
from ledger.reconciliation.answers import RULES, Answer, Because
from ledger.reconciliation.resolutions import NewResolution, Resolution
from ledger.reconciliation.statements import StatementLine
from tests import saying
from tests.cast import SECOND_LEAF, agreed_by
from tests.played_aid import BANKS, PlayedAid, who

DRAWN_FOR = {
    "disbursement": -1,
    "advance": -1,
    "outlay_repayment": -1,
    "refund": 1,
    "advance_return": 1,
    "bail_return": 1,
}
"""Tables of what our references were drawn for, and whether money comes in by them."""
ORDERS = ("disbursement", "outlay_repayment", "advance")
Said = tuple[Answer, str, int]


class ReturnPlay(PlayedAid):
    """Money moves as it was expected, twice, in part, late or the other way; a treasurer says what it is."""

    @rule(
        data=st.data(),
        way=st.sampled_from(["comes", "comes", "comes back", "comes back", "comes back", "any"]),
        how=st.sampled_from(["whole", "whole", "whole", "half", "less", "more"]),
        place=st.sampled_from(["ours"] * 8 + ["other leaf", "no reference"]),
        is_answered=st.booleans(),
    )
    def the_bank_shows_a_line(self, data: st.DataObject, way: str, how: str, place: str, *, is_answered: bool) -> None:
        """Of what waits to come, of what was paid, or of anything of ours; then somebody says what it is, perhaps."""
        of = list(self._of_which_a_line_may_be(way)) or list(self._of_which_a_line_may_be("any"))
        if not of:
            return
        leaf, moved, reference = data.draw(st.sampled_from(sorted(of)))
        changed = {"whole": moved, "half": moved // 2, "less": moved - 3_00, "more": moved + 5_00}[how]
        currency = next(currency for currency, bank in BANKS.items() if bank == leaf)
        told = Money(changed or moved, currency)
        leaf = SECOND_LEAF if place == "other leaf" and currency == "BYN" else leaf
        drawn = None if place == "no reference" else reference
        self.bank_shows(told, leaf=leaf, reference=drawn, ago=data.draw(st.integers(0, 3)))
        waiting = [one for one in self._lines_that_wait() if one[1].reference == reference]
        if is_answered and waiting:
            opened, line, drawn_for = data.draw(st.sampled_from(waiting))
            answer, thing, whole = self._likely(line, drawn_for)
            settles = Money(abs(line.minor) if how == "half" else whole, line.currency)
            self._say(saying.saying(opened.alias, answer, thing, settles), by="clara", is_agreed_to=True)

    @rule(
        data=st.data(),
        because=st.sampled_from(Because),
        settles=st.sampled_from(["whole", "whole", "moved", "half"]),
        by=who("clara"),
    )
    @precondition(lambda self: self.rows_of("exception"))
    def something_is_said_of_a_line(self, data: st.DataObject, because: Because, settles: str, by: str) -> None:
        waiting = self._lines_that_wait()
        if not waiting:
            return
        opened, line, drawn_for = data.draw(st.sampled_from(waiting))
        likely, any_of = self._likely(line, drawn_for), list(self._what_may_be(line))
        answer, of, whole = data.draw(st.sampled_from([likely] * len(any_of) * 2 + any_of))
        moved = abs(line.minor)
        minor = {"whole": whole, "moved": moved, "half": max(min(moved, whole) // 2, 1)}[settles]
        new = saying.saying(opened.alias, answer, of, Money(minor, line.currency), because)
        self._say(new, by=by, is_agreed_to=data.draw(st.booleans()))

    @rule(
        data=st.data(),
        answer=st.sampled_from([Answer.KEPT_BY_BENEFICIARY, Answer.GIVEN_UP]),
        part=st.sampled_from([1, 1, 2]),
        by=who("clara"),
    )
    @precondition(lambda self: self.rows_of("refund"))
    def something_is_said_of_a_refund(self, data: st.DataObject, answer: Answer, part: int, by: str) -> None:
        waiting = self._waiting_refunds()
        if waiting:
            row = data.draw(st.sampled_from(waiting))
            settles = Money(max(row["minor"] // part, 1), row["currency"])
            told = saying.saying(row["obligation_alias"], answer, row["reference"], settles, Because.DECIDED_SO)
            self._say(told, by=by, is_agreed_to=data.draw(st.booleans()))

    @rule(data=st.data(), by=who("boris"))
    @precondition(lambda self: self.rows_of("resolution"))
    def somebody_agrees_to_what_was_said(self, data: st.DataObject, by: str) -> None:
        """Now and then to what was replaced, or is booked already."""
        listed = resolutions.listed(self.session)
        said = [one for one, agreement in listed if agreement is None] or [one for one, _ in listed]
        in_order = sorted(said, key=lambda one: (one.about, one.number))
        self._agree_to(data.draw(st.sampled_from(in_order)), by=by)

    @rule(data=st.data(), by=who("boris"))
    @precondition(lambda self: self.rows_of("advance_return"))
    def somebody_confirms_a_return(self, data: st.DataObject, by: str) -> None:
        """What an agent gave back far from the rate of the day, or after it was called off."""
        waiting = sorted(confirmations.waiting(self.session), key=lambda one: one[0].alias)
        if not waiting:
            return
        opened, line, announced = data.draw(st.sampled_from(waiting))
        agreed = agreed_by(
            self.person(by),
            "confirm_return",
            now=self.now(),
            object=opened.alias,
            amount=line.amount().decimal(),
            currency=line.currency,
            payee_commitment=confirmations.commitment(advance=announced.advance_alias, stands_for=announced.amount()),
        )
        self.may(partial(confirmations.confirm_return, self.session, opened.alias, agreed), LedgerError)

    # --- parts of rules

    def _of_which_a_line_may_be(self, way: str) -> Iterator[tuple[str, int, str]]:
        """Leaf, sum and reference of what waits to move, or of what has and may come back, or of whatever we drew."""
        for table, sign in DRAWN_FOR.items():
            for row in self.rows_of(table):
                leaf = row.get("account_code") or BANKS[row["currency"]]
                moves = sign * (row["minor"] - row.get("fee_minor", 0))
                states = {"comes": ("released", "approved", None), "comes back": ("paid", "sent")}.get(way)
                gone = [row.get(name) for name in ("received_on", "withdrawn_on", "given_up_on")]
                is_so = states is None or (row.get("state") in states and not any(gone))
                if leaf in BANKS.values() and moves and is_so:
                    yield leaf, (-moves if way == "comes back" else moves), row["reference"]
                    if table == "advance_return":  # in the currency of the fund's leaf, as agents mostly give it back
                        yield BANKS["EUR"], moves // 3 or 1, row["reference"]
                    if way == "any":
                        yield leaf, -moves, row["reference"]

    def _lines_that_wait(self) -> list[tuple[OpenException, StatementLine, str | None]]:
        found = [
            (opened, one.line, aid_answers.name_drawn_for(self.session, one.line.reference))
            for _, one, opened in waits.listed(self.session, on=self.today)
            if opened is not None and one.line is not None
        ]
        return sorted(found, key=lambda one: one[0].alias)

    def _say(self, new: NewResolution, *, by: str, is_agreed_to: bool) -> None:
        named = replace(new, of=new.of if RULES[new.answer].names else None)
        said = self.may(partial(self._say_signed, named, by=by), LedgerError)
        if said is not None and is_agreed_to:
            self._agree_to(said, by="boris")

    def _say_signed(self, new: NewResolution, *, by: str) -> Resolution:
        agreed = saying.on_request(self.house, new, by=self.person(by), now=self.now())
        return resolutions.request(self.session, new, agreed)

    def _agree_to(self, said: Resolution, *, by: str) -> None:
        agreed = saying.on_agreement(self.house, said, by=self.person(by), now=self.now())
        self.may(partial(resolutions.agree, self.session, said.about, agreed), LedgerError)

    def _likely(self, line: StatementLine, drawn_for: str | None) -> Said:
        """What somebody would say who knows what the reference was drawn for, and how much of it there was."""
        of, moved = drawn_for or "", abs(line.minor)
        rows = {table: {one["alias"]: one for one in self.rows_of(table)} for table in ORDERS}
        order = next((rows[table][of] for table in ORDERS if of in rows[table]), None)
        if order is not None and line.minor > 0 and order["state"] in {"paid", "sent"}:
            return Answer.PAYMENT_RETURNED, of, order["minor"]
        if order is not None and line.minor < 0:
            if order["state"] == "failed":
                return Answer.CARRIED_OUT, of, moved
            is_payment = order["state"] in {"released", "approved"} and order["minor"] == moved
            return (Answer.PAYMENT if is_payment else Answer.EXPECTED_BACK), of, moved
        if line.minor > 0 and of in self.seen.rows["obligation"]:
            return Answer.BAIL_RETURNED, of, self.seen.rows["obligation"][of]["minor"]
        refund = self.seen.rows["refund"].get(of)
        return (Answer.UNIDENTIFIED, of, moved) if refund is None else (Answer.REFUND, of, refund["minor"])

    def _what_may_be(self, line: StatementLine) -> Iterator[Said]:
        """Answers, of what, and how much of it there is: what may be so, and what may not."""
        moved = abs(line.minor)
        for table in ORDERS:
            for alias, row in sorted((row["alias"], row) for row in self.rows_of(table)):
                if row["currency"] == line.currency and line.minor > 0:
                    yield Answer.PAYMENT_RETURNED, alias, row["minor"]
                elif row["currency"] == line.currency:
                    yield from (
                        (answer, alias, moved) for answer in (Answer.PAYMENT, Answer.EXPECTED_BACK, Answer.CARRIED_OUT)
                    )
        for row in self._waiting_refunds():
            if row["currency"] == line.currency:
                yield Answer.REFUND, row["reference"], row["minor"]
        for alias, owed in sorted(self.seen.rows["obligation"].items()):
            if owed["kind"] == "bail" and line.currency == owed["currency"]:
                yield Answer.BAIL_RETURNED, alias, owed["minor"]
        yield Answer.UNIDENTIFIED, "", moved

    def _waiting_refunds(self) -> list[dict[str, Any]]:
        rows = [row for row in self.rows_of("refund") if row["received_on"] is None and row["given_up_on"] is None]
        return sorted(rows, key=lambda row: str(row["reference"]))
