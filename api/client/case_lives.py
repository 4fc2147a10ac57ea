"""The lives of cases from the operator's side: each step signed; what is sealed anew, and ruled on again."""

from collections.abc import Sequence
from typing import Any

from api.client import amounts, case_evidence, case_imports, cases, compared, shelves
from api.client.case_evidence import check_evidence
from api.client.cases import VAULT
from api.client.desk import Desk
from api.client.lists import BadList, ListRow
from api.client.sealing import token_key
from ledger.aid import jurisdictions
from ledger.aid.obligations import ObligationKind
from ledger.aliases import Kind, draw
from ledger.approvals import Verb
from ledger.money import Money

STEPS: dict[str, Verb] = {"hold": "hold_case", "resume": "resume_case", "withdraw": "withdraw_case"}
"""Steps that need nobody to look at the evidence: they stop something, or let go on what others have looked at."""


def step(desk: Desk, alias: str, what: str) -> dict[str, Any]:
    """Holds, resumes or withdraws a case, signed over what the books say of it."""
    return _sign(desk, STEPS[what], desk.api.get(f"/v1/cases/{alias}"))


def close(desk: Desk, alias: str) -> dict[str, Any]:
    """Closes a confirmed case of which nothing is open."""
    return _sign(desk, "close_case", desk.api.get(f"/v1/cases/{alias}"))


def confirm(desk: Desk, alias: str) -> dict[str, Any]:
    """Opens a paid case, whose receipts the operator has looked at, and confirms it.

    Raises:
        EvidenceDiffers: the boxes and the books disagree; nothing is signed.
    """
    case = desk.api.get(f"/v1/cases/{alias}")
    evidence = check_evidence(desk, case, reason="verification")
    return _sign(desk, "confirm_case", case, evidence.commitments)


def suspicions(desk: Desk, alias: str) -> dict[str, list[str]]:
    """Opens a case, which is logged, and tells which others it may be again: by ruling, and by person."""
    check_evidence(desk, desk.api.get(f"/v1/cases/{alias}"), reason="verification")
    found: dict[str, list[str]] = desk.api.get(f"/v1/cases/{alias}/suspicions")
    return found


def mark_duplicate(desk: Desk, alias: str, *, of: str) -> dict[str, Any]:
    """Opens both cases and signs that the first is the second again; it can never be paid.

    Raises:
        EvidenceDiffers: the boxes and the books disagree; nothing is signed.
    """
    check_evidence(desk, desk.api.get(f"/v1/cases/{of}"), reason="verification")
    case = desk.api.get(f"/v1/cases/{alias}")
    evidence = check_evidence(desk, case, reason="verification")
    agreed = _agree(desk, "mark_duplicate", case, evidence.commitments, detail=of)
    body = {"agreed": agreed, "of": of}
    answer: dict[str, Any] = desk.api.post(
        f"/v1/cases/{alias}/duplicate", body, key=f"duplicate:{alias}:{case['version']}"
    )
    return answer


def correct(desk: Desk, alias: str, row: ListRow) -> dict[str, Any]:
    """Amends a received case to what the row says: only boxes that say something else are sealed anew.

    Raises:
        BadList: the row does not fit the jurisdiction.
    """
    case = desk.api.get(f"/v1/cases/{alias}")
    pack = jurisdictions.load(case["jurisdiction"])
    case_imports.check_rows(pack, [row])
    (ruling,) = case["rulings"]
    shelf = case["beneficiary"]
    stands = case_evidence.open_case(desk, case, reason="verification")
    places = (
        ("beneficiary", shelf, "identity", stands.identity, case_imports.identity_of(row)),
        ("ruling", ruling["alias"], "details", stands.ruling, case_imports.details_of(row)),
    )
    boxes = [
        shelves.seal_json(
            stands.shelf_public,
            content,
            kind=kind,
            alias=of,
            field=field,
            version=stands.versions[of, field] + 1,
        )
        for kind, of, field, before, content in places
        if before != content
    ]
    body = {
        "version": case["version"],
        "boxes": boxes,
        **case_imports.coarse_facts(pack, row),
        "tokens": _tokens(desk, row),
    }
    answer: dict[str, Any] = desk.api.post(
        f"/v1/cases/{alias}/correction", body, key=f"correction:{alias}:{case['version']}"
    )
    return answer


