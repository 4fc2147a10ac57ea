"""Donors of an invented fund: their vault, aliases, sealed identities, gifts and receipts, on the ledger's level."""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlmodel import col, select

from api.client import donors as client
from api.client import keyring, sealing
from api.client import receipts as receipts_client
from api.client.donors import Identity
from api.client.sealing import VaultSeed
from ledger import people
from ledger.aliases import Kind, draw
from ledger.giving import donor_links, donors, receipts
from ledger.giving.donations import Donation
from ledger.giving.donors import DonorLink, NewIdentity
from ledger.giving.receipts import NewReceipt, Receipt
from ledger.identities import shelves, vaults
from ledger.identities.shelves import NewBox, NewShelf, Opened, Reason
from ledger.money import Money
from ledger.people import Vault
from reports.receipts.facts import Letterhead
from tests.cast import FOUNDED_AT, NOW, House, Person, a_shelf, agreed_by, give, sealed, signatures_of, the_next

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sqlmodel import Session

    from api.client.desk import Desk
    from tests.office import Office  # whose path through all routes leads through here

LETTERHEAD = Letterhead("Invented Fund", "1 Example Street\n1000 Sampleton", "REG-0001", "Invented note of law.")
ELISABET = Identity("Elisabet Kanarejka", "elisabet@example.org", "7 Example Lane\nSampleton", "TIN-1", "INV1 2345")


@cache
def the_donors_vault() -> VaultSeed:
    return keyring.create_vault("donors")


def furnish(house: House) -> House:
    """Roster 2 names the vault of donors."""
    first = people.current(house.session)
    public = the_donors_vault().public().public.hex()
    named = Vault(name="donors", epoch=1, sealing_key=public)
    second = the_next(first, vaults=(*first.vaults, named))
    signatures = signatures_of(second, house.fund.olga, house.fund.oleg)
    vaults.enrol(house.session, second.canonical(), signatures, [], recorded_at=FOUNDED_AT, shred_keys=house.shred_keys)
    house.session.commit()
    return house


def an_identity(house: House, alias: str, *, email: str | None = None, content: str = "Invented Donor") -> NewIdentity:
    """What Clara's client seals of a donor."""
    sign = partial(keyring.sign, house.fund.clara.device)
    shelf = sealing.draw_shelf(the_donors_vault().public(), alias=alias, signer=sign)
    told = {"donor_email": email or f"{secrets.token_hex(4)}@example.org"}
    return NewIdentity(
        NewShelf(shelf.alias, shelf.vault, shelf.epoch, shelf.public, shelf.signature, shelf.wrap),
        sealed(shelf.public, kind="donor", alias=alias, field="identity", content=content),
        [(1, field, a_token(field, value)) for field, value in told.items()],
    )


def a_token(field: str, value: str) -> str:
    return sealing.token(sealing.token_key(the_donors_vault()), field=field, value=value)


def a_donor(house: House, *, email: str | None = None, unknown: bool = False, at: datetime = NOW) -> str:
    """Clara records a donor, whose identity is sealed unless nobody knows it."""
    alias = draw(Kind.DONOR)
    identity = None if unknown else an_identity(house, alias, email=email)
    donors.add(
        house.session, alias, identity=identity, by=house.fund.clara.operator, at=at, shred_keys=house.shred_keys
    )
    house.session.commit()
    return alias


def a_gift(house: House, amount: Money, *, of: str | None = None) -> Donation:
    """A gift at the bank, linked to a donor unless none is told."""
    before = {one.alias for one in house.session.exec(select(Donation))}
    give(house.session, amount)
    (gift,) = [one for one in house.session.exec(select(Donation)) if one.alias not in before]
    if of is not None:
        donor_links.link(house.session, gift.alias, donor=of, by=house.fund.clara.alias, at=NOW)
        house.session.commit()
    return gift


def execute(session: Session, statement: str, **values: Any) -> None:
    """Somebody's own statement, past every verb."""
    with session.begin_nested():
        session.connection().execute(text(statement), values)


def links() -> Any:
    """All links in the order of their numbers."""
    return select(DonorLink).order_by(col(DonorLink.number))


def a_shelf_of_people(house: House, alias: str) -> NewShelf:
    """A shelf with a donor's alias in the vault of people."""
    shelf = a_shelf(house.fund, alias, by=house.fund.clara)
    return NewShelf(shelf.alias, shelf.vault, shelf.epoch, shelf.public, shelf.signature, shelf.wrap)


