"""Drafted, published and read by anybody; gifts without a purpose; what comes back, and what does not."""

import json
from datetime import timedelta

import pytest

from api.client import bank_gifts, gifts, statements
from api.client import purpose_texts as client
from api.client import transfers as transfers_client
from api.client.case_evidence import EvidenceDiffers
from api.client.purpose_texts import NotTheText
from ledger.aliases import Kind, draw
from ledger.giving.purpose_texts import BadPurposeText
from tests.attempts import WORDS, refused, told
from tests.bookkeeping import CARD_LEAF, EUR_LEAF
from tests.canaries import sightings
from tests.cast import eur
from tests.giving_walk import show, stray_gifts
from tests.office import Office, a_gift_by_card, on_one_database
from tests.papers import BankLine, a_camt_file
from tests.told import LINK, TEXTS, a_file, a_gift_without_purpose, tell_donors

UNREADABLE = a_gift_by_card(id="txn_InventedGift0009", source="ch_InventedGift0009", description="For Kanarejka")


def test_what_two_people_signed_is_what_anybody_reads_from_the_next_day_on(furnished: Office) -> None:
    before = furnished.send("GET", "/give", bearer=None)
    tell_donors(furnished)
    today = furnished.send("GET", "/give/en", bearer=None)
    furnished.set_clock(furnished.now() + timedelta(days=1))

    answer = furnished.send("GET", "/give", bearer=None, headers={"Accept-Language": "be-BY, en;q=0.5"})

    assert LINK not in before.text + today.text
    assert f'href="{LINK}"' in answer.text
    assert TEXTS["be"]["title"] in answer.text
    assert '<html lang="be">' in answer.text
    (reference,) = [
        one["reference"]
        for one in furnished.desk("clara").api.get("/v1/purposes")["purposes"]
        if one["code"] == "FINES"
    ]
    assert reference[:4] in answer.text


@on_one_database
def test_a_gift_is_matched_to_what_donors_read_on_its_own_day(furnished: Office) -> None:
    """From tomorrow on the purpose is the fund of detention's, and bears its costs."""
    show(furnished, "1.00", on=furnished.now().date())
    tell_donors(furnished, fund="detention", net_of_costs=True)
    furnished.set_clock(furnished.now() + timedelta(days=2))
    show(furnished, "2.00", on=furnished.now().date())
    gifts_there = {amount: gift["alias"] for amount, gift in stray_gifts(furnished).items()}
    anna = furnished.desk("anna")

    told = [bank_gifts.match(anna, gifts_there[amount], purpose="FINES") for amount in ("1.00", "2.00")]

    assert [one["fund"] for one in told] == ["fines", "detention"]
    today = furnished.now().date().isoformat()
    assert {
        (one["fund"], one["net_of_costs"])
        for on in (None, today)
        for one in anna.api.get("/v1/purposes", on=on)["purposes"]
        if one["code"] == "FINES"
    } == {("fines", False), ("detention", True)}


