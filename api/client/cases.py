"""Cases from the operator's side: rows sealed and sent, evidence opened, exact dates tested, answers signed."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from api.client import compared, contents, previews, sealed_files, sealing
from api.client.contents import Content
from api.client.desk import Desk
from api.client.http import ApiRefusal
from api.client.lists import BadList, ListRow
from api.client.sealing import BadSignature, CannotOpen, WrongCommitment
from ledger.aid import assessments, eligibility, jurisdictions, rules
from ledger.aid.acts import EvidenceNotOpened, PossibleDuplicate
from ledger.aid.eligibility import Rejection
from ledger.aid.jurisdictions import NotDated, Pack
from ledger.aid.rules import Answer, Application, EvidenceMissing, Outcome, Span
from ledger.aliases import Kind, draw
from ledger.approvals import Verb
from ledger.errors import BadInput, Tampered
from ledger.identities.boxes import length_prefixed
from ledger.identities.shelves import OLDER_WRITING, ROW
from ledger.money import Money

ROWS_A_REQUEST = 100
SHELVES_A_REQUEST = 100
VAULT = "people"
POSSIBLE_DUPLICATE = PossibleDuplicate.rule
FOR_A_PERSON = (POSSIBLE_DUPLICATE, EvidenceNotOpened.rule, EvidenceMissing.rule)
"""Refusals of a case that a person must look at; the others go on."""
TOLD = "told"
"""What became of a case whose beneficiary was told; otherwise the rule of the refusal."""

Progress = Callable[[int, int], None]
"""Called with how many are done, of how many."""


class EvidenceDiffers(Tampered):
    """What a box holds is not what the books say about the case: refused before anything is signed."""

    rule = "evidence_differs"


class WhichObligation(BadInput):
    """The case owes several sums and none is named, or the one that is named is of another case."""

    rule = "which_obligation"


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rows were sent, and how many of them as rejected, by code."""

    rows: int
    rejected: dict[Rejection, int]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A case's opened boxes: who, and what exactly was ruled. In memory, on the operator's device only.

    `further` tells of what else is owed because of the ruling, by the obligation's alias; the ruling tells of one sum.
    """

    shelf_public: bytes
    identity: dict[str, Any]
    ruling: dict[str, Any]
    further: dict[str, dict[str, Any]]
    payees: dict[str, dict[str, Any]]
    payee_commitments: dict[str, str]
    assessments: dict[str, tuple[dict[str, Any], str]]
    """What rules answered on exact facts, by the alias of the case that was verified, and its commitment."""
    receipts: dict[str, int]
    """How many receipts of a disbursement are kept already, by its alias."""
    commitments: list[str]
    identity_commitment: str
    versions: dict[tuple[str, str], int]
    """The newest version of each box, by what it is of and its field."""

    def told_of(self, obligation: str) -> dict[str, Any]:
        """What the boxes say of one obligation: the ruling, with what its own box says instead."""
        return self.ruling | self.further.get(obligation, {})

    def owed_by(self, obligation: str) -> dict[str, str]:
        """The amount of one obligation, as the wire has it."""
        told = self.told_of(obligation)
        return {"amount": told["amount"], "currency": told["currency"]}


def import_rows(
    desk: Desk, rows: Sequence[ListRow], *, jurisdiction: str, list_name: str, progress: Progress | None = None
) -> Imported:
    """Seals and sends the rows of a list, in parts; the same rows again send the same bytes, or nothing.

    Rows that say the same but for their line are one. A row that was rejected is sent anew once the pack admits it.

    Raises:
        BadList: a row does not fit the jurisdiction; nothing is sent.
        ApiRefusal, ApiUnreachable: the parts before stay sent; the same call goes on where it stopped.
    """
    pack = jurisdictions.load(jurisdiction)
    check_rows(pack, rows)
    token_keys = {vault.epoch: sealing.token_key(vault) for vault in desk.vaults(VAULT)}
    newest = token_keys[desk.vault_public(VAULT).epoch]
    sent, _ = previews.without_repeats(rows)
    codes = [previews.rejection(pack, row, on=desk.now().date()) for row in sent]
    is_rejected = {row: code is not None for row, code in zip(sent, codes, strict=True)}
    for start in range(0, len(sent), ROWS_A_REQUEST):
        part = sent[start : start + ROWS_A_REQUEST]
        rows_told = " ".join(_row_token(newest, row, list_name, rejected=is_rejected[row]) for row in part)
        key = f"cases:{sealing.token(newest, field='part', value=rows_told)}"
        if not desk.api.was_answered(key):  # sealing is what takes long
            lines = (json.dumps(_sealed_row(desk, pack, row, token_keys, list_name)).encode() for row in part)
            desk.api.post_bytes("/v1/case-imports", b"\n".join(lines), content_type="application/x-ndjson", key=key)
        if progress:
            progress(min(start + ROWS_A_REQUEST, len(sent)), len(sent))
    return Imported(len(sent), dict(Counter(code for code in codes if code)))


def listed(desk: Desk, *, state: str | None = None) -> Iterator[dict[str, Any]]:
    """All cases in a state, page by page."""
    cursor: str | None = None
    while True:
        page = desk.api.get("/v1/cases", state=state, cursor=cursor)
        yield from page["cases"]
        cursor = page["next"]
        if cursor is None:
            return


def open_case(desk: Desk, case: dict[str, Any], *, reason: str) -> Evidence:
    """Fetches (which is logged), opens and checks a case's boxes against their commitments.

    Raises:
        CannotOpen, WrongCommitment, WrongKey, BadSignature: something was altered or swapped.
    """
    (ruling,), beneficiary = case["rulings"], case["beneficiary"]
    owed = [one["alias"] for one in case["obligations"]]
    opened = desk.api.get(f"/v1/boxes/{beneficiary}", reason=reason)
    return _open(desk, opened, beneficiary, ruling=ruling["alias"], owed=owed)


def check_many(desk: Desk, cases: Sequence[dict[str, Any]], *, reason: str) -> dict[str, Evidence]:
    """As `check_evidence` for many cases, a hundred shelves at a time; by the case's alias.

    Raises:
        EvidenceDiffers, CannotOpen, WrongCommitment, WrongKey, BadSignature: see there; `case` names the first.
    """
    checked: dict[str, Evidence] = {}
    for alias, found in look_at_many(desk, cases, reason=reason):
        if isinstance(found, Tampered):
            raise found
        checked[alias] = found
    return checked


def look_at_many(
    desk: Desk, cases: Sequence[dict[str, Any]], *, reason: str
) -> Iterator[tuple[str, Evidence | Tampered]]:
    """Each case's evidence by its alias, or why it does not hold: one such case does not stop the others."""
    by_alias = {case["alias"]: case for case in cases}
    waiting = list(by_alias.values())
    for start in range(0, len(waiting), SHELVES_A_REQUEST):
        part = waiting[start : start + SHELVES_A_REQUEST]
        shelves = list(dict.fromkeys(case["beneficiary"] for case in part))
        answer = desk.api.get("/v1/boxes", alias=shelves, reason=reason)
        opened = dict(zip(shelves, answer["opened"], strict=True))
        for case in part:
            (ruling,) = case["rulings"]
            beneficiary = case["beneficiary"]
            owed = [one["alias"] for one in case["obligations"]]
            try:
                evidence = _open(desk, opened[beneficiary], beneficiary, ruling=ruling["alias"], owed=owed)
                yield case["alias"], _hold_against(desk, case, evidence)
            except Tampered as error:
                error.data["case"] = case["alias"]
                yield case["alias"], error


