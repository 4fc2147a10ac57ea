"""What people do with cases and their payments, rightly and wrongly: the rules of a state machine."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from ledger.aid import (
    acts,
    case_acts,
    cases,
    corrections,
    eligibility,
    intake,
    jurisdictions,
    obligations,
    ruling_acts,
    rulings,
    sequels,
)
from ledger.aid.cases import Case
from ledger.aid.corrections import Amended
from ledger.aid.eligibility import Rejection
from ledger.aid.obligations import ObligationKind
from ledger.errors import LedgerError
from ledger.identities import shelves
from ledger.identities.evidence import EvidenceKind
from ledger.identities.shelves import Shelf
from ledger.money import Money
from tests import filing
from tests.cast import a_row, sealed
from tests.played_aid import who
from tests.played_payments import PaymentPlay, amounts
from tests.sequences import a_sequel

KINDS = [ObligationKind.FINE, ObligationKind.FINE, ObligationKind.DETENTION, ObligationKind.BAIL]
APPEALS = ["quash", "reduce", "uphold", "acknowledge"]


class CasePlay(PaymentPlay):
    """Lists come in, cases go their way and leave it, rulings fall."""

    # --- time

    @initialize(data=st.data())
    def the_fund_was_at_work(self, data: st.DataObject) -> None:
        """Some cases have come as far as they come."""
        for kind in (ObligationKind.FINE, ObligationKind.FINE, ObligationKind.DETENTION, ObligationKind.BAIL):
            issued_on = self.today - timedelta(days=data.draw(st.integers(20, 40)))
            alias = self._take_in(data.draw(amounts), kind, "ana", issued_on=issued_on, number="")
            for _ in range(data.draw(st.integers(1, 8))):
                self._go_on(cases.require(self.session, alias))
        self.seen = self.look()
        self.owed_at_payment = dict(self.seen.paid)

    @rule(days=st.integers(1, 15))
    def time_passes(self, days: int) -> None:
        self.today += timedelta(days=days)
        self.does(self.quote_rates)

    # --- lists

    @rule(
        data=st.data(),
        kind=st.sampled_from(KINDS),
        refused=st.sampled_from([None] * 5 + [Rejection.CRIMINAL_CHARGE]),
        by=who("ana"),
    )
    def a_row_comes_in(self, data: st.DataObject, kind: ObligationKind, refused: Rejection | None, by: str) -> None:
        """Of the same person, or of the same ruling, as another one perhaps."""
        issued_on = self.today - timedelta(days=data.draw(st.integers(0, 60)))
        name = data.draw(st.sampled_from(["", "", "Invented Person of Lists"]))
        number = data.draw(st.sampled_from(["", "", "77"]))
        self._take_in(data.draw(amounts), kind, by, issued_on=issued_on, rejection=refused, name=name, number=number)

    @rule(data=st.data(), minor=amounts, by=who("anton"))
    def an_intake_is_corrected(self, data: st.DataObject, minor: int, by: str) -> None:
        case = self.a_case(data, "received") or self.a_case(data)
        if case is None:
            return
        (ruling,), (owed,) = rulings.of_case(self.session, case.alias), obligations.of_case(self.session, case.alias)
        row = a_row(self.house.fund)
        facts = Amended(
            article=ruling.article,
            region=ruling.region,
            kind=owed.kind,
            amount=Money(minor, owed.currency),
            bounds=eligibility.Bounds(
                ruling.ruled_by, ruling.payable_from, ruling.due_by, force_presumed=ruling.force_presumed
            ),
            boxes=[self._details(case, ruling.alias)],
            tokens=[token for token in row.tokens if token[1] != "row"],
        )
        correct = partial(corrections.correct, self.session, case.alias, facts, version=case.version)
        self.may(partial(correct, by=self.person(by).alias, on=self.today), LedgerError)

    @rule(data=st.data(), by=who("ana"), ago=st.integers(0, 30))
    @precondition(lambda self: self.seen.quashed)
    def the_same_event_is_ruled_on_again(self, data: st.DataObject, by: str, ago: int) -> None:
        ruling = data.draw(st.sampled_from(self.in_order(self.seen.quashed)))
        case = cases.require(self.session, self.seen.rows["ruling"][ruling]["case_alias"])
        sequel = a_sequel(self.house, case, issued_on=self.today - timedelta(days=ago))
        told: dict[str, Any] = {"of_case": case.alias, "entered_by": self.person(by).alias, "recorded_at": self.now()}
        self.may(partial(sequels.receive, self.session, ruling, sequel, **told), LedgerError)

    # --- cases

    @rule(data=st.data())
    def a_case_goes_on(self, data: st.DataObject) -> None:
        """The next step of a case by the right people: what leads deep."""
        case = self.a_case(data, "received", "verified", "approved", "paid", "confirmed")
        if case is not None:
            self._go_on(case)

    @rule(data=st.data(), by=who("anton"), names_others=st.booleans())
    def somebody_verifies(self, data: st.DataObject, by: str, *, names_others: bool) -> None:
        case = self.a_case(data)
        if case is not None:
            self._verify(case, by, names_others=names_others)

    @rule(
        data=st.data(),
        verb=st.sampled_from(
            ["hold_case", "resume_case", "resume_case", "withdraw_case", "confirm_case", "close_case"]
        ),
        by=who("anton"),
    )
    def somebody_steers_a_case(self, data: st.DataObject, verb: str, by: str) -> None:
        case = self.a_case(data, "on_hold") if verb == "resume_case" else self.a_case(data)
        if case is not None:
            self._steer(case, verb, by)

    @rule(data=st.data(), because=st.sampled_from(Rejection), by=who("ana"))
    def somebody_rejects_a_case(self, data: st.DataObject, because: Rejection, by: str) -> None:
        case = self.a_case(data)
        if case is not None:
            agreed = self.house.on_case("reject_case", case, by=self.person(by), now=self.now(), detail=because)
            self.may(partial(acts.reject_case, self.session, case.alias, agreed, because=because), LedgerError)

    @rule(data=st.data(), by=who("anton"))
    def somebody_finds_a_duplicate(self, data: st.DataObject, by: str) -> None:
        case, of = self.a_case(data), self.a_case(data)
        if case is None or of is None:
            return
        for one in (case, of):
            self.house.open(one, by=self.person(by), at=self.now())
        agreed = self.house.on_case("mark_duplicate", case, by=self.person(by), now=self.now(), detail=of.alias)
        self.may(partial(case_acts.mark_duplicate, self.session, case.alias, agreed, of=of.alias), LedgerError)

    # --- rulings

    @rule(
        data=st.data(), what=st.sampled_from(["quash", "reduce", "uphold", "acknowledge"]), part=amounts, by=who("ana")
    )
    def an_appeal_ends(self, data: st.DataObject, what: str, part: int, by: str) -> None:
        """Or another organisation says that it had paid the same."""
        ruling = self.some(data, "ruling")
        if ruling is None:
            return
        signer, case = self.person(by), cases.require(self.session, ruling["case_alias"])
        (owed,) = obligations.of_case(self.session, case.alias)
        self.house.open(case, by=signer, at=self.now())
        alias, money = ruling["alias"], Money(part, owed.currency)
        sign = partial(self.house.on_case, case=case, by=signer, now=self.now())
        if what == "quash":
            verb: Callable[[], object] = partial(
                acts.quash_ruling, self.session, alias, sign("quash_ruling", object=alias)
            )
        elif what == "uphold":
            verb = partial(ruling_acts.uphold_ruling, self.session, alias, sign("uphold_ruling", object=alias))
        elif what == "reduce":
            agreed = sign("reduce_ruling", object=alias, detail=money.decimal())
            details = self._details(case, alias) if owed.state in obligations.OPEN else None
            verb = partial(ruling_acts.reduce_ruling, self.session, alias, agreed, to=money, details=details)
        else:
            agreed = sign("acknowledge_duplicate", object=owed.alias, detail=money.decimal())
            verb = partial(ruling_acts.acknowledge_duplicate, self.session, owed.alias, agreed, amount=money)
        self.may(verb, LedgerError)

    # --- parts of rules

    def _take_in(self, minor: int, kind: ObligationKind, by: str, *, issued_on: date, number: str, **facts: Any) -> str:
        clerk = self.person(by)
        told: dict[str, Any] = {"by": clerk, "kind": kind, "ruling_number": number} | facts
        row = a_row(self.house.fund, amount=Money(minor, "BYN"), issued_on=issued_on, **told)
        if kind is ObligationKind.BAIL:
            kept = eligibility.bounds(jurisdictions.load("us-bail"), issued_on=issued_on, in_force_on=issued_on)
            row = replace(row, jurisdiction="us-bail", region="county", article="240.20")
            row = replace(row, amount=Money(minor, "USD"), bounds=kept)
        receive = partial(intake.receive, self.session, row, entered_by=clerk.operator)
        self.may(partial(receive, recorded_at=self.now(), shred_keys=self.house.shred_keys), LedgerError)
        return row.case

    def _go_on(self, case: Case) -> None:
        if case.state is cases.State.RECEIVED:
            self._verify(case, "anton", names_others=True)
        elif case.state is cases.State.PAID:
            filing.bring(self.house, case, by=self.house.fund.anton, kind=EvidenceKind.RECEIPT)
            self._steer(case, "confirm_case", "anton")
        elif case.state is cases.State.CONFIRMED:
            self._steer(case, "close_case", "ana")
        elif case.state in {cases.State.VERIFIED, cases.State.APPROVED}:
            self.pay_on(case)

    def _verify(self, case: Case, by: str, *, names_others: bool) -> None:
        signer = self.person(by)
        self.house.open(case, by=signer, at=self.now())
        others = intake.possible_duplicates(self.session, case.alias) if names_others else []
        detail = "+".join(sorted(others)) or None
        agreed = self.house.on_case("verify_case", case, by=signer, now=self.now(), detail=detail)
        self.may(partial(acts.verify_case, self.session, case.alias, agreed, not_duplicates=others), LedgerError)

    def _steer(self, case: Case, verb: Any, by: str) -> None:
        self.house.open(case, by=self.person(by), at=self.now())
        agreed = self.house.on_case(verb, case, by=self.person(by), now=self.now())
        self.may(partial(getattr(case_acts, verb), self.session, case.alias, agreed), LedgerError)

    def _details(self, case: Case, ruling: str) -> shelves.NewBox:
        """The next version of a ruling's details, sealed."""
        versions = [
            row["version"] for row in self.rows_of("box") if (row["alias"], row["field"]) == (ruling, "details")
        ]
        key = self.session.get_one(Shelf, case.beneficiary_alias).sealing_key
        return sealed(key, kind="ruling", alias=ruling, field="details", content="anew", version=max(versions) + 1)
