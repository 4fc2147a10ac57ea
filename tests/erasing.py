"""Asking for an erasure and agreeing to it, as two people's clients sign it."""

from typing import Any

from ledger.aid import retention
from ledger.aid.cases import Case
from ledger.approvals import Agreed, Verb
from ledger.identities import erasure
from ledger.identities.erasure import Erasure
from ledger.identities.erasure_list import ErasureList, Reason
from tests.cast import House, Person, agreed_by


def signed(person: Person, verb: Verb, shelf: str, reason: Reason = Reason.WISH, **other: Any) -> Agreed:
    stated = {"object": shelf, "evidence_commitments": (erasure.commitment(shelf, reason),)}
    return agreed_by(person, verb, **(stated | other))


def ask(house: House, case: Case, reason: Reason = Reason.WISH) -> Erasure:
    shelf = case.beneficiary_alias
    agreed = signed(house.fund.ana, "request_erasure", shelf, reason)
    return retention.request_erasure(house.session, shelf, reason=reason, agreed=agreed)


def erase(house: House, case: Case, listed: ErasureList, reason: Reason = Reason.WISH) -> Erasure:
    ask(house, case, reason)
    shelf = case.beneficiary_alias
    agreed = signed(house.fund.boris, "agree_erasure", shelf, reason)
    erased = retention.carry_out_erasure(house.session, shelf, agreed=agreed, listed=listed)
    house.session.commit()
    return erased