def _open(desk: Desk, opened: dict[str, Any], beneficiary: str, *, ruling: str, owed: Sequence[str]) -> Evidence:
    shelf, seed = open_shelf(desk, opened, alias=beneficiary)
    boxes = sorted(opened["boxes"], key=lambda box: int(box["version"]))
    newest = {(box["kind"], box["alias"], box["field"]): box for box in boxes}
    identity, details = ("beneficiary", beneficiary, "identity"), ("ruling", ruling, "details")
    further = {alias: place for alias in owed if (place := ("obligation", alias, "details")) in newest}
    if not {identity, details} <= newest.keys():
        raise CannotOpen("a box is missing", shelf=beneficiary)
    payees = {alias: box for (_, alias, field), box in newest.items() if field == "payee"}
    answered = (assessments.KIND, assessments.FIELD)
    assessed = {alias: box for (kind, alias, field), box in newest.items() if (kind, field) == answered}
    return Evidence(
        shelf_public=shelf.public,
        identity=_read(seed, newest[identity], contents.Person),
        ruling=_read(seed, newest[details], contents.Ruled),
        further={alias: _read(seed, newest[place], contents.Owed) for alias, place in further.items()},
        payees=_readable(seed, payees, contents.Payee),
        payee_commitments={alias: box["commitment"] for alias, box in payees.items()},
        assessments={
            alias: (content, assessed[alias]["commitment"])
            for alias, content in _readable(seed, assessed, contents.Answered).items()
        },
        receipts=Counter(box["alias"] for box in boxes if box["field"] == "receipt"),
        commitments=sorted(newest[place]["commitment"] for place in (identity, details, *further.values())),
        identity_commitment=newest[identity]["commitment"],
        versions={(box["alias"], box["field"]): box["version"] for box in boxes},
    )


