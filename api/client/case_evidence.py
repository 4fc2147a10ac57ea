"""What a case rests on, opened on the operator's device and held against the books."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from api.client import contents, sealing, shelves
from api.client.contents import Content
from api.client.desk import Desk
from api.client.sealing import CannotOpen, WrongCommitment
from ledger.aid import assessments, eligibility, jurisdictions
from ledger.aid.jurisdictions import NotDated, Pack
from ledger.errors import Tampered

SHELVES_A_REQUEST = 100


class EvidenceDiffers(Tampered):
    """What a box holds is not what the books say about the case: refused before anything is signed."""

    rule = "evidence_differs"


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


def open_case(desk: Desk, case: dict[str, Any], *, reason: str) -> Evidence:
    """Fetches (which is logged), opens and checks a case's boxes against their commitments.

    Raises:
        CannotOpen, WrongCommitment, WrongKey, BadSignature: something was altered or swapped.
    """
    (ruling,), beneficiary = case["rulings"], case["beneficiary"]
    owed = [one["alias"] for one in case["obligations"]]
    opened = desk.api.get(f"/v1/boxes/{beneficiary}", reason=reason)
    return _open(desk, opened, beneficiary, ruling=ruling["alias"], owed=owed)


def check_evidence(desk: Desk, case: dict[str, Any], *, reason: str) -> Evidence:
    """Opens a case and holds what the boxes say against what the books say.

    Raises:
        EvidenceDiffers: `field` tells where they disagree.
    """
    return _hold_against(desk, case, open_case(desk, case, reason=reason))


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


def payable_on(pack: Pack, ruling: dict[str, Any]) -> date:
    """The exact day from which an opened ruling may be paid: in force, or served."""
    return bounds(pack.model_copy(update={"grain": "day"}), ruling).payable_from


def bounds(pack: Pack, details: dict[str, Any]) -> eligibility.Bounds:
    """What a ruling's exact days leave of it in the grain of a pack.

    Raises:
        EvidenceDiffers: it has no day. NotDated: the pack has no deadlines for the day.
    """
    issued_on = day(details["issued_on"])
    if issued_on is None:
        raise EvidenceDiffers("a case without a ruling's day has no bounds", field="issued_on")
    return eligibility.bounds(
        pack,
        kind=details["kind"],
        issued_on=issued_on,
        in_force_on=day(details["in_force_on"]),
        served_on=day(details["served_on"]),
    )


def day(text: str | None) -> date | None:
    """A day as boxes and rows cases.tell it, if it is told."""
    return date.fromisoformat(text) if text else None


def _open(desk: Desk, opened: dict[str, Any], beneficiary: str, *, ruling: str, owed: Sequence[str]) -> Evidence:
    shelf, seed = shelves.open_shelf(desk, opened, alias=beneficiary)
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


def _hold_against(desk: Desk, case: dict[str, Any], evidence: Evidence) -> Evidence:
    """The evidence with the commitments of the case's files, whose content their operators have signed for."""
    alias, shelf = case["alias"], case["beneficiary"]
    files = [shelves.check_file(desk, file, subject=alias, shelf=shelf) for file in case["evidence"]]
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


def _bounds_told(pack: Pack, details: dict[str, Any]) -> eligibility.Bounds:
    """The bounds of what a box says, which may be a day that the pack knows nothing of."""
    try:
        return bounds(pack, details)
    except NotDated:
        raise EvidenceDiffers("the pack has no deadlines for the day in the box", field="issued_on") from None
