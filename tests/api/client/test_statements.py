"""Statements on the treasurer's device: bare numbers are sent, everything that names somebody is sealed."""

import json
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from api.client import matching, sealing, statements
from api.client.bank_files import detection
from api.client.bank_files.lines import UnknownFormat, UnreadableFile
from api.client.http import ApiRefusal
from api.client.statements import NotThisAccount
from ledger import references
from ledger.books import accounts
from ledger.giving import donations, payouts
from ledger.reconciliation.account_numbers import NumberNotSaid
from ledger.storage.engine import transaction
from tests.canaries import sightings
from tests.cast import byn, eur
from tests.office import BANK_DAY, BYN_LEAF, EUR_LEAF, Office, on_one_database, rotate
from tests.papers import BankLine, a_camt_file, october

NAMES = ("Kanarejka Иванова", "KANAREJKA-FLAT-7", "INVENTED-ACCOUNT")
ON = date(2020, 10, 9)

pytestmark = on_one_database


@pytest.fixture
def bank_day(furnished: Office) -> Office:
    """The furnished office on the day October's statements come in."""
    furnished.set_clock(BANK_DAY)
    return furnished


def sent_by(office: Office, file: bytes, *, account: str = BYN_LEAF, number: str | None = None) -> list[dict[str, Any]]:
    """The bodies that importing a file sends."""
    bodies: list[dict[str, Any]] = []

    def note(request: httpx2.Request) -> None:
        if request.method == "POST":
            bodies.append(json.loads(request.content))

    office.http.event_hooks = {"request": [note]}
    statements.send(office.desk("anna"), file, account=account, number=number)
    office.http.event_hooks = {}
    return bodies


def reference_of(office: Office, purpose: str = "FINES") -> str:
    purposes = office.desk("anna").api.get("/v1/purposes")["purposes"]
    (reference,) = [one["reference"] for one in purposes if one["code"] == purpose]
    return str(reference)


def in_groups(reference: str) -> str:
    return " ".join(reference[at : at + 4] for at in range(0, len(reference), 4))


def test_what_is_sent_holds_numbers_and_nothing_that_names_anybody(bank_day: Office) -> None:
    line = BankLine(byn("1.00"), ON, counterparty=NAMES[0], remittance=NAMES[1])

    (body,) = sent_by(bank_day, october(line, opening="5000.00"))

    assert body["lines"] == [
        {
            "booked_on": "2020-10-09",
            "value_on": "2020-10-09",
            "amount": {"amount": "1.00", "currency": "BYN"},
            "reference": None,
            "reversal": False,
            "traces": [],
            "payout": None,
            "marks": [],
            "parts": [],
        }
    ]
    assert (body["opening"]["amount"], body["closing"]["amount"]) == ("5000.00", "5001.00")
    assert sightings(NAMES, json.dumps(body).encode()) == []


def test_the_whole_statement_opens_from_its_box_to_those_with_the_vault(bank_day: Office) -> None:
    file = october(BankLine(byn("1.00"), ON, counterparty=NAMES[0], remittance=NAMES[1]), opening="5000.00")
    (body,) = sent_by(bank_day, file)

    boris = bank_day.desk("boris")
    opened = boris.api.get(f"/v1/boxes/{body['alias']}", reason="reconciliation")
    shelf, (box,) = opened["shelf"], opened["boxes"]
    wrap, public = sealing.from_base64(shelf["wrap"]), sealing.from_base64(shelf["public"])
    seed = sealing.open_wrap(boris.vault("money"), wrap, alias=body["alias"], public=public)
    rest = sealing.open_box(
        seed, sealing.from_base64(box["bytes"]), kind="statement", alias=body["alias"], field="rest"
    )

    (statement,) = detection.read(file).statements
    told = {name: value for name, value in asdict(statement).items() if name != "number"}  # its bank has not told one
    assert json.loads(rest) == json.loads(json.dumps(told, default=str))
    assert sightings(NAMES, json.dumps(json.loads(rest), ensure_ascii=False).encode()) == list(NAMES)


def test_our_own_reference_is_found_wherever_a_bank_puts_it(bank_day: Office) -> None:
    own = reference_of(bank_day)
    places = (
        BankLine(byn("1.00"), ON, reference=own),
        BankLine(byn("2.00"), ON, remittance=own),
        BankLine(byn("3.00"), ON, remittance=f"from Invented Donor {in_groups(own).lower()}, thank you"),
        BankLine(byn("4.00"), ON, counterparty=f"Invented Donor {own}"),
        BankLine(byn("5.00"), ON, reference=own, remittance=f"again {own}"),
    )

    (body,) = sent_by(bank_day, october(*places, opening="5000.00"))

    assert [line["reference"] for line in body["lines"]] == [own] * len(places)


