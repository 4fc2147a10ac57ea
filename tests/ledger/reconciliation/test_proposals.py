from collections.abc import Sequence
from datetime import date, timedelta
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.reconciliation import proposals
from ledger.reconciliation.proposals import Item, Proposal, Reason

DAY = date(2020, 11, 10)


def item(key: str, minor: int, *, days: int = 0, reversal: bool = False, trace: str | None = None) -> Item:
    return Item(key, minor, DAY + timedelta(days=days), reversal=reversal, trace=trace)


def told(lines: Sequence[Item], entries: Sequence[Item]) -> list[tuple[tuple[str, ...], tuple[str, ...], int, bool]]:
    return [(one.lines, one.entries, one.score, one.is_automatic) for one in proposals.propose(lines, entries)]


@pytest.mark.parametrize(
    ("days", "score", "automatic"), [(0, 100, True), (3, 90, True), (4, 80, False), (10, 80, False)]
)
def test_the_only_one_of_an_amount_is_matched_by_a_machine_when_it_is_near(
    days: int, score: int, *, automatic: bool
) -> None:
    assert told([item("a", -500)], [item("1", -500, days=-days)]) == [(("a",), ("1",), score, automatic)]


def test_beyond_the_window_or_the_other_way_nothing_is_proposed() -> None:
    assert told([item("a", -500)], [item("1", -500, days=11), item("2", 500), item("3", -499)]) == []


def test_two_of_an_amount_are_proposed_and_matched_by_nobody() -> None:
    assert told([item("a", 500)], [item("1", 500), item("2", 500, days=1)]) == [
        (("a",), ("1",), 70, False),
        (("a",), ("2",), 60, False),
    ]
    assert not any(one[3] for one in told([item("a", 500), item("b", 500)], [item("1", 500)]))


def test_a_line_may_be_several_entries_and_several_lines_one_entry() -> None:
    many = told([item("a", 600)], [item("1", 100), item("2", 200), item("3", 300, days=2), item("4", 1_000)])
    one = told([item("a", -100), item("b", -200)], [item("1", -300)])

    assert many == [(("a",), ("1", "2", "3"), 40, False)]
    assert one == [(("a", "b"), ("1",), 50, False)]


def test_a_reversal_is_held_against_the_line_before_it() -> None:
    lines = [item("late", 500, days=2), item("original", 500), item("taken", -500, days=1, reversal=True)]

    (found,) = proposals.propose(lines, [])

    assert found == Proposal(("original", "taken"), (), (Reason.TAKES_BACK, Reason.DAYS_NEAR))
    assert not found.is_automatic


@pytest.mark.parametrize("reversal", [True, False])
def test_what_takes_a_payment_back_has_its_end_to_end_id_whatever_the_bank_calls_it(*, reversal: bool) -> None:
    taken = item("taken", 500, days=30, reversal=reversal, trace="ab")
    lines = [item("original", -500, trace="ab"), item("nearer", -500, days=29, trace="cd"), taken]

    (found,) = proposals.propose(lines, [])

    assert found == Proposal(("original", "taken"), (), (Reason.TAKES_BACK, Reason.SAME_END_TO_END_ID))
    assert found.score == 80


def test_lines_of_one_end_to_end_id_are_two_when_both_go_one_way_or_lie_far_apart() -> None:
    standing_order = [item("first", 500, trace="ab"), item("second", 500, days=30, trace="ab")]
    too_late = [item("original", -500, trace="ab"), item("taken", 500, days=91, trace="ab")]

    assert proposals.propose(standing_order, []) == []
    assert proposals.propose(too_late, []) == []
    assert len(proposals.propose([item("out", -500, trace="ab"), item("in", 500, trace="ab")], [])) == 1


ITEMS = st.lists(st.tuples(st.integers(-6, 6).filter(bool), st.integers(-15, 15), st.booleans()), max_size=14)


@given(ITEMS, ITEMS)
def test_what_is_proposed_is_of_one_sum_and_of_what_is_there(
    of_lines: list[tuple[int, int, bool]], of_entries: list[tuple[int, int, bool]]
) -> None:
    lines = {f"l{nth}": item(f"l{nth}", m, days=d, reversal=r) for nth, (m, d, r) in enumerate(of_lines)}
    entries = {str(nth): item(str(nth), m, days=d) for nth, (m, d, _) in enumerate(of_entries)}

    for one in proposals.propose(list(lines.values()), list(entries.values())):
        assert len(set(one.lines)) == len(one.lines)
        assert len(set(one.entries)) == len(one.entries)
        assert sum(lines[key].minor for key in one.lines) == sum(entries[key].minor for key in one.entries)
        assert 0 < one.score <= 100
        if one.is_automatic:
            assert [key for key, each in entries.items() if each.minor == lines[one.lines[0]].minor] != []


def test_the_worst_that_a_bank_can_tell_takes_bounded_time() -> None:
    """Three hundred lines of which no few make any of the sums, and as many alike."""
    lines = [item(f"l{nth}", 1_000 + 2 * nth, days=nth % 9) for nth in range(300)]
    entries = [item(str(nth), 100_001 + 2 * nth, days=nth % 9) for nth in range(300)]
    alike = [item(f"x{nth}", 7, days=nth % 9) for nth in range(300)]
    same = [item(str(1_000 + nth), 7, days=nth % 9) for nth in range(300)]
    before = process_time()

    found = proposals.propose([*lines, *alike], [*entries, *same])

    assert process_time() - before < 3
    assert len(found) <= len(alike) * proposals.MOST_CANDIDATES