@on_one_database
def test_the_page_sets_nothing_and_tells_browsers_to_do_little_with_it(furnished: Office) -> None:
    page = furnished.send("GET", "/give", bearer=None)
    german = furnished.send("GET", "/give/de", bearer=None)

    policy = page.headers["Content-Security-Policy"]
    assert "set-cookie" not in {name.lower() for name in page.headers}
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.endswith("; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    assert "unsafe-inline" not in policy
    assert (page.headers["Referrer-Policy"], page.headers["X-Content-Type-Options"]) == ("no-referrer", "nosniff")
    assert (page.headers["Cache-Control"], page.headers["Vary"]) == ("public, max-age=300", "Accept-Language")
    assert (german.headers["Content-Language"], german.headers.get("Vary")) == ("de", None)
    for path in ("/give/tlh", "/give/<b>", "/give/en%0d%0aX: y", "/give/" + "x" * 36):
        answer = furnished.send("GET", path, bearer=None)
        assert answer.status_code in {404, 422}
        assert "<b>" not in answer.text


@on_one_database
def test_nothing_of_gifts_or_people_stands_on_the_page(furnished: Office) -> None:
    anna = furnished.desk("anna")
    line = BankLine(eur("43.21"), furnished.now().date(), counterparty="Kanarejka", remittance="Kanarejka")
    day = furnished.now().date()
    statements.send(anna, a_camt_file([line], opening=eur("0.00"), first=day, last=day), account=EUR_LEAF)
    a_gift_without_purpose(furnished, UNREADABLE)
    tell_donors(furnished)
    furnished.set_clock(furnished.now() + timedelta(days=1))

    pages = [furnished.send("GET", f"/give/{tag}", bearer=None).content for tag in ("en", "be", "ru", "de", "pl", "uk")]

    assert sightings([*WORDS, "5000.00", "5,000", "43.21", "100.00"], b"".join(pages)) == []


@on_one_database
def test_a_draft_is_a_publishers_and_another_person_publishes_it(furnished: Office) -> None:
    dora = furnished.desk("dora")
    drafted = client.draft(dora, "FINES", data=a_file(furnished))
    waiting = client.find_draft(dora, drafted["alias"])

    with refused(furnished, "same_person", status=403):
        client.approve(dora, waiting)
    with furnished.nothing_written():
        answer = furnished.post("/v1/purposes/versions", {"alias": draw(Kind.PURPOSE_DRAFT)}, by="boris")
    assert told(answer) == (403, "not_allowed")


@on_one_database
def test_nobody_signs_a_text_that_is_not_what_is_shown_beside_it(furnished: Office) -> None:
    drafted = client.draft(furnished.desk("clara"), "FINES", data=a_file(furnished))
    boris = furnished.desk("boris")
    waiting = client.find_draft(boris, drafted["alias"])
    swapped = waiting["document"].replace("Invented0001", "Evil0001")

    with furnished.nothing_written():
        for other in ({"document": swapped}, {"purpose": "DETENTION"}, {"number": 2}):
            with pytest.raises(NotTheText):
                client.approve(boris, waiting | other)
        with pytest.raises(BadPurposeText):
            client.approve(boris, waiting | {"document": waiting["document"] + " "})


@on_one_database
def test_the_server_refuses_what_a_client_should_not_have_sent_and_repeats_nothing(furnished: Office) -> None:
    clara = furnished.desk("clara")
    alias = draw(Kind.PURPOSE_DRAFT)
    document = client.read_file(a_file(furnished), code="FINES", number=1).canonical()
    bad = [
        document.replace("https://", "http://", 1),
        document.replace("INVENTED FUND", WORDS[0] * 5),
        document.replace("For fines", f"{WORDS[1]}\u202e"),
        f"[{WORDS[2]}",
        "[" * 100_000,
        document.replace("For fines", WORDS[1] * 50_000),
    ]

    for text in bad:
        agreed = clara.agree("draft_purpose", alias, version=1, evidence=["ab" * 32])
        with furnished.nothing_written():
            answer = furnished.post(
                "/v1/purposes/versions", {"alias": alias, "document": text, "agreed": agreed}, by="clara"
            )
        assert answer.status_code == 422
        assert sightings(WORDS, answer.content) == []
    assert sightings(WORDS, json.dumps(furnished.logs, default=str).encode()) == []


def test_a_gift_without_a_purpose_gets_one_and_its_history_says_so(furnished: Office) -> None:
    alias = a_gift_without_purpose(furnished, UNREADABLE)
    anna = furnished.desk("anna")
    assert anna.api.get("/v1/queue")["waiting"]["gifts_without_purpose"] == 1

    gifts.assign(anna, alias, purpose="FINES", account=CARD_LEAF)

    asked = transfers_client.request(
        anna,
        giver="fines",
        taker="detention",
        account=EUR_LEAF,
        amount=eur("40.00"),
        consent=alias,
        evidence=f"{WORDS[0]} agrees.",
    )
    boris = furnished.desk("boris")
    assert transfers_client.read_consent(boris, asked) == f"{WORDS[0]} agrees."
    with pytest.raises(EvidenceDiffers):
        transfers_client.read_consent(boris, asked | {"consent_commitment": "ab" * 32})
    transfers_client.approve(boris, asked)
    told_of = gifts.history(anna, alias)
    assert [(one["kind"], one["fund"]) for one in told_of["events"]] == [
        ("card_gift", "unassigned"),
        ("gift_assigned", "fines"),
        ("moved_between_funds", "detention"),
    ]
    assert (told_of["donation"]["purpose"], told_of["purpose_version"]) == ("FINES", 0)
    assert gifts.unassigned(anna) == []
    opened = anna.api.get(f"/v1/boxes/{asked['alias']}", reason="audit")
    assert [(box["kind"], box["field"]) for box in opened["boxes"]] == [("transfer", "consent")]
    assert [box["commitment"] for box in opened["boxes"]] == [asked["consent_commitment"]]
    assert sightings(WORDS, json.dumps([opened, told_of]).encode()) == []