def test_no_reference_is_sent_that_is_none_of_ours_or_that_is_not_the_only_one(bank_day: Office) -> None:
    own, other = reference_of(bank_day), reference_of(bank_day, "DETENTION")
    # A letter for a digit would make a number one digit longer, which one time in 97 is right again.
    one, another = ("0", "1") if own[-1].isdigit() else ("A", "B")
    mistyped = own[:-1] + (one if own[-1] != one else another)
    lines = (
        BankLine(byn("1.00"), ON, remittance="RF18KANAREJKA"),
        BankLine(byn("2.00"), ON, remittance=mistyped),
        BankLine(byn("3.00"), ON, reference=own, remittance=other),
        BankLine(byn("4.00"), ON, remittance=f"{own} {other}"),
    )

    (body,) = sent_by(bank_day, october(*lines, opening="5000.00"))

    assert [line["reference"] for line in body["lines"]] == [None] * len(lines)


def test_a_foreign_reference_that_looks_like_ours_is_not_kept(bank_day: Office) -> None:
    foreign = references.draw()
    sent_by(bank_day, october(BankLine(byn("1.00"), ON, remittance=foreign), opening="5000.00"))

    assert sightings([foreign], repr(bank_day.rows()).encode()) == []


def test_an_end_to_end_id_and_a_payouts_id_are_sent_as_digests_only(bank_day: Office) -> None:
    own, payout = reference_of(bank_day), "po_1InventedPayout0001"
    lines = (
        BankLine(byn("-1.00"), ON, end_to_end_id="KANAREJKA-RENT"),
        BankLine(byn("1.00"), ON, end_to_end_id="kanarejka-rent", reversal=True),
        BankLine(byn("2.00"), ON, end_to_end_id=own),
        BankLine(byn("3.00"), ON, remittance=f"PAYOUT {payout} THANKS"),
        BankLine(byn("4.00"), ON, remittance=f"{payout} po_1InventedPayout0002"),
    )

    (body,) = sent_by(bank_day, october(*lines, opening="5000.00"))

    out, back, ours, paid_out, two = body["lines"]
    assert len(out["traces"]) == 1
    assert out["traces"] == back["traces"]
    assert (ours["traces"], ours["reference"]) == ([], own)
    assert [one["payout"] for one in body["lines"]] == [None, None, None, payouts.digest(payout), None]
    assert (paid_out["traces"], two["traces"]) == ([], [])
    assert sightings(["KANAREJKA-RENT", "kanarejka-rent", payout], repr(bank_day.rows()).encode()) == []


def test_what_comes_back_after_a_rotation_is_known_by_its_older_token(bank_day: Office) -> None:
    day_after = date(2020, 10, 12)
    left = october(BankLine(byn("-7.00"), ON, end_to_end_id="INVENTED-RENT"), opening="5000.00")
    back = BankLine(byn("7.00"), day_after, end_to_end_id="INVENTED-RENT")
    statements.send(bank_day.desk("anna"), left, account=BYN_LEAF)
    rotate(bank_day, "money")

    anna = bank_day.new_desk("anna")
    statements.send(anna, october(back, opening="4993.00"), account=BYN_LEAF)

    (proposed,) = matching.listed(anna)["proposals"]
    assert (proposed["reasons"], proposed["entries"]) == (["takes_back", "same_end_to_end_id", "days_near"], [])
    assert len(proposed["lines"]) == 2


def test_a_line_of_zero_stays_on_the_device_and_is_told_of(bank_day: Office) -> None:
    file = october(BankLine(byn("0.00"), ON), BankLine(byn("1.00"), ON), opening="5000.00")

    (answer,) = statements.send(bank_day.desk("anna"), file, account=BYN_LEAF)

    assert (answer["fresh"], answer["at_zero"]) == (1, 1)


def test_what_is_odd_in_a_file_is_told_and_what_does_not_add_up_is_an_exception(bank_day: Office) -> None:
    file = october(BankLine(byn("1.00"), ON), opening="5000.00", closing="5003.00")

    answer, odd = statements.send(bank_day.desk("anna"), file, account=BYN_LEAF)

    assert (answer["fresh"], "at_zero" in answer, odd["where"]) == (1, False, "statement 1")
    assert odd["problem"].startswith("it does not add up: ")
    waiting = bank_day.desk("anna").api.get("/v1/exceptions")["exceptions"]
    amounts = [one["amount"] for one in waiting if one["difference"] == "statement_does_not_add_up"]
    assert amounts == [{"amount": "2.00", "currency": "BYN"}]


