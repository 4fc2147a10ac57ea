"""Hostile bodies of the card processor's notices, and what movements of their amounts would be.

The files are not ours to ship; where they are absent, the tests say so. One body is of the processor's test mode: a
notice of it says no more than that it is time to look, and which mode is looked at is the key's.
"""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr
from pydantic_core import from_json
from sqlmodel import Session

from api.stripe_gateway import BadMovements, read_movements
from api.stripe_notices import BadNoticeSignature, Named, read_notice
from examples.card_processor.notices import sign
from ledger.books.postings import LARGEST_POSTING_MINOR
from ledger.giving import processor
from ledger.giving.bookings import Reason
from ledger.giving.notices import BadNotice
from tests.attempts import is_problem
from tests.bookcheck import found
from tests.bookkeeping import RECORDER
from tests.cards import read
from tests.office import Office

DATA = Path(__file__).parents[2] / "../shared/data"
BODIES = DATA / "hostile/crafted/stripe_events_hostile.jsonl"
FIXTURES = sorted(
    path
    for part in ("pay-rails+pay/test/fixtures/files/stripe", "stripe-ruby-mock+stripe-ruby-mock/lib/stripe_mock")
    for path in (DATA / "stripe" / part).rglob("*.json")
)

pytestmark = pytest.mark.skipif(not BODIES.is_file(), reason="../shared/data, the collection of test files, is absent")

SECRET = "whsec_invented"
NOW = datetime(2026, 9, 21, 9, tzinfo=UTC)
AMOUNT = re.compile(r'("amount": .*), "currency": (.*?), "status"')
LEAF_CURRENCY = "EUR"
MOST = Decimal(LARGEST_POSTING_MINOR) / 100


def bodies() -> list[bytes]:
    return BODIES.read_bytes().splitlines() if BODIES.is_file() else []


def says_one_thing(body: bytes) -> bool:
    """By another reader than the product's, and without a name that stands twice beside itself."""
    try:
        from_json(body, allow_inf_nan=False)
    except ValueError:
        return False
    amounts = AMOUNT.search(body.decode())
    return amounts is not None and amounts[1].count('"amount"') == 1


def test_of_hostile_notices_the_name_is_kept_or_nothing_and_nothing_is_booked(office: Office) -> None:
    """Their ids are shorter than the processor's ever are: so they are all refused, and here each gets a longer one."""
    secrets = SecretStr(SECRET)
    office.app.state.settings = office.app.state.settings.model_copy(update={"stripe_webhook_secrets": secrets})
    before = office.rows()
    longer = [body.replace(b'"evt_', b'"evt_Hostile') for body in bodies()]

    with office.nothing_written():
        shorter = [notify(office, body) for body in bodies()]
    answers = [notify(office, body) for body in longer]

    assert [is_problem(answer, 400) for answer in shorter] == [True] * 18
    for body, answer in zip(longer, answers, strict=True):
        if says_one_thing(body):
            assert (answer.status_code, answer.content) == (200, b"")
        else:
            assert is_problem(answer, 400)
    assert [
        shown for answer in (*shorter, *answers) for shown in re.findall(r"evt_|ch_\d|charge|NaN|\u202e", answer.text)
    ] == []
    after = office.rows()
    named = {str(json.loads(body)["id"]) for body in longer if says_one_thing(body)}
    kept = after.pop("notice")
    assert (len(longer), len(named), len(kept)) == (18, 14, 14)
    assert all(any(name in row for row in kept) for name in named)
    assert before.pop("notice") == []
    assert after == before


def notify(office: Office, body: bytes) -> httpx2.Response:
    headers = {"Stripe-Signature": sign(body, secret=SECRET, at=int(office.now().timestamp()))}
    return office.send("POST", "/v1/webhooks/stripe", headers=headers, content=body)