def add_obligation(
    desk: Desk, alias: str, *, kind: ObligationKind, amount: str, detained_days: int | None = None
) -> dict[str, Any]:
    """Adds a sum that the ruling of a received case leads to beside its first one: what it says is sealed anew.

    `amount` is in the case's currency. Whoever verifies the case looks at it, and who adds it approves nothing of it.

    Raises:
        EvidenceDiffers: the boxes and the books disagree. BadList: the ruling's bill was served: a case of its own.
    """
    case = desk.api.get(f"/v1/cases/{alias}")
    stands = check_evidence(desk, case, reason="verification")
    if stands.ruling["kind"] == ObligationKind.DETENTION:
        raise BadList("a bill is paid from its service: the other sum is a case of its own", where="kind")
    body = _sum(case, stands, draw(Kind.OBLIGATION), kind=kind, amount=amount, detained_days=detained_days, version=1)
    answer: dict[str, Any] = desk.api.post(
        f"/v1/cases/{alias}/obligations", body, key=f"obligation:{alias}:{case['version']}"
    )
    return answer


def correct_obligation(
    desk: Desk, alias: str, obligation: str, *, kind: ObligationKind, amount: str, detained_days: int | None = None
) -> dict[str, Any]:
    """Amends a sum that was added to a received case: what it says now is sealed as the next version of its details.

    Raises:
        EvidenceDiffers: the boxes and the books disagree. BadList: it is none that was added to this case.
    """
    case = desk.api.get(f"/v1/cases/{alias}")
    stands = check_evidence(desk, case, reason="verification")
    if obligation not in stands.further:
        raise BadList("no such sum was added to this case", where="obligation")
    version = stands.versions[obligation, "details"] + 1
    body = _sum(case, stands, obligation, kind=kind, amount=amount, detained_days=detained_days, version=version)
    answer: dict[str, Any] = desk.api.post(
        f"/v1/cases/{alias}/obligations/correction", body, key=f"obligation:{alias}:{case['version']}"
    )
    return answer


def rule_again(desk: Desk, alias: str, row: ListRow) -> dict[str, Any]:
    """Enters a new ruling on the event of a case whose ruling was quashed: a new case, sealed to the same shelf.

    Raises:
        BadList: the row does not fit the jurisdiction, or is about somebody else.
    """
    before = desk.api.get(f"/v1/cases/{alias}")
    pack = jurisdictions.load(before["jurisdiction"])
    case_imports.check_rows(pack, [row])
    (replaced,) = before["rulings"]
    stands = case_evidence.open_case(desk, before, reason="verification")
    if case_imports.identity_of(row)["name"] != stands.identity["name"]:
        raise BadList("the new ruling is about somebody else", where=f"line {row.line}, column name")
    drawn = {"case": draw(Kind.CASE), "ruling": draw(Kind.RULING), "obligation": draw(Kind.OBLIGATION)}
    details = shelves.seal_json(
        stands.shelf_public, case_imports.details_of(row), kind="ruling", alias=drawn["ruling"], field="details"
    )
    body = drawn | {"replaces": replaced["alias"], "details": details, **case_imports.coarse_facts(pack, row)}
    body["tokens"] = _tokens(desk, row)
    answer: dict[str, Any] = desk.api.post(
        f"/v1/cases/{alias}/rulings", body, key=f"ruling:{replaced['alias']}:replaced"
    )
    return answer


def chain(desk: Desk, alias: str) -> list[dict[str, Any]]:
    """All rulings on the event of a case, the first one first."""
    found: list[dict[str, Any]] = desk.api.get(f"/v1/cases/{alias}/rulings")["rulings"]
    return found


def reduce(desk: Desk, alias: str, *, to: Money, obligation: str | None = None) -> dict[str, Any]:
    """Signs that an appeal reduced what the ruling of a case asks for; unless more is paid, sealed anew.

    `obligation` is the one that is reduced, where the case owes several sums: the act names it.

    Raises:
        EvidenceDiffers: the boxes and the books disagree; nothing is signed. WhichObligation: see there.
    """
    case = desk.api.get(f"/v1/cases/{alias}")
    evidence = check_evidence(desk, case, reason="verification")
    (ruling,), owed = case["rulings"], cases.chosen(case, obligation)
    named = owed["alias"] if len(case["obligations"]) > 1 else None
    details = None
    paid = Money.parse(owed["paid"]["amount"], owed["paid"]["currency"])
    if owed["state"] in {"due", "approved", "recognised", "part_paid"} and paid <= to:
        own = evidence.further.get(owed["alias"])
        kind, of = ("ruling", ruling["alias"]) if own is None else ("obligation", owed["alias"])
        details = shelves.seal_json(
            evidence.shelf_public,
            (evidence.ruling if own is None else own) | {"amount": to.decimal()},
            kind=kind,
            alias=of,
            field="details",
            version=evidence.versions[of, "details"] + 1,
        )
    said = f"{named}+{to.decimal()}" if named else to.decimal()
    agreed = _agree(desk, "reduce_ruling", case, evidence.commitments, detail=said, object_alias=ruling["alias"])
    body = {"agreed": agreed, "to": amounts.on_wire(to), "details": details, "obligation": named}
    key = f"reduce:{ruling['alias']}:{case['version']}"
    answer: dict[str, Any] = desk.api.post(f"/v1/rulings/{ruling['alias']}/reduce", body, key=key)
    return answer


