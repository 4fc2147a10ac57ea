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
    disbursements,
    eligibility,
    intake,
    jurisdictions,
    obligations,
    person_acts,
    ruling_acts,
    rulings,
    sequels,
)
from ledger.aid.cases import Case
from ledger.aid.corrections import Amended, Further
from ledger.aid.eligibility import Rejection
from ledger.aid.obligations import Obligation, ObligationKind
from ledger.aliases import Kind, draw
from ledger.approvals import Verb
from ledger.errors import LedgerError
from ledger.identities import shelves
from ledger.identities.evidence import EvidenceKind
from ledger.identities.shelves import Shelf
from ledger.money import Money
from tests import comparing, filing
from tests.cast import a_row, sealed
from tests.courts import ACCUSED
from tests.played_aid import who
from tests.played_payments import PaymentPlay, amounts
from tests.sequences import a_sequel

FINE, DETENTION, FEE, BAIL = (
    ObligationKind.FINE,
    ObligationKind.DETENTION,
    ObligationKind.COURT_FEE,
    ObligationKind.BAIL,
)
DECISIONS = ["verify", "verify", "hold", "resume", "resume", "confirm", "close", "withdraw", "reject", "duplicate"]
FROM = {
    "verify": ("received",),
    "resume": ("on_hold",),
    "confirm": ("paid",),
    "close": ("confirmed",),
    "hold": ("verified", "approved"),
}
WORDS: list[Verb] = ["join_beneficiaries", "join_beneficiaries", "tell_apart"]
APPEALS = ["quash", "quash", "reduce", "reduce", "uphold", "acknowledge"]
AT_FIRST = [(FINE, "BYN"), (FINE, "BYN"), (DETENTION, "BYN"), (BAIL, "USD"), (FINE, "USD")]


