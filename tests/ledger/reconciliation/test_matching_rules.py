from datetime import UTC, datetime

import pytest
from sqlmodel import Session

from ledger.aliases import AliasTaken, BadAlias, Kind, draw
from ledger.reconciliation import matching_rules
from ledger.reconciliation.matching_rules import TooManyRules, UnknownRule
from tests.bookcheck import found
from tests.cast import nothing_written

AT = datetime(2020, 11, 18, 12, tzinfo=UTC)
BY = "OP-7K3M-Q2XD-0000"


def add(session: Session, alias: str | None = None) -> str:
    return matching_rules.add(session, alias or draw(Kind.MATCHING_RULE), by=BY, at=AT).alias


def test_a_rule_stands_until_it_is_withdrawn_and_its_alias_is_never_free_again(founded: Session) -> None:
    gone, kept = add(founded), add(founded)

    matching_rules.withdraw(founded, gone, by=BY, at=AT)

    assert [one.alias for one in matching_rules.standing(founded)] == [kept]
    assert matching_rules.needed(founded, [gone, kept]) == {kept}
    assert [one.name for one in found(founded, by={"matching-rules"})] == [kept]  # nobody has sealed it
    with nothing_written(founded):
        with pytest.raises(UnknownRule):
            matching_rules.withdraw(founded, gone, by=BY, at=AT)
        with pytest.raises(AliasTaken):
            add(founded, gone)
        with pytest.raises(BadAlias):
            add(founded, draw(Kind.STATEMENT))


def test_no_more_rules_stand_than_a_treasurer_can_look_through(
    founded: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching_rules, "MOST_RULES", 1)
    add(founded)

    with nothing_written(founded), pytest.raises(TooManyRules):
        add(founded)
