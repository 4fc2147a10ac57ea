"""The table of what waits: each state and each signed act has its section, or a reason why nobody waits for it.

A new state, and a new act, is in neither until somebody has thought about who waits for it.
"""

import importlib
import pkgutil
from enum import StrEnum
from typing import get_args

import pytest

import ledger
from ledger import queue
from ledger.approvals import ROLE_OF, Verb

OVER = "nothing comes after it"
BANK = "the bank shows it by its reference; what differs is an exception"
STATES = {
    "ledger.aid.advances": {
        "requested": "advances_to_approve",
        "approved": "advances_to_release",
        "released": "orders_for_the_bank",
        "sent": "advances_to_acknowledge",
        "acknowledged": "the agent pays from it: their batches wait in results_missing",
        "accounted": "the agent pays from it: their batches wait in results_missing",
        "settled": OVER,
        "seized": OVER,
        "lost": OVER,
        "failed": OVER,
        "returned": OVER,
        "cancelled": OVER,
    },
    "ledger.aid.agents": {
        "vetted": "agents_to_activate",
        "active": "their advances and batches wait",
        "frozen": "frozen until somebody decides otherwise: nothing is due",
        "compromised": OVER,
        "closed": OVER,
    },
    "ledger.aid.batches": {
        "draft": "batches_to_lock",
        "locked": "batches_to_approve",
        "approved": "batches_to_release",
        "released": "results_missing",
        "reconciled": OVER,
        "cancelled": OVER,
    },
    "ledger.aid.cases": {
        "received": "to_verify",
        "verified": "to_ask_for",
        "approved": "to_ask_for",
        "paid": "receipts_missing",
        "confirmed": "cases_to_close",
        "closed": OVER,
        "on_hold": "on_hold",
        "rejected": OVER,
        "duplicate": OVER,
        "withdrawn": OVER,
    },
    "ledger.aid.disbursements": {
        "requested": "to_approve",
        "approved": "to_release",
        "released": "payments_to_file",
        "paid": "its case waits for receipts",
        "returned": "to_ask_for",
        "failed": "to_ask_for",
        "cancelled": "to_ask_for",
    },
    "ledger.aid.obligations": {
        "due": "to_ask_for",
        "approved": "to_release",
        "recognised": "to_release",
        "part_paid": "to_ask_for",
        "paid": "its case waits for receipts, a bail of it for hearings_near",
        "quashed": OVER,
        "refund_due": "refunds_due",
        "refunded": OVER,
    },
    "ledger.aid.outlays": {
        "requested": "outlays_to_approve",
        "approved": "outlays_to_pay",
        "paid": OVER,
        "returned": OVER,
        "failed": OVER,
        "cancelled": OVER,
    },
    "ledger.aid.purse_movements": {"requested": "movements_to_agree", "booked": OVER, "withdrawn": OVER},
    "ledger.giving.bookings": {
        "waiting": "exceptions",
        "booked": OVER,
        "moves_nothing": OVER,
    },
    "ledger.giving.cash": {"counted": "cash_to_witness", "witnessed": OVER, "withdrawn": OVER},
    "ledger.giving.cash_deposits": {"taken": "cash_on_its_way", "banked": OVER, "cancelled": OVER},
    "ledger.giving.disputes": {"open": "disputes", "won": OVER, "lost": OVER},
    "ledger.giving.donations": {
        "pending": "the processor tells when it has come",
        "received": "gifts_without_purpose",
        "settled": "gifts_without_purpose",
        "unidentified": "gifts_to_match",
        "matched": "gifts_without_purpose",
        "conditional": "conditions_to_meet",
        "sent_back": OVER,
        "no_gift": OVER,
        "refunded": "gifts_without_purpose",
        "disputed": "its dispute waits",
        "won": "gifts_without_purpose",
        "lost": OVER,
    },
    "ledger.giving.gift_returns": {
        "requested": "gift_returns_to_approve",
        "approved": "orders_for_the_bank",
        "paid": OVER,
        "returned": "what was owed before is owed again, and its gift waits as before",
        "cancelled": OVER,
    },
    "ledger.giving.in_kind": {"valued": "gifts_in_kind_to_approve", "agreed": OVER, "withdrawn": OVER},
    "ledger.giving.payouts": {
        "created": "the job of payouts tells by an exception when the bank has not shown it",
        "paid": OVER,
        "failed": "the processor pays it out anew",
    },
    "ledger.giving.refund_orders": {
        "requested": "refund_orders_to_approve",
        "approved": "orders_for_the_bank",  # by card the job of refunds sends it
        "sending": "the job of refunds takes it up again",
        "pending": "the processor tells what became of it",
        "succeeded": OVER,
        "failed": "refunds_failed",
        "canceled": OVER,
        "refused": OVER,
        "withdrawn": OVER,
    },
    "ledger.identities.erasure": {
        "requested": "erasures_to_agree",
        "pending": "time passes until the last backup has expired, and a job clears the files",
        "erased": OVER,
    },
    "ledger.treasury.conversions": {
        "requested": "conversions_to_approve",
        "doubtful": "conversions_to_approve",
        "approved": "conversions_to_release",
        "released": "orders_for_the_bank",
        "done": OVER,
        "cancelled": OVER,
    },
    "ledger.treasury.transfers": {"requested": "transfers_to_approve", "booked": OVER},
}
"""By module: who finds what is in a state, or why nobody waits."""

