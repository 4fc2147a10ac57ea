"""Likenesses: who may be the same person, as far as tokens of names tell, and what somebody has signed about it.

Two who carry the same token are taken for one until somebody who opened both has signed that they are two: too few are
paid twice so, and nobody is counted as a crowd. Only a reviewer is told of it, never who entered them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from ledger.aid import persons
from ledger.aid.beneficiaries import Beneficiary
from ledger.aid.cases import Case
from ledger.identities import shelves
from ledger.identities.shelves import Token
from ledger.storage.locks import locked

PERSON = "person"
"""The token field of a name."""
_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class _Names:
    """Which tokens of names these beneficiaries carry, and everybody who carries one of them."""

    values: Mapping[str, set[str]]
    bearers: Mapping[str, set[str]]

    def beside(self, one: str) -> Iterator[str]:
        """The others who carry a token of this one."""
        return (other for value in self.values.get(one, ()) for other in self.bearers[value] if other != one)


def undecided(session: Session, beneficiary: str) -> list[str]:
    """The other beneficiaries who carry the same name, and of whom nobody has said yet whether they are this person."""
    return sorted({*_names(session, [beneficiary]).beside(beneficiary)} - _decided(session, [beneficiary])[beneficiary])


def cases_to_compare(session: Session, case: Case) -> list[str]:
    """The cases of those who are `undecided` beside this case's beneficiary."""
    others = undecided(session, case.beneficiary_alias)
    return sorted(session.exec(select(Case.alias).where(col(Case.beneficiary_alias).in_(others))))


def cases_beside(session: Session, case: Case) -> list[str]:
    """Other cases of the same person: signed to be one, or of the same name and not signed to be another's."""
    beneficiary = case.beneficiary_alias
    together = persons.joined(session, [beneficiary])[beneficiary]
    apart = persons.told_apart(session, [beneficiary])[beneficiary]
    alike = shelves.sharing_tokens(session, case.alias, field=PERSON)
    by_name = select(Case.alias).where(col(Case.alias).in_(alike), col(Case.beneficiary_alias).not_in(apart))
    signed = select(Case.alias).where(col(Case.beneficiary_alias).in_(together - {beneficiary}))
    return sorted({*session.exec(by_name), *session.exec(signed)})


def cases_of_persons(
    session: Session, cases: Collection[str], *, doubted: str | None = None
) -> dict[str, frozenset[str]]:
    """By each of these cases: all that count as the same person's, itself among them.

    Those of one beneficiary, of beneficiaries who were signed to be one, and of those who share a token of any epoch,
    also over a third: but for two who were told apart, by somebody else than `doubted`.
    """
    owner = dict(session.exec(select(Case.alias, Case.beneficiary_alias).where(col(Case.alias).in_(cases))).all())
    together: dict[str, frozenset[str]] = {}
    bearers: dict[str, set[str]] = {}
    waiting = set(owner.values())
    while waiting:
        together |= {
            one: found for one, found in persons.joined(session, waiting, doubted=doubted).items() if one in waiting
        }
        bearers |= _names(session, waiting).bearers
        waiting = {one for group in (*together.values(), *bearers.values()) for one in group} - together.keys()
    apart = persons.told_apart(session, together, doubted=doubted)
    people = _people(owner.values(), together, bearers.values(), apart)
    theirs: dict[str, set[str]] = defaultdict(set)
    query = select(Case.alias, Case.beneficiary_alias).where(col(Case.beneficiary_alias).in_(together))
    for case, beneficiary in session.exec(query):
        theirs[beneficiary].add(case)
    by_person = {person: frozenset(one for alias in person for one in theirs[alias]) for person in set(people.values())}
    return {case: by_person[people[owner[case]]] for case in cases}


def roots(session: Session) -> dict[str, str]:
    """By each beneficiary who may be one person with others: the least alias of them. Of the whole book at once."""
    bearers: dict[str, set[str]] = defaultdict(set)
    for value, beneficiary in session.exec(_of_names()):
        bearers[value].add(beneficiary)
    shared = [group for group in bearers.values() if len(group) > 1]
    together, apart = persons.all_joined(session), persons.all_told_apart(session)
    known = {alias for group in shared for alias in group} | together.keys()
    return {alias: min(found) for alias, found in _people(known, together, shared, apart).items()}