def movement_of(body: bytes, *, nth: int) -> bytes:
    """A balance transaction with amount and currency just as the body writes them."""
    amounts = AMOUNT.search(body.decode())
    assert amounts is not None
    net = amounts[1].rpartition('"amount"')[2]
    facts = f'{amounts[1]}, "currency": {amounts[2]}, "net"{net}, "fee": 0, "created": 1790000000'
    names = f'"id": "txn_Hostile{nth:04d}", "source": "ch_Hostile{nth:04d}"'
    told = f'"object": "balance_transaction", "reporting_category": "charge", "description": null, {names}, {facts}'
    return f'{{"object": "list", "has_more": false, "data": [{{{told}}}]}}'.encode()


def can_be_read(amount: str, currency: str) -> bool:
    """One whole number in digits, and a code of a currency in whatever letters."""
    return re.fullmatch(r'"amount": -?\d+', amount) is not None and re.fullmatch(r'"[A-Za-z]{3}"', currency) is not None


def test_movements_of_hostile_amounts_are_exact_or_refused_and_the_rest_waits(founded: Session) -> None:
    expected = (DATA / "HOSTILE_EXPECTED.tsv").read_text("utf-8").partition("stripe_events_hostile.jsonl")[2]
    told_by_list = {code: Decimal(amount) for _, amount, code in re.findall(r"(\d+) = ([\d.]+) ([A-Z]{3})", expected)}
    seen: list[Decimal] = []
    by_currency: dict[str, Decimal] = {}
    refusals = 0

    for nth, body in enumerate(bodies()):
        amounts = AMOUNT.search(body.decode())
        if amounts is None:
            continue
        data = movement_of(body, nth=nth)
        if not can_be_read(*amounts.groups()):
            with pytest.raises(BadMovements) as refusal:
                read_movements(data)
            assert set(refusal.value.data) == {"where"}
            refusals += 1
            continue
        (movement,) = read(data)
        (booked,) = processor.book(founded, [movement], recorded_at=NOW, recorded_by=RECORDER)
        currency, gross = movement.gross.currency, Decimal(movement.gross.decimal())
        cents = Decimal(int(amounts[1].rpartition(" ")[2])) / 100
        by_currency[currency] = gross
        seen.append(gross)
        assert gross == told_by_list.get(currency, cents)
        if currency != LEAF_CURRENCY:
            assert (booked.recipe, booked.reason) == (None, Reason.NO_LEAF)
        elif gross.copy_abs() > MOST or gross < 0:
            assert (booked.recipe, booked.reason) == (None, Reason.NO_RECIPE)
        else:
            assert booked.recipe == "card_gift"

    assert set(told_by_list) == set(by_currency) - {LEAF_CURRENCY} == {"JPY", "KWD", "ISK", "UGX"}
    assert (len(seen), refusals) == (11, 6)
    assert Decimal("90071992547409.93") in seen
    assert found(founded) == []


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_a_body_of_other_programs_is_read_when_it_is_an_event_with_id_and_type(path: Path) -> None:
    body = path.read_bytes()
    told = json.loads(body)
    signature = sign(body, secret=SECRET, at=int(NOW.timestamp()))

    if told.get("object") == "event" and {type(told.get(name)) for name in ("id", "type")} == {str}:
        named = read_notice(body, signature=signature, secrets=(SECRET,), now=NOW)
        assert named == Named(told["id"], told["type"], told["data"]["object"].get("id"))
    else:
        with pytest.raises(BadNotice) as refusal:
            read_notice(body, signature=signature, secrets=(SECRET,), now=NOW)
        assert set(refusal.value.data) == {"where"}
    with pytest.raises(BadNoticeSignature):
        read_notice(body + b" ", signature=signature, secrets=(SECRET,), now=NOW)


def test_among_those_bodies_are_both_kinds() -> None:
    kinds = [json.loads(path.read_bytes()).get("object") == "event" for path in FIXTURES]

    assert (kinds.count(True) > 30, kinds.count(False) > 5) == (True, True)
