"""How fast wraps of shelves are opened and renewed when a vault gets a new key."""

from collections.abc import Iterator

from api.client import keyring, sealing
from bench.databases import Books
from bench.rows import Row, rate

SHELF = "B-0000-0000-0001"


def rows(_: Books, *, quick: bool) -> Iterator[Row]:
    """A wrap opened, and a shelf re-wrapped to the vault's next epoch; the floor is one X-Wing encapsulation."""
    repeated = 0.2 if quick else 1.0
    device, vault = keyring.create("OP-0000-0000-0001"), keyring.create_vault("people")
    newer = keyring.create_vault("people", 2)
    shelf = sealing.draw_shelf(vault.public(), alias=SHELF, signer=lambda message: keyring.sign(device, message))

    def open_wrap() -> bytes:
        return sealing.open_wrap(vault, shelf.wrap, alias=shelf.alias, public=shelf.public)

    seed = open_wrap()
    floor = rate(lambda: sealing.wrap_seed(seed, shelf.public, bound_to=b""), repeated)
    yield Row("open a shelf's wrap", floor, rate(open_wrap, repeated), "wraps/s")
    renewed = rate(lambda: sealing.rewrap(newer.public(), open_wrap(), alias=shelf.alias), repeated)
    yield Row("re-wrap a shelf", floor, renewed, "wraps/s")
