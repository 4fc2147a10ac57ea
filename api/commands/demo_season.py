"""The season day by day: what the operators of a fund did between August and the end of November."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from api.client import donations, periods, publications, purpose_texts, rates
from api.client.desk import Desk
from api.commands import administration, demo_aid, demo_people
from api.commands.demo_bank import Transfer
from api.commands.demo_people import EXPIRES_ON, ROLES
from api.commands.demo_stage import FOUNDING_KEY, STORY, Stage, say
from ledger import bearer_keys
from ledger.aliases import Kind, draw
from ledger.money import Money
from reports.transparency.disclosure import StillOpen

NAMES = {
    "1000:eur-main": "Bank, euros",
    "1000:byn-main": "Bank, roubles",
    "1050:eur": "Payouts in transit, euros",
    "1100:eur": "Card processor, euros",
    "1100:usd": "Card processor, dollars",
}
PULLS = ("2020-08-14", "2020-08-31", "2020-09-09", "2020-09-30", "2020-10-14", "2020-10-31", "2020-11-18", "2020-11-30")
"""The days on which balance transactions are fetched: soon, the day after a payout, and at a month's end."""
EUR_STATEMENTS = ("2020-08-19", "2020-08-31", "2020-09-30", "2020-10-31", "2020-11-20", "2020-11-30")
BYN_STATEMENTS = ("2020-09-09", "2020-09-30", "2020-10-31", "2020-11-30")
"""The days up to which statements are written; each advance brings one of its own."""

Step = Callable[[Stage], None]


def steps(stage: Stage) -> Iterator[tuple[date, Step]]:
    """Every step of the season in its order: the day, and what is done on it."""
    for (day, _), step in sorted(_all_steps(stage.plan), key=lambda told: told[0]):
        yield day, step


def _all_steps(plan: dict[str, Any]) -> Iterator[tuple[tuple[date, int], Step]]:
    """Steps of one day are ordered: rates, the processor, the bank, cases, payments, closing, publication."""
    yield (_day(plan["first_day"]), 0), set_up
    for day in sorted({row.split(",")[1] for row in _rate_lines()}):
        yield (_day(day), 1), _bind(_take_rates, day)
    for number, day in enumerate(PULLS):
        since = PULLS[number - 1] if number else "2020-07-31"
        yield (_day(day), 2), _bind(_pull_processor, since, day)
    for leaf, days in (("1000:eur-main", EUR_STATEMENTS), ("1000:byn-main", BYN_STATEMENTS)):
        for day in days:
            yield (_day(day), 3), _bind(_take_statement, leaf, day)
    for day in BYN_STATEMENTS:
        yield (_day(day), 4), demo_aid.confirm_reimbursed
    yield from demo_aid.steps(plan)
    for month in plan["months"]:
        yield (_day(month["closed_on"]), 8), _bind(_close_month, month["last_day"][:7])
    for day in ("2020-11-02", "2020-12-01"):
        yield (_day(day), 9), _publish


def set_up(stage: Stage) -> None:
    """The administrator makes everybody's keys, the accounts, the purposes; the gifts that will come are known."""
    admin = stage.desk("clara", bearer=FOUNDING_KEY)
    for name, (roles, _) in ROLES.items():
        if name not in demo_people.read_bearers(stage.folder):
            bearer = administration.draw_bearer()
            _make_key(admin, stage.people[name].device.alias, roles, bearer)
            demo_people.keep_bearer(stage.folder, name, bearer)
    clara = stage.desk("clara")
    for account in stage.plan["accounts"]:
        body = {"code": account["code"], "name": NAMES[account["code"]], "currency": account["currency"]}
        clara.api.post("/v1/accounts", body, key=f"account:{account['code']}")
    references = {}
    for purpose in stage.plan["purposes"]:
        body = {**purpose, "text": f"For {purpose['fund']} of the fund", "net_of_costs": False}
        references[purpose["code"]] = clara.api.post("/v1/purposes", body, key=f"purpose:{purpose['code']}")[
            "reference"
        ]
    for gift in stage.plan["bank_gifts"]:
        reference = references[gift["purpose"]] if gift["purpose"] else None
        money = Money.parse(gift["amount"], gift["currency"])
        stage.bank[gift["account"]].move(Transfer(money, _day(gift["on"]), reference, gift["giver"]))
    for payout in stage.plan["payouts"]:
        money = Money.parse(payout["amount"], payout["currency"])
        stage.bank[payout["account"]].move(Transfer(money, _day(payout["seen_on"]), None, "An invented processor"))
    _tell_donors(stage)
    demo_aid.welcome_agent(stage)


