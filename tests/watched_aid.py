"""What must be true of a book of aid whatever happens: of every row, of every step that was taken, and of the money.

All of it is reckoned anew: none of the verbs' own questions ("is it owed?", "what is left?") is asked.
"""

from collections import Counter
from collections.abc import Callable

from sqlalchemy import func, select
from sqlmodel import SQLModel

from ledger import people
from ledger.money import Money
from tests.played_aid import PlayedAid
from tests.played_book import Answer
from tests.played_sight import Row, Sight, is_waiting, payable_of

STOPPED = {"on_hold", "rejected", "duplicate", "withdrawn"}
LEFT = STOPPED - {"on_hold"}
OPEN = {"recognised", "part_paid"}
UNDER_WAY = {"approved", "released"}
ORDERED = {"disbursement": {"released"}, "advance": {"released"}, "outlay_repayment": {"approved"}}
"""In which states the bank was told to pay it, and has not shown it."""
PAID = {"paid", "refund_due", "refunded"}
HANDS = {
    "disbursement": ("requested_by", "approved_by", "released_by"),
    "batch": ("requested_by", "approved_by", "released_by"),
    "advance": ("requested_by", "approved_by", "released_by"),
    "outlay_repayment": ("requested_by", "approved_by"),
    "purse_movement": ("requested_by", "agreed_by"),
    "line_failure": ("told_by", "agreed_by"),
    "order_failure": ("told_by", "agreed_by"),
}
"""Who asks, who agrees, and who lets it go, as who asked may do as well."""