def uphold(desk: Desk, alias: str) -> dict[str, Any]:
    """Signs that an appeal left the ruling of a case as it was.

    Raises:
        EvidenceDiffers: the boxes and the books disagree; nothing is signed.
    """
    case = desk.api.get(f"/v1/cases/{alias}")
    evidence = check_evidence(desk, case, reason="verification")
    (ruling,) = case["rulings"]
    agreed = _agree(desk, "uphold_ruling", case, evidence.commitments, object_alias=ruling["alias"])
    key = f"uphold:{ruling['alias']}:{case['version']}"
    answer: dict[str, Any] = desk.api.post(f"/v1/rulings/{ruling['alias']}/uphold", {"agreed": agreed}, key=key)
    return answer


def acknowledge(desk: Desk, alias: str, *, amount: Money, obligation: str | None = None) -> dict[str, Any]:
    """Signs that another organisation had paid the same and owes the fund `amount`; the answer has the reference.

    Raises:
        EvidenceDiffers: the boxes and the books disagree; nothing is signed. WhichObligation: see there.
    """
    case = desk.api.get(f"/v1/cases/{alias}")
    evidence = check_evidence(desk, case, reason="verification")
    owed = cases.chosen(case, obligation)
    agreed = _agree(
        desk,
        "acknowledge_duplicate",
        case,
        evidence.commitments,
        detail=amount.decimal(),
        object_alias=owed["alias"],
    )
    path, key = f"/v1/obligations/{owed['alias']}/acknowledge", f"acknowledge:{owed['alias']}"
    answer: dict[str, Any] = desk.api.post(path, {"agreed": agreed, "amount": amounts.on_wire(amount)}, key=key)
    return answer


def _tokens(desk: Desk, row: ListRow) -> list[dict[str, Any]]:
    return compared.tokens_of(row, {vault.epoch: token_key(vault) for vault in desk.vaults(VAULT)})


def _sign(desk: Desk, verb: Verb, case: dict[str, Any], commitments: Sequence[str] | None = None) -> dict[str, Any]:
    """Signs a step over the evidence that was opened, or over what the books say of it, and takes it."""
    agreed = _agree(desk, verb, case, case["evidence_commitments"] if commitments is None else commitments)
    path = f"/v1/cases/{case['alias']}/{verb.removesuffix('_case')}"
    answer: dict[str, Any] = desk.api.post(path, {"agreed": agreed}, key=f"{verb}:{case['alias']}:{case['version']}")
    return answer


def _agree(
    desk: Desk,
    verb: Verb,
    case: dict[str, Any],
    commitments: Sequence[str],
    *,
    detail: str | None = None,
    object_alias: str | None = None,
) -> dict[str, Any]:
    return desk.agree(
        verb,
        object_alias or case["alias"],
        version=case["version"],
        detail=detail,
        amount=Money.parse(case["owed"]["amount"], case["owed"]["currency"]),
        evidence=commitments,
    )


def _sum(
    case: dict[str, Any],
    stands: case_evidence.Evidence,
    obligation: str,
    *,
    kind: ObligationKind,
    amount: str,
    detained_days: int | None,
    version: int,
) -> dict[str, Any]:
    """What is told of a further sum of a case, and sealed as this version of its details."""
    money = Money.parse(amount, case["owed"]["currency"])
    told = {"kind": kind.value, **amounts.on_wire(money), "paid_on": None, "detained_days": detained_days}
    place: dict[str, Any] = {"kind": "obligation", "alias": obligation, "field": "details", "version": version}
    return {
        "version": case["version"],
        "obligation": obligation,
        "kind": kind.value,
        "amount": amounts.on_wire(money),
        "details": shelves.seal_json(stands.shelf_public, told, **place),
    }
