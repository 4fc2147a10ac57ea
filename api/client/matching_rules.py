"""Matching rules on the treasurer's device: sealed before they are sent, applied to lines that are opened here.

A rule says: a line whose text has these words is an entry that moves this account. It only adds a reason to what the
server proposes, which checks what is signed as it checks any other match.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from api.client import contents, matching, sealing, shelves
from api.client.contents import BankEntry, Held, Rest, Words
from api.client.desk import Desk
from api.client.http import ApiRefusal
from api.client.statements import VAULT
from ledger.aliases import Kind, draw
from ledger.errors import BadInput, Tampered
from ledger.identities.shelves import UnknownShelf
from ledger.reconciliation import proposals
from ledger.reconciliation.proposals import Reason

FEWEST_LETTERS = 3
MOST_LETTERS = 200
REASON = "reconciliation"
AT_ONCE = 100
"""Shelves that one request opens."""


class BadRule(BadInput):
    """Words too short, too long or none, or no account."""

    rule = "bad_matching_rule"


@dataclass(frozen=True, slots=True)
class Rule:
    """A line whose text has these `words`, however written, is an entry that moves `account` or a leaf of it.

    `refused` tells why the box of a rule that says nothing could not be read: it is withdrawn, and no other suffers.
    """

    alias: str
    words: str = field(repr=False)
    account: str
    refused: str | None = None


def add(desk: Desk, *, words: str, account: str) -> dict[str, Any]:
    """Seals a rule for those who open the vault of money, and has it kept.

    Raises:
        BadRule: nothing was sent.
    """
    if not FEWEST_LETTERS <= len(sealing.fold(words)) <= MOST_LETTERS:
        raise BadRule("words of a sensible length", where="words", least=FEWEST_LETTERS, most=MOST_LETTERS)
    if account not in {one["code"] for one in desk.api.get("/v1/accounts")["accounts"]}:
        raise BadRule("no account of the chart has this code", where="account")
    alias = draw(Kind.MATCHING_RULE)
    shelf = desk.draw_shelf(VAULT, alias=alias)
    content = {"words": words, "account": account}
    body = {
        "alias": alias,
        "shelf": shelves.shelf_on_wire(shelf),
        "content": shelves.seal_json(shelf.public, content, kind="matching_rule", alias=alias, field="rule"),
    }
    answer: dict[str, Any] = desk.api.post("/v1/reconciliations/rules", body, key=f"rule:{alias}")
    return answer


def withdraw(desk: Desk, alias: str) -> dict[str, Any]:
    """Has a rule not be applied any more."""
    path = f"/v1/reconciliations/rules/{alias}/withdraw"
    answer: dict[str, Any] = desk.api.post(path, {}, key=f"withdraw:{alias}")
    return answer


def listed(desk: Desk) -> list[Rule]:
    """The rules that stand, opened here; each reading is logged. A box that cannot be read is a rule with `refused`."""
    standing = [one["alias"] for one in desk.api.get("/v1/reconciliations/rules")["rules"]]
    opened = _opened(desk, standing, Words, kind="matching_rule", name="rule")
    return [_rule(alias, content) for alias, content in opened]


def propose(desk: Desk) -> list[dict[str, Any]]:
    """What the server proposes of one line and one entry and a rule speaks for, the best first.

    Where the rules speak for several entries of a line, or several lines of an entry, all are told. Of statements and
    rules whose boxes cannot be read nothing is told.
    """
    rules = [rule for rule in listed(desk) if rule.refused is None]
    asked = [one for one in matching.listed(desk)["proposals"] if _is_single(one)] if rules else []
    aliases = sorted({one["statements"][0] for one in asked})
    rests = dict(_opened(desk, aliases, Rest, kind="statement", name="rest"))
    found = []
    for one in asked:
        (brought_by,), (line,) = one["statements"], one["lines"]
        rest = rests.get(brought_by)
        if rest is None or isinstance(rest, Tampered):
            continue
        texts = _texts_of(rest, line)
        fitting = [rule.alias for rule in rules if _fits(rule, texts, one["moves"])]
        if fitting:
            reasons = [*one["reasons"], Reason.COUNTERPARTY_TEXT.value]
            score = proposals.score_of(map(Reason, reasons))
            found.append(one | {"reasons": reasons, "score": score, "rules": fitting})
    return sorted(found, key=lambda one: (-one["score"], one["lines"], one["entries"]))


def _opened(
    desk: Desk, aliases: Sequence[str], content: type[Held], *, kind: str, name: str
) -> Iterator[tuple[str, Held | Tampered]]:
    """What is sealed on each of these shelves, or why it cannot be read, by its alias; erased ones tell nothing."""
    for start in range(0, len(aliases), AT_ONCE):
        for alias, opened in _fetched(desk, list(aliases[start : start + AT_ONCE])):
            try:
                _, seed = shelves.open_shelf(desk, opened, alias=alias)
                for box in opened["boxes"]:
                    place = {"kind": kind, "alias": alias, "field": name, "version": box["version"]}
                    yield alias, contents.read(content, sealing.open_committed(seed, box, **place))
            except Tampered as error:
                yield alias, error


def _fetched(desk: Desk, aliases: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Shelves as the API hands them out, all at once; one that was erased keeps the others back, and is left out."""
    try:
        answer = desk.api.get("/v1/boxes", alias=aliases, reason=REASON)
    except ApiRefusal as refusal:
        if refusal.rule != UnknownShelf.rule:
            raise
        middle = len(aliases) // 2
        for part in (aliases[:middle], aliases[middle:]) if middle else ():
            yield from _fetched(desk, part)
    else:
        yield from zip(aliases, answer["opened"], strict=True)


def _rule(alias: str, content: Words | Tampered) -> Rule:
    if isinstance(content, Tampered):
        return Rule(alias, "", "", refused=content.rule)
    if not sealing.fold(content.words) or not content.account:  # it would fit every line
        return Rule(alias, "", "", refused=sealing.CannotOpen.rule)
    return Rule(alias, content.words, content.account)


def _is_single(proposed: dict[str, Any]) -> bool:
    return len(proposed["lines"]) == len(proposed["entries"]) == 1


def _texts_of(statement: Rest, line: str) -> list[str]:
    """The text of each entry that a line can be: those of its day and amount; equal ones cannot be told apart."""
    _, on, minor, _ = line.rsplit(":", 3)
    return [
        " ".join(_words(entry))
        for entry in statement.entries
        if entry.status == "booked" and entry.booked_on == date.fromisoformat(on)
        if entry.amount.minor == int(minor)
    ]


def _words(entry: BankEntry) -> Iterable[str]:
    yield from entry.text.values()
    for detail in entry.details:
        yield from detail.text.values()


def _fits(rule: Rule, texts: Sequence[str], moves: Sequence[str]) -> bool:
    """Whether the entry moves the rule's account, and every text that the line can have has the rule's words."""
    words = sealing.fold(rule.words)
    moved = any(code == rule.account or code.startswith(f"{rule.account}:") for code in moves)
    return moved and bool(texts) and all(words in sealing.fold(text) for text in texts)
