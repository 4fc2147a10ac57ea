"""Checks of persons: that two beneficiaries are one person, or are not, stands as somebody has signed it."""

import json
from collections.abc import Iterator

from sqlmodel import Session, col, select

from ledger.aid import persons
from ledger.aid.persons import SamePerson
from ledger.approvals import SignedAct
from ledger.checks.findings import Check, Fact, Finding, Tell, paged
from ledger.identities.erasure import Erasure

_VERBS = {True: "join_beneficiaries", False: "tell_apart"}
Word = tuple[str, str, int, bool, str, str]
"""What a row says, and what an act says: the two, the number, whether they are one, who said it, the act's nonce."""


def find_altered_words(session: Session, _tell: Tell) -> Iterator[Finding]:
    """What stands of two beneficiaries without the act that says just this, and acts whose row is gone or changed."""
    kept = {_kept(one) for one in session.exec(select(SamePerson).execution_options(populate_existing=True))}
    signed: set[Word] = set()
    for page in paged(session, SignedAct, SignedAct.nonce, col(SignedAct.verb).in_(_VERBS.values())):
        signed |= {_signed(act) for act in page}
    for where, words in (("act", kept - signed), ("row", signed - kept)):
        for first, other, number, is_one, by, _ in sorted(words):
            facts: dict[str, Fact] = {"other": other, "number": number, "is_one": is_one, "signer": by, "where": where}
            yield Finding("persons-signed", "beneficiary", first, facts)


def find_contradictions(session: Session, _tell: Tell) -> Iterator[Finding]:
    """Beneficiaries who were signed to be one person and to be two: what counts of them nobody can tell."""
    together = persons.all_joined(session)
    for alias, others in sorted(persons.all_told_apart(session).items()):
        for other in sorted(others & together.get(alias, frozenset())):
            if alias <= other:
                yield Finding("persons-agree", "beneficiary", alias, {"other": other})


def find_half_erased(session: Session, _tell: Tell) -> Iterator[Finding]:
    """People who were erased under one alias and are not to be under another: the one tells who the other was."""
    asked = set(session.exec(select(Erasure.shelf_alias)))
    erased = set(session.exec(select(Erasure.shelf_alias).where(col(Erasure.erased_at).is_not(None))))
    for alias, together in sorted(persons.all_joined(session).items()):
        if alias not in asked and together & erased:
            yield Finding("persons-erased", "beneficiary", alias, {"aliases": len(together)})


def _kept(one: SamePerson) -> Word:
    return one.beneficiary_alias, one.other_alias, one.number, one.is_one, one.said_by, one.nonce


def _signed(act: SignedAct) -> Word:
    said = json.loads(act.document)  # whether it holds is for the check of acts
    other = str(said["act"]).partition(":")[2]
    return act.object, other, said["version"], act.verb == _VERBS[True], act.signer, act.nonce


CHECKS = (
    Check("persons-signed", "who is one person with whom is as somebody has signed it", find_altered_words),
    Check("persons-agree", "nobody was signed to be one person and two", find_contradictions),
    Check("persons-erased", "who was erased goes by no alias that is left", find_half_erased),
)
