"""Routes of persons: under which aliases somebody goes, and a reviewer's signed word that two are one, or are two."""

from datetime import datetime

from fastapi import APIRouter

from api.authentication import Admitted, Now
from api.idempotency import Claimed
from api.routes.wire import Alias, SignedActOnWire, Wire
from api.transactions import Tx
from ledger.aid import beneficiaries, person_acts, persons
from ledger.aid.persons import SamePerson
from ledger.approvals import Agreed

router = APIRouter()


class WordIn(Wire):
    """The reviewer's signed act, the other beneficiary, and whether the two are one person."""

    agreed: SignedActOnWire
    other: Alias
    is_one: bool


class WordOut(Wire):
    """What somebody said of two beneficiaries: the highest number of the two counts."""

    beneficiary: str
    other: str
    number: int
    is_one: bool
    said_by: str
    said_at: datetime

    @classmethod
    def of(cls, word: SamePerson) -> "WordOut":
        """A word as the wire has it."""
        return cls(
            beneficiary=word.beneficiary_alias,
            other=word.other_alias,
            number=word.number,
            is_one=word.is_one,
            said_by=word.said_by,
            said_at=word.said_at,
        )


class PersonOut(Wire):
    """All aliases of the person, this one among them, and every word on this one and somebody else."""

    beneficiaries: list[str]
    words: list[WordOut]


@router.get("/v1/beneficiaries/{alias}/person")
def read_person(alias: Alias, session: Tx, _caller: Admitted) -> PersonOut:
    """Under which aliases the same person goes, as far as somebody has signed it."""
    beneficiaries.require(session, alias)
    return PersonOut(
        beneficiaries=sorted(persons.joined(session, [alias])[alias]),
        words=[WordOut.of(one) for one in persons.words_on(session, alias)],
    )


@router.post("/v1/beneficiaries/{alias}/person", status_code=201)
def say_of_person(alias: Alias, body: WordIn, session: Tx, caller: Admitted, now: Now, once: Claimed) -> WordOut:
    """A reviewer who has opened both signs that two beneficiaries are one person, or that they are two."""
    agreed = Agreed(body.agreed.act, body.agreed.signature, caller.operator, now)
    say = person_acts.join if body.is_one else person_acts.tell_apart
    return once.keep(WordOut.of(say(session, alias, body.other, agreed)))
