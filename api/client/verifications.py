"""Verification from the operator's side: exact dates tested, what the rules answer sealed, the answer signed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from api.client import case_evidence, cases, shelves
from api.client.case_evidence import Evidence
from api.client.desk import Desk
from api.client.http import ApiRefusal
from ledger.aid import assessments, jurisdictions, rules
from ledger.aid.acts import EvidenceNotOpened, PossibleDuplicate
from ledger.aid.eligibility import Rejection
from ledger.aid.jurisdictions import Pack
from ledger.aid.rules import Answer, Application, EvidenceMissing, Outcome, Span
from ledger.approvals import Verb
from ledger.errors import Tampered
from ledger.money import Money

POSSIBLE_DUPLICATE = PossibleDuplicate.rule
FOR_A_PERSON = (POSSIBLE_DUPLICATE, EvidenceNotOpened.rule, EvidenceMissing.rule)
"""Refusals of a case that a person must look at; the others go on."""


def verify(desk: Desk, alias: str, *, not_duplicates: Sequence[str] = ()) -> Rejection | None:
    """Opens a received case, tests its exact facts, and signs the answer: verified, or rejected with a code.

    The cases that the operator found to be others are opened too: nobody says so of what they have not seen.

    Raises:
        EvidenceDiffers: the boxes and the books disagree; nothing is signed.
    """
    for other in not_duplicates:
        case_evidence.check_evidence(desk, desk.api.get(f"/v1/cases/{other}"), reason="verification")
    case = desk.api.get(f"/v1/cases/{alias}")
    return _settle(desk, case, case_evidence.check_evidence(desk, case, reason="verification"), not_duplicates)


def verify_many(
    desk: Desk,
    aliases: Sequence[str],
    *,
    progress: cases.Progress | None = None,
    show: Callable[[str, list[Answer]], None] | None = None,
) -> dict[str, str]:
    """As `verify` for many cases, opened a hundred at a time: what became of each.

    `verified`, a rejection code, or `possible_duplicate`, `evidence_not_opened` or `evidence_missing`; `cannot_open`,
    `evidence_differs` or another word for boxes that do not hold: such a case stays received for a person to look at.
    `show` is told what else the rules saw, by case.

    Raises:
        ApiRefusal, ApiUnreachable.
    """
    found = [desk.api.get(f"/v1/cases/{alias}") for alias in aliases]
    evidence = dict(case_evidence.look_at_many(desk, found, reason="verification"))
    answers: dict[str, str] = {}
    for number, case in enumerate(found, start=1):
        facts = evidence[case["alias"]]
        try:
            if isinstance(facts, Tampered):
                answers[case["alias"]] = facts.rule
            else:
                if show:
                    show(case["alias"], _shown(desk, case, facts))
                answers[case["alias"]] = _settle(desk, case, facts, ()) or "verified"
        except ApiRefusal as refusal:
            if refusal.rule not in FOR_A_PERSON:
                raise
            answers[case["alias"]] = refusal.rule
        if progress:
            progress(number, len(found))
    return answers


def reject(desk: Desk, alias: str, *, because: Rejection) -> None:
    """Opens a case and rejects it with a code, signed: a duplicate, an illegible ruling, an unsafe channel.

    Whose boxes do not open, hold something else than is sealed there, or disagree with the books, is illegible.

    Raises:
        EvidenceDiffers, CannotOpen, WrongCommitment, WrongKey, BadSignature: so it is, and the code is another one;
            nothing is signed.
    """
    case = desk.api.get(f"/v1/cases/{alias}")
    try:
        commitments = case_evidence.check_evidence(desk, case, reason="verification").commitments
    except Tampered:
        if because is not Rejection.ILLEGIBLE:
            raise
        commitments = case["evidence_commitments"]
    _answer(desk, "reject_case", case, commitments, detail=because, because=because)


def answer(desk: Desk, case: dict[str, Any], facts: Evidence, *, obligation: str) -> list[Answer]:
    """What every rule says today about the exact facts of one obligation of an opened case."""
    application = application_of(case, facts, obligation=obligation)
    return rules.answer(jurisdictions.load(case["jurisdiction"]), application, on=desk.now().date())


def application_of(case: dict[str, Any], facts: Evidence, *, obligation: str) -> Application:
    """The exact facts of one obligation of an opened case, as the rules take them."""
    pack = jurisdictions.load(case["jurisdiction"])
    told = facts.told_of(obligation)
    to_the_day = pack.model_copy(update={"grain": "day"})
    exact = case_evidence.bounds(to_the_day, facts.ruling)  # a further sum rests on its days
    issued_on, payable, due = exact.ruled_by, exact.payable_from, exact.due_by
    return Application(
        ruling_kind=told["ruling_kind"],
        article=told["article"],
        part=told.get("part"),
        kind=told["kind"],
        amount=Money.parse(told["amount"], told["currency"]),
        issued=Span(issued_on, issued_on),
        payable=Span(payable, payable),
        due=Span(due, due),
        paid_on=case_evidence.day(told["paid_on"]),
        detained_days=told.get("detained_days"),
        received_on=date.fromisoformat(case["received_on"]),
        files={file["kind"] for file in case["evidence"]},
    )


def answer_on_wire(answer: Answer, obligation: str) -> dict[str, Any]:
    """A rule's answer on exact facts, as it is sealed and opened."""
    return {
        "obligation": obligation,
        "rule": answer.rule,
        "outcome": answer.outcome.value,
        "facts": dict(answer.facts),
    }


