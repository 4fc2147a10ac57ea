import pytest
from sqlmodel import Session

from ledger.books import accounts
from ledger.books.accounts import (
    Account,
    AccountClass,
    AccountExists,
    BadAccount,
    Function,
    NotPostable,
    UnknownAccount,
    add_leaf,
    listed,
    postable,
)
from ledger.money import BadCurrency
from tests.bookkeeping import EUR_LEAF
from tests.cast import nothing_written

SUBJECTS = {
    "obligation": {
        *("1300", "1350", "1380", "2100", "5000", "5100", "5300", "5400"),
        *("5900", "5900:fine", "5900:detention", "5900:court_fee"),
    },
    "advance,agent": {"1200", "1210", "2150"},
    "obligation,donation": {"5200"},
    "donation": {"2000", "2300", "4000", "4050", "4190"},
    "dispute": {"1150", "4195"},
}


def the_chart(session: Session) -> dict[str, Account]:
    return {account.code: account for account in listed(session)}


def test_the_default_chart_requires_a_subject_where_money_concerns_somebody(founded: Session) -> None:
    chart = the_chart(founded)

    required = {code: account.subject for code, account in chart.items() if account.subject}

    assert required == {code: subject for subject, codes in SUBJECTS.items() for code in codes}


def test_the_default_chart_knows_what_is_cash_what_is_liquid_and_what_is_pooled(founded: Session) -> None:
    roots = [account for account in listed(founded) if account.parent_code is None]

    assert [account.code for account in roots if account.cash] == ["1000", "1020", "1050", "1100"]
    assert [account.code for account in roots if account.liquid] == ["1000", "1020", "1050", "1100", "1200", "1210"]
    assert [account.code for account in roots if account.pooled] == ["1000", "1050", "1100"]


def test_the_first_digit_of_a_code_is_its_class_and_only_expenses_serve_a_function(founded: Session) -> None:
    classes = dict(zip("12345", AccountClass, strict=True)) | {"6": AccountClass.EXPENSE}

    for account in listed(founded):
        assert account.account_class is classes[account.code[0]]
        assert (account.function is Function.NONE) == (account.account_class is not AccountClass.EXPENSE)


def test_the_chart_is_listed_in_the_order_of_codes(founded: Session) -> None:
    codes = [account.code for account in listed(founded)]

    assert codes == sorted(codes)
    assert codes[:4] == ["1000", "1000:byn-main", "1000:eur-main", "1020"]


def test_a_leaf_inherits_all_but_its_name_and_currency(founded: Session) -> None:
    leaf = add_leaf(founded, "1200:A-7K3M", name="Invented agent", currency="BYN")

    parent = founded.get_one(Account, "1200")
    own = {"code", "parent_code", "name", "currency"}
    assert leaf.model_dump(exclude=own) == parent.model_dump(exclude=own)
    assert (leaf.parent_code, leaf.name, leaf.currency) == ("1200", "Invented agent", "BYN")


def test_a_new_leaf_is_postable_at_once_and_its_parent_no_longer(founded: Session) -> None:
    assert postable(founded, "1020", currency="EUR").code == "1020"

    add_leaf(founded, "1020:safe", name="The safe")

    assert postable(founded, "1020:safe", currency="EUR").parent_code == "1020"
    with pytest.raises(NotPostable) as refusal:
        postable(founded, "1020", currency="EUR")
    assert refusal.value.data == {"account": "1020"}


@pytest.mark.parametrize("code", ["1000", "1050", "1100", "5900"])
def test_an_account_that_is_the_sum_of_its_leaves_is_not_posted_to(founded: Session, code: str) -> None:
    with pytest.raises(NotPostable):
        postable(founded, code, currency="EUR")


