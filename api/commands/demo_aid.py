"""The season's aid: lists taken in, batches agreed to, an agent sent money, results entered, a fine quashed."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from api.client import (
    advances,
    agents,
    batches,
    case_evidence,
    case_imports,
    case_lives,
    cases,
    evidence,
    quashing,
    results,
    verifications,
)
from api.commands.demo_bank import Transfer
from api.commands.demo_stage import Stage, say
from ledger.aid.eligibility import Rejection
from ledger.identities.evidence import EvidenceKind
from ledger.money import Money

BYN_LEAF, EUR_LEAF = "1000:byn-main", "1000:eur-main"
AGENT_CAP, AGENT_CAP_LINES = Money(2_500_000, "EUR"), 120
"""What the story's agent may hold at the most, and how many lines they may have open."""
SATURDAY = 5
"""The day of the week on which the agent's courier hands over receipts and they are looked at."""

Step = Callable[[Stage], None]


def steps(plan: Mapping[str, Any]) -> Iterator[tuple[tuple[date, int], Step]]:
    """Every step of aid with its day and its place within the day."""
    for number, handover in enumerate(plan["handovers"], start=1):
        yield (_day(handover["on"]), 4), _bind(_take_in, number, handover)
    for batch in plan["batches"]:
        yield (_day(batch["told_on"]), 5), _bind(_ask_advance, batch)
        yield (_day(batch["released_on"]), 1), _bind(_release, batch)
        yield (_day(batch["advance"]["sent_on"]), 3), _bind(_see_sent, batch)
        yield (_day(batch["advance"]["acknowledged_on"]), 4), _bind(_acknowledge, batch)
        yield (_day(batch["results_on"]), 6), _bind(_enter_results, batch, plan["rejected_receipt"])
    for reimbursement in plan["reimbursements"]:
        yield (_day(reimbursement["released_on"]), 5), _bind(_reimburse, reimbursement)
    yield (_day(plan["rejected_receipt"]["rejected_on"]), 6), _bind(_reject, plan["rejected_receipt"])
    yield (_day(plan["quashed"]["confirmed_on"]), 6), _bind(_quash, plan["quashed"])
    announced_on = _day(plan["unspent"]["returned_on"]) - timedelta(days=1)
    yield (announced_on, 6), _bind(_give_back, plan["unspent"])


def welcome_agent(stage: Stage) -> None:
    """The treasurer enters the agent with their caps, the approver activates them."""
    anna, boris = stage.desk("anna"), stage.desk("boris")
    if not agents.listed(anna):
        agents.activate(boris, agents.add(anna, cap=AGENT_CAP, cap_lines=AGENT_CAP_LINES))


def confirm_reimbursed(stage: Stage) -> None:
    """Who was reimbursed brings the receipt of the bill that they had paid; it is kept, and their case confirmed."""
    anna = stage.desk("anna")
    scan = stage.folder / "receipt-of-a-bill.txt"
    scan.write_text("An invented receipt of a detention bill.", "utf-8")
    paid = [case["alias"] for case in cases.listed(anna, state="paid")]
    for case in paid:
        if not any(file["kind"] == EvidenceKind.RECEIPT for file in anna.api.get(f"/v1/cases/{case}")["evidence"]):
            evidence.add(anna, case, scan, kind=EvidenceKind.RECEIPT)
        case_lives.confirm(anna, case)
    if paid:
        say(f"{stage.now():%Y-%m-%d}  {len(paid)} receipts of reimbursed bills kept, their cases confirmed")


def _take_in(stage: Stage, number: int, handover: Mapping[str, Any]) -> None:
    """The rows of one handover are sealed and sent, opened and verified, and asked for in batches."""
    anna, boris = stage.desk("anna"), stage.desk("boris")
    lines = range(handover["first_line"], handover["last_line"] + 1)
    rows = [row for row in stage.rows(handover["list"]) if row.line in lines]
    case_imports.import_rows(anna, rows, jurisdiction=stage.plan["jurisdiction"], list_name=handover["list"])
    received = [case["alias"] for case in cases.listed(anna, state="received")]
    for case, answer in verifications.verify_many(anna, received).items():
        if answer == verifications.POSSIBLE_DUPLICATE:  # she has looked at both: the ruling stood on the list before
            verifications.reject(anna, case, because=Rejection.DUPLICATE)
    asked = {
        "fines": _batch(stage, "fine", agent=agents.listed(anna)[0]),
        "bills": _batch(stage, "detention", agent=None),
    }
    for name, batch in asked.items():
        if batch is not None:
            stage.batches[name, number] = batch
            batches.approve(boris, batch)
            batches.tell(anna, batch, told_on=stage.now().date())
    say(f"{handover['on']}  {handover['list']}: {len(rows)} rows sealed, {len(received)} opened and verified, approved")


