"""Reader of banks' tables, CSV and XLSX: which profiles fit a file, and what the file says by one of them."""

from collections.abc import Iterator, Mapping
from itertools import islice

from api.client.bank_files.lines import Problem, Statement, StatementFile, UnreadableFile
from api.client.bank_files.profiles import Profile
from api.client.bank_files.refusals import Refusals
from api.client.bank_files.table_sections import split_sections
from api.client.bank_files.table_statements import read_section
from api.client.bank_files.tables import LARGEST_FILE, Row, read_csv, read_workbook
from api.client.bank_files.texts import choose_encoding
from api.client.list_files.workbooks import is_workbook

_ROWS_ABOVE = 60
"""A header stands in one of the first rows, below what a bank writes about the account."""
_HEAD = 2**16


def find(data: bytes, *, profiles: Mapping[str, Profile]) -> list[str]:
    """The names of the profiles whose header stands in the file; of two where one wants more, that one only."""
    heads: dict[tuple[str, str], list[Row]] = {}
    found = []
    for name, profile in profiles.items():
        key = ("", "") if is_workbook(data) else (_encoding(data[:_HEAD], profile), profile.delimiter)
        if key not in heads:
            heads[key] = _read_head(data, encoding=key[0], delimiter=key[1])
        if any(profile.fits(row.cells) for row in heads[key]):
            found.append(name)
    wants = {name: set(profiles[name].requires) for name in found}
    return [name for name in found if not any(wants[name] < wants[other] for other in found)]


def read(data: bytes, *, name: str, profile: Profile, currency: str | None = None) -> StatementFile:
    """What the file says by this profile: a statement for each account and currency in each part of it.

    `currency` is the one that the treasurer names where neither the file nor the profile tells any.

    Raises:
        UnreadableFile: something in it cannot be read exactly; see `Refusals.check`.
    """
    if len(data) > LARGEST_FILE:
        raise UnreadableFile(f"a file of more than {LARGEST_FILE} bytes", where="the whole file")
    refusals = Refusals()
    statements: list[Statement] = []
    problems: list[Problem] = []
    for section in split_sections(_read_rows(data, profile=profile), profile=profile, refusals=refusals):
        begins_at = len(statements) + 1
        found, odd = read_section(section, profile=profile, named=currency, refusals=refusals, begins_at=begins_at)
        statements.extend(found)
        problems.extend(odd)
    refusals.check()
    if not statements:
        problems.append(Problem("the whole file", "no header of this profile is in it"))
    form = "xlsx" if is_workbook(data) else "csv"
    return StatementFile(f"{form}.{name}", tuple(statements), tuple(problems))


def _read_rows(data: bytes, *, profile: Profile) -> Iterator[Row]:
    if is_workbook(data):
        return read_workbook(data)
    return read_csv(data, encoding=_encoding(data, profile), delimiter=profile.delimiter)


def _encoding(data: bytes, profile: Profile) -> str:
    """What the bytes prove, else the profile's last: a file in that one is never UTF-8 by chance."""
    return choose_encoding(data, otherwise=profile.encodings[-1])


def _read_head(data: bytes, *, encoding: str, delimiter: str) -> list[Row]:
    """The first rows; in a text, what cannot be read ends them."""
    rows: list[Row] = []
    source = read_csv(data[:_HEAD], encoding=encoding, delimiter=delimiter) if encoding else read_workbook(data)
    try:
        for row in islice(source, _ROWS_ABOVE):
            rows.append(row)  # noqa: PERF402 - what came before the failure counts
    except UnreadableFile:
        if not encoding:
            raise
    return rows