def test_lines_that_are_not_booked_stay_on_the_device(bank_day: Office) -> None:
    pending = october(BankLine(byn("1.00"), ON), BankLine(byn("2.00"), ON), opening="5000.00", closing="5001.00")
    pending = pending[::-1].replace(b"BOOK"[::-1], b"PDNG"[::-1], 1)[::-1]

    (body,) = sent_by(bank_day, pending)

    assert [line["amount"]["amount"] for line in body["lines"]] == ["1.00"]


def test_each_statement_of_a_file_is_sent_by_itself_and_only_once(bank_day: Office) -> None:
    first = october(BankLine(byn("1.00"), ON), opening="5000.00")
    second = october(BankLine(byn("2.00"), ON), opening="5001.00")
    start, end = b"<Stmt>", b"</Stmt>"
    both = first.replace(end, end + second[second.index(start) : second.index(end) + len(end)])

    bodies = sent_by(bank_day, both)

    assert [body["opening"]["amount"] for body in bodies] == ["5000.00", "5001.00"]
    assert len({body["content_token"] for body in bodies}) == 2
    assert sent_by(bank_day, both) == []


def test_the_same_file_after_the_vault_has_a_new_key_is_the_same_statement(bank_day: Office) -> None:
    file = october(BankLine(byn("1.00"), ON), opening="5000.00")
    before = sent_by(bank_day, file)
    rotate(bank_day, "money")
    standing = bank_day.rows()

    after = statements.send(bank_day.new_desk("anna"), file, account=BYN_LEAF)

    assert [answer["alias"] for answer in after] == [body["alias"] for body in before]
    assert [(answer["fresh"], answer["booked"]) for answer in after] == [(0, 0)]
    assert len(bank_day.rows()["statement"]) == len(standing["statement"])
    assert bank_day.rows()["statement_line"] == standing["statement_line"]


@pytest.mark.parametrize("account", [EUR_LEAF, "1000", "4000", "1000:nowhere", "5000"])
def test_a_statement_of_another_account_is_not_sent(bank_day: Office, account: str) -> None:
    with bank_day.nothing_written(), pytest.raises(NotThisAccount):
        sent_by(bank_day, october(opening="5000.00"), account=account)


def both_in_one(first: bytes, second: bytes) -> bytes:
    start, end = b"<Stmt>", b"</Stmt>"
    return first.replace(end, end + second[second.index(start) : second.index(end) + len(end)])


def in_euros() -> bytes:
    return a_camt_file([], opening=eur("1.00"), first=date(2020, 10, 1), last=date(2020, 10, 31))


def test_of_a_file_with_several_currencies_the_leaf_takes_its_own_and_the_others_are_told(bank_day: Office) -> None:
    both = both_in_one(october(BankLine(byn("1.00"), ON), opening="5000.00"), in_euros())

    sent, left = statements.send(bank_day.desk("anna"), both, account=BYN_LEAF)

    assert (sent["fresh"], left) == (1, {"left_out": "EUR", "lines": 0})


def test_a_line_in_another_currency_than_its_statement_keeps_the_whole_file_back(bank_day: Office) -> None:
    mixed = october(BankLine(byn("1.00"), ON), opening="5000.00").replace(
        b'<Amt Ccy="BYN">1.00', b'<Amt Ccy="EUR">1.00'
    )

    with bank_day.nothing_written(), pytest.raises(NotThisAccount) as refusal:
        statements.send(bank_day.desk("anna"), both_in_one(in_euros(), mixed), account=BYN_LEAF)

    assert refusal.value.data["where"] == "statement 2"


def test_of_a_table_with_several_currencies_the_account_takes_its_own(bank_day: Office) -> None:
    header = "id,created,amount,currency,local_amount,local_currency,description,category,address,notes"
    rows = [f"T{nth},2020-10-12,{nth}.00,{code},0,X,x,,," for nth, code in enumerate(("BYN", "EUR", "BYN"), 1)]
    file = "\n".join([header, *rows]).encode()

    sent, left = statements.send(bank_day.desk("anna"), file, account=BYN_LEAF)

    assert sent["fresh"] == 2
    assert left == {"left_out": "EUR", "lines": 1}


def two_accounts(*, day: str = "201031") -> bytes:
    one = ":20:S\n:25:{}\n:28C:1\n:60F:C201001BYN0,00\n:61:2010091009C{}NTRFNONREF\n:62F:C" + day + "BYN{}\n-\n"
    return (one.format("XX1", "1,", "1,") + one.format("XX2", "2,", "2,")).encode()


