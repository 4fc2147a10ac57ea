"""Which format a bank's file has, by its content: never by its name, which people change."""

import re
from collections.abc import Iterable, Mapping

from api.client.bank_files import bank_tables, camt, mt940, ofx
from api.client.bank_files.lines import AmbiguousFormat, StatementFile, UnknownFormat, UnreadableFile
from api.client.bank_files.profiles import Profile, built_in
from api.client.bank_files.texts import read_head

_READERS = {
    "ofx": (ofx.recognise, ofx.read),
    "mt940": (mt940.recognise, mt940.read),
    "camt": (camt.recognise, camt.read),
}
"""For each kind of format: what tells its name, or None for a file of another; and what reads it."""
_TABLES = ("csv", "xlsx")
_MARKUP = re.compile(r"\ufeff?\s*<")


def read(
    data: bytes,
    *,
    format: str | None = None,  # noqa: A002 - the command line's word
    profile: Profile | None = None,
    currency: str | None = None,
) -> StatementFile:
    """The statements in a bank's file.

    `format`, where given, must be the one found: `camt.053`, or `camt` for any; of a table `csv.dkb`, or `csv`.
    `profile` is one that does not come with the product. `currency` is that of a table which does not say its own.

    Raises:
        UnknownFormat: no reader knows the file, or it has another format than `format`.
        AmbiguousFormat: marks of several formats stand in it, or several profiles read a table, each differently.
        UnreadableFile: something in it cannot be read exactly; nothing of it is taken.
    """
    if profile is not None:
        return _read_table(data, profiles={"own": profile}, form=None, currency=currency)
    found = _recognise(data, form=format)
    if len(found) > 1:
        raise _ambiguous(found)
    if not found:
        return _read_table(data, profiles=built_in(), form=format, currency=currency)
    ((name, kind),) = found.items()
    if kind in _TABLES:
        return _read_table(data, profiles=built_in(), form=format, currency=currency)
    if not _asked_for(name, format):
        raise UnknownFormat(f"the file is {name}, another format was asked for", where="the whole file")
    return _READERS[kind][1](data)


def _recognise(data: bytes, *, form: str | None) -> dict[str, str]:
    """Every format whose marks stand in the file, with its kind; of several, that one only which was asked for.

    A payer chooses what stands in a text: lines of MT940 inside a table must not make it an MT940 file.
    """
    if _MARKUP.match(read_head(data)):
        name = ofx.recognise(data)
        return {name: "ofx"} if name else {found: "camt" for found in (camt.recognise(data),) if found}
    told = {kind: _READERS[kind][0](data) for kind in ("ofx", "mt940")}
    found = {name: kind for kind, name in told.items() if name}
    if found:
        found |= {f"csv.{name}": "csv" for name in bank_tables.find(data, profiles=built_in())}
    asked = {name: kind for name, kind in found.items() if form is not None and _asked_for(name, form)}
    return asked or found


def _ambiguous(candidates: Iterable[str]) -> AmbiguousFormat:
    told = ", ".join(candidates)
    return AmbiguousFormat(
        f"the file can be read in several ways, name one with --format: {told}", where="the whole file", candidates=told
    )


def _asked_for(found: str, form: str | None) -> bool:
    return form in {None, found, found.partition(".")[0]}


def _read_table(
    data: bytes, *, profiles: Mapping[str, Profile], form: str | None, currency: str | None
) -> StatementFile:
    """The one reading of a table: of profiles that fit, those fall out that cannot read it, and the rest must agree."""
    kind, _, wanted = (form or "").partition(".")
    if kind and kind not in _TABLES:
        raise UnknownFormat("no reader of the format asked for knows this file", where="the whole file")
    names = bank_tables.find(data, profiles=profiles)
    if wanted:
        names = [name for name in names if name == wanted]
    if not names:
        raise UnknownFormat("no reader and no profile knows this file", where="the whole file")
    readings: dict[str, StatementFile] = {}
    refusals = []
    for name in names:
        try:
            readings[name] = bank_tables.read(data, name=name, profile=profiles[name], currency=currency)
        except UnreadableFile as error:
            refusals.append(error)
    if not readings:
        raise refusals[0]
    if any(one.statements != next(iter(readings.values())).statements for one in readings.values()):
        raise _ambiguous(one.format for one in readings.values())
    reading = next(iter(readings.values()))
    if kind and not _asked_for(reading.format, form):
        raise UnknownFormat(f"the file is {reading.format}, another format was asked for", where="the whole file")
    return reading