def _batch(stage: Stage, kind: str, *, agent: Mapping[str, Any] | None) -> str | None:
    anna = stage.desk("anna")
    chosen = list(batches.candidates(anna, kind=kind))
    if not chosen:
        return None
    created = batches.create(
        anna,
        chosen,
        agent=agent["alias"] if agent else None,
        account=agent["purse"] if agent else BYN_LEAF,
        payee_of={"detention": "beneficiary"},
    )
    return str(batches.lock(anna, created["alias"])["alias"])


def _ask_advance(stage: Stage, batch: Mapping[str, Any]) -> None:
    anna, boris = stage.desk("anna"), stage.desk("boris")
    if ("fines", batch["number"]) in stage.batches:
        told = batch["advance"]
        shares = {fund: Money.parse(amount, told["sent"]["currency"]) for fund, amount in told["split"].items()}
        asked = advances.request(anna, agent=agents.listed(anna)[0]["alias"], account=EUR_LEAF, shares=shares)
        advances.approve(boris, asked)


def _release(stage: Stage, batch: Mapping[str, Any]) -> None:
    """Money and list go to the agent; the list is a file on the treasurer's device and nowhere else."""
    anna = stage.desk("anna")
    for advance in advances.listed(anna, state="approved"):
        released = advances.release(anna, advance)
        sent = -_money(batch["advance"]["sent"])
        on = _day(batch["advance"]["sent_on"])
        stage.bank[EUR_LEAF].move(Transfer(sent, on, released["reference"], "An invented exchange office"))
    alias = stage.batches.get(("fines", batch["number"]))
    if alias is not None:
        batches.release(anna, alias)
        rows = batches.agents_list(anna, alias).rows
        (stage.folder / f"agent-list-{batch['number']}.csv").write_text(_csv(rows), "utf-8")
        say(f"{batch['released_on']}  batch {batch['number']}: {len(rows)} fines released to the agent")


def _see_sent(stage: Stage, batch: Mapping[str, Any]) -> None:
    stage.take_statement(EUR_LEAF, _day(batch["advance"]["sent_on"]))


def _acknowledge(stage: Stage, batch: Mapping[str, Any]) -> None:
    anna = stage.desk("anna")
    for advance in advances.listed(anna, state="sent"):
        told = batch["advance"]
        advances.acknowledge(
            anna, advance["alias"], received=_money(told["received"]), on=_day(told["acknowledged_on"])
        )


def _enter_results(stage: Stage, batch: Mapping[str, Any], rejected: Mapping[str, Any]) -> None:
    """The agent's courier brings the codes with what became of each, and the receipts."""
    alias = stage.batches.get(("fines", batch["number"]))
    if alias is None:
        return
    withheld = {(rejected["list"], rejected["line"])}
    paid_on = {(fine["list"], fine["line"]): fine["paid_on"] for fine in batch["fines"]}
    verified_on = _saturday_before(_day(batch["results_on"]))
    told = [
        {
            "code": code,
            "outcome": "paid",
            "receipt": "verified",
            "verified_on": str(verified_on),
            "paid_on": paid_on[at],
        }
        for code, at in _agents_lines(stage, batch["number"])
        if at not in withheld
    ]
    _hand_in(stage, alias, f"agent-results-{batch['number']}.csv", told)
    say(f"{batch['results_on']}  batch {batch['number']}: {len(told)} fines paid, receipts verified")


def _reject(stage: Stage, rejected: Mapping[str, Any]) -> None:
    """One receipt cannot be read: the money stays with the agent, and ages."""
    alias = stage.batches.get(("fines", rejected["batch"]))
    if alias is None:
        return
    batch = next(one for one in stage.plan["batches"] if one["number"] == rejected["batch"])
    place = (rejected["list"], rejected["line"])
    paid_on = next(f["paid_on"] for f in batch["fines"] if (f["list"], f["line"]) == place)
    told = [
        {"code": code, "outcome": "paid", "receipt": "rejected", "verified_on": "", "paid_on": paid_on}
        for code, at in _agents_lines(stage, rejected["batch"])
        if at == place
    ]
    _hand_in(stage, alias, f"agent-results-{rejected['batch']}-rejected.csv", told)