def test_a_leaf_is_posted_to_in_its_own_currency_only(founded: Session) -> None:
    assert postable(founded, EUR_LEAF, currency="EUR").code == EUR_LEAF

    with pytest.raises(NotPostable) as refusal:
        postable(founded, EUR_LEAF, currency="BYN")

    assert refusal.value.data == {"account": EUR_LEAF, "currency": "EUR"}


def test_a_closed_account_is_not_posted_to(founded: Session) -> None:
    founded.get_one(Account, EUR_LEAF).closed = True
    founded.commit()

    with pytest.raises(NotPostable, match="closed"):
        postable(founded, EUR_LEAF, currency="EUR")


@pytest.mark.parametrize(("code", "shown"), [("1001", "1001"), ("1000:nowhere", "1000:nowhere"), ("Invented P.", None)])
def test_an_unknown_account_is_named_back_only_when_it_looks_like_one(
    founded: Session, code: str, shown: str | None
) -> None:
    with pytest.raises(UnknownAccount) as refusal:
        postable(founded, code, currency="EUR")

    assert refusal.value.data == {"account": shown}


def test_the_chart_is_read_anew_in_every_transaction(founded: Session) -> None:
    add_leaf(founded, "1020:safe", name="The safe")
    assert postable(founded, "1020:safe", currency="EUR").code == "1020:safe"

    founded.rollback()

    with pytest.raises(UnknownAccount):
        postable(founded, "1020:safe", currency="EUR")


def test_the_chart_is_read_anew_after_a_savepoint(founded: Session) -> None:
    with founded.begin_nested() as savepoint:
        add_leaf(founded, "1020:safe", name="The safe")
        assert postable(founded, "1020:safe", currency="EUR").code == "1020:safe"
        savepoint.rollback()

    with pytest.raises(UnknownAccount):
        postable(founded, "1020:safe", currency="EUR")


@pytest.mark.parametrize(
    "code",
    [
        "",
        "1000",
        "1000:",
        ":x",
        "1000:x:y",
        "1000:-x",
        "1000: x",
        "1000:x\n",
        "0100:x",
        "100:x",
        "1000:" + "x" * 41,
        "\uff11000:x",
    ],
)
def test_what_is_no_code_of_a_leaf_is_refused(founded: Session, code: str) -> None:
    with nothing_written(founded), pytest.raises(BadAccount):
        add_leaf(founded, code, name="Current account", currency="EUR")


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00b", "a" * 81])
def test_what_is_no_name_is_refused(founded: Session, name: str) -> None:
    with nothing_written(founded), pytest.raises(BadAccount) as refusal:
        add_leaf(founded, "1000:new", name=name, currency="EUR")

    assert refusal.value.data == {"where": "name"}


@pytest.mark.parametrize("parent", ["1000", "1050", "1100"])
def test_a_pooled_leaf_needs_its_one_currency(founded: Session, parent: str) -> None:
    with nothing_written(founded), pytest.raises(BadAccount) as refusal:
        add_leaf(founded, f"{parent}:new", name="Current account")

    assert refusal.value.data == {"where": "currency", "account": parent}


def test_a_leaf_is_kept_in_a_real_currency(founded: Session) -> None:
    with nothing_written(founded), pytest.raises(BadCurrency):
        add_leaf(founded, "1000:new", name="Current account", currency="eur")


def test_a_leaf_needs_a_parent_in_the_chart(founded: Session) -> None:
    with nothing_written(founded), pytest.raises(UnknownAccount):
        add_leaf(founded, "1001:new", name="Current account", currency="EUR")


def test_a_code_is_taken_once(founded: Session) -> None:
    with nothing_written(founded), pytest.raises(AccountExists):
        add_leaf(founded, EUR_LEAF, name="Current account", currency="EUR")


def test_the_longest_name_and_code_stand(founded: Session) -> None:
    leaf = add_leaf(founded, "1000:" + "x" * 40, name="ü" * accounts.LONGEST_NAME, currency="EUR")
    founded.commit()

    assert postable(founded, leaf.code, currency="EUR").code == leaf.code
