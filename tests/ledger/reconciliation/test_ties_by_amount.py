"""Lines without a reference, tied by their exact amount alone: two equal ones change places, and no money is lost."""

from ledger.aliases import Kind, draw
from ledger.books import balances
from ledger.exceptions import Difference
from ledger.giving import donations
from ledger.giving.donations import State
from ledger.money import Money
from ledger.reconciliation import bank, matchings
from ledger.reconciliation.answers import Answer, Because
from ledger.reconciliation.statements import NewLine, NewStatement
from tests.bookcheck import assert_it_holds
from tests.cast import LEAF, NOW, TODAY, House, byn, engine_of, eur
from tests.coffers import a_released_conversion, give_freely, prepare_conversions
from tests.given import shown, the_exception
from tests.purses import give_euros
from tests.saying import resolve


def balance(house: House) -> Money:
    return balances.balance(house.session, LEAF, currency="BYN")


def test_a_gift_that_was_taken_for_a_conversion_changes_places_with_what_comes_under_its_reference(
    house: House,
) -> None:
    give_euros(house, "1000.00")
    give_freely(house, eur("300.00"))
    prepare_conversions(house)
    conversion = a_released_conversion(house)
    before = balance(house)
    shown(house, byn("300.00"))
    assert (conversion.arrived(), balance(house)) == (byn("300.00"), before + byn("300.00"))

    both = [NewLine(TODAY, None, byn("300.00"), told, reversal=False) for told in (None, conversion.reference)]
    token = draw(Kind.STATEMENT).encode().hex().ljust(64, "0")
    later = NewStatement(draw(Kind.STATEMENT), LEAF, "BYN", None, None, None, None, token, both)
    assert bank.receive(house.session, later, received_at=NOW, received_by=house.fund.clara.alias).fresh == 1
    opened = the_exception(house)
    assert opened.difference is Difference.NOT_RELEASED
    resolve(house, opened.alias, Answer.UNIDENTIFIED, None, byn("300.00"), Because.IN_ERROR)

    (gift,) = [one for one in donations.listed(house.session) if one.state is State.UNIDENTIFIED]
    assert (gift.amount(), balance(house)) == (byn("300.00"), before + byn("600.00"))
    assert matchings.propose(house.session, LEAF) == []
    assert_it_holds(engine_of(house.session))
