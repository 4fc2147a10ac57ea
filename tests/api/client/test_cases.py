"""Cases on the operator's device: sealed before they are sent, opened and compared before anything is signed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from api.client import case_evidence, case_imports, case_lives, cases, payments, sealing, shelves, verifications
from api.client.case_evidence import EvidenceDiffers
from api.client.case_imports import ROWS_A_REQUEST
from api.client.http import ApiRefusal, ApiUnreachable
from api.client.lists import BadList, ListRow
from api.client.sealing import BadSignature, CannotOpen, WrongCommitment, WrongKey
from ledger.aid import jurisdictions
from ledger.aid.eligibility import Rejection
from ledger.aliases import Kind, draw
from ledger.errors import LedgerError
from ledger.storage.engine import transaction
from tests.cast import eur
from tests.office import BYN_LEAF, DECISION_DAY, INTAKE_DAY, Office, on_one_database
from tests.papers import a_list_row


@pytest.fixture
def open_office(office: Office) -> Office:
    """The office on the day on which lists come in."""
    office.set_clock(INTAKE_DAY)
    return office


def send(office: Office, *rows: ListRow, by: str = "anna", list_name: str = "list.csv") -> case_imports.Imported:
    return case_imports.import_rows(office.desk(by), rows, jurisdiction="by", list_name=list_name)


def states(office: Office) -> dict[str, str | None]:
    """Every case's state or, of a rejected one, its code, by alias."""
    return {case["alias"]: case["rejection"] or case["state"] for case in cases.listed(office.desk("anna"))}


@contextmanager
def nobody_signs(office: Office, refusal: type[LedgerError]) -> Iterator[None]:
    signed = office.rows()["signed_act"]
    with pytest.raises(refusal):
        yield
    assert office.rows()["signed_act"] == signed


def test_a_row_is_sealed_and_opens_to_what_the_list_said(open_office: Office) -> None:
    row = a_list_row(name="Invented Ольга", served_on=date(2020, 9, 12))
    (alias,) = open_office.take_in(row)

    boris = open_office.desk("boris")
    evidence = case_evidence.check_evidence(boris, boris.api.get(f"/v1/cases/{alias}"), reason="approval")

    assert evidence.identity == {"name": "Invented Ольга", "payee_account": row.payee_account}
    assert (evidence.ruling["court"], evidence.ruling["ruling_number"]) == (row.court, row.ruling_number)
    assert (evidence.ruling["issued_on"], evidence.ruling["served_on"]) == ("2020-08-31", "2020-09-12")
    assert len(evidence.commitments) == 2


def test_the_books_keep_the_end_of_the_weeks_and_not_the_days(open_office: Office) -> None:
    (alias,) = open_office.take_in(a_list_row(issued_on=date(2020, 9, 1)))

    (ruling,) = open_office.desk("anna").api.get(f"/v1/cases/{alias}")["rulings"]
    assert (ruling["ruled_by"], ruling["payable_from"], ruling["due_by"]) == ("2020-09-06", "2020-09-16", "2020-10-05")


def test_the_same_list_again_sends_nothing_and_from_another_device_takes_in_nothing_new(open_office: Office) -> None:
    rows = [a_list_row(line=line) for line in (2, 3)]
    first = send(open_office, *rows)
    known = states(open_office)

    with open_office.nothing_written():
        assert send(open_office, *rows) == first
    assert (
        case_imports.import_rows(open_office.new_desk("anna"), rows, jurisdiction="by", list_name="list.csv") == first
    )
    assert send(open_office, *rows, by="dora") == first  # the answer does not tell that the rows were known
    assert states(open_office) == known
    assert len(known) == 2


def test_the_same_facts_are_one_case_whatever_their_line_and_another_in_another_list(open_office: Office) -> None:
    row = a_list_row()
    known = {"name": row.name, "ruling_number": row.ruling_number}
    assert send(open_office, row, a_list_row(line=3, **known)).rows == 1
    send(open_office, a_list_row(line=7, **known))
    assert len(states(open_office)) == 1

    send(open_office, row, list_name="another.csv")
    send(open_office, a_list_row(line=2, **known, payee_account="INVENTED-TREASURY-02"))

    assert len(states(open_office)) == 3


