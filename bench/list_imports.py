"""How long a list of fined people takes from the file to the database: read, sealed on the device, sent, kept."""

from collections.abc import Iterator
from functools import partial

from api.client import case_imports, lists
from api.client.desk import Desk
from bench.databases import Books
from bench.offices import office
from bench.rows import Row, seconds

_AT_MOST_SECONDS = 60
_HEADER = "name;ruling_number;court;region;ruling_kind;article;issued_on;kind;amount;currency;payee_account"


def rows(_: Books, *, quick: bool) -> Iterator[Row]:
    """A list of 10,000 fines on SQLite, with the whole path in one process; the target is for that size."""
    fines = 500 if quick else 10_000
    data = a_list(fines)
    yield Row(f"read a list of {fines:,} fines", None, seconds(partial(lists.read, data), repeats=3), "s")
    with office() as opened:
        spent = seconds(partial(send, opened.asking, data))
    yield Row(f"import a list of {fines:,} fines", None, spent, "s", at_most=_AT_MOST_SECONDS)


def a_list(fines: int) -> bytes:
    """A CSV file of so many invented people."""
    told = (
        f"Invented Person {nth};INVENTED-{nth};Invented court no. {nth % 9};minsk_city;administrative;23.34 part 1;"
        f"{1 + nth % 28:02}.08.2020;fine;810,00;BYN;INVENTED-TREASURY-01"
        for nth in range(fines)
    )
    return "\n".join((_HEADER, *told)).encode()


def send(desk: Desk, data: bytes) -> None:
    """Reads the list, and seals and sends its rows."""
    case_imports.import_rows(desk, lists.read(data), jurisdiction="by", list_name="list.csv")