class WatchedAid(PlayedAid):
    """Looked at after each transaction, beside what stood before it."""

    def does(self, verb: Callable[[], Answer]) -> Answer:
        answer = super().does(verb)
        self.what_happened_may_happen()
        return answer

    def what_happened_may_happen(self) -> None:
        now = self.look()
        self._nothing_is_paid_beyond_what_was_owed(now)
        self._whoever_goes_does_not_come_back(now)
        self._no_purse_gives_more_than_it_was_given()
        self._money_is_where_the_bank_says()
        self._what_is_held_is_held_for_something(now)
        self._nobody_decides_alone(now)
        self._every_step_may_be_taken(now)
        self._nobody_is_one_person_and_two(now)
        self.seen = now

    def _nothing_is_paid_beyond_what_was_owed(self, now: Sight) -> None:
        for alias, one in now.rows["obligation"].items():
            paid, payable = now.paid[alias], payable_of(one)
            if paid > self.seen.paid[alias]:
                assert paid <= payable_of(self.seen.rows["obligation"][alias]), "no more than was owed just before"
            assert (paid == payable) if one["state"] in PAID else (paid < payable)
            assert (paid > 0) == (one["state"] in PAID | {"part_paid"}), "and what the bank gave back is owed again"
            assert now.payable[alias] == (payable - paid if one["state"] in OPEN else 0)
            rest = sum(row["minor"] for row in now.refunds_of(alias) if row["debtor"] != "payee")
            assert rest <= paid, "no more comes back than was paid"
            assert now.owed_back[alias] == sum(row["minor"] for row in now.refunds_of(alias) if is_waiting(row))

    def _whoever_goes_does_not_come_back(self, now: Sight) -> None:
        for alias, was in self.seen.rows["aid_case"].items():
            assert was["state"] not in LEFT or now.rows["aid_case"][alias]["state"] == was["state"]

    def _no_purse_gives_more_than_it_was_given(self) -> None:
        lines, cells = SQLModel.metadata.tables["line"], Counter[tuple[str, str, str]]()
        where = (lines.c.account_code, lines.c.fund_code, lines.c.currency)
        for code, fund, currency, minor in self.all(select(*where, func.sum(lines.c.minor)).group_by(*where)):
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
        assert one["minor"] <= payable_of(owed)
        corrected = {
            row["corrected_by"] for row in now.rows["correction"].values() if row["case_alias"] == case["alias"]
        }
        earlier = {case["entered_by"], case["verified_by"], one["requested_by"], *corrected}
        assert one["approved_by"] not in earlier
        signed = self._who_agreed(one, now)
        assert one["approved_by"] in signed
        if one["state"] == "approved":
            self._enough_have_signed(signed, whole=Money(owed["minor"], owed["currency"]))
        if one["state"] == "released":
            assert ruling["payable_from"] <= self.today, "no payment before its ruling is in force"
            assert owed["told_on"] is not None
            assert one["released_by"] not in signed

    def _nobody_is_one_person_and_two(self, now: Sight) -> None:
        """Nor has the bail of one paid what somebody else owes."""
        last: dict[tuple[str, str], bool] = {}
        for row in sorted(now.rows["same_person"].values(), key=lambda row: row["number"]):
            last[row["beneficiary_alias"], row["other_alias"]] = row["is_one"]
        root: dict[str, str] = {}
        for (first, second), is_one in last.items():
            if is_one:
                gone, stays = root.get(second, second), root.get(first, first)
                root |= dict.fromkeys((gone, *(one for one, of in root.items() if of == gone)), stays)
        apart = {frozenset(root.get(one, one) for one in of) for of, is_one in last.items() if not is_one}
        assert all(len(two) > 1 for two in apart)
        whose = {alias: now.rows["aid_case"][row["case_alias"]] for alias, row in now.rows["obligation"].items()}
        for part in now.rows["bail_part"].values():
            if part["fine_alias"] is not None:
                two = [whose[part[name]]["beneficiary_alias"] for name in ("obligation_alias", "fine_alias")]
                assert frozenset(root.get(one, one) for one in two) not in apart

    def _who_agreed(self, one: Row, now: Sight) -> set[str]:
        """Who signed that a payment is agreed to; a batch is one act about all its lines."""
        lines = [row for row in now.rows["batch_line"].values() if row["disbursement_alias"] == one["alias"]]
        verb, about = ("approve_batch", lines[0]["batch_alias"]) if lines else ("approve_disbursement", one["alias"])
        acts = [row for row in self.rows_of("signed_act") if row["object"] == about]
        return {row["signer"] for row in acts if row["verb"].partition(":")[0] == verb}

    def _enough_have_signed(self, signed: set[str], *, whole: Money) -> None:
        """Whoever agrees to a part is bound by the limits on the whole."""
        for limit in people.current(self.session).limits:
            if limit.currency == whole.currency:
                most, above = limit.most("per_act"), limit.most("third_above")
                assert most is None or whole <= most, "nor is it split to get below"
                assert above is None or whole <= above or len(signed) > 1, "a third person agrees"

    def _money_is_where_the_bank_says(self) -> None:
        """Leaves hold what they had and the lines of the bank that are booked; each other line waits for somebody."""
        tables = SQLModel.metadata.tables
        line, match = tables["statement_line"], tables["statement_match"]
        query = select(line.c.source_key, line.c.account_code, line.c.minor, match.c.entry_id)
        moved, waiting = Counter(self.given), set()
        for key, leaf, minor, entry in self.all(query.join_from(line, match, isouter=True)):
            if entry is None:
                waiting.add(key)
            else:
                moved[leaf] += minor
        assert self.on_leaves() == dict(moved)
        opened = [row["about"] for row in self.rows_of("exception") if row["resolved_on"] is None]
        assert waiting <= {about.partition(":")[2] for about in opened} | set(opened)
        lines = tables["line"].c
        sums = select(func.sum(lines.minor)).group_by(lines.fund_code, lines.currency)
        assert {int(minor) for (minor,) in self.all(sums)} == {0}, "nothing is made, in any fund or currency"

    def _what_is_held_is_held_for_something(self, now: Sight) -> None:
        tables = SQLModel.metadata.tables
        hold, movement = tables["hold"], tables["hold_movement"]
        held = Counter[tuple[str, str]]()
        for key, reserves, minor in self.all(select(hold.c.held_for, hold.c.reserves, hold.c.minor)):
            held[key, reserves] += minor
        taken = select(hold.c.held_for, hold.c.reserves, movement.c.minor)
        for key, reserves, minor in self.all(taken.join_from(hold, movement)):
            held[key, reserves] -= minor
        needed = Counter[tuple[str, str]]()
        promised = {row["obligation_alias"] for row in now.rows["disbursement"].values() if row["state"] in UNDER_WAY}
        for alias, row in now.rows["obligation"].items():
            if row["state"] == "approved":
                needed[alias, "spendable"] = row["minor"]
                assert alias in promised, "a fund promises what somebody is to pay"
        for table, states in ORDERED.items():
            for alias, row in now.rows[table].items():
                if row["state"] in states and row["account_code"].startswith("1000:"):
                    needed[alias, "leaf"] = row["minor"]
        for alias, row in now.rows["advance"].items():
            if row["state"] in UNDER_WAY:
                needed[alias, "in_hand"] = row["minor"]
        assert +held == needed
        assert min(held.values(), default=0) >= 0

    def _nobody_decides_alone(self, now: Sight) -> None:
        """Whoever asked for it, entered it, verified it or agreed to it before does not take the next step."""
        for table, (asked, agreed, *released) in HANDS.items():
            for row in now.rows[table].values():
                assert row[agreed] is None or row[agreed] not in {row[name] for name in (asked, *released)}
        ended = {row["order_alias"] for row in now.rows["order_failure"].values() if row["agreed_by"]}
        for table in ORDERED:
            for alias, row in now.rows[table].items():
                if row["state"] == "failed" and row["account_code"].startswith("1000:"):
                    assert alias in ended, "what the bank was told to pay fails when two people say so"
        for row in now.rows["bail_part"].values():
            posted = now.rows["obligation"][row["obligation_alias"]]
            case = now.rows["aid_case"][posted["case_alias"]]
            posters = {
                one["requested_by"]
                for one in now.rows["disbursement"].values()
                if one["obligation_alias"] == posted["alias"] and one["state"] == "paid"
            }
            assert row["decided_by"] not in {case["entered_by"], case["verified_by"], *posters}
        for key, agreement in now.rows["resolution_agreement"].items():
            said = now.rows["resolution"][key]
            assert agreement["agreed_by"] != said["asked_by"]
            if said["answer"] == "given_up":
                case = now.rows["aid_case"][now.rows["obligation"][said["about"]]["case_alias"]]
                assert agreement["agreed_by"] not in {case["entered_by"], case["verified_by"]}
