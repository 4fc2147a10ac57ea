"""Donors and their receipts in the office: names stay on the treasurer's device, and every reading is counted."""

import stat
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.client import accesses, donors, private_files, receipts
from api.client.donors import BadIdentity, Identity
from api.client.http import ApiRefusal
from api.client.receipts import NothingToCertify, NotThisReceipt
from api.settings import Settings
from ledger.giving.receipts import Voided
from ledger.people import Role
from reports.typefaces import MissingGlyph
from tests.attempts import told
from tests.canaries import text_of_pdf
from tests.donors import ELISABET, LETTERHEAD, a_known_donor, gift_aliases, private_folder, write_receipt
from tests.office import Office, on_one_database


def fetch(office: Office, shelf: str, *, by: str, role: Role | None = None) -> tuple[int, str]:
    return told(office.send("GET", f"/v1/boxes/{shelf}?reason=receipt", bearer=office.bearer(by, role)))


def a_gift(office: Office) -> str:
    (gift,) = gift_aliases(office.desk("anna"))
    return gift


def test_a_receipt_is_written_for_its_owner_alone_and_known_again(furnished: Office) -> None:
    gift, anna = a_gift(furnished), furnished.desk("anna")
    donor = a_known_donor(anna, gift)

    written = write_receipt(furnished, donor, gift, lang="be")

    pdf = written.path.read_bytes()
    assert stat.S_IMODE(written.path.stat().st_mode) == 0o600
    shown = " ".join(text_of_pdf(pdf).decode("utf-8", "ignore").split())
    assert [word for word in ("Elisabet Kanarejka", "2020/1", "5 000,00", gift) if word not in shown] == []
    assert receipts.verify(anna, written.receipt["alias"], pdf)["number"] == 1
    with pytest.raises(NotThisReceipt):
        receipts.verify(anna, written.receipt["alias"], pdf + b"\n")
    with pytest.raises(NothingToCertify):
        write_receipt(furnished, donor, gift)
    again = write_receipt(furnished, donor, gift, replaces=written.receipt["alias"])
    assert b"2020/1," in text_of_pdf(again.path.read_bytes())
    cancelled = receipts.cancel(anna, again.receipt["alias"], reason=Voided.WISH)
    listed = [(one["number"], one["void"], one["replaced_by"]) for one in receipts.listed(anna)]
    assert listed == [(1, "replaced", cancelled["alias"]), (2, "wish", None)]
    logged = furnished.desk("clara")
    assert {(one["alias"], one["reason"]) for one in accesses.listed(logged, shelf=donor, most=10)} == {
        (donor, "receipt")
    }


def test_donors_are_opened_by_treasurers_only_and_within_the_days_limit(furnished: Office) -> None:
    anna = furnished.desk("anna")
    shelves = [a_known_donor(anna) for _ in range(3)]
    settings: Settings = furnished.app.state.settings
    furnished.app.state.settings = settings.model_copy(update={"readings_a_day": 2})

    with furnished.nothing_written():
        refused = {fetch(furnished, shelves[0], by="boris"), fetch(furnished, shelves[0], by="anna", role=Role.INTAKE)}
        missing = fetch(furnished, "P-0000-0000-0000", by="boris")

    assert refused == {missing} == {(404, "unknown_shelf")}
    answers = [fetch(furnished, shelf, by="anna", role=Role.TREASURER) for shelf in shelves]
    assert [status for status, _ in answers] == [200, 200, 429]


@on_one_database
def test_a_receipt_that_cannot_be_written_takes_no_number(furnished: Office, tmp_path: Path) -> None:
    gift, anna = a_gift(furnished), furnished.desk("anna")
    donor = a_known_donor(anna, gift, identity=Identity(name="مريم"))
    open_to_others = tmp_path / "shared"
    open_to_others.mkdir(mode=0o755)
    chosen = receipts.choose(anna, donor, gift=[gift], year=None, replaces=None)

    with furnished.nothing_written_but("access", "reading_day"):
        with pytest.raises(MissingGlyph):
            write_receipt(furnished, donor, gift)
        with pytest.raises(private_files.FolderNotPrivate):
            receipts.issue(anna, donor, chosen, letterhead=LETTERHEAD, lang="en", folder=open_to_others)

    assert not list(open_to_others.iterdir())
    assert not list(furnished.folder.glob("receipts-*/*"))