@on_one_database
def test_an_import_goes_on_where_it_was_cut_off_and_sends_the_same_bytes(open_office: Office) -> None:
    rows = [a_list_row(line=line) for line in range(2, ROWS_A_REQUEST + 3)]
    answers: list[httpx2.Response] = []

    def cut_off(response: httpx2.Response) -> None:
        if response.request.method == "POST":
            answers.append(response)
            if len(answers) == 2:
                raise ApiUnreachable("the line is cut, nobody knows whether the rows arrived")

    open_office.http.event_hooks = {"response": [cut_off]}
    with pytest.raises(ApiUnreachable):
        send(open_office, *rows)
    told: list[tuple[int, int]] = []
    anna = open_office.desk("anna")
    case_imports.import_rows(
        anna, rows, jurisdiction="by", list_name="list.csv", progress=lambda done, of: told.append((done, of))
    )

    (_, cut, again) = answers
    assert again.request.content == cut.request.content
    assert again.headers["Idempotent-Replay"] == "true"
    assert told == [(ROWS_A_REQUEST, len(rows)), (len(rows), len(rows))]
    assert len(states(open_office)) == len(rows)


@on_one_database
@pytest.mark.parametrize(
    ("facts", "column"),
    [
        ({"region": "nowhere"}, "region"),
        ({"amount": eur("810.00")}, "currency"),
        ({"issued_on": None}, "issued_on"),
    ],
)
def test_a_row_that_does_not_fit_the_jurisdiction_sends_nothing_of_the_list(
    open_office: Office, facts: dict[str, Any], column: str
) -> None:
    with open_office.nothing_written(), pytest.raises(BadList) as refusal:
        send(open_office, a_list_row(), a_list_row(line=3, **facts))

    assert refusal.value.data["where"] == f"line 3, column {column}"


@on_one_database
@pytest.mark.parametrize(
    ("facts", "because"),
    [
        ({"ruling_kind": "criminal"}, "criminal_charge"),
        ({"article": "17.1"}, "not_assembly_related"),
        ({"issued_on": date(2020, 10, 3)}, "no_ruling"),
        ({"paid_on": date(2020, 8, 30)}, "no_ruling"),
        ({"paid_on": date(2020, 9, 30)}, "already_paid"),
    ],
)
def test_what_gets_no_aid_is_rejected_from_the_start_and_can_never_be_verified(
    open_office: Office, facts: dict[str, Any], because: str
) -> None:
    imported = send(open_office, a_list_row(**facts))

    ((alias, state),) = states(open_office).items()
    assert (imported.rejected, state) == ({because: 1}, because)
    with nobody_signs(open_office, ApiRefusal):
        verifications.verify(open_office.desk("anna"), alias)


@on_one_database
def test_a_row_that_was_rejected_is_a_case_once_the_pack_admits_it_and_never_two(
    open_office: Office, tmp_path: Path
) -> None:
    row = a_list_row(article="23.44")
    assert send(open_office, row).rejected == {Rejection.NOT_ASSEMBLY_RELATED: 1}
    send(open_office, row)
    assert list(states(open_office).values()) == ["not_assembly_related"]
    admitted = (resources.files(jurisdictions) / "by.toml").read_text("utf-8").replace('"23.34"', '"23.44"')
    (tmp_path / "by.toml").write_text(admitted, "utf-8")
    jurisdictions.read_folder(tmp_path)
    try:
        for _ in range(2):
            open_office.desks.clear()  # the outbox is lost: only the row's token tells that it came
            send(open_office, row)
    finally:
        jurisdictions.read_folder(None)
    assert set(states(open_office).values()) == {"not_assembly_related", "received"}

    open_office.desks.clear()
    send(open_office, row)  # and the pack of before makes no third

    assert len(states(open_office)) == 2


def test_a_case_is_verified_once_its_exact_facts_hold(open_office: Office) -> None:
    (alias,) = open_office.take_in()

    assert verifications.verify(open_office.desk("anna"), alias) is None
    assert states(open_office) == {alias: "verified"}


def test_a_possible_duplicate_is_shown_to_reviewers_and_verified_only_by_naming_it(open_office: Office) -> None:
    row = a_list_row()
    first, second = open_office.take_in(row, a_list_row(line=3, ruling_number=row.ruling_number.lower()))
    anna = open_office.desk("anna")
    with pytest.raises(ApiRefusal) as unseen:  # nobody is told before they have looked, which is logged
        anna.api.get(f"/v1/cases/{first}/suspicions")
    assert unseen.value.rule == "evidence_not_opened"
    assert second not in str(anna.api.get(f"/v1/cases/{first}"))
    assert case_lives.suspicions(anna, first)["same_ruling"] == [second]

    with nobody_signs(open_office, ApiRefusal):
        verifications.verify(anna, first)
    assert verifications.verify(anna, first, not_duplicates=[second]) is None

    assert states(open_office) == {first: "verified", second: "received"}


# --- a server, or somebody in its database, who alters what was sealed


