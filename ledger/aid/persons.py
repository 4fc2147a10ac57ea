"""Persons: which beneficiaries somebody has signed to be one person, and which to be two.

Each row of a list makes a beneficiary of its own. What is said of two of them is numbered, and the newest word counts:
nothing is rewritten, and what was said before can be read as it stood then.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, col, or_, select

from ledger.errors import BadInput, Conflict, Refused
from ledger.storage.columns import WITHOUT_ROWID, UtcDateTime

Pair = tuple[str, str]
"""Two beneficiaries, the lesser alias first."""
_MANY = 200


class BadPair(BadInput):
    """Nobody is compared with themselves."""

    rule = "bad_pair"


class SaidAlready(Conflict):
    """That is what was said last of these two, or what follows from what was said of others."""

    rule = "said_already"


class PersonsContradict(Refused):
    """Two who would be one person were said to be two, or the other way round: that is taken back first."""

    rule = "persons_contradict"


class SamePerson(SQLModel, table=True):
    """The `number`-th thing that was said of two beneficiaries: that they are one person, or that they are not.

    The lesser alias stands first. `nonce` is the signed act's.
    """

    __tablename__ = "same_person"
    beneficiary_alias: str = Field(primary_key=True, foreign_key="beneficiary.alias", max_length=20)
    other_alias: str = Field(primary_key=True, foreign_key="beneficiary.alias", max_length=20, index=True)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    is_one: bool
    nonce: str = Field(foreign_key="signed_act.nonce", max_length=32, unique=True)
    said_by: str = Field(max_length=20)
    said_at: datetime = Field(sa_type=UtcDateTime)

    __table_args__ = (CheckConstraint("beneficiary_alias < other_alias", name="lesser_alias_first"), WITHOUT_ROWID)


def pair(first: str, second: str) -> Pair:
    """Two beneficiaries in their order.

    Raises:
        BadPair: they are one alias.
    """
    if first == second:
        raise BadPair("nobody is compared with themselves", where="other")
    return min(first, second), max(first, second)


def told_of(session: Session, of: Pair) -> list[SamePerson]:
    """What was said of two, the newest word last."""
    said = select(SamePerson).where(SamePerson.beneficiary_alias == of[0], SamePerson.other_alias == of[1])
    return list(session.exec(said.order_by(col(SamePerson.number))))


def words_on(session: Session, beneficiary: str) -> list[SamePerson]:
    """What was said of this one and of somebody else, pair by pair, in the order in which it was said."""
    said = select(SamePerson).where(
        or_(SamePerson.beneficiary_alias == beneficiary, SamePerson.other_alias == beneficiary)
    )
    in_order = said.order_by(SamePerson.beneficiary_alias, SamePerson.other_alias, col(SamePerson.number))
    return list(session.exec(in_order))


def say(session: Session, of: Pair, *, is_one: bool, nonce: str, by: str, at: datetime) -> SamePerson:
    """Keeps the next word on two beneficiaries. Who calls lets no other transaction say something meanwhile.

    Raises:
        SaidAlready: it stands already, by what was said of them or of others. PersonsContradict: with what was said
            of others they would be one person and two.
    """
    newest = _newest(session, of)
    if _is_said(newest, of, is_one=is_one):
        raise SaidAlready("that is what was said last", beneficiary=of[0], other=of[1])
    if not admits(newest, of, is_one=is_one):
        raise PersonsContradict("they would be one person and two", beneficiary=of[0], other=of[1])
    said = SamePerson(
        beneficiary_alias=of[0],
        other_alias=of[1],
        number=len(told_of(session, of)) + 1,
        is_one=is_one,
        nonce=nonce,
        said_by=by,
        said_at=at,
    )
    session.add(said)
    session.flush()
    return said


def admits(newest: Mapping[Pair, bool], of: Pair, *, is_one: bool) -> bool:
    """Whether a word on two goes with the last words on others: with it nobody is one person and two."""
    becomes = {**newest, of: is_one}
    together = _components(becomes, of)
    return not any(not one and b in together.get(a, ()) for (a, b), one in becomes.items())


def joined(
    session: Session,
    beneficiaries: Collection[str],
    *,
    as_known_at: datetime | None = None,
    doubted: str | None = None,
) -> dict[str, frozenset[str]]:
    """By each of these aliases: all under which the same person goes, itself among them.

    What was said after `as_known_at` is left out, and what `doubted` said to tell people apart: see `caps`.
    """
    newest = _newest(session, beneficiaries, as_known_at=as_known_at, but_apart_by=doubted)
    return _components(newest, beneficiaries)


def told_apart(
    session: Session, beneficiaries: Collection[str], *, doubted: str | None = None
) -> dict[str, frozenset[str]]:
    """By each of these aliases: the beneficiaries who are somebody else, under whichever alias they were compared.

    What the operator `doubted` said themself does not count: see `caps`.
    """
    newest = _newest(session, beneficiaries, but_apart_by=doubted)
    far = {alias for of, is_one in newest.items() if not is_one for alias in of}
    others = _apart(newest, _components(newest | _newest(session, far), far))
    return {alias: others.get(alias, frozenset()) for alias in beneficiaries}


def all_joined(session: Session) -> dict[str, frozenset[str]]:
    """By each alias of a person who goes by several: all of them. Of the whole book."""
    newest = _everything(session)
    return _components(newest, {alias for of, is_one in newest.items() if is_one for alias in of})


def all_told_apart(session: Session) -> dict[str, frozenset[str]]:
    """As `told_apart`, of the whole book: by each alias of somebody who was."""
    newest = _everything(session)
    return _apart(newest, _components(newest, {alias for of, is_one in newest.items() if not is_one for alias in of}))


def spread(aliases: Iterable[str], next_to: Callable[[str], Iterable[str]]) -> dict[str, frozenset[str]]:
    """By each of these: all that are reached from it, itself among them, when `next_to` leads both ways."""
    found: dict[str, frozenset[str]] = {}
    for alias in aliases:
        if alias in found:
            continue
        reached, waiting = {alias}, [alias]
        while waiting:
            new = set(next_to(waiting.pop())) - reached
            reached |= new
            waiting += new
        found |= dict.fromkeys(reached, frozenset(reached))
    return found


def _is_said(newest: Mapping[Pair, bool], of: Pair, *, is_one: bool) -> bool:
    """Whether it was the last word on the two; that they are one follows from others as well."""
    return newest.get(of) is is_one or (is_one and of[1] in _components(newest, of)[of[0]])


def _apart(newest: Mapping[Pair, bool], together: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """By alias: everybody whom somebody told apart from the person who goes by it."""
    others: dict[str, set[str]] = {}
    for (a, b), is_one in newest.items():
        if not is_one:
            for first, second in ((a, b), (b, a)):
                for alias in together[first]:
                    others.setdefault(alias, set()).update(together[second])
    return {alias: frozenset(found) for alias, found in others.items()}


def _components(newest: Mapping[Pair, bool], aliases: Collection[str]) -> dict[str, frozenset[str]]:
    beside: dict[str, set[str]] = {}
    for (a, b), is_one in newest.items():
        if is_one:
            beside.setdefault(a, set()).add(b)
            beside.setdefault(b, set()).add(a)
    return spread(aliases, lambda alias: beside.get(alias, ()))


def _newest(
    session: Session,
    aliases: Collection[str],
    *,
    as_known_at: datetime | None = None,
    but_apart_by: str | None = None,
) -> dict[Pair, bool]:
    """The last word on each pair of these aliases' persons, and of others: whether they are one."""
    if len(aliases) > _MANY:  # all words are fewer than so many questions
        return _everything(session, as_known_at=as_known_at, but_apart_by=but_apart_by)
    newest: dict[Pair, bool] = {}
    seen, waiting = set[str](), set(aliases)
    while waiting:
        said = select(SamePerson).where(
            or_(col(SamePerson.beneficiary_alias).in_(waiting), col(SamePerson.other_alias).in_(waiting))
        )
        if as_known_at is not None:
            said = said.where(col(SamePerson.said_at) <= as_known_at)
        newest |= _read(session.exec(said.order_by(col(SamePerson.number))), but_apart_by=but_apart_by)
        seen |= waiting
        waiting = {alias for one, is_one in newest.items() if is_one for alias in one} - seen
    return newest


def _everything(
    session: Session, *, as_known_at: datetime | None = None, but_apart_by: str | None = None
) -> dict[Pair, bool]:
    said = select(SamePerson)
    if as_known_at is not None:
        said = said.where(col(SamePerson.said_at) <= as_known_at)
    return _read(session.exec(said.order_by(col(SamePerson.number))), but_apart_by=but_apart_by)


def _read(said: Iterable[SamePerson], *, but_apart_by: str | None = None) -> dict[Pair, bool]:
    """By pair its last word, of those that do not tell two apart by `but_apart_by`."""
    return {
        (one.beneficiary_alias, one.other_alias): one.is_one
        for one in said
        if one.is_one or one.said_by != but_apart_by
    }
