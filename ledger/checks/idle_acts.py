"""Checks of signed acts of which nothing came: what somebody signed stands, or its row was taken away."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session, SQLModel, col

from ledger.approvals import SignedAct
from ledger.checks import acts
from ledger.checks.findings import Check, Finding, Tell, paged

SHOWN = frozenset(
    {
        "agree_clearing",
        "approve_publication",
        "approve_purpose",
        "assign_gift",
        "bank_cash",
        "claim_gift",
        "clear_exception",
        "close_period",
        "condition_gift",
        "count_cash",
        "draft_publication",
        "draft_purpose",
        "match_gift",
        "match_lines",
        "meet_condition",
        "prepare_reconciliation",
        "quash_ruling",
        "request_gift_return",
        "request_refund",
        "request_transfer",
        "review_reconciliation",
        "tell_movement",
        "unmatch_lines",
        "value_gift",
        "witness_cash",
    }
)
"""Verbs of which each act has its row, by object and signer, for as long as there is a book: see `acts.effects`."""

BY_NONCE: Mapping[str, str] = {
    "issue_receipt": "receipt",
    "cancel_receipt": "receipt_void",
    "merge_donors": "donor_merge",
    "set_confirmations": "confirmation_setting",
}
"""Verbs whose row names the act, and the table."""

BY_SIGNER: Mapping[str, tuple[str, str, str]] = {
    "apply_bail": ("bail_part", "obligation_alias", "decided_by"),
    "forfeit_bail": ("bail_part", "obligation_alias", "decided_by"),
    "reduce_ruling": ("appeal", "ruling_alias", "recorded_by"),
    "uphold_ruling": ("appeal", "ruling_alias", "recorded_by"),
}
"""Verbs whose row names what the act is about and who signed it, and where."""

ABOUT: Mapping[str, tuple[str, str]] = {
    "acknowledge_duplicate": ("refund", "obligation_alias"),
    "activate_agent": ("agent", "alias"),
    "agree_failure": ("line_failure", "disbursement_alias"),
    "agree_loss": ("resolution", "about"),
    "agree_withdrawal": ("payment_file", "alias"),
    "approve_advance": ("advance", "alias"),
    "approve_batch": ("batch", "alias"),
    "approve_conversion": ("conversion", "alias"),
    "approve_disbursement": ("disbursement", "alias"),
    "approve_gift_in_kind": ("gift_in_kind", "alias"),
    "approve_gift_return": ("gift_return", "alias"),
    "approve_outlay": ("outlay_repayment", "alias"),
    "approve_purse_movement": ("purse_movement", "alias"),
    "approve_refund": ("refund_order", "alias"),
    "approve_transfer": ("transfer", "alias"),
    "close_case": ("aid_case", "alias"),
    "confirm_case": ("aid_case", "alias"),
    "drop_evidence": ("evidence_file", "alias"),
    "hold_case": ("aid_case", "alias"),
    "mark_duplicate": ("aid_case", "alias"),
    "reject_case": ("aid_case", "alias"),
    "release_advance": ("advance", "alias"),
    "release_batch": ("batch", "alias"),
    "release_conversion": ("conversion", "alias"),
    "release_disbursement": ("disbursement", "alias"),
    "request_withdrawal": ("payment_file", "alias"),
    "resume_case": ("aid_case", "alias"),
    "tell_payout": ("donation", "alias"),
    "verify_case": ("aid_case", "alias"),
    "withdraw_case": ("aid_case", "alias"),
}
"""Verbs of which an act may have come to nothing: one of two signatures above a limit, a step that was taken back, or
one of a case, which the check of its steps follows. What it is about stands in any event, in this column."""

ELSEWHERE: Mapping[str, str] = {
    "admit_entry": "admitted-signed",
    "agree_erasure": "erasures-signed",
    "agree_resolution": "unheard",
    "agree_unexecuted": "orders-forgotten",
    "answer_line": "unheard",
    "confirm_return": "returns-confirmed",
    "create_key": "keys-signed",
    "join_beneficiaries": "persons-signed",
    "request_erasure": "erasures-signed",
    "request_resolution": "unheard",
    "suspend_operator": "suspensions",
    "tell_apart": "persons-signed",
    "tell_unexecuted": "orders-forgotten",
}
"""Verbs of which another check finds the acts that nothing came of, by its name."""


def find_idle(session: Session, tell: Tell) -> Iterator[Finding]:
    """Signed acts without the row that they are an effect in."""
    shown = {(one.object, one.verb, one.signer) for page in acts.effects(session) for one in page}
    done = 0
    for page in paged(session, SignedAct, SignedAct.nonce):
        standing = _standing(session, page)
        for act in page:
            if act.verb in ELSEWHERE:
                continue
            if act.verb in SHOWN:
                stands = (act.object, act.verb, act.signer) in shown
            else:
                stands = act.nonce in standing.get(act.verb, set())
            if not stands:
                yield Finding("idle-acts", "act", act.nonce, {"verb": act.verb, "object": act.object})
        done += len(page)
        tell(done, done)


def _standing(session: Session, page: list[SignedAct]) -> dict[str, set[str]]:
    """By verb: the nonces of those acts whose row, or what they are about, is there; a verb of no book has none."""
    nonces = col(SignedAct.nonce).in_([act.nonce for act in page])
    found: dict[str, set[str]] = {}
    for verb in sorted({act.verb for act in page} & {*BY_NONCE, *BY_SIGNER, *ABOUT}):
        of = select(col(SignedAct.nonce)).where(nonces, col(SignedAct.verb) == verb)
        found[verb] = set(session.connection().scalars(_with_its_row(verb, of)))
    return found


def _with_its_row(verb: str, acts_of: Select[Any]) -> Select[Any]:
    tables = SQLModel.metadata.tables
    if verb in BY_NONCE:
        table = tables[BY_NONCE[verb]]
        return acts_of.join(table, table.c.nonce == col(SignedAct.nonce))
    if verb in ABOUT:
        name, about = ABOUT[verb]
        return acts_of.join(tables[name], tables[name].c[about] == col(SignedAct.object))
    name, about, signer = BY_SIGNER[verb]
    of = tables[name].c
    return acts_of.join(tables[name], (of[about] == col(SignedAct.object)) & (of[signer] == col(SignedAct.signer)))


CHECKS = (Check("idle-acts", "of every signed act there is what it was signed for", find_idle),)