def alter(office: Office, statement: str, **values: Any) -> None:
    with transaction(office.engine) as session:
        session.connection().execute(text(statement), values)


@on_one_database
@pytest.mark.parametrize(
    ("statement", "field"),
    [
        ("UPDATE obligation SET minor = 81001", "amount"),
        ("UPDATE obligation SET kind = 'detention'", "kind"),
        ("UPDATE ruling SET article = '24.23'", "article"),
        ("UPDATE ruling SET ruled_by = '2020-08-30'", "ruled_by"),
        ("UPDATE ruling SET payable_from = '2020-09-06'", "payable_from"),
        ("UPDATE ruling SET due_by = '2030-01-07'", "due_by"),
        ("UPDATE ruling SET force_presumed = NOT force_presumed", "force_presumed"),
    ],
)
def test_books_that_say_something_else_than_the_boxes_are_not_signed(
    open_office: Office, statement: str, field: str
) -> None:
    (alias,) = open_office.take_in()
    alter(open_office, statement)

    with nobody_signs(open_office, EvidenceDiffers):
        verifications.verify(open_office.desk("anna"), alias)
    with pytest.raises(EvidenceDiffers) as refusal:
        verifications.verify(open_office.desk("dora"), alias)
    assert refusal.value.data["field"] == field


SWAPS: dict[str, tuple[str, type[LedgerError]]] = {
    "the box": ("box SET data = (SELECT data FROM box WHERE alias = :other)", CannotOpen),
    "the version": ("box SET version = 2", CannotOpen),
    "the commitment": ("box SET commitment = (SELECT commitment FROM box WHERE alias = :other)", WrongCommitment),
    "the key": ("shelf SET sealing_key = (SELECT sealing_key FROM shelf WHERE alias = :other)", BadSignature),
    "the signature": ("shelf SET signature = (SELECT signature FROM shelf WHERE alias = :other)", BadSignature),
}


@on_one_database
@pytest.mark.parametrize("swapped", SWAPS)
def test_nothing_of_one_person_can_stand_for_another(open_office: Office, swapped: str) -> None:
    first, second = open_office.take_in(a_list_row(), a_list_row(line=3))
    anna = open_office.desk("anna")
    one, other = (anna.api.get(f"/v1/cases/{alias}")["beneficiary"] for alias in (first, second))
    change, refusal = SWAPS[swapped]
    alter(open_office, f"UPDATE {change} WHERE alias = :one", one=one, other=other)

    with nobody_signs(open_office, refusal):
        verifications.verify(anna, first)


@on_one_database
def test_a_wrap_to_a_shelf_of_the_servers_own_does_not_open(open_office: Office) -> None:
    """Anybody can wrap to a vault: a server could offer a seed of its own, to be sealed to."""
    (alias,) = open_office.take_in()
    anna = open_office.desk("anna")
    beneficiary = anna.api.get(f"/v1/cases/{alias}")["beneficiary"]
    own = sealing.draw_shelf(anna.vault_public("people"), alias=beneficiary, signer=lambda _message: "0" * 128)
    keys = open_office.app.state.shred_keys
    locked = keys.lock(own.wrap, vault="people", alias=beneficiary, epoch=1)
    alter(open_office, "UPDATE person_key SET locked = :locked", locked=locked)

    with nobody_signs(open_office, WrongKey):
        verifications.verify(anna, alias)


@on_one_database
def test_a_payee_that_is_not_the_one_of_the_case_is_not_approved(furnished: Office) -> None:
    """Whoever asks for a payment cannot send it elsewhere: the approver's device compares the two accounts."""
    alias = furnished.a_verified_case()
    furnished.set_clock(DECISION_DAY)
    anna = furnished.desk("anna")
    case = anna.api.get(f"/v1/cases/{alias}")
    evidence = case_evidence.open_case(anna, case, reason="payment")
    disbursement = draw(Kind.DISBURSEMENT)
    elsewhere = {"to": "authority", "account": "INVENTED-ACCOUNT-OF-ANNA", "court": evidence.ruling["court"]}
    box = shelves.seal_json(evidence.shelf_public, elsewhere, kind="disbursement", alias=disbursement, field="payee")
    body = {
        "alias": disbursement,
        "obligation": case["obligations"][0]["alias"],
        "payee": "authority",
        "payee_box": box,
        "fund": "fines",
        "account": BYN_LEAF,
    }
    requested = anna.api.post("/v1/disbursements", body, key="crooked")

    with nobody_signs(furnished, EvidenceDiffers):
        payments.approve(furnished.desk("boris"), requested)
