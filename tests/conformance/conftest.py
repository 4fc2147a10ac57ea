"""Where `SOLIDARITY_CONFORMANCE` is set, what these tests need must be there: a test that is passed over has failed."""

import os
from collections.abc import Generator, Mapping
from typing import TypeVar

import pytest

NAME = "SOLIDARITY_CONFORMANCE"
_Report = TypeVar("_Report", bound=pytest.TestReport | pytest.CollectReport)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return as_promised((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return as_promised((yield))


def as_promised(report: _Report, *, environment: Mapping[str, str] = os.environ) -> _Report:
    """The report; of a test that was passed over where none may be, as a failure."""
    if environment.get(NAME) and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{NAME} is set, and this was passed over: {report.longrepr}"
    return report
