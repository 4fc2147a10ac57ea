"""Agents from the operator's side: entered with their caps, activated by a second person, frozen by one."""

from typing import Any

from api.client.desk import Desk
from ledger.aid import agents
from ledger.aliases import Kind, draw
from ledger.money import Money


def add(desk: Desk, *, cap: Money, cap_lines: int) -> dict[str, Any]:
    """Enters a vetted agent: the most cash they may hold, in the currency they are sent, and the most lines."""
    alias = draw(Kind.AGENT)
    body = {"alias": alias, "cap": {"amount": cap.decimal(), "currency": cap.currency}, "cap_lines": cap_lines}
    answer: dict[str, Any] = desk.api.post("/v1/agents", body, key=f"agent:{alias}")
    return answer


def listed(desk: Desk) -> list[dict[str, Any]]:
    """All agents with what they hold, what they work on, and which receipts are wanting."""
    found: list[dict[str, Any]] = desk.api.get("/v1/agents")["agents"]
    return found


def find(desk: Desk, alias: str) -> dict[str, Any]:
    """One agent.

    Raises:
        UnknownAgent: the API shows none.
    """
    for agent in listed(desk):
        if agent["alias"] == alias:
            return agent
    raise agents.UnknownAgent("no agent has this alias")


def activate(desk: Desk, agent: dict[str, Any]) -> dict[str, Any]:
    """Agrees to an agent and to their caps: the second signature."""
    alias, version = agent["alias"], agent["version"]
    agreed = desk.agree(
        "activate_agent",
        alias,
        version=version,
        amount=Money.parse(agent["cap"]["amount"], agent["cap"]["currency"]),
        payee_commitment=agents.commitment(cap_lines=agent["cap_lines"]),
    )
    body = {"verb": "activate_agent", "object": alias, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"activate:{alias}:{version}")
    return answer


def freeze(desk: Desk, agent: dict[str, Any]) -> dict[str, Any]:
    """Stops everything that was not released to an agent yet."""
    alias, version = agent["alias"], agent["version"]
    answer: dict[str, Any] = desk.api.post(f"/v1/agents/{alias}/freeze", {}, key=f"freeze:{alias}:{version}")
    return answer


def close(desk: Desk, agent: dict[str, Any]) -> dict[str, Any]:
    """Ends the work with an agent who holds nothing and is owed nothing."""
    alias, version = agent["alias"], agent["version"]
    answer: dict[str, Any] = desk.api.post(f"/v1/agents/{alias}/close", {}, key=f"close:{alias}:{version}")
    return answer
