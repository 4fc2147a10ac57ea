"""An invented account at a card processor: charges, refunds, disputes, payouts, and a balance by simple arithmetic.

It keeps its own journal, and shares nothing with the program that it is compared with: amounts are whole minor units.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

DAY = 24 * 60 * 60
SETTLING = 2 * DAY
"""How long after a movement its money is available, in seconds."""
DISPUTE_FEE = 1_500
_TYPES = {
    "dispute": "adjustment",
    "dispute_reversal": "adjustment",
    "fee": "stripe_fee",
    "payout_reversal": "payout_failure",
}
"""What a movement calls itself beside its reporting category, where the two differ."""
Thing = dict[str, Any]
"""An object of the processor's API."""


@dataclass(slots=True)
class Account:
    """What the processor keeps. `now` is the second on its clock; `journal` what moved, why, and in which currency."""

    now: int
    charges: dict[str, Thing] = field(default_factory=dict)
    refunds: dict[str, Thing] = field(default_factory=dict)
    disputes: dict[str, Thing] = field(default_factory=dict)
    payouts: dict[str, Thing] = field(default_factory=dict)
    top_ups: dict[str, Thing] = field(default_factory=dict)
    transactions: list[Thing] = field(default_factory=list)
    paid_out_by: dict[str, str] = field(default_factory=dict)
    """Balance transaction to the automatic payout that took it."""
    events: list[Thing] = field(default_factory=list)
    balance: Counter[str] = field(default_factory=Counter)
    journal: list[tuple[str, int, str]] = field(default_factory=list)
    expected: list[Thing] = field(default_factory=list)
    """Movements that are known beforehand, told from their second on."""
    _unlisted: dict[str, list[str]] = field(default_factory=dict)
    """Automatic payout to what it pays out, while it is put together."""
    _replaced: set[str] = field(default_factory=set)
    """Payouts that came back and were paid again as another one."""
    _numbers: Counter[str] = field(default_factory=Counter)

    def charge(
        self,
        minor: int,
        currency: str,
        *,
        description: str | None = None,
        fee: int | None = None,
        tax: int = 0,
        presented: tuple[int, str] | None = None,
        **told: Any,
    ) -> str:
        """A card pays; of the giver the processor knows more than it should tell us.

        Of the `fee`, so much is `tax`. `presented` is what the card paid when that is another currency than ours: what
        the processor tells of its fee is in that one then.
        """
        charge = self._keep(
            self.charges,
            "ch",
            "charge",
            amount=minor,
            amount_refunded=0,
            currency=currency,
            description=description,
            billing_details={"name": "Kanarejka Donor", "email": "kanarejka@example.invalid"},
            status="succeeded",
            **told,
        )
        taken = minor * 29 // 1000 + 30 if fee is None else fee
        moved = self._move("charge", charge, minor, currency, fee=taken, tax=min(tax, taken), description=description)
        if presented is not None:
            shown, coin = presented
            charge["presentment_details"] = {"presentment_amount": shown, "presentment_currency": coin}
            moved["exchange_rate"] = minor / shown
            moved["fee_details"] = [
                part | {"amount": part["amount"] * shown // minor, "currency": coin} for part in moved["fee_details"]
            ]
        self._tell("charge.succeeded", charge)
        return str(charge["id"])

    def renew(self, minor: int, currency: str) -> str:
        """A gift that comes again each month: an invoice, paid by a payment intent, by one charge; three notices."""
        intent = {"id": self._name("pi"), "object": "payment_intent", "amount": minor, "currency": currency}
        invoice = {"id": self._name("in"), "object": "invoice", "amount_paid": minor, "payment_intent": intent["id"]}
        told: dict[str, Any] = {"payment_intent": intent["id"], "invoice": invoice["id"]}
        charge = self.charge(minor, currency, description="Subscription update", **told)
        self._tell("payment_intent.succeeded", intent | {"latest_charge": charge})
        self._tell("invoice.paid", invoice | {"charge": charge})
        return charge

    def refund(self, charge: str, minor: int | None = None, *, metadata: dict[str, str] | None = None) -> str:
        """Gives a charge back, or a part of it; `ValueError` when no more is left."""
        paid = self.charges[charge]
        left = paid["amount"] - paid["amount_refunded"]
        amount = left if minor is None else minor
        if not 0 < amount <= left:
            raise ValueError("charge_already_refunded" if not left else "amount_too_large")
        paid["amount_refunded"] += amount
        facts = {"amount": amount, "charge": charge, "currency": paid["currency"], "metadata": metadata or {}}
        refund = self._keep(self.refunds, "re", "refund", status="succeeded", **facts)
        self._move("refund", refund, -amount, paid["currency"])
        self._tell("charge.refunded", paid)
        return str(refund["id"])

    def undo_refund(self, refund: str, *, status: str = "failed") -> None:
        """A refund that does not arrive (`failed`), or is called off (`canceled`): its money comes back."""
        undone = self.refunds[refund]
        if undone["status"] != "succeeded":
            return
        undone["status"] = status
        self.charges[undone["charge"]]["amount_refunded"] -= undone["amount"]
        self._move("refund_failure", undone, undone["amount"], undone["currency"])
        self._tell("refund.failed" if status == "failed" else "refund.updated", undone)

    def dispute(self, charge: str) -> str:
        """The giver's bank calls back what is left of a charge."""
        paid = self.charges[charge]
        amount = paid["amount"] - paid["amount_refunded"]
        facts = {"amount": amount, "charge": charge, "currency": paid["currency"]}
        dispute = self._keep(
            self.disputes, "du", "dispute", status="needs_response", evidence={"customer_name": "Kanarejka"}, **facts
        )
        self._move("dispute", dispute, -amount, paid["currency"], fee=DISPUTE_FEE)
        self._tell("charge.dispute.created", dispute)
        return str(dispute["id"])

    def win(self, dispute: str, *, with_fee: bool = False) -> None:
        """The money comes back, and perhaps the fee."""
        won = self.disputes[dispute]
        if won["status"] != "needs_response":
            return
        won["status"] = "won"
        fee = -DISPUTE_FEE if with_fee else 0
        self._move("dispute_reversal", won, won["amount"], won["currency"], fee=fee)
        self._tell("charge.dispute.closed", won)

    def lose(self, dispute: str) -> None:
        """Nothing moves any more."""
        lost = self.disputes[dispute]
        lost["status"] = "lost" if lost["status"] == "needs_response" else lost["status"]
        self._tell("charge.dispute.closed", lost)

    def warn(self, charge: str) -> str:
        """An inquiry: nothing moves."""
        paid = self.charges[charge]
        facts = {"amount": paid["amount"], "charge": charge, "currency": paid["currency"]}
        warning = self._keep(self.disputes, "du", "dispute", status="warning_needs_response", **facts)
        self._tell("charge.dispute.created", warning)
        return str(warning["id"])

    def capture_less(self, charge: str, minor: int) -> None:
        """Of what was reserved on a card so much is not taken after all."""
        self._give_back(charge, minor, "partial_capture_reversal")

    def fail(self, charge: str) -> None:
        """The giver's bank does not make the payment after all; nothing was given back before."""
        self._give_back(charge, self.charges[charge]["amount"], "charge_failure")

    def top_up(self, minor: int, currency: str) -> str:
        """Money comes from the bank."""
        made = self._keep(self.top_ups, "tu", "topup", amount=minor, currency=currency, status="succeeded")
        self._move("topup", made, minor, currency)
        self._tell("topup.succeeded", made)
        return str(made["id"])

    def reverse_top_up(self, top_up: str) -> None:
        """It goes back to the bank."""
        undone = self.top_ups[top_up]
        if undone["status"] != "succeeded":
            return
        undone["status"] = "reversed"
        self._move("topup_reversal", undone, -undone["amount"], undone["currency"])
        self._tell("topup.reversed", undone)

    def adjust(self, category: str, minor: int, currency: str) -> None:
        """Something moves that is about no object: a reserve, a tax, or what nobody has heard of yet."""
        self._move(category, None, minor, currency)

    def take_fee(self, minor: int, currency: str, *, more: int = 0) -> None:
        """The processor takes a fee by itself; `more` is another amount under the same id."""
        taken = self._move("fee", None, -minor, currency)
        if more and more != minor:
            self._move("fee", None, -more, currency, name=taken["id"])

    def pay_out(self, minor: int, currency: str, *, arriving: tuple[int, str] | None = None) -> str:
        """A payout that somebody asked for by hand; `arriving` is what comes to a bank of another currency."""
        return self._pay_out(minor, currency, automatic=False, arriving=arriving)

    def pay_out_automatically(self, currency: str, *, complete: bool = True) -> str | None:
        """Everything that is available and was in no payout yet, or None when that is nothing.

        Not `complete`, the half of it is listed until `reconcile`, as the processor puts it together.
        """
        due = [
            one
            for one in self.transactions
            if one["currency"] == currency
            and one["available_on"] <= self.now
            and one["id"] not in self.paid_out_by
            and not any(one["id"] in unlisted for unlisted in self._unlisted.values())
            and not one["reporting_category"].startswith("payout")
        ]
        minor = sum(one["net"] for one in due)
        if minor <= 0:
            return None
        payout = self._pay_out(minor, currency, automatic=True)
        self.paid_out_by |= {one["id"]: payout for one in due[: len(due) // 2]}
        self._unlisted[payout] = [one["id"] for one in due]
        if complete:
            self.reconcile(payout)
        return payout

    def reconcile(self, payout: str) -> None:
        """What an automatic payout pays out is listed from now on."""
        self.paid_out_by |= dict.fromkeys(self._unlisted.pop(payout, []), payout)
        self.payouts[payout]["reconciliation_status"] = "completed"
        self._tell("payout.reconciliation_completed", self.payouts[payout])

    def arrive(self, payout: str) -> None:
        """The bank has it."""
        self.payouts[payout]["status"] = "paid"
        self._tell("payout.paid", self.payouts[payout])

    def bounce(self, payout: str) -> None:
        """The bank sends it back."""
        failed = self.payouts[payout]
        if failed["status"] == "failed":
            return
        failed["status"] = "failed"
        left = self._left_as(payout)
        self._move("payout_reversal", failed, -left["amount"], left["currency"])
        self._tell("payout.failed", failed)

    def pay_again(self, payout: str, *, renamed: bool = False) -> str:
        """Pays once more what came back, however late: under the same id, or as another payout."""
        failed, left = self.payouts[payout], self._left_as(payout)
        if failed["status"] != "failed" or payout in self._replaced:
            return payout
        if renamed:
            self._replaced.add(payout)
            arriving = failed["amount"], failed["currency"]
            again = self._pay_out(-left["amount"], left["currency"], automatic=failed["automatic"], arriving=arriving)
            if failed["automatic"]:
                came_back = next(
                    one
                    for one in reversed(self.transactions)
                    if (one["reporting_category"], one["source"]) == ("payout_reversal", payout)
                )
                self._unlisted[again] = [came_back["id"]]
                self.reconcile(again)
            return again
        failed["status"], failed["arrival_date"] = "in_transit", self.now + SETTLING
        moved = self._move("payout", failed, left["amount"], left["currency"])
        if failed["automatic"]:
            self.paid_out_by[moved["id"]] = payout
        self._tell("payout.updated", failed)
        return payout

    def expect(self, transactions: list[Thing]) -> None:
        """Balance transactions of a story, as the API lists them; their sources may be expanded."""
        self.expected = sorted([*self.expected, *transactions], key=lambda one: (one["created"], one["id"]))

    def go_on(self, second: int) -> None:
        """What is expected until `second` moves."""
        self.now = max(self.now, second)
        due = [one for one in self.expected if one["created"] <= self.now]
        self.expected = self.expected[len(due) :]
        for one in due:
            source, kept = one["source"], dict(one)
            if one["reporting_category"] == "payout":
                facts = {"amount": -one["amount"], "currency": one["currency"], "arrival_date": self.now + SETTLING}
                told = {"id": source, "object": "payout", "created": one["created"], "automatic": False}
                self.payouts[source] = {**told, "status": "in_transit", **facts}
            if isinstance(source, dict):
                {"refund": self.refunds, "dispute": self.disputes}[source["object"]][source["id"]] = source
                kept["source"] = source["id"]
            self.transactions.append(kept)
            self.balance[one["currency"]] += one["net"]
            self.journal.append((one["reporting_category"], one["net"], one["currency"]))

    def _pay_out(self, minor: int, currency: str, *, automatic: bool, arriving: tuple[int, str] | None = None) -> str:
        amount, coin = arriving or (minor, currency)
        facts = {"amount": amount, "currency": coin, "automatic": automatic, "arrival_date": self.now + SETTLING}
        facts["reconciliation_status"] = "in_progress" if automatic else "not_applicable"
        payout = self._keep(self.payouts, "po", "payout", status="in_transit", **facts)
        moved = self._move("payout", payout, -minor, currency)
        if automatic:
            self.paid_out_by[moved["id"]] = payout["id"]
        self._tell("payout.created", payout)
        return str(payout["id"])

    def _left_as(self, payout: str) -> Thing:
        """The balance transaction by which a payout left, the last time."""
        return next(
            one
            for one in reversed(self.transactions)
            if (one["reporting_category"], one["source"]) == ("payout", payout)
        )

    def _give_back(self, charge: str, minor: int, category: str) -> None:
        paid = self.charges[charge]
        paid["amount_refunded"] += minor
        facts = {"amount": minor, "charge": charge, "currency": paid["currency"], "metadata": {}}
        refund = self._keep(self.refunds, "re", "refund", status="canceled", **facts)
        self._move(category, refund, -minor, paid["currency"])
        self._tell("charge.refunded", paid)

    def _keep(self, among: dict[str, Thing], prefix: str, kind: str, **facts: Any) -> Thing:
        kept = {"id": self._name(prefix), "object": kind, "created": self.now, **facts}
        among[kept["id"]] = kept
        return kept

    def _move(
        self,
        category: str,
        source: Thing | None,
        amount: int,
        currency: str,
        *,
        fee: int = 0,
        tax: int = 0,
        description: str | None = None,
        name: str | None = None,
    ) -> Thing:
        self.balance[currency] += amount - fee
        self.journal.append((category, amount - fee, currency))
        moved = {
            "id": name or self._name("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": self.now + SETTLING,
            "created": self.now,
            "currency": currency,
            "description": description,
            "fee": fee,
            "fee_details": [
                {"amount": part, "currency": currency, "type": kind}
                for part, kind in ((fee - tax, "stripe_fee"), (tax, "tax"))
                if part
            ],
            "net": amount - fee,
            "reporting_category": category,
            "source": source["id"] if source else None,
            "type": _TYPES.get(category, category),
        }
        self.transactions.append(moved)
        return moved

    def _tell(self, kind: str, about: Thing) -> None:
        event = {"id": self._name("evt"), "object": "event", "type": kind, "created": self.now}
        self.events.append(event | {"data": {"object": dict(about)}})

    def _name(self, prefix: str) -> str:
        self._numbers[prefix] += 1
        return f"{prefix}_Invented{self._numbers[prefix]:06d}"
