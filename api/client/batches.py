"""Batches from the operator's side: many payees sealed at once, the whole agreed to by one signature, and the results.

An agent's list is made here, from opened boxes; what is sent of it is sealed to the agent: see `agents_lists`.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from api.client import amounts, batch_reviews, case_evidence, cases, payments, sealing, shelves
from api.client.batch_reviews import Review
from api.client.case_evidence import Evidence, EvidenceDiffers
from api.client.desk import Desk
from api.client.http import ApiRefusal
from api.client.payments import FUND_OF
from api.client.results import BadResults, ResultRow
from ledger.aid import batch_lines, eligibility, jurisdictions
from ledger.aid.batch_lines import Agreement
from ledger.aid.results import Early
from ledger.aliases import Kind, draw
from ledger.approvals import Verb
from ledger.errors import BadInput, NotFound, Tampered

MOST_LINES = 1_000
CANDIDATES_A_PAGE = 500


class NothingToPay(NotFound):
    """No obligation waits to be asked for, or none of the sort that was asked for."""

    rule = "nothing_to_pay"


class SeveralCurrencies(BadInput):
    """What waits is owed in several currencies, and the account to pay from has none of its own."""

    rule = "several_currencies"


@dataclass(frozen=True, slots=True)
class AgentsList:
    """The rows of an agent's list, and why lines are not on it, by their codes."""

    rows: list[dict[str, str]]
    left_out: dict[str, str]


def candidates(
    desk: Desk, *, kind: str | None = None, currency: str | None = None, jurisdiction: str | None = None
) -> Iterator[dict[str, Any]]:
    """The obligations that nobody has asked to pay yet, page by page, the next deadline first.

    Only those of a kind, a currency, a jurisdiction, where told.
    """
    cursor: str | None = None
    wanted = {"kind": kind, "currency": currency, "jurisdiction": jurisdiction}
    while True:
        page = desk.api.get("/v1/obligations", cursor=cursor, limit=CANDIDATES_A_PAGE, **wanted)
        yield from page["obligations"]
        cursor = page["next"]
        if cursor is None:
            return


def choose(
    desk: Desk,
    *,
    account: str,
    most: int = MOST_LINES,
    kind: str | None = None,
    currency: str | None = None,
    jurisdiction: str | None = None,
) -> list[dict[str, Any]]:
    """At most so many candidates that one batch from `account` can pay, the next deadline first.

    Raises:
        NothingToPay: none waits of what was asked for. SeveralCurrencies: name one.
    """
    if currency is None:
        leaves = {one["code"]: one["currency"] for one in desk.api.get("/v1/accounts")["accounts"]}
        currency = leaves.get(account)
    chosen = list(islice(candidates(desk, kind=kind, currency=currency, jurisdiction=jurisdiction), most))
    if not chosen:
        raise NothingToPay(
            "nothing that a batch can pay waits", kind=kind, currency=currency, jurisdiction=jurisdiction
        )
    currencies = sorted({one["amount"]["currency"] for one in chosen})
    if len(currencies) > 1:
        raise SeveralCurrencies("a batch pays one currency: tell which", currencies=", ".join(currencies))
    return chosen


