"""Cases, payments, agents and bail in any order, by anybody: whatever happens, the money is proven and never too early.

With `SOLIDARITY_LONG_GAMES=1` the games are long: minutes instead of seconds.
"""

import os
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Engine

from tests.cast import create_shred_keys
from tests.played_agents import AgentPlay
from tests.played_cases import CasePlay

IS_LONG = os.environ.get("SOLIDARITY_LONG_GAMES") == "1"
BOUNDED = settings(
    max_examples=60 if IS_LONG else 3,
    stateful_step_count=100 if IS_LONG else 20,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # a failure is told as it was found: the smallest one would take minutes
    suppress_health_check=list(HealthCheck),
)


def test_whatever_is_done_with_aid_in_any_order_it_holds(fresh: Callable[[], Engine], tmp_path: Path) -> None:
    place = {"fresh": staticmethod(fresh), "shred_keys": create_shred_keys(tmp_path)}
    machine = type("Machine", (CasePlay, AgentPlay), place | {"checked_after": 1 if IS_LONG else 6})

    run_state_machine_as_test(machine, settings=BOUNDED)
