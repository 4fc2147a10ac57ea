"""The dossier on A4 and as JSON: the answer, each statement with what it rests on, then the lists in full."""

import json
from collections.abc import Iterator

from reports import layout
from reports.dossier import assessed
from reports.dossier.chain import Chain, chains
from reports.dossier.facts import SERVER, Act, Entry, Facts
from reports.dossier.steps import Standing
from reports.pagination import GROUP, LINE, NOTE, SECTION, Column, Row

KINDS = {"fine": "Fine", "detention": "Detention bill", "court_fee": "Court fee"}

_COLUMNS = (
    Column("Step", width=84),
    Column("Standing", width=70),
    Column("What is shown"),
    Column("It rests on", width=126),
)
_HOW_TO_READ = (
    "How to read this. A signature is an Ed25519 signature over the act as listed, made on the device of the operator "
    "named, whose key stands in the fund's signed roster. A commitment is a keyed hash of a sealed document: who opens "
    "the document can show that it is the one meant, and nobody can read it from the hash. An entry is a numbered, "
    "balanced entry of the journal with a fingerprint of its content. Where the jurisdiction asks for it, days of "
    'rulings are ends of weeks, never earlier than the true day. "Not established" means that nothing kept here shows '
    'it, not that it did not happen. "Recorded" statements are the fund\'s own; nobody has signed them.'
)


def render_pdf(facts: Facts) -> bytes:
    """The dossier as PDF.

    Raises:
        MissingGlyph: a character that cannot be shown.
    """
    return layout.render(lay_out(facts))


def render_json(facts: Facts) -> bytes:
    """Facts and chains as JSON in UTF-8; `read_json` reads the facts back."""
    content = {"facts": facts.model_dump(mode="json"), "chains": [_as_json(chain) for chain in chains(facts)]}
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"


def lay_out(facts: Facts) -> layout.Document:
    """The dossier before it is drawn."""
    day = facts.as_of.date()
    said = f"{day.day} {day:%B %Y}"
    return layout.Document(
        organisation=facts.organisation,
        label=f"Dossier {facts.case} · {said}",
        title="Dossier of a case",
        subtitle=f"{facts.case} · from the ruling to the receipt, as known on {said}",
        prepared=_prepared(facts),
        columns=_COLUMNS,
        rows=tuple(_rows(facts)),
    )


def _rows(facts: Facts) -> Iterator[Row]:
    found = chains(facts)
    yield Row(GROUP, (_answer(found),))
    yield Row(NOTE, (_case(facts),))
    for chain in found:
        one = chain.obligation
        yield Row(SECTION, (f"{KINDS.get(one.kind, one.kind)} of {one.amount}, obligation {one.alias}",))
        for step in chain.steps:
            yield Row(LINE, (step.title, _mark(step.standing), step.says, "; ".join(step.rests_on) or "nothing"))
    yield from _answers(facts)
    if facts.opened is not None and facts.opened.refused is None:
        yield Row(SECTION, ("Opened for this dossier",))
        yield from _opened(facts)
    yield Row(SECTION, ("Signed acts, in the order they were recorded",))
    if not facts.acts:
        yield Row(NOTE, ("No signed act is kept about this case.",))
    for number, act in enumerate(facts.acts, start=1):
        yield Row(LINE, (f"Act {number}", "Holds" if act.holds else "DOES NOT HOLD", _said(act), f"nonce {act.nonce}"))
    yield Row(SECTION, ("Journal entries about this case",))
    if not facts.entries:
        yield Row(NOTE, ("The journal has no entry about this case.",))
    for entry in facts.entries:
        standing = "Intact" if entry.intact else "ALTERED"
        yield Row(LINE, (f"Entry {entry.number}", standing, _booked(entry), f"fingerprint {entry.fingerprint}"))
    yield Row(SECTION, ("Sealed documents",))
    yield from _sealed(facts)
    yield Row(GROUP, ("",))
    yield Row(NOTE, (_HOW_TO_READ,))


def _answers(facts: Facts) -> Iterator[Row]:
    """What the rules answered of each obligation, and by which version of which pack."""
    content = facts.assessment.content if facts.assessment else None
    if content is None:
        return
    exact = facts.opened is not None and facts.opened.answers is not None
    how = "on exact facts, as opened" if exact else "by the ruling's bounds"
    yield Row(SECTION, (f"What the rules answered on {content.on.isoformat()}, {how}",))
    told = "" if exact else " Of the facts only the names stand here; their exact values are sealed."
    yield Row(NOTE, (f"Pack {content.pack}, SHA-256 {content.pack_digest} over all that it says.{told}",))
    for obligation in facts.obligations:
        if len(facts.obligations) > 1:
            yield Row(NOTE, (f"{KINDS.get(obligation.kind, obligation.kind)}, obligation {obligation.alias}",))
        for one in assessed.answers_of(facts, obligation.alias):
            yield Row(LINE, (one.rule.capitalize(), one.outcome.capitalize(), one.says, assessed.source_of(facts)))


