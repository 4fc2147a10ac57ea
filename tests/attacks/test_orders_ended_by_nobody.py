"""Orders ended, or begun again, by whoever owns the database and drops its guards: each is found."""

from tests.bookcheck import found, told_after
from tests.cast import TODAY, House, engine_of
from tests.unexecuted import a_payment, a_released_advance, end


def update(table: str, change: str, where: str = "1 = 1") -> str:
    return f"UPDATE {table} SET {change} WHERE {where}"  # noqa: S608  # the words of this file


def less(table: str, where: str) -> str:
    return f"DELETE FROM {table} WHERE {where}"  # noqa: S608  # the words of this file


def test_what_failed_without_two_signatures_or_goes_on_in_spite_of_them_is_found(house: House) -> None:
    payment = a_payment(house)
    ended = house.a_released_payment()
    end(house, ended)
    advance = a_released_advance(house)
    this, that = f"alias = '{payment.alias}'", f"alias = '{ended.alias}'"
    clara, boris = house.fund.clara.alias, house.fund.boris.alias
    row = f"INSERT INTO order_failure VALUES ('{payment.alias}', 1, 'bank_refused', '{clara}', '{TODAY}', '{boris}', "  # noqa: S608  # the words of this file
    failed, waiting = (
        update("disbursement", "state = 'failed'", this),
        update("disbursement", "state = 'released'", that),
    )
    gone = less("order_failure", f"order_alias = '{ended.alias}'")
    assert found(house.session, by={"orders-failed", "orders-forgotten", "signed", "acts"}) == []

    told = told_after(
        engine_of(house.session),
        {
            "failed by nobody": (failed, "orders-failed"),
            "an advance by nobody": (
                update("advance", "state = 'failed'", f"alias = '{advance.alias}'"),
                "orders-failed",
            ),
            "failed by a row": (f"{failed};{row}'{TODAY}')", "signed"),
            "waiting again": (waiting, "orders-failed"),
            "paid after all": (update("disbursement", "state = 'paid'", that), "orders-failed"),
            "a row less": (gone, "orders-failed"),
            "a row less, and waiting": (f"{gone};{waiting}", "orders-forgotten"),
            "another reason": (update("order_failure", "because = 'not_handed_in'"), "signed"),
            "another amount": (update("disbursement", "minor = minor - 1", that), "signed"),
            "another payee": (update("disbursement", "payee_commitment = 'another'", that), "signed"),
            "an act less": (less("signed_act", "verb = 'agree_unexecuted'"), "signed"),
            "a telling less": (less("signed_act", "verb = 'tell_unexecuted'"), "signed"),
        },
    )

    assert [name for name, checks in told.items() if not checks] == []
