"""Dossiers on the operator's device: every signature checked again, and exact facts opened where they are asked for."""

from typing import Any

from pydantic import ValidationError

from api.client import case_evidence, evidence
from api.client.case_evidence import Evidence, EvidenceDiffers
from api.client.desk import Desk
from ledger import people
from ledger.approvals import ACT_DOMAIN
from ledger.errors import Tampered
from reports.dossier.facts import Act, Facts, File, Opened, OpenedAnswer

REASON = "audit"
"""What the log of readings says of an opened dossier."""


class BadDossier(Tampered):
    """The server's answer is no dossier of this case."""

    rule = "bad_dossier"


def fetch(desk: Desk, alias: str) -> Facts:
    """The facts of a case, whose signatures were checked by the rosters that this device trusts.

    Raises:
        BadDossier: see there. ApiRefusal, ApiUnreachable.
    """
    try:
        told = Facts.model_validate(desk.api.get(f"/v1/cases/{alias}/dossier.json")["facts"])
    except (ValidationError, KeyError, TypeError):
        raise BadDossier("the server's answer is no dossier", case=alias) from None
    if (told.case, told.book) != (alias, desk.roster.book):
        raise BadDossier("the server's answer is about another case or book", case=alias)
    checked = tuple(act.model_copy(update={"holds": holds(desk, act)}) for act in told.acts)
    files = tuple(one.model_copy(update={"holds": file_holds(desk, told, one)}) for one in told.files)
    checked_here = {"acts": checked, "files": files, "checked_by": desk.device.alias, "opened": None}
    return told.model_copy(update=checked_here)


def holds(desk: Desk, act: Act) -> bool:
    """Whether an act is signed by its signer, with the key they had in the roster it names, in this book."""
    roster = next((one for one in desk.rosters if one.number == act.roster), None)
    signer = next((one for one in roster.operators if one.alias == act.signer), None) if roster else None
    if signer is None or not people.holds(signer.signing_key, ACT_DOMAIN + act.document.encode(), act.signature):
        return False
    said = {"signer": act.signer, "object": act.object, "nonce": act.nonce, "book": desk.roster.book}
    is_verb = str(act.content.get("act")).partition(":")[0] == act.verb  # its detail stands behind it
    return is_verb and said.items() <= act.content.items()


def file_holds(desk: Desk, facts: Facts, file: File) -> bool:
    """Whether a file is signed by who brought it, with a key they had in any roster: they may have left since."""
    keys = {o.signing_key for roster in desk.rosters for o in roster.operators if o.alias == file.signer}
    message = file.message(case=facts.case, shelf=facts.beneficiary)
    return any(people.holds(key, message, file.signature) for key in sorted(keys))


def open_facts(desk: Desk, facts: Facts) -> Facts:
    """The same with what the boxes and files hold, each against its commitment; every reading is logged.

    What cannot be opened or disagrees is told in the dossier, and stops nothing: it is what a dossier is for.

    Raises:
        ApiRefusal, ApiUnreachable.
    """
    by = desk.device.alias
    case = desk.api.get(f"/v1/cases/{facts.case}")
    try:
        found = case_evidence.check_evidence(desk, case, reason=REASON)
        files = evidence.check_contents(desk, case, reason=REASON)
    except EvidenceDiffers as differs:
        return _with(facts, Opened(by=by, refused=differs.rule, where=str(differs.data.get("field"))))
    except Tampered as unreadable:
        return _with(facts, Opened(by=by, refused=unreadable.rule))
    return _with(facts, _opened(found, by=by, files=files, answers=_answers(facts, found)))


def _answers(facts: Facts, found: Evidence) -> tuple[OpenedAnswer, ...] | None:
    """What the rules answered on exact facts, where it is what the signed document says was sealed."""
    content = facts.assessment.content if facts.assessment else None
    sealed, commitment = found.assessments.get(facts.case, ({}, None))
    if content is None or commitment != content.sealed:
        return None
    try:
        answers = tuple(OpenedAnswer.model_validate(one) for one in sealed["answers"])
    except (ValidationError, KeyError, TypeError):
        return None
    said = (sealed.get("on"), sealed.get("pack"), sealed.get("pack_digest"))
    told = (content.on.isoformat(), content.pack, content.pack_digest)
    asked = [(one.obligation, one.rule) for one in content.answers]
    return answers if said == told and sorted((one.obligation, one.rule) for one in answers) == sorted(asked) else None


def _opened(found: Evidence, *, by: str, files: list[str], answers: tuple[OpenedAnswer, ...] | None) -> Opened:
    ruling: dict[str, Any] = found.ruling
    return Opened(
        by=by,
        issued_on=ruling["issued_on"],
        in_force_on=ruling.get("in_force_on"),
        served_on=ruling.get("served_on"),
        court=ruling["court"],
        ruling_number=ruling["ruling_number"],
        files=tuple(files),
        answers=answers,
    )


def _with(facts: Facts, opened: Opened) -> Facts:
    return facts.model_copy(update={"opened": opened})