def in_plain(box: NewBox) -> NewBox:
    """The box with a name where sealed bytes should be, of the same length."""
    return replace(box, data=b"Invented Donor".ljust(len(box.data), b"."))


def open_shelf(house: House, alias: str) -> Opened:
    """Clara fetches a donor's shelf."""
    by, keys = house.fund.clara.alias, house.shred_keys
    return shelves.open_shelf(house.session, alias, operator=by, reason=Reason.RECEIPT, at=NOW, shred_keys=keys)


def merge(house: House, alias: str, into: str, *, by: Person | None = None, **other: Any) -> None:
    agreed = agreed_by(by or house.fund.clara, "merge_donors", detail=into, **({"object": alias} | other))
    donors.merge(house.session, alias, into=into, agreed=agreed)
    house.session.commit()


def a_new_receipt(session: Session, donor: str, *gifts: Donation, **other: Any) -> NewReceipt:
    """What Clara's client has written of these gifts, under the next number."""
    told: dict[str, Any] = {
        "alias": draw(Kind.RECEIPT),
        "donor": donor,
        "year": NOW.year,
        "number": receipts.next_number(session, NOW.year),
        "gifts": [(gift.alias, Money(gift.minor - gift.refunded_minor, gift.currency)) for gift in gifts],
        "commitment": secrets.token_hex(32),
    }
    return NewReceipt(**(told | other))


def issue(house: House, new: NewReceipt, *, by: Person | None = None, **other: Any) -> Receipt:
    """Clara signs a receipt."""
    amount = new.amount()
    stated: dict[str, Any] = {
        "object": new.alias,
        "amount": amount.decimal(),
        "currency": amount.currency,
        "payee_commitment": new.digest(),
    }
    agreed = agreed_by(by or house.fund.clara, "issue_receipt", **(stated | other))
    receipt = receipts.issue(house.session, new, agreed)
    house.session.commit()
    return receipt


def cancel(house: House, receipt: Receipt, reason: receipts.Voided = receipts.Voided.MISTAKE) -> None:
    stated: dict[str, Any] = {
        "object": receipt.alias,
        "amount": receipt.amount().decimal(),
        "currency": receipt.currency,
        "payee_commitment": receipt.commitment,
    }
    agreed = agreed_by(house.fund.clara, "cancel_receipt", detail=reason, **stated)
    receipts.cancel(house.session, receipt.alias, reason=reason, agreed=agreed)
    house.session.commit()


# --- in the office


def private_folder(office: Office) -> Path:
    folder = office.folder / f"receipts-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    return folder


def a_known_donor(desk: Desk, *gifts: str, identity: Identity = ELISABET) -> str:
    """A donor whose identity is sealed at somebody's desk, and whose gifts these are."""
    alias: str = client.add(desk, identity)["alias"]
    for gift in gifts:
        client.link(desk, alias, gift)
    return alias


def write_receipt(office: Office, donor: str, *gifts: str, lang: str = "en", **told: Any) -> receipts_client.Written:
    """Anna writes and signs a receipt of these gifts."""
    anna = office.desk("anna")
    chosen = receipts_client.choose(anna, donor, gift=gifts, year=None, replaces=told.get("replaces"))
    folder = private_folder(office)
    return receipts_client.issue(anna, donor, chosen, letterhead=LETTERHEAD, lang=lang, folder=folder, **told)


def gift_aliases(desk: Desk) -> list[str]:
    """Gifts that are booked whole, oldest first."""
    listed = desk.api.get("/v1/donations")["donations"]
    return [one["alias"] for one in listed if one["state"] in {"received", "settled"}]


def walk_with_donors(office: Office) -> None:
    """Every route of donors and receipts that writes, once."""
    anna, clara = office.desk("anna"), office.desk("clara")
    gift = gift_aliases(anna)[0]
    donor = a_known_donor(anna)
    client.identify(anna, donor, Identity(name="Invented Name", email="other@example.org"))
    client.recognise(anna, gift, Identity(email="other@example.org"))
    client.unlink(anna, gift)
    client.link(anna, donor, gift)
    receipts_client.cancel(anna, write_receipt(office, donor, gift).receipt["alias"], reason=receipts.Voided.MISTAKE)
    client.merge(anna, client.add(anna, None)["alias"], into=donor)
    receipts_client.set_confirmations(clara, on=True)
