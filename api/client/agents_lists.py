"""Agents' lists from the treasurer's side: opened here, sealed here to the agent's key, and handed over as they are.

The agent opens a list with any program that reads age files; what is inside is a CSV, with empty lines at its end that
hide how long it is.
"""

from datetime import date
from typing import Any

import pyrage

from api.client import agents, batches, sealing
from api.client.desk import Desk
from ledger.errors import NotFound, Tampered
from ledger.identities.boxes import padded_length
from reports import csv_table

COLUMNS = ("code", "amount", "currency", "payee", "name", "account", "ruling_number", "court", "article", "kind")


class ListGone(NotFound):
    """The list's last day has passed, or the agent is compromised: the server has removed it."""

    rule = "list_gone"


class NoAgent(Tampered):
    """The server shows no agent for this batch."""

    rule = "no_agent"


def put(desk: Desk, batch: str, *, expires_on: date) -> dict[str, Any]:
    """Opens the lines of a released batch, seals the list to its agent, and has it kept until its last day.

    `left_out` of the answer has why lines are not on it, by their codes: see `batches.agents_list`.

    Raises:
        WrongKey: nobody stands for the agent's key; nothing is sealed. EvidenceDiffers and what else opening raises.
    """
    found = batches.find(desk, batch)
    if found["agent"] is None:
        raise NoAgent("the batch is of no agent", batch=batch)
    key = agents.agreed_key(desk, agents.find(desk, found["agent"]))
    listed = batches.agents_list(desk, batch)
    sealed = seal(key, as_csv(listed.rows))
    body = {"sealed": sealing.to_base64(sealed), "expires_on": expires_on.isoformat()}
    answer: dict[str, Any] = desk.api.put(f"/v1/batches/{batch}/list", body)
    return answer | {"left_out": listed.left_out}


def fetch(desk: Desk, batch: str) -> bytes:
    """The age file to hand to the agent.

    Raises:
        ListGone: the server has removed it.
    """
    answer = desk.api.get(f"/v1/batches/{batch}/list")
    if answer["sealed"] is None:
        raise ListGone("the list was removed", batch=batch, expires_on=answer["expires_on"])
    return sealing.from_base64(answer["sealed"])


def seal(key: str, text: bytes) -> bytes:
    """An age file to one key; its length tells only the class of the text's length.

    Raises:
        BoxTooLarge: over 4 MiB.
    """
    padded = text + b"\n" * (padded_length(len(text)) - len(text))
    sealed: bytes = pyrage.encrypt(padded, [pyrage.x25519.Recipient.from_str(key)])
    return sealed


def as_csv(rows: list[dict[str, str]]) -> bytes:
    """The rows of a list as a CSV."""
    return csv_table.as_csv(COLUMNS, rows=[[row[name] for name in COLUMNS] for row in rows])