def _read(seed: bytes, box: dict[str, Any], content: type[Content]) -> dict[str, Any]:
    place = {"kind": box["kind"], "alias": box["alias"], "field": box["field"], "version": box["version"]}
    held = contents.read(content, sealing.open_committed(seed, box, **place))
    return held.model_dump(mode="json", exclude_unset=True)


def _readable(seed: bytes, boxes: Mapping[str, dict[str, Any]], content: type[Content]) -> dict[str, dict[str, Any]]:
    """What can be read of these: a payee that cannot is nobody's, and must not keep the case from being paid anew."""
    found: dict[str, dict[str, Any]] = {}
    for alias, box in boxes.items():
        with suppress(CannotOpen, WrongCommitment):
            found[alias] = _read(seed, box, content)
    return found


def open_shelf(desk: Desk, opened: dict[str, Any], *, alias: str) -> tuple[sealing.Shelf, bytes]:
    """A fetched shelf and its seed, in memory only.

    Raises:
        CannotOpen, WrongKey, BadSignature: it is another one, or was altered or swapped.
    """
    shelf = check_shelf(desk, opened["shelf"] | {"signer": opened["signer"]}, alias=alias)
    vault = desk.vault(shelf.vault, opened["wrap_epoch"])
    return shelf, sealing.open_wrap(vault, shelf.wrap, alias=shelf.alias, public=shelf.public)


def check_shelf(desk: Desk, wire: dict[str, Any], *, alias: str) -> sealing.Shelf:
    """A shelf as the API tells of it, once its signer in the roster stands for its key.

    Raises:
        CannotOpen: it is another one. BadSignature: its key is not signed.
    """
    shelf = sealing.Shelf(
        alias=wire["alias"],
        vault=wire["vault"],
        epoch=wire["epoch"],
        public=sealing.from_base64(wire["public"]),
        signature=wire["signature"],
        wrap=sealing.from_base64(wire.get("wrap", "")),
    )
    desk.check_shelf(shelf, signer=wire["signer"])
    if shelf.alias != alias:
        raise CannotOpen("the server answered with another shelf")
    return shelf


def check_file(desk: Desk, file: dict[str, Any], *, subject: str, shelf: str) -> str:
    """The commitment of a file of evidence, once its signer stands for it, though they may have left since.

    Raises:
        BadSignature: no key that they had in any roster signed it.
    """
    keys = {o.signing_key for roster in desk.rosters for o in roster.operators if o.alias == file["signer"]}
    for key in sorted(keys):
        with suppress(BadSignature):
            return sealed_files.check_file(file, subject=subject, shelf=shelf, signed_by=key)
    raise BadSignature("the file is not signed by this operator", alias=file["alias"])


def verify(desk: Desk, alias: str, *, not_duplicates: Sequence[str] = ()) -> Rejection | None:
    """Opens a received case, tests its exact facts, and signs the answer: verified, or rejected with a code.

    The cases that the operator found to be others are opened too: nobody says so of what they have not seen.

    Raises:
        EvidenceDiffers: the boxes and the books disagree; nothing is signed.
    """
    for other in not_duplicates:
        check_evidence(desk, desk.api.get(f"/v1/cases/{other}"), reason="verification")
    case = desk.api.get(f"/v1/cases/{alias}")
    return _settle(desk, case, check_evidence(desk, case, reason="verification"), not_duplicates)