def note(session: Session, beneficiaries: Collection[str], *, on: date) -> None:
    """Notes for reviewers, since the day `on`, who of these and of those of their names is to be compared."""
    carried = {value for value, _ in session.exec(_of_names().where(col(Case.beneficiary_alias).in_(beneficiaries)))}
    # Who waits already goes on waiting.
    quiet = _of_names().join(Beneficiary, col(Beneficiary.alias) == Case.beneficiary_alias)
    quiet = quiet.where(col(Token.value).in_(carried), col(Beneficiary.alike_since).is_(None))
    _mark(session, _open(session, {alias for _, alias in session.exec(quiet)}), since=on)


def settle(session: Session, beneficiaries: Collection[str]) -> None:
    """Asks nobody any more about those of these, and of those of their names, of whom nothing is left to say."""
    names = _names(session, beneficiaries)
    concerned = sorted({*beneficiaries, *(alias for group in names.bearers.values() for alias in group)})
    for part in _parts(concerned):
        _mark(session, set(part) - _open(session, part), since=None)


def settle_all(session: Session) -> None:
    """As `settle`, for the whole book: after a restore without the tokens of who was erased."""
    waiting = session.exec(select(Beneficiary.alias).where(col(Beneficiary.alike_since).is_not(None))).all()
    for part in _parts(sorted(waiting)):
        _mark(session, set(part) - _open(session, part), since=None)


def _mark(session: Session, aliases: Collection[str], *, since: date | None) -> None:
    """Locks them in one order, as everybody does."""
    query = select(Beneficiary).where(col(Beneficiary.alias).in_(aliases)).order_by(Beneficiary.alias)
    for one in session.exec(locked(query)) if aliases else ():
        if (one.alike_since is None) != (since is None):
            one.alike_since = since
            session.add(one)
    session.flush()


def _people(
    aliases: Iterable[str],
    together: Mapping[str, frozenset[str]],
    groups: Iterable[Collection[str]],
    apart: Mapping[str, frozenset[str]],
) -> dict[str, frozenset[str]]:
    """Who counts as one: who was signed to be, and who is in one group, unless they were told apart."""
    beside: dict[str, set[str]] = defaultdict(set)
    for alias, others in together.items():
        beside[alias] |= others
    for group in groups:
        members, first = set(group), min(group)
        if any(apart.get(alias, frozenset()) & members for alias in members):
            for alias in members:
                beside[alias] |= members - apart.get(alias, frozenset())
        else:  # a star: a name may be that of thousands
            beside[first] |= members
            for alias in members:
                beside[alias].add(first)
    return persons.spread(aliases, lambda alias: beside[alias])


def _open(session: Session, beneficiaries: Collection[str]) -> set[str]:
    """Those of these of whom and of somebody of the same name nobody has said whether they are one."""
    names, decided = _names(session, beneficiaries), _decided(session, beneficiaries)
    return {one for one in beneficiaries if any(other not in decided[one] for other in names.beside(one))}


def _decided(session: Session, beneficiaries: Collection[str]) -> dict[str, frozenset[str]]:
    together, apart = persons.joined(session, beneficiaries), persons.told_apart(session, beneficiaries)
    return {one: together[one] | apart[one] for one in beneficiaries}


def _names(session: Session, beneficiaries: Collection[str]) -> _Names:
    values: dict[str, set[str]] = defaultdict(set)
    for value, beneficiary in session.exec(_of_names().where(col(Case.beneficiary_alias).in_(beneficiaries))):
        values[beneficiary].add(value)
    bearers: dict[str, set[str]] = defaultdict(set)
    wanted = {value for of_one in values.values() for value in of_one}
    for value, beneficiary in session.exec(_of_names().where(col(Token.value).in_(wanted))):
        bearers[value].add(beneficiary)
    return _Names(values, bearers)


def _of_names() -> Select[str, str]:
    """The tokens of names, and whose they are."""
    tokens = select(Token.value, Case.beneficiary_alias).join(Case, col(Case.alias) == Token.alias)
    return tokens.where(Token.field == PERSON)


def _parts(aliases: Sequence[str]) -> Iterator[Sequence[str]]:
    return (aliases[start : start + _AT_ONCE] for start in range(0, len(aliases), _AT_ONCE))
