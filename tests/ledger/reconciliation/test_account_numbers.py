"""A leaf knows its account: what another account's file may not do, and what saying its number allows."""

from datetime import date
from typing import Any

import pytest

from ledger.aliases import Kind, draw
from ledger.identities.boxes import BadDigest
from ledger.reconciliation import account_numbers, bank
from ledger.reconciliation.account_numbers import NumberNotSaid, OtherAccountNumber
from ledger.reconciliation.statements import NewStatement
from tests.cast import LEAF, NOW, SECOND_LEAF, House, nothing_written

OURS, OTHER, NEWER = "0a" * 32, "0b" * 32, "0c" * 32


def receive(house: House, *tokens: str, account: str = LEAF, **other: Any) -> None:
    """A statement without lines, of an account with these tokens."""
    new = NewStatement(
        alias=draw(Kind.STATEMENT),
        account=account,
        currency="BYN",
        opened_on=date(2020, 11, 1),
        closed_on=date(2020, 11, 20),
        opening=None,
        closing=None,
        content_token=draw(Kind.STATEMENT).encode().hex().ljust(64, "0"),
        lines=(),
        number_tokens=tokens,
        **other,
    )
    bank.receive(house.session, new, received_at=NOW, received_by=house.fund.clara.alias)


def test_the_first_number_is_said_and_then_known_and_another_is_refused(house: House) -> None:
    receive(house)
    with nothing_written(house.session), pytest.raises(NumberNotSaid) as unsaid:
        receive(house, OURS)
    receive(house, OURS, number_said=True)
    receive(house, OURS)

    with nothing_written(house.session), pytest.raises(OtherAccountNumber) as refusal:
        receive(house, OTHER)

    assert unsaid.value.data == {"account": LEAF}
    assert refusal.value.data == {"account": LEAF, "known_at": None}
    assert account_numbers.listed(house.session) == {LEAF: {OURS}}


def test_a_number_that_somebody_says_is_one_more(house: House) -> None:
    receive(house, OURS, number_said=True)
    receive(house, OTHER, number_said=True)

    receive(house, OURS)
    receive(house, OTHER)

    assert account_numbers.listed(house.session) == {LEAF: {OURS, OTHER}}


def test_a_leaf_without_a_number_does_not_take_that_of_another_leaf_of_its_currency(house: House) -> None:
    receive(house, OURS, number_said=True)

    with nothing_written(house.session), pytest.raises(OtherAccountNumber) as refusal:
        receive(house, OURS, account=SECOND_LEAF)

    assert refusal.value.data == {"account": SECOND_LEAF, "known_at": LEAF}


def test_a_number_is_known_by_its_older_token_and_then_by_its_newest(house: House) -> None:
    receive(house, OURS, number_said=True)
    receive(house, NEWER, OURS)

    receive(house, NEWER)

    assert account_numbers.listed(house.session) == {LEAF: {OURS, NEWER}}


def test_a_number_in_plain_is_not_taken(house: House) -> None:
    with nothing_written(house.session), pytest.raises(BadDigest):
        receive(house, "XX00 INVENTED", number_said=True)
