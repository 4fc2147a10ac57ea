"""Packs of a fund's own: the shipped one of Belarus with other caps or files, read from a folder while a test runs."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from ledger.aid import jurisdictions


def a_cap(kind: str = "fine", *, days: int = 30, amount: str | None = None, count: int | None = None) -> str:
    """A table of a cap."""
    most = f'most_amount = "{amount}"\n' if amount else ""
    most += f"most_count = {count}\n" if count else ""
    dated = 'valid_from = 2016-07-01\nsource = "Invented"\n'
    return f'[[caps]]\nkind = "{kind}"\nwithin_days = {days}\n{most}{dated}'


def needed_files(kind: str, *files: str) -> str:
    """A table of the files that a kind needs from the first day on."""
    listed = ", ".join(f'"{one}"' for one in files)
    return f'[[evidence]]\nkind = "{kind}"\nfiles = [{listed}]\nvalid_from = 2016-07-01\nsource = "Invented"\n'


def standing(days: int, *, since: str = "2016-07-01") -> str:
    """A table of how long what is approved stands."""
    return f'[[approvals]]\ndays = {days}\nvalid_from = {since}\nsource = "Invented"\n'


@contextmanager
def belarus_with(folder: Path, *tables: str) -> Iterator[None]:
    """The pack of Belarus with these tables in place of its caps, its files and its approvals."""
    shipped = (resources.files(jurisdictions) / "by.toml").read_text("utf-8")
    parts = re.split(r"^(?=\[)", shipped, flags=re.MULTILINE)
    shipped = "".join(part for part in parts if not part.startswith(("[[caps]]", "[[evidence]]", "[[approvals]]")))
    own = folder / "packs"
    own.mkdir(exist_ok=True)
    (own / "by.toml").write_text(shipped + "\n" + "\n".join(tables), "utf-8")
    jurisdictions.read_folder(own)
    yield
    jurisdictions.read_folder(None)
