"""What becomes of bail: the rules of a state machine."""

from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ledger.aid import acts, bail, bail_acts, cases, hearings
from ledger.errors import LedgerError
from ledger.money import Money
from tests.cast import Person, agreed_by
from tests.played_aid import PlayedAid, who
from tests.played_sight import Row

FATES = ["announce", "announce", "withdraw", "forfeit", "apply", "apply", "hearing"]


class BailPlay(PlayedAid):
    """Courts keep bail, or a part of it, for good or as the payment of a fine, or give it back less a fee."""

    @rule(data=st.data(), what=st.sampled_from(FATES), part=st.sampled_from([1, 1, 2, 3]), by=who("bella"))
    @precondition(lambda self: any(row["kind"] == "bail" for row in self.seen.rows["obligation"].values()))
    def something_becomes_of_bail(self, data: st.DataObject, what: str, part: int, by: str) -> None:
        """Of the whole, or of one of so many parts."""
        row = self.some(data, "obligation", "paid", kind="bail") or self.some(data, "obligation", kind="bail")
        alias, signer = row["alias"], self.person(by)
        amount = Money(max(row["minor"] // part, 1), row["currency"])
        today: dict[str, Any] = {"by": signer.alias, "on": self.today}
        if what == "announce":
            fee = Money(data.draw(st.sampled_from([0, amount.minor // 10])), "USD")
            verb: Callable[[], object] = partial(
                bail.announce_return, self.session, alias, amount=amount, fee=fee, **today
            )
        elif what == "withdraw":
            announced = bail.waiting_returns(self.session, alias)
            if not announced:
                return
            verb = partial(bail.withdraw_return, self.session, announced[0], **today)
        elif what == "hearing":
            verb = partial(hearings.note_hearing, self.session, alias, **today)
        elif what == "forfeit":
            agreed = self._on_bail("forfeit_bail", row, signer, amount=amount.decimal(), currency="USD")
            verb = partial(bail_acts.forfeit_bail, self.session, alias, agreed, amount=amount)
        else:
            verb = self._application(data, row, signer, amount)
        self.may(verb, LedgerError)

    def _application(self, data: st.DataObject, row: Row, signer: Person, amount: Money) -> Callable[[], object]:
        """To a fine in dollars, mostly: to all that is left of it, or to less."""
        fine = (
            self.some(data, "obligation", "recognised", "part_paid", currency="USD")
            or self.some(data, "obligation", "recognised", "part_paid")
            or row
        )
        paid_by_it = Money(min(amount.minor, fine["minor"]), fine["currency"])
        told: dict[str, Any] = {"amount": paid_by_it.decimal(), "currency": fine["currency"]}
        payee = bail_acts.commitment(fine["alias"])
        agreed = self._on_bail("apply_bail", row, signer, payee_commitment=payee, **told)
        return partial(bail_acts.apply_bail, self.session, row["alias"], agreed, fine=fine["alias"], amount=paid_by_it)

    def _on_bail(self, verb: Any, row: Row, signer: Person, **told: Any) -> Any:
        case = cases.require(self.session, row["case_alias"])
        self.look_into(case, signer)
        version = bail.steps(self.session, row["alias"]) + 1
        seen = {
            "object": row["alias"],
            "version": version,
            "evidence_commitments": tuple(acts.evidence_of(self.session, case)),
        }
        return agreed_by(signer, verb, now=self.now(), **seen, **told)
