"""Plain words for what is published: kinds, periods, sums, and the promise."""

from collections.abc import Sequence

from ledger.money import Money

PROMISE = (
    "Everything published is a sum of disjoint groups, each of at least 10 people. Even to someone who knows our "
    "program and settings, the figures of a block published without carry-over tell nothing about how a group divides "
    "inside. Where a period was carried, no group below 10 becomes exactly known or provably positive. With every "
    "ruling known, counts alone never prove that more than half of any set of rulings was paid. This is not secrecy of "
    "averages: amounts shift probabilities, and someone who already knows members can subtract them."
)
"""What is promised: printed on the page and in the data, word for word."""

ABSENT = "none or not yet"
"""What a missing figure means."""

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_KINDS = {
    "fine": "fines",
    "detention": "detention bills",
    "court_fee": "court fees",
    "bail": "bail",
    "card": "card gifts",
    "bank": "bank transfers",
    "cash": "cash",
    "in_kind": "gifts in kind",
}
_EXPLANATIONS = {
    "fine": "Fines set by a ruling after a peaceful assembly, paid after the ruling and never before it.",
    "detention": "What a detention facility billed for the days somebody was held there.",
    "court_fee": "Fees of courts, and legal aid.",
    "bail": "Bail posted for somebody after a court had set it; it comes back or is spent on their fine.",
}


def name_kinds(kinds: Sequence[str]) -> str:
    """`Fines`, or `Fines, detention bills and court fees`: what one published group may hold."""
    names = [_KINDS.get(kind, kind.replace("_", " ")) for kind in kinds]
    text = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return text[:1].upper() + text[1:]


def explain_kinds(kinds: Sequence[str]) -> list[tuple[str, str]]:
    """Name and explanation of each kind that has one, in the order given."""
    return [(name_kinds([kind]), _EXPLANATIONS[kind]) for kind in kinds if kind in _EXPLANATIONS]


def name_period(first_month: str, *, last_month: str) -> str:
    """`August 2020`, `August to October 2020` or `November 2020 to January 2021`."""
    first_year, first = first_month[:4], _MONTHS[int(first_month[5:]) - 1]
    last_year, last = last_month[:4], _MONTHS[int(last_month[5:]) - 1]
    if first_month == last_month:
        return f"{first} {first_year}"
    return (
        f"{first} to {last} {last_year}" if first_year == last_year else f"{first} {first_year} to {last} {last_year}"
    )


def write_sum(minor: int, *, currency: str) -> str:
    """`12,300`, without decimals where they are zero."""
    whole, _, decimals = Money(minor, currency).decimal().partition(".")
    return f"{int(whole):,}" + (f".{decimals}" if decimals.strip("0") else "")