@on_one_database
def test_a_number_that_somebody_else_got_is_written_anew_and_no_file_of_it_stays(furnished: Office) -> None:
    furnished.receive_gift("20.00")
    anna, dora = furnished.desk("anna"), furnished.desk("dora")
    first, second = gift_aliases(anna)
    donor, other = a_known_donor(anna, first), a_known_donor(anna, second)
    folder = private_folder(furnished)
    chosen = receipts.choose(dora, other, gift=[second], year=None, replaces=None)
    hooks: list[Any] = [lambda _response: None]

    def overtake(response: httpx2.Response) -> None:
        if response.request.url.path == "/v1/receipts" and response.request.method == "GET" and hooks:
            hooks.clear()
            receipts.issue(dora, other, chosen, letterhead=LETTERHEAD, lang="en", folder=private_folder(furnished))

    furnished.http.event_hooks = {"response": [overtake]}
    gifts = receipts.choose(anna, donor, gift=[first], year=None, replaces=None)
    written = receipts.issue(anna, donor, gifts, letterhead=LETTERHEAD, lang="en", folder=folder)

    assert not hooks
    assert (written.receipt["number"], list(folder.iterdir())) == (2, [written.path])


@on_one_database
def test_a_year_is_certified_at_once_and_what_is_no_identity_is_not_sealed(furnished: Office) -> None:
    furnished.receive_gift("20.00")
    anna = furnished.desk("anna")
    donor = a_known_donor(anna, *gift_aliases(anna))

    chosen = receipts.choose(anna, donor, gift=(), year=2020, replaces=None)

    assert sorted(one.certified.decimal() for one in chosen) == ["20.00", "5000.00"]
    with pytest.raises(NothingToCertify):
        receipts.choose(anna, donor, gift=(), year=2019, replaces=None)
    wrong: list[dict[str, Any]] = [
        {"phone": "1"},
        {"name": "Elisabet\x1b[31m"},
        {"name": "Elisabet\nKanarejka"},
        {"name": 7},
        {"address": "x" * 501},
    ]
    for one in wrong:
        with pytest.raises(BadIdentity) as refusal:
            donors.read_identity(one)
        assert "Elisabet" not in f"{refusal.value} {refusal.value.data}"
    assert donors.read_identity({"address": "7 Example Lane\nSampleton"}).address.count("\n") == 1


@on_one_database
def test_a_corrected_identity_is_what_is_opened(furnished: Office) -> None:
    anna = furnished.desk("anna")
    donor = a_known_donor(anna)
    unknown = donors.add(anna, None)["alias"]

    donors.identify(anna, donor, Identity(name="Elisabet Other"))
    donors.identify(anna, unknown, ELISABET)

    assert donors.open_donor(anna, donor).identity == Identity(name="Elisabet Other")
    assert donors.open_donor(anna, unknown).identity == ELISABET
    assert donors.alike(anna, unknown) == [donor]  # by the e-mail that it had first


@on_one_database
def test_confirmations_are_refused_until_an_administrator_switches_them_on(furnished: Office) -> None:
    gift, anna, clara = a_gift(furnished), furnished.desk("anna"), furnished.desk("clara")
    donor = a_known_donor(anna, gift)
    assert receipts.confirmations(anna)["on"] is False
    with furnished.nothing_written(), pytest.raises(ApiRefusal) as refusal:
        receipts.confirm(anna, gift)

    receipts.set_confirmations(clara, on=True)
    confirmed = receipts.confirm(anna, gift)

    assert (refusal.value.rule, refusal.value.status) == ("confirmations_off", 409)
    assert (confirmed["amount"], confirmed["purpose"]) == ({"amount": "5000.00", "currency": "BYN"}, "FINES")
    assert not {donor, gift} & {str(value) for value in confirmed.values()}
    receipts.set_confirmations(clara, on=False)
    with pytest.raises(ApiRefusal):
        receipts.confirm(anna, gift)