def _hand_in(stage: Stage, alias: str, name: str, rows: list[dict[str, str]]) -> None:
    path = stage.folder / name
    path.write_text(_csv(rows), "utf-8")
    scans = {row["code"]: f"An invented receipt of {row['paid_on']}.".encode() for row in rows if row["verified_on"]}
    batches.enter_results(stage.desk("anna"), alias, results.read(path.read_bytes()), receipts=scans)


def _reimburse(stage: Stage, reimbursement: Mapping[str, Any]) -> None:
    """Detention bills go back to those who paid them, each with a reference of its own."""
    bills = {(bill["list"], bill["line"]): bill["paid_on"] for bill in reimbursement["bills"]}
    alias = next(
        (alias for (what, _), alias in stage.batches.items() if what == "bills" and alias not in stage.paid), None
    )
    if alias is None:
        return
    stage.paid.add(alias)
    anna = stage.desk("anna")
    batches.release(anna, alias)
    lines = batches.find(anna, alias)["lines"]
    opened = case_evidence.check_many(anna, [line["case"] for line in lines], reason="payment")
    for line in lines:
        at = stage.place_of(opened[line["case"]["alias"]].ruling["ruling_number"], "detention")
        stage.bank[BYN_LEAF].move(
            Transfer(-_money(line["amount"]), _day(bills[at]), line["reference"], "An invented beneficiary")
        )
    say(f"{reimbursement['released_on']}  {len(lines)} detention bills released to the beneficiaries")


def _quash(stage: Stage, quashed: Mapping[str, Any]) -> None:
    """A paid fine is quashed: the authority confirms that it owes it back, and pays under our reference."""
    anna = stage.desk("anna")
    alias = stage.batches.get(("fines", quashed["batch"]))
    if alias is None:
        return
    lines = batches.find(anna, alias)["lines"]
    opened = case_evidence.check_many(anna, [line["case"] for line in lines], reason="verification")
    place = (quashed["list"], quashed["line"])
    for line in lines:
        case = line["case"]["alias"]
        if stage.place_of(opened[case].ruling["ruling_number"], "fine") == place:
            quashing.quash(anna, case)
    (refund,) = quashing.refunds(anna)
    money = Money.parse(quashed["amount"], quashed["currency"])
    transfer = Transfer(money, _day(quashed["refunded_on"]), refund["reference"], "An invented treasury")
    stage.bank[quashed["account"]].move(transfer)
    say(f"{quashed['confirmed_on']}  a paid fine was quashed; {money} are owed back")


def _give_back(stage: Stage, unspent: Mapping[str, Any]) -> None:
    anna = stage.desk("anna")
    if ("fines", len(stage.plan["batches"])) not in stage.batches:
        return
    newest = max(advances.listed(anna), key=lambda advance: advance["acknowledged_on"])
    announced = advances.give_back(anna, newest, stands_for=_money(unspent["given_back"]))
    reference = announced["returns"][-1]["reference"]
    arrived, on = _money(unspent["arrived"]), _day(unspent["returned_on"])
    stage.bank[unspent["account"]].move(Transfer(arrived, on, reference, "An invented exchange office"))


def _agents_lines(stage: Stage, number: int) -> list[tuple[str, tuple[str, int]]]:
    """The codes of the agent's list, and which row of the story's lists each is: the agent knows whom they paid for."""
    text = (stage.folder / f"agent-list-{number}.csv").read_text("utf-8")
    return [
        (row["code"], stage.place_of(row["ruling_number"], "fine"))
        for row in csv.DictReader(io.StringIO(text), delimiter=";")
    ]


def _csv(rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), delimiter=";", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _saturday_before(day: date) -> date:
    return day - timedelta(days=(day.weekday() - SATURDAY) % 7)


def _bind(verb: Callable[..., None], *facts: Any) -> Step:
    return lambda stage: verb(stage, *facts)


def _money(amount: Mapping[str, str]) -> Money:
    return Money.parse(amount["amount"], amount["currency"])


def _day(text: str) -> date:
    return date.fromisoformat(text)
