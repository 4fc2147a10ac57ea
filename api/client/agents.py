"""Agents from the operator's side: entered with their caps, activated by a second person, frozen by one."""

from typing import Any

from pydantic import ValidationError

from api.client.desk import Desk
from ledger import people
from ledger.aid import agents
from ledger.aliases import Kind, draw
from ledger.approvals import ACT_DOMAIN, Act
from ledger.errors import Tampered
from ledger.money import Money
from ledger.people import Role


class WrongKey(Tampered):
    """The agent's key is not one that an approver of the roster has signed, or not the one that the agent told."""

    rule = "wrong_agent_key"


def add(
    desk: Desk, *, cap: Money, cap_lines: int, cap_courts: int | None = None, list_key: str | None = None
) -> dict[str, Any]:
    """Enters a vetted agent: the most cash they may hold, in the currency they are sent, lines, and courts of a list.

    `list_key` is the age public key that they gave at vetting; without one no list can be sealed to them.
    """
    alias = draw(Kind.AGENT)
    body = {
        "alias": alias,
        "cap": {"amount": cap.decimal(), "currency": cap.currency},
        "cap_lines": cap_lines,
        "cap_courts": cap_courts,
        "list_key": list_key,
    }
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


def activate(desk: Desk, agent: dict[str, Any], *, list_key: str | None = None) -> dict[str, Any]:
    """Agrees to an agent, to their caps and to their key: the second signature.

    `list_key` is the key as the agent told it, to be held against what the server shows.

    Raises:
        WrongKey: the server shows another key; nothing is signed.
    """
    alias, version = agent["alias"], agent["version"]
    if list_key is not None and list_key != agent["list_key"]:
        raise WrongKey("the server shows another key than the agent told", agent=alias)
    agreed = desk.agree(
        "activate_agent",
        alias,
        version=version,
        amount=Money.parse(agent["cap"]["amount"], agent["cap"]["currency"]),
        payee_commitment=_commitment(agent),
    )
    body = {"verb": "activate_agent", "object": alias, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/approvals", body, key=f"activate:{alias}:{version}")
    return answer


def agreed_key(desk: Desk, agent: dict[str, Any]) -> str:
    """The age key of an agent, once an approver of the roster stands for it with the kept act of their activation.

    A server that shows another key shows no act that covers it.

    Raises:
        WrongKey: the agent has none, or nobody stands for it.
    """
    acts = desk.api.get("/v1/approvals", of=agent["alias"])["approvals"]
    if agent["list_key"] is None or not any(_stands_for(desk, agent, kept) for kept in acts):
        raise WrongKey("no approver stands for the agent's key", agent=agent["alias"])
    key: str = agent["list_key"]
    return key


def freeze(desk: Desk, agent: dict[str, Any]) -> dict[str, Any]:
    """Stops everything that was not released to an agent yet."""
    alias, version = agent["alias"], agent["version"]
    answer: dict[str, Any] = desk.api.post(f"/v1/agents/{alias}/freeze", {}, key=f"freeze:{alias}:{version}")
    return answer


def compromise(desk: Desk, agent: dict[str, Any]) -> dict[str, Any]:
    """Freezes an agent for good: others may know what they know."""
    alias, version = agent["alias"], agent["version"]
    answer: dict[str, Any] = desk.api.post(f"/v1/agents/{alias}/compromise", {}, key=f"compromise:{alias}:{version}")
    return answer


def exposures(desk: Desk) -> list[dict[str, Any]]:
    """What the fund has at stake with each agent."""
    found: list[dict[str, Any]] = desk.api.get("/v1/agents/exposure")["agents"]
    return found


def cases_known(desk: Desk, alias: str) -> list[dict[str, Any]]:
    """The cases that stood on an agent's lists, open ones first."""
    found: list[dict[str, Any]] = desk.api.get(f"/v1/agents/{alias}/cases")["cases"]
    return found


def close(desk: Desk, agent: dict[str, Any]) -> dict[str, Any]:
    """Ends the work with an agent who holds nothing and is owed nothing."""
    alias, version = agent["alias"], agent["version"]
    answer: dict[str, Any] = desk.api.post(f"/v1/agents/{alias}/close", {}, key=f"close:{alias}:{version}")
    return answer


def _commitment(agent: dict[str, Any]) -> str:
    return agents.commitment(cap_lines=agent["cap_lines"], cap_courts=agent["cap_courts"], list_key=agent["list_key"])


def _stands_for(desk: Desk, agent: dict[str, Any], kept: dict[str, Any]) -> bool:
    """Whether an act is an approver's, by any roster this device has checked, on this agent with this key."""
    try:
        act = Act.model_validate_json(kept["document"])
    except ValidationError:
        return False
    signers = [one for roster in desk.rosters for one in roster.operators if one.alias == act.signer]
    message = ACT_DOMAIN + act.canonical()
    return (act.act, act.book, act.object, act.payee_commitment) == (
        "activate_agent",
        desk.roster.book,
        agent["alias"],
        _commitment(agent),
    ) and any(
        Role.APPROVER in one.roles and people.holds(one.signing_key, message, kept["signature"]) for one in signers
    )