def _tell_donors(stage: Stage) -> None:
    """One person drafts what donors are told from the next day on, another publishes it; once."""
    clara, boris = stage.desk("clara"), stage.desk("boris")
    if purpose_texts.listed(clara)["versions"]:
        return
    tomorrow = (stage.now().date() + timedelta(days=1)).isoformat()
    told = json.loads((STORY / "purposes.json").read_text("utf-8"))
    for code, text in told.items():
        data = json.dumps(text | {"effective_from": tomorrow}).encode()
        drafted = purpose_texts.draft(clara, code, data=data)
        purpose_texts.approve(boris, purpose_texts.find_draft(boris, drafted["alias"]))
    say(f"{stage.now():%Y-%m-%d}  what donors are told of {len(told)} purposes published by two people")


def _take_rates(stage: Stage, day: str) -> None:
    lines = [line for line in _rate_lines() if line.split(",")[1] == day]
    rates.send(stage.desk("anna"), "\n".join(["currency,on,rate,source", *lines, ""]).encode())


def _pull_processor(stage: Stage, since: str, until: str) -> None:
    """What moved in these days: asked of the processor where one answers, else as its API would list it."""
    booked = stage.pull(_day(until)) if stage.pull else 0
    for name in () if stage.pull else ("processor-eur.json", "processor-usd.json"):
        listed = json.loads((STORY / name).read_text("utf-8"))
        listed["data"] = [one for one in listed["data"] if since < _created(one) <= until]
        if listed["data"]:
            balance = (STORY / "processor-balance.json").read_bytes() if until == PULLS[-1] else None
            told = balance if name == "processor-usd.json" else None
            booked += len(donations.send(stage.desk("anna"), json.dumps(listed).encode(), balance=told))
    say(f"{until}  {booked} movements at the card processor booked")


def _take_statement(stage: Stage, leaf: str, until: str) -> None:
    stage.take_statement(leaf, _day(until))


def _close_month(stage: Stage, month: str) -> None:
    closed = {one["month"] for one in periods.listed(stage.desk("anna")) if one["state"] == "closed"}
    if month not in closed:
        periods.close(stage.desk("anna"), month)
        say(f"{stage.now():%Y-%m-%d}  {month} closed for good")


def _publish(stage: Stage) -> None:
    clara, boris = stage.desk("clara"), stage.desk("boris")
    try:
        publications.draft(clara)
    except StillOpen:
        return
    for waiting in publications.listed(boris)["drafts"]:
        publications.approve(boris, waiting)
        say(f"{stage.now():%Y-%m-%d}  publication {waiting['number']} drafted by one person, approved by another")


def _make_key(admin: Desk, operator: str, roles: tuple[Any, ...], bearer: str) -> None:
    alias, digest = draw(Kind.KEY), administration.digest_of(bearer)
    committed = bearer_keys.commitment(
        alias=alias, operator=operator, roles=frozenset(roles), key_digest=digest, expires_on=EXPIRES_ON
    )
    body = {
        "alias": alias,
        "operator": operator,
        "roles": sorted(roles),
        "digest": digest,
        "expires_on": EXPIRES_ON.isoformat(),
        "agreed": admin.agree("create_key", alias, version=1, evidence=[committed]),
    }
    admin.api.post("/v1/keys", body, key=f"key:{alias}")


def _bind(verb: Callable[..., None], *facts: str) -> Step:
    return lambda stage: verb(stage, *facts)


def _rate_lines() -> list[str]:
    return (STORY / "rates.csv").read_text("utf-8").split()[1:]


def _created(movement: dict[str, Any]) -> str:
    return f"{datetime.fromtimestamp(movement['created'], UTC):%Y-%m-%d}"


def _day(text: str) -> date:
    return date.fromisoformat(text)