def verify_many(
    desk: Desk,
    aliases: Sequence[str],
    *,
    progress: Progress | None = None,
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
    evidence = dict(look_at_many(desk, found, reason="verification"))
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
            {a: assessments.by_bounds(pack, told, _bounds(pack, facts.ruling), on=on) for a, told in asked.items()},
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
    return seal_json(facts.shelf_public, content, kind=assessments.KIND, alias=alias, field=assessments.FIELD)


def answer_on_wire(answer: Answer, obligation: str) -> dict[str, Any]:
    """A rule's answer on exact facts, as it is sealed and opened."""
    return {
        "obligation": obligation,
        "rule": answer.rule,
        "outcome": answer.outcome.value,
        "facts": dict(answer.facts),
    }


def _shown(desk: Desk, case: dict[str, Any], facts: Evidence) -> list[Answer]:
    answers = [one for owed in case["obligations"] for one in answer(desk, case, facts, obligation=owed["alias"])]
    return [one for one in answers if one.outcome is Outcome.SHOWN]


def answer(desk: Desk, case: dict[str, Any], facts: Evidence, *, obligation: str) -> list[Answer]:
    """What every rule says today about the exact facts of one obligation of an opened case."""
    application = application_of(case, facts, obligation=obligation)
    return rules.answer(jurisdictions.load(case["jurisdiction"]), application, on=desk.now().date())


def application_of(case: dict[str, Any], facts: Evidence, *, obligation: str) -> Application:
    """The exact facts of one obligation of an opened case, as the rules take them."""
    pack = jurisdictions.load(case["jurisdiction"])
    told = facts.told_of(obligation)
    exact = _bounds(pack.model_copy(update={"grain": "day"}), facts.ruling)  # a further sum rests on its days
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
        paid_on=_day(told["paid_on"]),
        detained_days=told.get("detained_days"),
        received_on=date.fromisoformat(case["received_on"]),
        files={file["kind"] for file in case["evidence"]},
    )


def reject(desk: Desk, alias: str, *, because: Rejection) -> None:
    """Opens a case and rejects it with a code, signed: a duplicate, an illegible ruling, an unsafe channel.

    Whose boxes do not open, hold something else than is sealed there, or disagree with the books, is illegible.

    Raises:
        EvidenceDiffers, CannotOpen, WrongCommitment, WrongKey, BadSignature: so it is, and the code is another one;
            nothing is signed.
    """
    case = desk.api.get(f"/v1/cases/{alias}")
    try:
        commitments = check_evidence(desk, case, reason="verification").commitments
    except Tampered:
        if because is not Rejection.ILLEGIBLE:
            raise
        commitments = case["evidence_commitments"]
    _answer(desk, "reject_case", case, commitments, detail=because, because=because)


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


def payable_on(pack: Pack, ruling: dict[str, Any]) -> date:
    """The exact day from which an opened ruling may be paid: in force, or served."""
    return _bounds(pack.model_copy(update={"grain": "day"}), ruling).payable_from


def tell(desk: Desk, alias: str, *, told_on: date) -> dict[str, Any]:
    """Notes that the beneficiary of a case was told of all that is approved by now, once for each sum and day."""
    owed = desk.api.get(f"/v1/cases/{alias}")["obligations"]
    # A second sum that is approved on the same day is told of by another request.
    waiting = ":".join(sorted(one["alias"] for one in owed if one["state"] == "approved" and one["told_on"] is None))
    answer: dict[str, Any] = desk.api.post(
        f"/v1/cases/{alias}/told", {"told_on": told_on.isoformat()}, key=f"told:{alias}:{told_on}:{waiting}"
    )
    return answer


def tell_many(desk: Desk, aliases: Sequence[str], *, told_on: date) -> dict[str, str]:
    """As `tell` for many cases: what became of each, `told` or the rule by which it was refused.

    Raises:
        ApiUnreachable: see there.
    """
    answers: dict[str, str] = {}
    for alias in aliases:
        try:
            tell(desk, alias, told_on=told_on)
        except ApiRefusal as refusal:
            answers[alias] = refusal.rule
        else:
            answers[alias] = TOLD
    return answers


def untold(desk: Desk) -> Iterator[str]:
    """The cases of which something is approved that the beneficiary was not told of."""
    for listed_one in listed(desk, state="approved"):
        case = desk.api.get(f"/v1/cases/{listed_one['alias']}")
        if any(one["state"] == "approved" and one["told_on"] is None for one in case["obligations"]):
            yield case["alias"]