def test_of_several_accounts_in_one_file_somebody_says_which(bank_day: Office) -> None:
    anna = bank_day.desk("anna")
    with bank_day.nothing_written(), pytest.raises(NotThisAccount, match="--number"):
        statements.send(anna, two_accounts(), account=BYN_LEAF)
    with bank_day.nothing_written(), pytest.raises(NotThisAccount, match="of this number"):
        statements.send(anna, two_accounts(), account=BYN_LEAF, number="XX3")

    (body,) = sent_by(bank_day, two_accounts(), number="xx 2")

    assert [line["amount"]["amount"] for line in body["lines"]] == ["2.00"]


def test_of_several_accounts_in_one_file_the_leaf_takes_the_one_it_knows(bank_day: Office) -> None:
    anna = bank_day.desk("anna")
    statements.send(anna, two_accounts(), account=BYN_LEAF, number="XX2")
    rotate(bank_day, "money")

    sent, left = statements.send(bank_day.new_desk("anna"), two_accounts(day="201030"), account=BYN_LEAF)

    assert (sent["fresh"], left) == (0, {"left_out": "BYN", "lines": 1})


def another_leaf(office: Office) -> str:
    with transaction(office.engine) as session:
        accounts.add_leaf(session, "1000:byn-other", name="Other", currency="BYN")
    return "1000:byn-other"


def test_a_file_of_another_account_is_refused_until_somebody_says_its_number(bank_day: Office) -> None:
    anna, later = bank_day.desk("anna"), date(2020, 10, 12)
    statements.send(anna, october(BankLine(byn("1.00"), ON), opening="5000.00"), account=BYN_LEAF)
    file = october(BankLine(byn("2.00"), later), opening="5001.00").replace(b"INVENTED-ACCOUNT", b"INVENTED-OTHER")

    with bank_day.nothing_written(), pytest.raises(ApiRefusal) as refusal:
        statements.send(anna, file, account=BYN_LEAF)
    (answer,) = statements.send(anna, file, account=BYN_LEAF, number="INVENTED-OTHER")

    assert refusal.value.rule == "other_account_number"
    assert answer["fresh"] == 1
    assert sightings(["INVENTED-ACCOUNT", "INVENTED-OTHER"], repr(bank_day.rows()).encode()) == []


def test_a_leaf_does_not_take_the_account_of_another_leaf_nor_its_file(bank_day: Office) -> None:
    anna, other = bank_day.desk("anna"), another_leaf(bank_day)
    file = october(BankLine(byn("77.00"), ON), opening="5000.00")
    statements.send(anna, file, account=BYN_LEAF)
    next_file = october(BankLine(byn("1.00"), ON), opening="5077.00")

    with bank_day.nothing_written():
        with pytest.raises(ApiRefusal) as same_content:
            statements.send(anna, file, account=other, number="INVENTED-ACCOUNT")
        with pytest.raises(ApiRefusal) as same_account:
            statements.send(anna, next_file, account=other)

    assert same_content.value.rule == "content_conflict"
    assert (same_account.value.rule, same_account.value.data["known_at"]) == ("other_account_number", BYN_LEAF)


def test_a_file_that_came_before_tokens_were_of_the_content_alone_is_the_same_statement(bank_day: Office) -> None:
    file = october(BankLine(byn("1.00"), ON), opening="5000.00")
    (body,) = sent_by(bank_day, file)
    with bank_day.engine.begin() as connection:
        asked = {"old": body["older_tokens"][0], "alias": body["alias"]}
        connection.execute(text("UPDATE statement SET content_token = :old WHERE alias = :alias"), asked)

    (answer,) = statements.send(bank_day.new_desk("anna"), file, account=BYN_LEAF)

    assert (answer["alias"], answer["fresh"]) == (body["alias"], 0)


def test_the_first_file_of_a_leaf_may_have_to_be_said(bank_day: Office) -> None:
    anna, leaf = bank_day.desk("anna"), another_leaf(bank_day)
    file, again = (
        october(BankLine(byn(amount), ON), opening=opening).replace(b"INVENTED-ACCOUNT", b"INVENTED-OTHER")
        for amount, opening in (("1.00", "5000.00"), ("2.00", "5001.00"))
    )
    with bank_day.nothing_written(), pytest.raises(NumberNotSaid):
        statements.send(anna, file, account=leaf, must_say_first=True)

    said = statements.send(anna, file, account=leaf, must_say_first=True, number="invented-other")
    known = statements.send(anna, again, account=leaf, must_say_first=True)

    assert [one["fresh"] for one in (*said, *known)] == [1, 1]


