"""Which format a bank's file has, by its content: never by its name, which people change."""

from collections.abc import Mapping

from api.client.bank_files import bank_tables, camt, mt940, ofx
from api.client.bank_files.lines import AmbiguousFormat, StatementFile, UnknownFormat, UnreadableFile
from api.client.bank_files.profiles import Profile, built_in

_READERS = (
    (ofx.recognise, ofx.read),
    (mt940.recognise, mt940.read),
    (camt.recognise, camt.read),
)
"""For each format: what tells its name, or None for a file of another; and what reads it."""
_TABLES = ("csv", "xlsx")


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
        AmbiguousFormat: several profiles fit a table and read it differently.
        UnreadableFile: something in it cannot be read exactly; nothing of it is taken.
    """
    for recognise, read_format in _READERS if profile is None else ():
        found = recognise(data)
        if found is None:
            continue
        if not _asked_for(found, format):
            raise UnknownFormat(f"the file is {found}, another format was asked for", where="the whole file")
        return read_format(data)
    if profile is not None:
        return _read_table(data, profiles={"own": profile}, form=None, currency=currency)
    return _read_table(data, profiles=built_in(), form=format, currency=currency)


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
        candidates = ", ".join(reading.format for reading in readings.values())
        raise AmbiguousFormat(
            f"several profiles read this file, name one with --format: {candidates}",
            where="the whole file",
            candidates=candidates,
        )
    reading = next(iter(readings.values()))
    if kind and not _asked_for(reading.format, form):
        raise UnknownFormat(f"the file is {reading.format}, another format was asked for", where="the whole file")
    return reading
