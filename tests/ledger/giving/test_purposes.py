import pytest

from ledger import references
from ledger.books.funds import UnknownFund
from ledger.giving import purposes
from ledger.giving.purposes import BadPurpose, Purpose, PurposeExists
from tests.cast import House, nothing_written

TEXT = "For fines after assemblies."


def add(house: House, code: str, *, fund: str = "fines", text: str = TEXT) -> Purpose:
    return purposes.add(house.session, code, fund=fund, text=text, net_of_costs=False)


def test_a_purpose_is_found_by_its_code_and_by_the_reference_it_drew(house: House) -> None:
    purpose = add(house, "AID2020")

    assert references.is_reference(purpose.reference)
    assert purposes.by_code(house.session, "AID2020") == purpose
    assert purposes.by_reference(house.session, purpose.reference) == purpose
    assert purposes.by_code(house.session, "AID2021") is None
    assert purposes.by_reference(house.session, references.draw()) is None


def test_two_purposes_have_two_references_and_are_told_by_their_codes(house: House) -> None:
    drawn = [add(house, code) for code in ("ZZZ", "AAA", "MMM")]

    assert len({purpose.reference for purpose in drawn}) == 3
    assert [purpose.code for purpose in purposes.listed(house.session)] == ["AAA", "FINES", "MMM", "ZZZ"]


@pytest.mark.parametrize("code", ["", "AB", "A" * 13, "aid", "AID 20", "AID-20", "\u0410\u0411\u0412", "AID\n"])
def test_a_code_is_three_to_twelve_capital_letters_and_digits(house: House, code: str) -> None:
    with nothing_written(house.session), pytest.raises(BadPurpose):
        add(house, code)


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_a_purpose_says_what_the_gift_is_for(house: House, text: str) -> None:
    with nothing_written(house.session), pytest.raises(BadPurpose):
        add(house, "AID2020", text=text)


def test_a_code_is_taken_once_and_its_fund_exists(house: House) -> None:
    with nothing_written(house.session), pytest.raises(PurposeExists):
        add(house, "FINES")
    with nothing_written(house.session), pytest.raises(UnknownFund):
        add(house, "AID2020", fund="holidays")
