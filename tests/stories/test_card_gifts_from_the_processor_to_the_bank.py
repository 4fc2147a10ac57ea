from datetime import date

from sqlmodel import Session

from ledger import exceptions
from ledger.aliases import Kind, draw
from ledger.books import accounts, balances
from ledger.exceptions import Difference
from ledger.giving import donations, payouts
from ledger.giving.donations import State
from ledger.giving.processor import Booked
from ledger.money import Money
from ledger.reconciliation import bank, processor
from ledger.reconciliation.statements import NewLine, NewStatement
from tests import cards
from tests.bookcheck import assert_it_holds
from tests.bookkeeping import RECORDER
from tests.cards import USD_CARD_LEAF, USD_TRANSIT, a_charge, a_dispute, a_payout, a_refund, furnish, listed, usd
from tests.cast import NOW, engine_of, everything

BANK = "1000:usd"
GIVEN, DISPUTED, PAID_OUT, AT_THE_BANK = (date(2020, 9, 1), date(2020, 9, 16), date(2020, 10, 5), date(2020, 10, 6))


def test_card_gifts_are_refunded_disputed_paid_out_and_seen_at_the_bank(founded: Session) -> None:
    furnish(founded)
    accounts.add_leaf(founded, BANK, name="Bank, dollars", currency="USD")

    # Two gifts for detention costs come in, net of costs as their donors were told; the file is read and booked.
    large = a_charge(usd("6000.00"), fee=usd("180.00"), purpose="DETENTION", on=GIVEN)
    small = a_charge(usd("20.00"), purpose="DETENTION", nth=2, on=GIVEN)
    booked = take_in(founded, listed([large, small]), reported=usd("5840.00"))
    assert [one.recipe for one in booked] == ["card_gift", "card_gift"]
    assert shares(founded, USD_CARD_LEAF) == {"detention": usd("5840.00")}

    # The small one is given back; of the large one a bank calls 150.00 back, and takes 15.00 for it.
    troubles = [
        a_refund(small, usd("20.00"), on=DISPUTED),
        a_dispute(large, usd("150.00"), fee=usd("15.00"), on=DISPUTED),
    ]
    take_in(founded, listed(troubles), reported=usd("5655.00"))
    assert sorted(gift.state for gift in donations.listed(founded)) == [State.DISPUTED, State.REFUNDED]
    assert shares(founded, USD_CARD_LEAF) == {"detention": usd("5670.00"), "general": usd("-15.00")}

    # The treasurer asks for 5,000.00: each fund gives what it has of them. The figures are the worked example's.
    payout = a_payout(usd("5000.00"), on=PAID_OUT)
    take_in(founded, listed([payout]), reported=usd("655.00"))
    assert shares(founded, USD_TRANSIT) == {"detention": usd("5013.26"), "general": usd("-13.26")}

    # The next day the bank shows 5,000.00 from nobody we asked: only one thing can be meant.
    statement = NewStatement(
        alias=draw(Kind.STATEMENT),
        account=BANK,
        currency="USD",
        opened_on=date(2020, 10, 1),
        closed_on=date(2020, 10, 31),
        opening=usd("0.00"),
        closing=usd("5000.00"),
        content_token="ab" * 32,
        lines=[NewLine(AT_THE_BANK, None, usd("5000.00"), None, reversal=False)],
    )
    bank.receive(founded, statement, received_at=NOW, received_by=RECORDER)
    (seen,) = payouts.listed(founded)
    assert (seen.state, seen.paid_on) == (payouts.State.PAID, AT_THE_BANK)
    assert shares(founded, BANK) == {"detention": usd("5013.26"), "general": usd("-13.26")}
    assert shares(founded, USD_TRANSIT) == {}

    # Bank and processor agree with the books to the cent, and the same files change nothing. All gifts are for
    # detention: what is open is that nobody has given for the fees, which general bears.
    found = (bank.reconcile(founded, BANK), processor.reconcile(founded, USD_CARD_LEAF))
    assert [one.difference for one in found if one is not None] == [usd("0.00"), usd("0.00")]
    (short,) = exceptions.listed(founded)
    assert (short.difference, short.fund_code) == (Difference.BELOW_ZERO, "general")
    before = everything(founded)
    again = take_in(founded, listed([payout, *troubles, small, large]), reported=usd("655.00"))
    bank.receive(founded, statement, received_at=NOW, received_by=RECORDER)
    assert all(one.replayed for one in again)
    assert everything(founded) == before
    assert_it_holds(engine_of(founded))


def take_in(session: Session, file: bytes, *, reported: Money) -> list[Booked]:
    """The processor's file, with the balance that it tells after it."""
    return processor.receive(session, cards.read(file), reported=[reported], received_at=NOW, received_by=RECORDER)


def shares(session: Session, leaf: str) -> dict[str, Money]:
    """What each fund has on a leaf."""
    return {
        one.fund: Money(one.minor, one.currency)
        for one in balances.trial_balance(session)
        if one.account.code == leaf and one.minor
    }