@pytest.mark.parametrize("form", ["mt940", "ofx"])
def test_the_same_bare_numbers_are_sent_from_other_formats(bank_day: Office, form: str) -> None:
    reference = reference_of(bank_day)
    grouped = in_groups(reference)
    files = {
        "mt940": ":20:S\n:25:XX1\n:28C:1\n:60F:C201001BYN0,\n:61:2010121012C1,00NTRFNONREF\n"
        f":86:166?00X?20SVWZ+{grouped[:20]}?21{grouped[20:]}?32{NAMES[0]}\n:62F:C201031BYN1,\n-\n",
        "ofx": "OFXHEADER:100\n\n<OFX><STMTRS><CURDEF>BYN<BANKACCTFROM><ACCTID>XX1</BANKACCTFROM><BANKTRANLIST>"
        f"<STMTTRN><DTPOSTED>20201012<TRNAMT>1.00<NAME>{NAMES[0]}<MEMO>{grouped}</STMTTRN></BANKTRANLIST></STMTRS></OFX>",
    }
    (body,) = sent_by(bank_day, files[form].encode(), number="XX1")
    (line,) = body["lines"]

    assert (line["booked_on"], line["amount"], line["reference"]) == (
        "2020-10-12",
        {"amount": "1.00", "currency": "BYN"},
        reference,
    )
    assert NAMES[0] not in json.dumps(body, ensure_ascii=False)


def test_a_booked_line_without_a_day_keeps_the_whole_file_back(bank_day: Office) -> None:
    line = "<STMTTRN><DTPOSTED>{}<TRNAMT>1.00</STMTTRN>"
    first, second = (
        f"<STMTRS><CURDEF>BYN<BANKTRANLIST>{line.format(day)}</BANKTRANLIST></STMTRS>" for day in ("20201012", "")
    )

    with bank_day.nothing_written(), pytest.raises(UnreadableFile, match="without a booking day"):
        statements.send(bank_day.desk("anna"), f"<OFX>{first}{second}</OFX>".encode(), account=BYN_LEAF)


def test_a_file_that_cannot_be_read_sends_nothing(bank_day: Office) -> None:
    with bank_day.nothing_written(), pytest.raises(UnknownFormat):
        statements.send(bank_day.desk("anna"), b"Date;Amount\n", account=BYN_LEAF)


def batch(*details: tuple[str, str | None], day: date = ON, side: str = "CRDT") -> bytes:
    """A line of several payments, each with its reference."""
    amount = sum(Decimal(one) for one, _ in details)
    told = "".join(
        f'<TxDtls><Amt Ccy="BYN">{one}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
        f"<RmtInf><Ustrd>{reference or 'a word'}</Ustrd></RmtInf></TxDtls>"
        for one, reference in details
    )
    entry = (
        f'<Ntry><Amt Ccy="BYN">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
        f"<BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>KANAREJKA-1</AcctSvcrRef><NtryDtls>{told}</NtryDtls></Ntry>"
    )
    file = october(opening="5000.00").decode()
    return file.replace("</Stmt>", f"{entry}</Stmt>").encode()


def test_a_line_of_several_has_a_reference_only_when_each_of_them_has_it(bank_day: Office) -> None:
    own = reference_of(bank_day)
    (mixed,) = sent_by(bank_day, batch(("100.00", own), ("150.00", None), ("50.00", None)))
    (alike,) = sent_by(bank_day, batch(("100.00", own), ("70.00", own)))

    (line,) = mixed["lines"]
    assert line["reference"] is None
    assert [(one["amount"]["amount"], one["reference"]) for one in line["parts"]] == [
        ("100.00", own),
        ("150.00", None),
        ("50.00", None),
    ]
    assert [(one["reference"], one["parts"]) for one in alike["lines"]] == [(own, [])]
    with transaction(bank_day.engine, write=False) as session:
        given = sorted(one.minor for one in donations.listed(session) if one.received_on == ON)
    assert given == [5_000, 10_000, 15_000, 17_000]


def test_number_format_and_the_banks_reference_are_sent_and_no_profile_of_a_bank(bank_day: Office) -> None:
    file = batch(("1.00", None)).replace(b"<Acct>", b"<ElctrncSeqNb>12</ElctrncSeqNb><Acct>", 1)
    (body,) = sent_by(bank_day, file)

    (line,) = body["lines"]
    assert (body["format"], body["number"]) == ("camt.053", "12")
    assert [len(one) for one in line["marks"]] == [64]
    assert "KANAREJKA" not in json.dumps(body)
