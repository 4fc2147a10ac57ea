"""The variable under which these tests fail where what they need is absent."""

import pytest

from tests.conformance.conftest import NAME, as_promised


def test_a_test_that_is_passed_over_fails_where_that_is_asked_for() -> None:
    absent = ("file", 1, "Skipped: absent")
    reports: list[pytest.TestReport | pytest.CollectReport] = [
        pytest.CollectReport("a", "skipped", absent, []),
        pytest.TestReport("a", ("file", 1, "a"), {}, "skipped", absent, "setup"),
        pytest.TestReport("a", ("file", 1, "a"), {}, "passed", None, "call"),
    ]

    assert [as_promised(one, environment={}).outcome for one in reports] == ["skipped", "skipped", "passed"]
    assert [as_promised(one, environment={NAME: "1"}).outcome for one in reports] == ["failed", "failed", "passed"]