def check_evidence(desk: Desk, case: dict[str, Any], *, reason: str) -> Evidence:
    """Opens a case and holds what the boxes say against what the books say.

    Raises:
        EvidenceDiffers: `field` tells where they disagree.
    """
    return _hold_against(desk, case, open_case(desk, case, reason=reason))


def _hold_against(desk: Desk, case: dict[str, Any], evidence: Evidence) -> Evidence:
    """The evidence with the commitments of the case's files, whose content their operators have signed for."""
    alias, shelf = case["alias"], case["beneficiary"]
    files = [check_file(desk, file, subject=alias, shelf=shelf) for file in case["evidence"]]
    evidence = replace(evidence, commitments=sorted([*evidence.commitments, *files]))
    (ruling,) = case["rulings"]
    owed = {one["alias"]: one for one in case["obligations"]}
    in_ruling = [one for one in owed if one not in evidence.further]
    bounds = _bounds_told(jurisdictions.load(case["jurisdiction"]), evidence.ruling)
    told = evidence.ruling
    compared = {
        "evidence_commitments": (case["evidence_commitments"], evidence.commitments),
        "article": (ruling["article"], told["article"]),
        "obligations": (len(in_ruling), 1),  # each sum stands in one box: the ruling's, or its own
        "kind": ({alias: one["kind"] for alias, one in owed.items()}, {a: evidence.told_of(a)["kind"] for a in owed}),
        "amount": ({alias: one["amount"] for alias, one in owed.items()}, {a: evidence.owed_by(a) for a in owed}),
        "ruled_by": (ruling["ruled_by"], bounds.ruled_by.isoformat()),
        "payable_from": (ruling["payable_from"], bounds.payable_from.isoformat()),
        "due_by": (ruling["due_by"], bounds.due_by.isoformat()),
        "force_presumed": (ruling["force_presumed"], bounds.force_presumed),
    }
    for name, (books, boxes) in compared.items():
        if books != boxes:
            raise EvidenceDiffers("the boxes and the books disagree", case=case["alias"], field=name)
    return evidence


def chosen(case: dict[str, Any], obligation: str | None) -> dict[str, Any]:
    """The obligation of a case that is named, or its only one: nobody takes the first of several.

    Raises:
        WhichObligation: several are owed and none is named, or none of this case is.
    """
    found = [one for one in case["obligations"] if obligation in {None, one["alias"]}]
    if len(found) != 1:
        raise WhichObligation(
            "tell which obligation of the case is meant", case=case["alias"], obligations=len(case["obligations"])
        )
    (one,) = found
    return dict(one)


def _sealed_row(
    desk: Desk, pack: Pack, row: ListRow, token_keys: Mapping[int, bytes], list_name: str
) -> dict[str, Any]:
    beneficiary, case = draw(Kind.BENEFICIARY), draw(Kind.CASE)
    ruling, obligation = draw(Kind.RULING), draw(Kind.OBLIGATION)
    shelf = desk.draw_shelf(VAULT, alias=beneficiary)
    details, identity = details_of(row), identity_of(row)
    rejection = previews.rejection(pack, row, on=desk.now().date())
    boxes = [
        seal_json(shelf.public, identity, kind="beneficiary", alias=beneficiary, field="identity"),
        seal_json(shelf.public, details, kind="ruling", alias=ruling, field="details"),
    ]
    return {
        "case": case,
        "ruling": ruling,
        "obligation": obligation,
        "jurisdiction": pack.id,
        **coarse_facts(pack, row),
        "rejection": rejection,
        "shelf": shelf_on_wire(shelf),
        "boxes": boxes,
        "tokens": [
            *_row_tokens(row, token_keys, list_name, rejected=rejection is not None),
            *compared.tokens_of(row, token_keys),
        ],
    }


def coarse_facts(pack: Pack, row: ListRow) -> dict[str, Any]:
    """What the server is told of a row's ruling and of what it asks for."""
    bounds = _bounds(pack, details_of(row))
    return {
        "article": row.article,
        "region": row.region,
        "kind": row.kind,
        "amount": {"amount": row.amount.decimal(), "currency": row.amount.currency},
        "ruled_by": bounds.ruled_by.isoformat(),
        "payable_from": bounds.payable_from.isoformat(),
        "due_by": bounds.due_by.isoformat(),
        "force_presumed": bounds.force_presumed,
    }