def _answer(found: list[Chain]) -> str:
    broken = sum(step.standing is Standing.CONTRADICTED for chain in found for step in chain.steps)
    missing = sum(step.standing is Standing.MISSING for chain in found for step in chain.steps)
    if not found:
        return "No obligation is recorded: there is nothing to show."
    if broken:
        return f"THE CHAIN DOES NOT HOLD. Contradicted by what is kept: {broken}. Not established: {missing}."
    if missing:
        return f"The chain is INCOMPLETE. Contradicted by what is kept: 0. Not established: {missing}."
    return "Every statement from the ruling to the receipt is established by what is listed beside it."


def _case(facts: Facts) -> str:
    rejected = f" ({facts.rejection})" if facts.rejection else ""
    return (
        f"Case {facts.case} of beneficiary {facts.beneficiary}, jurisdiction {facts.jurisdiction}, received on "
        f"{facts.received_on.isoformat()}, entered by {facts.entered_by}; the books call it {facts.state}{rejected}. "
        f"{_checked(facts)} Book {facts.book}."
    )


def _checked(facts: Facts) -> str:
    if facts.checked_by == SERVER:
        return "Signatures were checked by the server that keeps the books."
    return (
        f"Signatures were checked again on the device of {facts.checked_by}, by the roster that it trusts; rows and "
        "entries are as the server tells them."
    )


def _prepared(facts: Facts) -> str:
    if facts.opened is not None:
        return f"Prepared on the device of {facts.opened.by}; holds what it opened"
    return "Prepared from the books; nothing was opened for it"


def _mark(standing: Standing) -> str:
    return standing.upper() if standing is Standing.CONTRADICTED else standing.capitalize()


def _opened(facts: Facts) -> Iterator[Row]:
    opened = facts.opened
    if opened is None:
        return
    told = {
        "Issued on": opened.issued_on,
        "In force on": opened.in_force_on or "not told; presumed from the days of appeal",
        "Served on": opened.served_on or "not told",
        "Court": opened.court,
        "Ruling no.": opened.ruling_number,
    }
    for title, value in told.items():
        yield Row(LINE, (title, "opened", value or "not told", "details of the ruling"))


def _said(act: Act) -> str:
    content = act.content
    amount = f" {content['amount']} {content['currency']}" if content.get("amount") else ""
    at = content.get("at", "no readable time")
    return (
        f"{act.verb.replace('_', ' ')} {act.object}{amount}, by {act.signer} at {at}, by roster {act.roster}; "
        f"restates {len(act.commitments)} commitments. Signature {act.signature}"
    )


def _booked(entry: Entry) -> str:
    lines = "; ".join(f"{line.side} {line.account} {line.amount} ({line.fund})" for line in entry.lines)
    about = f", reverses entry {entry.reverses}" if entry.reverses else ""
    about += f", reversed by entry {entry.reversed_by}" if entry.reversed_by else ""
    return f"{entry.kind.replace('_', ' ')} on {entry.effective_on.isoformat()}{about}: {lines}"


def _sealed(facts: Facts) -> Iterator[Row]:
    checked = set(facts.opened.files) if facts.opened else set()
    for box in facts.boxes:
        says = f"{box.kind}: {box.field}, version {box.version}{_restated(facts, box.commitment)}"
        yield Row(LINE, (box.alias, "Sealed", says, box.commitment))
    for file in facts.files:
        standing = "Opened, agrees" if file.commitment in checked else "Sealed"
        gone = f", content dropped on {file.dropped_on}" if file.dropped_on else ""
        signed = "signed by" if file.holds else "NOT SIGNED as it stands by"
        says = f"file: {file.kind}, version {file.version}, {signed} {file.signer}{gone}"
        yield Row(LINE, (file.alias, standing, says + _restated(facts, file.commitment), file.commitment))
    if not facts.boxes and not facts.files:
        yield Row(NOTE, ("No sealed document is kept.",))


def _restated(facts: Facts, commitment: str) -> str:
    """Which acts rest on a document: what was brought after an act is not among what its signer has seen."""
    found = [
        str(number)
        for number, act in enumerate(facts.acts, start=1)
        if commitment in act.commitments or commitment == act.payee_commitment
    ]
    return f"; restated in act {', '.join(found)}" if found else "; restated in no act"


def _as_json(chain: Chain) -> dict[str, object]:
    return {
        "obligation": chain.obligation.alias,
        "holds": chain.holds,
        "steps": [
            {"title": one.title, "standing": one.standing, "says": one.says, "rests_on": list(one.rests_on)}
            for one in chain.steps
        ],
    }