class CasePlay(PaymentPlay):
    """Lists come in, cases go their way and leave it, rulings fall."""

    # --- time

    @initialize(data=st.data())
    def the_fund_was_at_work(self, data: st.DataObject) -> None:
        """Some cases have come as far as they come; who is held on bail is fined as well."""
        self.dice.seed(data.draw(st.integers(0, 2**32)))
        for kind, currency in AT_FIRST:
            issued_on = self.today - timedelta(days=data.draw(st.integers(20, 40)))
            told: dict[str, Any] = {"currency": currency, "name": ACCUSED if currency == "USD" else ""}
            alias = self._take_in(data.draw(amounts), kind, "ana", issued_on=issued_on, **told)
            if data.draw(st.booleans()):
                self._add_a_sum(cases.require(self.session, alias), data.draw(amounts), FEE, "ana")
            for _ in range(data.draw(st.integers(6 if kind is BAIL else 1, 9))):
                self._go_on(data, cases.require(self.session, alias))

    @rule(days=st.integers(1, 15))
    def time_passes(self, days: int) -> None:
        self.today += timedelta(days=days)
        self.does(self.quote_rates)

    # --- lists

    @rule(
        data=st.data(),
        of=st.sampled_from(AT_FIRST),
        refused=st.sampled_from([None] * 5 + [Rejection.CRIMINAL_CHARGE]),
        by=who("ana"),
    )
    def a_row_comes_in(
        self, data: st.DataObject, of: tuple[ObligationKind, str], refused: Rejection | None, by: str
    ) -> None:
        """Of the same person, or of the same ruling, as another one perhaps."""
        issued_on = self.today - timedelta(days=data.draw(st.integers(0, 60)))
        told: dict[str, Any] = {"issued_on": issued_on, "rejection": refused, "currency": of[1]}
        told["name"] = data.draw(st.sampled_from(["", "", ACCUSED]))
        told["ruling_number"] = data.draw(st.sampled_from(["", "", "77"]))
        self._take_in(data.draw(amounts), of[0], by, **told)

    @rule(data=st.data(), minor=amounts, kind=st.sampled_from([None, FEE, FEE, DETENTION, BAIL]), by=who("anton"))
    def an_intake_is_changed(self, data: st.DataObject, minor: int, kind: ObligationKind | None, by: str) -> None:
        """Corrected, or completed by a further sum."""
        case = self.a_case(data, "received") or self.a_case(data)
        if case is not None and kind is None:
            self._correct(case, minor, by)
        elif case is not None and kind is not None:
            self._add_a_sum(case, minor, kind, by)

    @rule(data=st.data(), by=who("ana"), ago=st.integers(0, 30))
    @precondition(lambda self: self.seen.quashed)
    def the_same_event_is_ruled_on_again(self, data: st.DataObject, by: str, ago: int) -> None:
        ruling = data.draw(st.sampled_from(sorted(self.seen.quashed)))
        case = cases.require(self.session, self.seen.rows["ruling"][ruling]["case_alias"])
        sequel = a_sequel(self.house, case, issued_on=self.today - timedelta(days=ago))
        told: dict[str, Any] = {"of_case": case.alias, "entered_by": self.person(by).alias, "recorded_at": self.now()}
        self.may(partial(sequels.receive, self.session, ruling, sequel, **told), LedgerError)

    # --- cases

    @rule(data=st.data(), steps=st.integers(1, 4))
    def a_case_goes_on(self, data: st.DataObject, steps: int) -> None:
        """The next steps of a case by the right people: what leads deep."""
        row = self.some(data, "aid_case", "received", "verified", "approved", "paid")
        for _ in range(steps if row else 0):
            self._go_on(data, cases.require(self.session, row["alias"]))

    @rule(data=st.data(), what=st.sampled_from(DECISIONS), by=who("anton"))
    def somebody_decides_on_a_case(self, data: st.DataObject, what: str, by: str) -> None:
        """Of whichever: rightly, now and then."""
        case = self.a_case(data, *FROM.get(what, ())) or self.a_case(data)
        if case is None:
            return
        if what == "verify":
            self._verify(case, by, names_others=data.draw(st.booleans()))
        elif what == "reject":
            self._reject(case, data.draw(st.sampled_from(Rejection)), by)
        elif what == "duplicate":
            self._call_duplicate(case, cases.require(self.session, self.some(data, "aid_case")["alias"]), by)
        else:
            self._steer(case, f"{what}_case", by)

    @rule(data=st.data(), verb=st.sampled_from(WORDS), by=who("anton"))
    def two_cases_are_compared(self, data: st.DataObject, verb: Verb, by: str) -> None:
        """Of one name, mostly; and the reviewer says that they are of one person, or of two, rightly or not."""
        case = self.a_case(data)
        beside = intake.same_person(self.session, case.alias) if case and data.draw(st.booleans()) else []
        other = cases.require(self.session, data.draw(st.sampled_from(beside))) if beside else self.a_case(data)
        if case is None or other is None or case.beneficiary_alias == other.beneficiary_alias:
            return
        for one in (case, other):
            self.look_into(one, self.person(by))
        agreed = comparing.on_persons(self.house, verb, case, other, by=self.person(by), now=self.now())
        say = person_acts.join if verb == "join_beneficiaries" else person_acts.tell_apart
        self.may(partial(say, self.session, case.beneficiary_alias, other.beneficiary_alias, agreed), LedgerError)

    # --- rulings

    @rule(data=st.data(), what=st.sampled_from(APPEALS), part=st.sampled_from([2, 3]), by=who("ana"))
    def an_appeal_ends(self, data: st.DataObject, what: str, part: int, by: str) -> None:
        """Or another organisation says that it had paid the same."""
        owed = self.some(data, "obligation", *data.draw(st.sampled_from([("paid",), ("part_paid", "recognised"), ()])))
        row = owed or self.some(data, "obligation")
        if row is None:
            return
        ruling = self.seen.rows["ruling"][row["ruling_alias"]]
        signer, case = self.person(by), cases.require(self.session, ruling["case_alias"])
        found, owed = obligations.of_case(self.session, case.alias), obligations.require(self.session, row["alias"])
        self.look_into(case, signer)
        alias, money = ruling["alias"], Money(max(owed.minor // part, 1), owed.currency)
        sign = partial(self.house.on_case, case=case, by=signer, now=self.now())
        if what == "quash":
            verb: Callable[[], object] = partial(
                acts.quash_ruling, self.session, alias, sign("quash_ruling", object=alias)
            )
        elif what == "uphold":
            verb = partial(ruling_acts.uphold_ruling, self.session, alias, sign("uphold_ruling", object=alias))
        elif what == "reduce":
            of = owed.alias if len(found) > 1 else None
            said = money.decimal() if of is None else f"{of}+{money.decimal()}"
            agreed = sign("reduce_ruling", object=alias, detail=said)
            told: dict[str, Any] = {"to": money, "of": of, "details": self._details_of(case, owed, left=money.minor)}
            verb = partial(ruling_acts.reduce_ruling, self.session, alias, agreed, **told)
        else:
            agreed = sign("acknowledge_duplicate", object=owed.alias, detail=money.decimal())
            verb = partial(ruling_acts.acknowledge_duplicate, self.session, owed.alias, agreed, amount=money)
        self.may(verb, LedgerError)

    # --- parts of rules

    def _take_in(
        self, minor: int, kind: ObligationKind, by: str, *, issued_on: date, currency: str, **facts: Any
    ) -> str:
        clerk = self.person(by)
        row = a_row(self.house.fund, amount=Money(minor, currency), issued_on=issued_on, by=clerk, kind=kind, **facts)
        if currency == "USD":
            kept = eligibility.bounds(
                jurisdictions.load("us-bail"), kind="bail", issued_on=issued_on, in_force_on=issued_on
            )
            row = replace(row, jurisdiction="us-bail", region="county", article="240.20", bounds=kept)
        receive = partial(intake.receive, self.session, row, entered_by=clerk.operator)
        self.may(partial(receive, recorded_at=self.now(), shred_keys=self.house.shred_keys), LedgerError)
        return row.case

    def _correct(self, case: Case, minor: int, by: str) -> None:
        (ruling,) = rulings.of_case(self.session, case.alias)
        told_by_itself = {row["alias"] for row in self.rows_of("box") if row["kind"] == "obligation"}
        (owed,) = (one for one in obligations.of_case(self.session, case.alias) if one.alias not in told_by_itself)
        row = a_row(self.house.fund)
        facts = Amended(
            article=ruling.article,
            region=ruling.region,
            kind=owed.kind,
            amount=Money(minor, owed.currency),
            bounds=eligibility.Bounds(
                ruling.ruled_by, ruling.payable_from, ruling.due_by, force_presumed=ruling.force_presumed
            ),
            boxes=[self._details(case, "ruling", ruling.alias)],
            tokens=[token for token in row.tokens if token[1] != "row"],
        )
        correct = partial(corrections.correct, self.session, case.alias, facts, version=case.version)
        self.may(partial(correct, by=self.person(by).alias, on=self.today), LedgerError)

    def _add_a_sum(self, case: Case, minor: int, kind: ObligationKind, by: str) -> None:
        alias, currency = draw(Kind.OBLIGATION), jurisdictions.load(case.jurisdiction).currency
        further = Further(alias, kind, Money(minor, currency), self._details(case, "obligation", alias))
        add = partial(corrections.add_obligation, self.session, case.alias, further, version=case.version)
        self.may(partial(add, by=self.person(by).alias, on=self.today), LedgerError)

    def _go_on(self, data: st.DataObject, case: Case) -> None:
        if case.state is cases.State.RECEIVED:
            self._verify(case, "anton", names_others=True)
        elif case.state is cases.State.PAID:
            filing.bring(self.house, case, by=self.house.fund.anton, kind=EvidenceKind.RECEIPT)
            self._steer(case, "confirm_case", "anton")
        elif case.state is cases.State.CONFIRMED:
            self._steer(case, "close_case", "ana")
        elif case.state in {cases.State.VERIFIED, cases.State.APPROVED}:
            self.pay_on(data, case)

    def _verify(self, case: Case, by: str, *, names_others: bool) -> None:
        signer = self.person(by)
        self.look_into(case, signer)
        others = intake.possible_duplicates(self.session, case.alias) if names_others else []
        detail = "+".join(sorted(others)) or None
        agreed = self.house.on_case("verify_case", case, by=signer, now=self.now(), detail=detail)
        assessment = self.house.assessed(case, now=self.now())
        verify = partial(acts.verify_case, self.session, case.alias, agreed, assessment=assessment)
        self.may(partial(verify, not_duplicates=others), LedgerError)

    def _reject(self, case: Case, because: Rejection, by: str) -> None:
        agreed = self.house.on_case("reject_case", case, by=self.person(by), now=self.now(), detail=because)
        self.may(partial(acts.reject_case, self.session, case.alias, agreed, because=because), LedgerError)

    def _call_duplicate(self, case: Case, of: Case, by: str) -> None:
        for one in (case, of):
            self.look_into(one, self.person(by))
        agreed = self.house.on_case("mark_duplicate", case, by=self.person(by), now=self.now(), detail=of.alias)
        self.may(partial(case_acts.mark_duplicate, self.session, case.alias, agreed, of=of.alias), LedgerError)

    def _steer(self, case: Case, verb: Any, by: str) -> None:
        self.look_into(case, self.person(by))
        agreed = self.house.on_case(verb, case, by=self.person(by), now=self.now())
        self.may(partial(getattr(case_acts, verb), self.session, case.alias, agreed), LedgerError)

    def _details_of(self, case: Case, owed: Obligation, *, left: int) -> shelves.NewBox | None:
        """What tells the sum after a reduction to what is `left`: none, when more than that is paid."""
        if owed.state not in obligations.OPEN or disbursements.paid(self.session, owed).minor > left:
            return None
        has_own = any(row["alias"] == owed.alias for row in self.rows_of("box"))
        kind, alias = ("obligation", owed.alias) if has_own else ("ruling", owed.ruling_alias)
        return self._details(case, kind, alias)

    def _details(self, case: Case, kind: str, alias: str) -> shelves.NewBox:
        """The next version of the details of a ruling or of an obligation, sealed."""
        versions = [row["version"] for row in self.rows_of("box") if (row["alias"], row["field"]) == (alias, "details")]
        key = self.session.get_one(Shelf, case.beneficiary_alias).sealing_key
        version = max(versions, default=0) + 1
        return sealed(key, kind=kind, alias=alias, field="details", content="anew", version=version)
