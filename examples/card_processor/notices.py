"""The invented processor's notices: signed, sent again when they are not taken, doubled, out of order, or lost."""

import hashlib
import hmac
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from examples.card_processor.account import Account, Thing

TRIES = 3
"""How often a notice is sent that is not taken."""

Send = Callable[[bytes, dict[str, str]], int]
"""Sends a body with its headers; gives the status of the answer, 0 for none."""


@dataclass(slots=True)
class Mail:
    """Sends what the account has told since the last time. `lost` and `doubled` are how many of 100 are."""

    account: Account
    secret: str
    send: Send
    chance: random.Random
    lost: int = 0
    doubled: int = 0
    thin: bool = False
    taken: list[str] = field(default_factory=list)
    _sent: int = 0

    def deliver(self) -> None:
        """Everything new, shuffled."""
        due, self._sent = self.account.events[self._sent :], len(self.account.events)
        due = [event for event in due if self.chance.randrange(100) >= self.lost]
        due += [event for event in due if self.chance.randrange(100) < self.doubled]
        self.chance.shuffle(due)
        for event in due:
            body = write(event, thin=self.thin)
            for _ in range(TRIES):
                status = self.send(body, {"Stripe-Signature": sign(body, secret=self.secret, at=self.account.now)})
                if 200 <= status < 300:  # noqa: PLR2004  # HTTP's own borders
                    self.taken.append(event["id"])
                    break


def write(event: Thing, *, thin: bool = False) -> bytes:
    """The body of a notice: with the object as it was, or thin, with its name only."""
    if not thin:
        return json.dumps(event, indent=2).encode()
    about = event["data"]["object"]
    related = {"id": about["id"], "type": about["object"], "url": f"/v1/{about['object']}s/{about['id']}"}
    told = {"id": event["id"], "object": "v2.core.event", "type": f"v1.{event['type']}", "related_object": related}
    return json.dumps(told).encode()


def sign(body: bytes, *, secret: str, at: int) -> str:
    """The header that proves a body: the second and an HMAC-SHA-256 over both."""
    code = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={code.hexdigest()}"