def create(
    desk: Desk,
    chosen: Sequence[dict[str, Any]],
    *,
    account: str,
    agent: str | None = None,
    fund_of: Mapping[str, str] = FUND_OF,
    payee_of: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Asks for the chosen candidates to be paid: from a bank leaf, or by an agent from their purse.

    `payee_of` tells by kind who receives the money, `authority` unless told. A case whose boxes do not hold is left
    out: `left_out` of the answer has why, by its alias.

    Raises:
        NothingToPay: nothing is chosen. EvidenceDiffers, CannotOpen, WrongCommitment, WrongKey, BadSignature: the boxes
            of no case hold; nothing is sent.
    """
    if not chosen:
        raise NothingToPay("no verified case waits to be paid, or none that was asked for")
    found = dict(case_evidence.look_at_many(desk, [one["case"] for one in chosen], reason="payment"))
    refused = {alias: one for alias, one in found.items() if isinstance(one, Tampered)}
    evidence = {alias: one for alias, one in found.items() if isinstance(one, Evidence)}
    chosen = [one for one in chosen if one["case"]["alias"] in evidence]
    if not chosen:
        raise next(iter(refused.values()))
    alias = draw(Kind.BATCH)
    courts = _court_tokens(desk, agent, chosen, evidence) if agent else [None] * len(chosen)
    lines = [
        _line(one, evidence[one["case"]["alias"]], (payee_of or {}).get(one["kind"], "authority"), court)
        for one, court in zip(chosen, courts, strict=True)
    ]
    kinds = {one["kind"] for one in chosen}
    body = {
        "alias": alias,
        "agent": agent,
        "account": account,
        "funds": {kind: fund_of[kind] for kind in sorted(kinds)},
        "lines": lines,
    }
    answer: dict[str, Any] = desk.api.post("/v1/batches", body, key=f"batch:{alias}")
    return answer | {"left_out": {alias: error.rule for alias, error in refused.items()}}


def listed(desk: Desk, *, state: str | None = None) -> list[dict[str, Any]]:
    """Batches, in one state unless None."""
    found: list[dict[str, Any]] = desk.api.get("/v1/batches", state=state)["batches"]
    return found


def find(desk: Desk, alias: str) -> dict[str, Any]:
    """A batch with its lines."""
    found: dict[str, Any] = desk.api.get(f"/v1/batches/{alias}")
    return found


def lock(desk: Desk, alias: str) -> dict[str, Any]:
    """Fixes the lines."""
    return _post(desk, alias, "lock", {}, key=f"lock:{alias}")


def cancel(desk: Desk, alias: str) -> dict[str, Any]:
    """Withdraws a batch that was not released."""
    return _post(desk, alias, "cancel", {}, key=f"cancel:{alias}")


def approve(desk: Desk, alias: str, *, look: Callable[[Review], None] = lambda _: None) -> dict[str, Any]:
    """Opens the evidence and the payee of every line, holds them against the books, and signs once for all.

    Lines that the API says are left out are shown, and not opened: nothing of them is agreed to.

    `look` is shown what a person should see before; when it raises, nothing is signed.

    Raises:
        EvidenceDiffers: boxes and books, payee and case, or lines and digest disagree; nothing is signed.
        CannotOpen, WrongCommitment, WrongKey, BadSignature: the boxes of one case do not hold.
        LinesRefused: of several lines one or the other.
    """
    batch = find(desk, alias)
    evidence = _check_lines(desk, batch)
    look(batch_reviews.review(desk, batch, evidence))
    agreed = _agree(desk, "approve_batch", batch)
    body = {"verb": "approve_batch", "object": alias, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"approve:{alias}:{batch['version']}")
    return answer


def tell(desk: Desk, alias: str, *, told_on: date) -> dict[str, Any]:
    """Notes that everybody in the batch was told; `refused` has the lines that cannot have been, by which rule."""
    owed = {one["alias"]: one for line in find(desk, alias)["lines"] for one in line["case"]["obligations"]}
    # Whom the first request left untold is told of by another one, also of the same day.
    waiting = ":".join(sorted(owed_alias for owed_alias, one in owed.items() if one["told_on"] is None))
    key = f"told:{alias}:{told_on}:{hashlib.sha256(waiting.encode()).hexdigest()[:32]}"
    return _post(desk, alias, "told", {"told_on": told_on.isoformat()}, key=key)


def release(desk: Desk, alias: str) -> dict[str, Any]:
    """Releases an approved batch; its lines then have the references for the bank, or the codes for the agent."""
    batch = find(desk, alias)
    agreed = _agree(desk, "release_batch", batch)
    return _post(desk, alias, "release", {"agreed": agreed}, key=f"release:{alias}:{batch['version']}")


def agents_list(desk: Desk, alias: str) -> AgentsList:
    """The list an agent works from, one row a line, in the order of the codes: opened here, for a file on this device.

    Keys: code, amount, currency, payee, name, account, ruling_number, court, article, kind. A line whose boxes do not
    hold is left out: nobody is sent to pay what cannot be read.

    Raises:
        EvidenceDiffers, CannotOpen, WrongCommitment, WrongKey, BadSignature: no line holds.
    """
    batch = find(desk, alias)
    going = [line for line in batch["lines"] if line["excluded"] is None]
    evidence, refused = _held(desk, going, reason="payment")
    rows = [
        {
            "code": line["code"] or "",
            **line["amount"],
            "payee": line["payee"],
            "name": evidence[line["case"]["alias"]].identity["name"],
            "account": evidence[line["case"]["alias"]].identity["payee_account"] or "",
            **{
                name: evidence[line["case"]["alias"]].ruling[name] or ""
                for name in ("ruling_number", "court", "article")
            },
            "kind": line["kind"],
        }
        for line in going
        if line["case"]["alias"] in evidence
    ]
    return AgentsList(sorted(rows, key=lambda row: row["code"]), _by_code(going, refused))


def enter_results(
    desk: Desk, alias: str, rows: Sequence[ResultRow], *, receipts: Mapping[str, bytes] | None = None
) -> dict[str, Any]:
    """Enters what an agent says became of their lines, and the receipts that were looked at, sealed, by code.

    Where the pack has receipts kept, a verified line comes with its receipt, now or before.

    The exact days are tested here and stay here: what is sent are the ends of their weeks, and what was paid too early.

    Results of cases whose boxes do not hold are not entered: `left_out` of the answer has why, by code.

    Raises:
        BadResults: a code is not of this batch, or receipts are missing: `where` tells the lines. Nothing is sent.
        EvidenceDiffers, CannotOpen, WrongCommitment, WrongKey, BadSignature: no case holds. Nothing is sent.
        ApiRefusal: a result cannot be: its data has the line of the file and the code.
    """
    batch = find(desk, alias)
    by_code = {line["code"]: line for line in batch["lines"]}
    for row in rows:
        row.require_known(by_code)
    told_of = [by_code[row.code] for row in rows]
    evidence, refused = _held(desk, told_of, reason="reconciliation")
    rows = [row for row in rows if by_code[row.code]["case"]["alias"] in evidence]
    _require_receipts(rows, by_code, evidence, receipts or {})
    body = {
        "results": [
            _result(
                row,
                by_code[row.code],
                evidence[by_code[row.code]["case"]["alias"]],
                (receipts or {}).get(row.code),
                released_on=date.fromisoformat(batch["released_on"]),
            )
            for row in rows
        ]
    }
    # The key goes to the server, which could find out exact days that were hashed into it: only what it is told is.
    told = ("code", "outcome", "receipt", "paid_by", "verified_on", "early")
    facts = json.dumps([[*(one[name] for name in told), bool(one["receipt_box"])] for one in body["results"]])
    key = f"results:{alias}:{hashlib.sha256(facts.encode()).hexdigest()[:32]}"
    try:
        entered = _post(desk, alias, "results", body, key=key)
    except ApiRefusal as refusal:
        if isinstance(position := refusal.data.get("position"), int):  # of the rows, counted from 1
            refusal.data |= {"line": rows[position - 1].line, "code": rows[position - 1].code}
        raise
    return entered | {"left_out": _by_code(told_of, refused)}


def _held(
    desk: Desk, lines: Sequence[dict[str, Any]], *, reason: str
) -> tuple[dict[str, Evidence], dict[str, Tampered]]:
    """The evidence of the lines' cases, and why that of others does not hold, by the case's alias.

    Raises:
        EvidenceDiffers, CannotOpen, WrongCommitment, WrongKey, BadSignature: of none it does; the first reason.
    """
    found = dict(case_evidence.look_at_many(desk, [line["case"] for line in lines], reason=reason))
    refused = {alias: one for alias, one in found.items() if isinstance(one, Tampered)}
    evidence = {alias: one for alias, one in found.items() if isinstance(one, Evidence)}
    if refused and not evidence:
        raise next(iter(refused.values()))
    return evidence, refused


def _by_code(lines: Iterable[dict[str, Any]], refused: Mapping[str, Tampered]) -> dict[str, str]:
    """The rules by which lines were left out, by their codes."""
    of = {line["code"] or line["disbursement"]: line["case"]["alias"] for line in lines}
    return {code: refused[case].rule for code, case in sorted(of.items()) if case in refused}


def _check_lines(desk: Desk, batch: dict[str, Any]) -> dict[str, Evidence]:
    """The evidence of every line that is not left out, by the case's alias, once all of it holds."""
    standing = [line for line in batch["lines"] if line["excluded"] is None]
    keys = [sealing.token_key(vault) for vault in desk.vaults(cases.VAULT)]
    evidence: dict[str, Evidence] = {}
    refused: dict[str, Tampered] = {}
    for case, found in case_evidence.look_at_many(desk, [line["case"] for line in standing], reason="approval"):
        if isinstance(found, Tampered):
            refused[case] = found
        else:
            evidence[case] = found
    for line in standing:
        case = line["case"]["alias"]
        if case in evidence:
            try:
                _check_line(line, evidence[case])
                _check_court(line, evidence[case], keys, batch)
            except EvidenceDiffers as error:
                refused.setdefault(case, error)
    batch_lines.require_none(list(refused.values()))
    return evidence


def _require_receipts(
    rows: Sequence[ResultRow],
    by_code: Mapping[str, dict[str, Any]],
    evidence: Mapping[str, Evidence],
    receipts: Mapping[str, bytes],
) -> None:
    missing = []
    for row in rows:
        line = by_code[row.code]
        case = line["case"]
        kept = row.code in receipts or evidence[case["alias"]].receipts.get(line["disbursement"], 0)
        day = date.fromisoformat(case["received_on"])
        needed = jurisdictions.load(case["jurisdiction"]).keeps_receipts(line["kind"], received_on=day)
        if row.verified_on is not None and needed and not kept:
            missing.append(row.line)
    if missing:
        told = ", ".join(map(str, missing))
        raise BadResults("the receipts themselves are missing", where=f"lines {told}, column receipt")


def _court_tokens(
    desk: Desk, agent: str, chosen: Sequence[dict[str, Any]], evidence: Mapping[str, Evidence]
) -> list[str | None]:
    """What tells that two lines of one agent are of one court: a keyed hash of both, nothing across agents."""
    key = sealing.token_key(desk.vault(cases.VAULT))
    return [_court_token(key, agent, evidence[one["case"]["alias"]]) for one in chosen]


def _court_token(key: bytes, of: str, evidence: Evidence) -> str:
    return sealing.token(key, field="court", value=f"{of} {evidence.ruling['court']}")


def _line(candidate: dict[str, Any], evidence: Evidence, payee: str, court: str | None) -> dict[str, Any]:
    alias = draw(Kind.DISBURSEMENT)
    return {
        "disbursement": alias,
        "obligation": candidate["alias"],
        "payee": payee,
        "payee_box": shelves.seal_json(
            evidence.shelf_public, payments.payee_of(evidence, payee), kind="disbursement", alias=alias, field="payee"
        ),
        "court_token": court,
    }


def _check_line(line: dict[str, Any], evidence: Evidence) -> None:
    alias = line["disbursement"]
    expected = payments.payee_of(evidence, line["payee"])
    agreed = evidence.payee_commitments.get(alias) == line["payee_commitment"]
    if not agreed or evidence.payees.get(alias) != expected:
        raise EvidenceDiffers("the payee is not the one of the case", case=line["case"]["alias"], field="payee")
    named = [one for one in line["case"]["obligations"] if one["alias"] == line["obligation"]]
    asked, owed = amounts.read(line["amount"]), [amounts.read(one["amount"]) for one in named]
    same = [(one["kind"], amounts.read(one["amount"]).currency) for one in named] == [(line["kind"], asked.currency)]
    if not same or not 0 < asked.minor <= owed[0].minor:
        raise EvidenceDiffers("the line is not what the case owes", case=line["case"]["alias"], field="amount")


def _check_court(line: dict[str, Any], evidence: Evidence, keys: Iterable[bytes], batch: dict[str, Any]) -> None:
    # Batches that were asked for under an earlier version have tokens of their list alone, which count as more.
    tokens = {_court_token(key, of, evidence) for key in keys for of in (batch["agent"], batch["alias"])}
    if line["court_token"] is not None and line["court_token"] not in tokens:
        raise EvidenceDiffers("the court is not counted as what it is", case=line["case"]["alias"], field="court")


def _agree(desk: Desk, verb: Verb, batch: dict[str, Any]) -> dict[str, Any]:
    """The signed act on everything that the lines say, whatever the API says of them."""
    lines = batch["lines"]
    digest = batch_lines.digest_of(
        (
            Agreement(
                line["obligation"], amounts.read(line["amount"]), line["fund"], line["payee"], line["payee_commitment"]
            )
            for line in lines
        ),
        agent=batch["agent"],
        account=batch["account"],
    )
    amount = amounts.read(batch["amount"])
    if digest != batch["digest"] or sum(amounts.read(line["amount"]).minor for line in lines) != amount.minor:
        raise EvidenceDiffers("the lines are not what was locked", batch=batch["alias"], field="digest")
    return desk.agree(
        verb,
        batch["alias"],
        version=batch["version"],
        amount=amount,
        payee_commitment=digest,
        evidence=_evidence(lines),
    )


def _evidence(lines: Iterable[dict[str, Any]]) -> list[str]:
    by_case = {line["case"]["alias"]: line["case"]["evidence_commitments"] for line in lines}
    return [commitment for commitments in by_case.values() for commitment in commitments]


def _result(
    row: ResultRow, line: dict[str, Any], evidence: Evidence, receipt: bytes | None, *, released_on: date
) -> dict[str, Any]:
    pack = jurisdictions.load(line["case"]["jurisdiction"])
    paid_on = row.paid_on or row.verified_on
    early = _early(paid_on, payable_on=case_evidence.payable_on(pack, evidence.ruling), released_on=released_on)
    box = None
    if receipt is not None:
        content = {"file": sealing.to_base64(receipt)}
        box = shelves.seal_json(
            evidence.shelf_public,
            content,
            kind="disbursement",
            alias=line["disbursement"],
            field="receipt",
            version=evidence.receipts.get(line["disbursement"], 0) + 1,
        )
    return {
        "code": row.code,
        "outcome": row.outcome,
        "receipt": row.receipt,
        "paid_by": eligibility.end_of_grain(pack, paid_on).isoformat() if paid_on else None,
        "verified_on": row.verified_on.isoformat() if row.verified_on else None,
        "receipt_box": box,
        "early": early,
    }


def _early(paid_on: date | None, *, payable_on: date, released_on: date) -> Early | None:
    """What was paid too early, by the exact days, is a fact all the same: it is booked, and two people look at it."""
    if paid_on is None:
        return None
    if paid_on < payable_on:
        return Early.BEFORE_FORCE
    return Early.BEFORE_RELEASE if paid_on < released_on else None


def _post(desk: Desk, alias: str, what: str, body: dict[str, Any], *, key: str) -> dict[str, Any]:
    answer: dict[str, Any] = desk.api.post(f"/v1/batches/{alias}/{what}", body, key=key)
    return answer