TOLD = "told when it is known: until then the books cannot tell that it will be"
DECIDED = "somebody decides to, and nothing is due before"
ACTS = {
    "create_key": DECIDED,
    "suspend_operator": "whoever sees a danger does it at once",
    "verify_case": "to_verify",
    "reject_case": "to_verify",
    "hold_case": "whoever sees a reason does it at once",
    "resume_case": "on_hold",
    "withdraw_case": TOLD,
    "confirm_case": "receipts_missing",
    "close_case": "cases_to_close",
    "mark_duplicate": "possible_duplicates",
    "join_beneficiaries": "persons_to_compare",
    "tell_apart": "persons_to_compare",
    "acknowledge_duplicate": TOLD,
    "approve_disbursement": "to_approve",
    "release_disbursement": "to_release",
    "activate_agent": "agents_to_activate",
    "approve_advance": "advances_to_approve",
    "release_advance": "advances_to_release",
    "tell_movement": TOLD,
    "approve_purse_movement": "movements_to_agree",
    "approve_outlay": "outlays_to_approve",
    "agree_failure": "failures_to_agree",
    "tell_unexecuted": TOLD,
    "agree_unexecuted": "unexecuted_to_agree",
    "confirm_return": "returns_to_confirm",
    "approve_batch": "batches_to_approve",
    "release_batch": "batches_to_release",
    "quash_ruling": TOLD,
    "reduce_ruling": TOLD,
    "uphold_ruling": TOLD,
    "request_transfer": DECIDED,
    "approve_transfer": "transfers_to_approve",
    "approve_conversion": "conversions_to_approve",
    "release_conversion": "conversions_to_release",
    "draft_publication": DECIDED,
    "approve_publication": "publications_to_approve",
    "close_period": "months_to_close",
    "prepare_reconciliation": "months_to_close",
    "review_reconciliation": "sheets_to_review",
    "admit_entry": "it comes with the entry that is to be booked in a softly closed month",
    "request_erasure": "a person's wish; who is due by retention is counted by the job of it",
    "agree_erasure": "erasures_to_agree",
    "drop_evidence": "files_to_drop",
    "apply_bail": TOLD,
    "forfeit_bail": TOLD,
    "request_withdrawal": DECIDED,
    "agree_withdrawal": "withdrawals_to_agree",
    "request_refund": "refunds_failed",
    "approve_refund": "refund_orders_to_approve",
    "clear_exception": "exceptions",
    "agree_clearing": "exceptions_to_agree",
    "match_lines": "exceptions",
    "unmatch_lines": "a mistake that somebody sees",
    "draft_purpose": DECIDED,
    "approve_purpose": "purposes_to_approve",
    "assign_gift": "gifts_without_purpose",
    "merge_donors": "a mistake that somebody sees",
    "issue_receipt": "a giver asks for it",
    "cancel_receipt": "a mistake that somebody sees",
    "set_confirmations": DECIDED,
    "match_gift": "gifts_to_match",
    "condition_gift": "gifts_to_match",
    "meet_condition": "conditions_to_meet",
    "claim_gift": "gifts_to_match",
    "tell_payout": "gifts_to_match",
    "answer_line": "exceptions",
    "request_gift_return": "gifts_to_match",
    "approve_gift_return": "gift_returns_to_approve",
    "count_cash": TOLD,
    "witness_cash": "cash_to_witness",
    "bank_cash": DECIDED,
    "value_gift": TOLD,
    "approve_gift_in_kind": "gifts_in_kind_to_approve",
    "request_resolution": "exceptions",
    "agree_resolution": "resolutions_to_agree",
    "agree_loss": "resolutions_to_agree",
}
"""By signed act: where its signer finds what it is about, or why it waits for nobody."""
SECTIONS = {one.name: one for one in queue.SECTIONS}


def state_machines() -> dict[str, set[str]]:
    found = {}
    for module in pkgutil.walk_packages(ledger.__path__, "ledger."):
        if "migrations" not in module.name:
            states = getattr(importlib.import_module(module.name), "State", None)
            if isinstance(states, type) and issubclass(states, StrEnum) and states.__module__ == module.name:
                found[module.name] = {str(state) for state in states}
    return found


def test_every_state_has_its_section_or_a_reason() -> None:
    assert {module: set(states) for module, states in STATES.items()} == state_machines()


def test_every_signed_act_has_its_section_or_a_reason() -> None:
    assert set(ACTS) == set(get_args(Verb))


def test_every_section_is_in_the_table_and_the_other_way_round() -> None:
    told = {place for places in (*STATES.values(), ACTS) for place in places.values()}
    two_ways = {
        "overdue": "what stands in other sections, by its deadline",
        "hearings_near": "a day in a court's calendar",
        "promises_ending": "what nobody is told of, by the last day of its approval",
        "agents_receipts": "a fact about a line of a batch",
    }

    assert {place for place in told if " " not in place} | set(two_ways) == set(SECTIONS)


@pytest.mark.parametrize("verb", [verb for verb, place in ACTS.items() if " " not in place])
def test_who_may_sign_an_act_finds_what_it_is_about(verb: Verb) -> None:
    role, section = ROLE_OF[verb], SECTIONS[ACTS[verb]]

    assert role in section.roles if role is not None else len(section.roles) > 1