def seal_json(
    public: bytes, content: dict[str, Any], *, kind: str, alias: str, field: str, version: int = 1
) -> dict[str, Any]:
    """A sealed box of JSON, as the API takes it."""
    box = sealing.seal(public, json.dumps(content).encode(), kind=kind, alias=alias, field=field, version=version)
    return {
        "kind": kind,
        "alias": alias,
        "field": field,
        "version": version,
        "bytes": sealing.to_base64(box.data),
        "commitment": box.commitment,
    }


def shelf_on_wire(shelf: sealing.Shelf) -> dict[str, Any]:
    """A shelf as the API takes it."""
    return {
        "alias": shelf.alias,
        "vault": shelf.vault,
        "epoch": shelf.epoch,
        "public": sealing.to_base64(shelf.public),
        "signature": shelf.signature,
        "wrap": sealing.to_base64(shelf.wrap),
    }


def identity_of(row: ListRow) -> dict[str, Any]:
    """What is sealed of the person."""
    return {"name": row.name, "payee_account": row.payee_account}


def details_of(row: ListRow) -> dict[str, Any]:
    """What is sealed of a ruling: all of it, exactly."""
    days = {name: getattr(row, name) for name in ("issued_on", "in_force_on", "served_on", "paid_on")}
    # Only when told: rows without it say what they said before there was such a column, and are known as the same.
    detained = {"detained_days": row.detained_days} if row.detained_days is not None else {}
    return {
        "ruling_number": row.ruling_number,
        "court": row.court,
        "ruling_kind": row.ruling_kind,
        "article": row.article,
        "part": row.part,
        "kind": row.kind.value,
        "amount": row.amount.decimal(),
        "currency": row.amount.currency,
        **{name: day.isoformat() if day else None for name, day in days.items()},
        **detained,
    }


def _bounds(pack: Pack, details: dict[str, Any]) -> eligibility.Bounds:
    issued_on = _day(details["issued_on"])
    if issued_on is None:
        raise EvidenceDiffers("a case without a ruling's day has no bounds", field="issued_on")
    return eligibility.bounds(
        pack,
        kind=details["kind"],
        issued_on=issued_on,
        in_force_on=_day(details["in_force_on"]),
        served_on=_day(details["served_on"]),
    )


def _bounds_told(pack: Pack, details: dict[str, Any]) -> eligibility.Bounds:
    """The bounds of what a box says, which may be a day that the pack knows nothing of."""
    try:
        return _bounds(pack, details)
    except NotDated:
        raise EvidenceDiffers("the pack has no deadlines for the day in the box", field="issued_on") from None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _row_tokens(
    row: ListRow, token_keys: Mapping[int, bytes], list_name: str, *, rejected: bool
) -> list[dict[str, Any]]:
    """The tokens of the row for every epoch; a rejected one also asks whether it came before and was admitted."""
    told = [(epoch, key, rejected) for epoch, key in token_keys.items()]
    told += [(OLDER_WRITING, key, False) for key in token_keys.values() if rejected]
    return [
        {"epoch": epoch, "field": ROW, "value": _row_token(key, row, list_name, rejected=as_rejected)}
        for epoch, key, as_rejected in told
    ]


def _row_token(token_key: bytes, row: ListRow, list_name: str, *, rejected: bool) -> str:
    """The same row of the same list has the same token, on every device of the vault and whatever its line.

    One that is rejected has another: when the pack is mended, the same list brings the row as a case.
    """
    details = json.dumps(details_of(row), sort_keys=True)
    outcome = ("rejected",) if rejected else ()
    content = length_prefixed(list_name, details, row.name, row.region, row.payee_account, *outcome)
    return sealing.token(token_key, field="row", value=content.hex())


def check_rows(pack: Pack, rows: Sequence[ListRow]) -> None:
    """Refuses rows that do not fit the jurisdiction; `where` names the line and the column.

    Raises:
        BadList: see there.
    """
    for row in rows:
        for fault in previews.misfits(pack, row):
            raise BadList(fault.what, where=fault.where)
