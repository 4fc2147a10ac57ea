"""What people do with payments and bail, and what the bank shows: the rules of a state machine."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger.aid import (
    acts,
    bail,
    bail_acts,
    cases,
    disbursements,
    hearings,
    obligations,
)
from ledger.aid.cases import Case
from ledger.aid.disbursements import Disbursement, Payee
from ledger.aliases import Kind, draw
from ledger.errors import LedgerError
from ledger.identities import shelves
from ledger.identities.shelves import Shelf
from ledger.money import Money
from tests.cast import Person, agreed_by, sealed
from tests.played_aid import BANKS, PlayedAid, who

FATES = ["announce", "forfeit", "apply", "hearing"]
REFERENCES = {"disbursement": -1, "advance": -1, "refund": 1, "advance_return": 1, "bail_return": 1}
"""Tables of what the bank is to show, and whether money comes in by it."""
amounts = st.integers(1, 900_00)
"""In minor units."""


def rarely(value: int) -> st.SearchStrategy[int]:
    """Mostly nothing."""
    return st.sampled_from([0] * 7 + [value])


class PaymentPlay(PlayedAid):
    """Payments are asked for, agreed to and shown by the bank; courts keep bail, or give it back."""

    # --- payments

    @rule(data=st.data(), by=who("clara"), fund=st.sampled_from(["fines", "fines", "general"]))
    def somebody_asks_for_a_payment(self, data: st.DataObject, by: str, fund: str) -> None:
        case = self.a_case(data, "verified", "approved") or self.a_case(data)
        if case is not None:
            self._request(case, by=by, fund=fund)

    @rule(data=st.data(), verb=st.sampled_from(["approve", "release"]), by=who("bella"), looks=st.booleans())
    @precondition(lambda self: self.seen.rows["disbursement"])
    def somebody_agrees_to_a_payment(self, data: st.DataObject, verb: str, by: str, *, looks: bool) -> None:
        row = self.some(data, "disbursement")
        if row is None:
            return
        payment = disbursements.require(self.session, row["alias"])
        if looks:
            self.house.open(self.house.case_of(payment), by=self.person(by), at=self.now())
        self._agree(payment, verb, by)

    @rule(data=st.data(), ago=st.integers(-1, 20), what=st.sampled_from(["tell", "cancel"]))
    @precondition(lambda self: self.seen.rows["disbursement"])
    def a_payment_is_told_or_given_up(self, data: st.DataObject, ago: int, what: str) -> None:
        row = self.some(data, "disbursement", "approved") if what == "tell" else self.some(data, "disbursement")
        if row is None:
            return
        payment = disbursements.require(self.session, row["alias"])
        if what == "cancel":
            self.may(partial(disbursements.cancel, self.session, payment, on=self.today), LedgerError)
        else:
            self._tell(payment, ago=ago)

    @rule(
        data=st.data(),
        more=st.sampled_from([0] * 6 + [1, -1]),
        days=st.integers(0, 3),
        back=st.sampled_from([1] * 9 + [-1]),
    )
    @precondition(lambda self: self.seen.rows["disbursement"])
    def the_bank_shows_a_line(self, data: st.DataObject, more: int, days: int, back: int) -> None:
        """With a reference of ours, whatever it was drawn for and whatever became of that."""
        waiting = self._expected()
        if waiting:
            reference = data.draw(st.sampled_from(self.in_order(waiting)))
            leaf, moved = waiting[reference]
            told = Money(back * moved.minor + more, moved.currency)
            self.bank_shows(told, leaf=leaf, reference=reference, ago=days)

    # --- bail

    @rule(
        data=st.data(), what=st.sampled_from(["announce", "forfeit", "apply", "hearing"]), part=amounts, by=who("bella")
    )
    def something_becomes_of_bail(self, data: st.DataObject, what: str, part: int, by: str) -> None:
        row = self.some(data, "obligation", "paid", kind="bail") or self.some(data, "obligation", kind="bail")
        if row is None:
            return
        alias, signer, amount = row["alias"], self.person(by), Money(part, "USD")
        if what == "announce":
            fee = Money(part // 10, "USD")
            verb: Callable[[], object] = partial(
                bail.announce_return, self.session, alias, amount=amount, fee=fee, by=signer.alias, on=self.today
            )
        elif what == "hearing":
            verb = partial(hearings.note_hearing, self.session, alias, on=self.today, by=signer.alias)
        elif what == "forfeit":
            agreed = self._on_bail("forfeit_bail", row, signer, amount=amount.decimal(), currency="USD")
            verb = partial(bail_acts.forfeit_bail, self.session, alias, agreed, amount=amount)
        else:
            fine = self.some(data, "obligation", "recognised") or row
            paid_by_it = Money(min(part, fine["minor"]), fine["currency"])
            told: dict[str, Any] = {"amount": paid_by_it.decimal(), "currency": fine["currency"]}
            payee = bail_acts.commitment(fine["alias"])
            agreed = self._on_bail("apply_bail", row, signer, payee_commitment=payee, **told)
            verb = partial(bail_acts.apply_bail, self.session, alias, agreed, fine=fine["alias"], amount=paid_by_it)
        self.may(verb, LedgerError)

    # --- parts of rules

    def pay_on(self, case: Case) -> None:
        """The next step of the payment of a verified or approved case."""
        (owed,) = obligations.of_case(self.session, case.alias)
        standing = disbursements.standing(self.session, [owed.alias])
        if not standing:
            self._request(case, by="clara", fund=owed.fund_code or "fines")
            return
        (payment,) = standing
        if payment.state is disbursements.State.REQUESTED:
            self.house.open(case, by=self.house.fund.boris, at=self.now())
            self._agree(payment, "approve", "boris")
        elif payment.state is disbursements.State.APPROVED and owed.told_on is None:
            self._tell(payment)
        elif payment.state is disbursements.State.APPROVED:
            self._agree(payment, "release", "clara")
        elif payment.account_code in BANKS.values():
            self.bank_shows(-payment.amount(), leaf=payment.account_code, reference=payment.reference)

    def _request(self, case: Case, *, by: str, fund: str) -> None:
        (owed,) = obligations.of_case(self.session, case.alias)
        alias = draw(Kind.DISBURSEMENT)
        key = self.session.get_one(Shelf, case.beneficiary_alias).sealing_key
        payee = sealed(key, kind="disbursement", alias=alias, field="payee", content="Invented authority")

        def request() -> Disbursement:
            told: dict[str, Any] = {"payee": Payee.AUTHORITY, "payee_commitment": payee.commitment, "fund": fund}
            leaf = BANKS[owed.currency]
            asked = disbursements.request(
                self.session, alias, obligation=owed, account=leaf, requested_by=self.person(by).alias, **told
            )
            shelves.keep(self.session, [payee], shelf=case.beneficiary_alias)
            return asked

        self.may(partial(self.all_or_nothing, request), LedgerError)

    def _agree(self, payment: Disbursement, what: str, by: str) -> None:
        verb: Any = f"{what}_disbursement"
        agreed = self.house.on_payment(verb, payment, by=self.person(by), now=self.now())
        self.may(partial(getattr(acts, verb), self.session, payment.alias, agreed), LedgerError)

    def _tell(self, payment: Disbursement, *, ago: int = 0) -> None:
        owed = obligations.require(self.session, payment.obligation_alias)
        told_on = self.today - timedelta(days=ago)
        self.may(
            partial(obligations.tell, self.session, owed, told_on=told_on, today=self.today, **self.recorded()),
            LedgerError,
        )

    def _expected(self) -> dict[str, tuple[str, Money]]:
        """What any reference of ours was drawn for: a leaf, and what would move on it."""
        found = {}
        for table, sign in (
            ("disbursement", -1),
            ("advance", -1),
            ("refund", 1),
            ("advance_return", 1),
            ("bail_return", 1),
        ):
            for row in self.rows_of(table):
                minor = row["minor"] - row.get("fee_minor", 0)
                leaf = row.get("account_code") or BANKS[row["currency"]]
                if leaf in BANKS.values() and minor:
                    found[row["reference"]] = (leaf, Money(sign * minor, row["currency"]))
        return found

    def _on_bail(self, verb: Any, row: dict[str, Any], signer: Person, **told: Any) -> Any:
        case = cases.require(self.session, row["case_alias"])
        self.house.open(case, by=signer, at=self.now())
        version = bail.steps(self.session, row["alias"]) + 1
        seen = {
            "object": row["alias"],
            "version": version,
            "evidence_commitments": tuple(acts.evidence_of(self.session, case)),
        }
        return agreed_by(signer, verb, now=self.now(), **seen, **told)
