"""The processor's leaves in the house of a fund, and what waits there for somebody's word."""

from ledger import exceptions
from ledger.books import accounts
from ledger.giving.movements import Movement
from ledger.reconciliation import processor
from tests import cards
from tests.bookkeeping import CARD_LEAF
from tests.cards import a_charge
from tests.cast import NOW, House, eur

GIFT = a_charge(eur("100.00"), fee=eur("3.20"))


def open_till(house: House) -> House:
    """Adds leaves, and takes a gift of 100.00 EUR."""
    for leaf, currency in ((CARD_LEAF, "EUR"), (cards.TRANSIT, "EUR"), (cards.USD_CARD_LEAF, "USD")):
        accounts.add_leaf(house.session, leaf, name="A leaf", currency=currency)
    receive(house, GIFT)
    return house


def receive(house: House, *some: Movement) -> None:
    """The processor tells of movements."""
    processor.receive(house.session, some, received_at=NOW, received_by=house.fund.clara.alias)
    house.session.commit()


def waits(house: House, movement: Movement) -> str:
    """The exception of a movement that nothing books by itself."""
    receive(house, movement)
    told = {one.about.partition(":")[2]: one.alias for one in exceptions.listed(house.session)}
    return told[movement.source_key]
