"""The journal as beancount reads it. Fund and subject are metadata of the lines."""

from collections.abc import Iterable, Iterator

from ledger.books.exports import Numbered
from ledger.books.journal import EARLIEST
from ledger.books.records import AccountRecord
from reports.journals.hledger import ROOTS, amount


def render(accounts: Iterable[AccountRecord], entries: Iterable[Numbered]) -> Iterator[str]:
    """A ledger file in pieces: each account opened, with its `code` as metadata, then each transaction.

    Dates, numbers and kinds stand as in the hledger form.
    """
    names: dict[str, str] = {}
    for account in accounts:
        names[account.code] = _name(account, taken=names.values())
        currency = f" {account.currency}" if account.currency else ""
        yield f"{EARLIEST} open {names[account.code]}{currency}\n"
        yield f'  code: "{account.code}"\n  name: {_text(account.name)}\n'
    for numbered in entries:
        yield "".join(_transaction(numbered, names))


def _transaction(numbered: Numbered, names: dict[str, str]) -> Iterator[str]:
    entry = numbered.entry
    yield f'\n{entry.effective_on} * "{entry.kind}"\n'
    yield from _metadata("  ", number=numbered.number, happened_on=entry.happened_on, reverses=numbered.reverses)
    yield from _metadata("  ", because=entry.because)
    for posting in entry.postings:
        yield f"  {names[posting.account]}  {amount(posting)}\n"
        facts = {"fund": posting.fund, "subject": posting.subject, "case": posting.case, "rate_on": posting.rate_on}
        yield from _metadata("    ", **facts)


def _metadata(indent: str, **facts: object) -> Iterator[str]:
    """Lines of metadata: days and numbers bare, codes and aliases quoted."""
    for name, value in facts.items():
        if value is not None:
            yield f'{indent}{name}: "{value}"\n' if isinstance(value, str) else f"{indent}{name}: {value}\n"


def _name(account: AccountRecord, *, taken: Iterable[str]) -> str:
    """`Assets:1000:Eur-main`: a part begins with a capital or a digit and has no underscore.

    Of codes that become one by this, such as `eur` and `Eur`, the later ones get a number.
    """
    parts = [part[0].upper() + part[1:].replace("_", "-") for part in account.code.split(":")]
    name = ":".join([ROOTS[account.account_class], *parts])
    used = set(taken)
    candidate, number = name, 1
    while candidate in used:
        number += 1
        candidate = f"{name}-{number}"
    return candidate


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