def _settle(desk: Desk, case: dict[str, Any], facts: Evidence, not_duplicates: Sequence[str]) -> Rejection | None:
    """Tests the exact facts of an opened case and signs the answer: one for all that it owes."""
    on = desk.now().date()
    asked = {owed["alias"]: application_of(case, facts, obligation=owed["alias"]) for owed in case["obligations"]}
    pack = jurisdictions.load(case["jurisdiction"])
    answers = {alias: rules.answer(pack, application, on=on) for alias, application in asked.items()}
    code = next((one.because for found in answers.values() for one in found if one.because), None)
    if code:
        _answer(desk, "reject_case", case, facts.commitments, detail=code, because=code)
    else:
        named = sorted(set(not_duplicates))
        box = _seal_answers(pack, case["alias"], facts, answers, on=on)
        assessed = assessments.assess(
            pack,
            case["alias"],
            {
                a: assessments.by_bounds(pack, told, case_evidence.bounds(pack, facts.ruling), on=on)
                for a, told in asked.items()
            },
            on=on,
            sealed=box["commitment"],
        )
        _answer(
            desk,
            "verify_case",
            case,
            facts.commitments,
            detail="+".join(named) or None,
            payee_commitment=assessed.commitment(),
            assessed=assessed.model_dump(mode="json"),
            box=box,
            not_duplicates=named,
        )
    return code


def _seal_answers(
    pack: Pack, alias: str, facts: Evidence, answers: Mapping[str, Sequence[Answer]], *, on: date
) -> dict[str, Any]:
    """The box with what the rules answered on exact facts."""
    content = {
        "on": on.isoformat(),
        "pack": pack.id,
        "pack_digest": jurisdictions.digest(pack),
        "answers": [answer_on_wire(one, obligation) for obligation, found in answers.items() for one in found],
    }
    return shelves.seal_json(facts.shelf_public, content, kind=assessments.KIND, alias=alias, field=assessments.FIELD)


def _shown(desk: Desk, case: dict[str, Any], facts: Evidence) -> list[Answer]:
    answers = [one for owed in case["obligations"] for one in answer(desk, case, facts, obligation=owed["alias"])]
    return [one for one in answers if one.outcome is Outcome.SHOWN]


def _answer(
    desk: Desk,
    verb: Verb,
    case: dict[str, Any],
    commitments: Sequence[str],
    *,
    detail: str | None = None,
    payee_commitment: str | None = None,
    **more: Any,
) -> None:
    """Signs an act about a case as it was seen, and sends it to the route that has the verb's name."""
    agreed = desk.agree(
        verb,
        case["alias"],
        version=case["version"],
        detail=detail,
        amount=Money.parse(case["owed"]["amount"], case["owed"]["currency"]),
        payee_commitment=payee_commitment,
        evidence=commitments,
    )
    path = f"/v1/cases/{case['alias']}/{verb.removesuffix('_case')}"
    desk.api.post(path, {"agreed": agreed, **more}, key=f"{verb}:{case['alias']}:{case['version']}")
