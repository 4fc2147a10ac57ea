"""Cases, payments, agents and bail in any order, by anybody: whatever happens, the money is proven and never too early.

The same games are played each time. With `SOLIDARITY_LONG_GAMES=20` these are twenty others, of a hundred steps; what
fails tells its `SOLIDARITY_GAMES_SEED`, with which the same games are played again.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Engine

from tests.cast import create_shred_keys, the_fund
from tests.played_agents import AgentPlay
from tests.played_bail import BailPlay
from tests.played_batches import BatchPlay
from tests.played_cases import CasePlay
from tests.played_orders import OrderPlay
from tests.watched_aid import WatchedAid

LONG_GAMES = int(os.environ.get("SOLIDARITY_LONG_GAMES", "0"))
SEED = int(os.environ.get("SOLIDARITY_GAMES_SEED") or (secrets.randbits(32) if LONG_GAMES else 0))
PLAYS = (CasePlay, AgentPlay, BatchPlay, BailPlay, OrderPlay)
BOUNDED = settings(
    max_examples=LONG_GAMES or 2,
    stateful_step_count=100 if LONG_GAMES else 25,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # a failure is told as it was found: the smallest one would take minutes
    suppress_health_check=list(HealthCheck),
)


def test_whatever_is_done_with_aid_in_any_order_it_holds(
    fresh: Callable[[], Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = Random()  # noqa: S311  # draws no secrets, and is to draw the same again
    place: dict[str, Any] = {"fresh": staticmethod(fresh), "shred_keys": create_shred_keys(tmp_path), "dice": dice}
    place |= {"checked_after": 3 if LONG_GAMES else 8}
    machine = type("Machine", (*PLAYS, WatchedAid), place)
    the_fund()  # its people's keys are drawn by chance, whoever comes first
    monkeypatch.setattr(secrets, "choice", dice.choice)
    monkeypatch.setattr(secrets, "randbits", dice.getrandbits)

    try:
        run_state_machine_as_test(seed(SEED)(machine), settings=BOUNDED)
    except Exception as failure:
        failure.add_note(f"Played again with SOLIDARITY_GAMES_SEED={SEED}")
        raise
