"""What the fund decides about its own money, transfers and conversions: on the ledger's own level, in the office."""

from __future__ import annotations

import secrets
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlmodel import select

from api.client import conversions as conversions_client
from api.client import rates, resolutions, statements
from api.client import transfers as client
from ledger.aliases import Kind, draw
from ledger.books import accounts, exchange
from ledger.giving import donations, purposes
from ledger.giving.donations import Donation
from ledger.identities import shelves
from ledger.identities.shelves import Access, NewShelf, Reason, Shelf
from ledger.reconciliation.answers import Answer
from ledger.treasury import conversion_acts, conversions, transfers
from ledger.treasury.conversions import Conversion, NewConversion
from ledger.treasury.transfers import NewTransfer, Transfer
from tests.agency import DECISION_DAY, RECEIVED_ON, SENT_ON, bank_line, noon
from tests.bookkeeping import BYN_LEAF
from tests.cast import LEAF, NOW, House, Person, a_person, a_shelf, agreed_by, byn, enrol, eur, the_next
from tests.papers import BankLine, a_camt_file
from tests.purses import EUR_LEAF

if TYPE_CHECKING:
    from ledger.approvals import Agreed, Verb
    from ledger.money import Money
    from ledger.people import Role
    from tests.office import Office  # whose path through all routes leads through here

IN_TRANSIT = "1050:eur"


def give_freely(house: House, gift: Money) -> None:
    """A gift for whatever is needed arrives."""
    purpose = purposes.add(house.session, "FREE", fund="general", text="For all we do.", net_of_costs=False)
    donations.receive_at_bank(
        house.session,
        source_key=f"test:{draw(Kind.DONATION)}",
        leaf=EUR_LEAF,
        gift=gift,
        reference=purpose.reference,
        on=date(2020, 10, 5),
        recorded_at=NOW,
        recorded_by="test",
    )
    house.session.commit()


def joins(house: House, *roles: Role) -> Person:
    """Somebody joins with roster 2, long enough ago to act now."""
    newcomer = a_person(*roles)
    roster = house.fund.roster()
    following = the_next(roster, operators=(*roster.operators, newcomer.operator))
    enrol(house.session, following, house.fund.olga, house.fund.oleg)
    house.session.commit()
    return newcomer


def a_new_transfer(amount: Money | None = None, **other: Any) -> NewTransfer:
    """100.00 EUR from general to detention unless told."""
    stated: dict[str, Any] = {
        "alias": draw(Kind.TRANSFER),
        "giver": "general",
        "taker": "detention",
        "account": EUR_LEAF,
        "amount": amount or eur("100.00"),
    }
    if other.get("consent") is not None:
        stated["consent_commitment"] = secrets.token_hex(32)
    return NewTransfer(**(stated | other))


def on_new_transfer(new: NewTransfer, *, by: Person, **other: Any) -> Agreed:
    """What a client signs about a transfer that it asks for."""
    commitment = transfers.commitment(giver=new.giver, taker=new.taker, account=new.account, consent=new.consent)
    stated: dict[str, Any] = {"version": 1, "evidence_commitments": _evidence(new.consent_commitment)}
    return _agreed(new.alias, "request_transfer", by, amount=new.amount, commitment=commitment, **(stated | other))


def on_transfer(transfer: Transfer, *, by: Person, **other: Any) -> Agreed:
    """What a client signs about a transfer that it sees."""
    seen: dict[str, Any] = {
        "amount": transfer.amount(),
        "commitment": transfer.commitment(),
        "version": transfer.version,
        "evidence_commitments": _evidence(transfer.consent_commitment),
    }
    return _agreed(transfer.alias, "approve_transfer", by, **(seen | other))


def _evidence(commitment: str | None) -> tuple[str, ...]:
    return (commitment,) if commitment else ()


def a_requested_transfer(house: House, amount: Money | None = None, *, is_read: bool = True, **other: Any) -> Transfer:
    """Clara asks; Boris has opened the giver's words, where there are any."""
    new = a_new_transfer(amount, **other)
    transfer = transfers.request(house.session, new, on_new_transfer(new, by=house.fund.clara))
    house.session.commit()
    if is_read and transfer.consent_commitment:
        read_consent(house, transfer)
    return transfer


def read_consent(house: House, transfer: Transfer, *, by: Person | None = None) -> None:
    """Boris is handed what is sealed on the transfer's own shelf."""
    if house.session.get(Shelf, transfer.alias) is None:
        drawn = a_shelf(house.fund, transfer.alias, by=house.fund.clara)
        new = NewShelf(drawn.alias, drawn.vault, drawn.epoch, drawn.public, drawn.signature, drawn.wrap)
        shelves.put_up(house.session, new, signer=house.fund.clara.operator, shred_keys=house.shred_keys)
    reader, boxes = (by or house.fund.boris).alias, str(transfer.consent_commitment)
    house.session.add(Access(operator=reader, shelf_alias=transfer.alias, reason=Reason.APPROVAL, at=NOW, boxes=boxes))
    house.session.commit()


def a_booked_transfer(house: House, amount: Money | None = None, **other: Any) -> Transfer:
    """Boris agrees."""
    transfer = a_requested_transfer(house, amount, **other)
    transfers.approve(house.session, transfer.alias, on_transfer(transfer, by=house.fund.boris))
    house.session.commit()
    return transfer


def prepare_conversions(house: House, *, rate: str = "0.33") -> None:
    """A leaf for euros in transit, and what a rouble is worth."""
    accounts.add_leaf(house.session, IN_TRANSIT, name="In transit", currency="EUR")
    exchange.add(
        house.session,
        "BYN",
        on=date(2020, 11, 18),
        value=exchange.parse(rate),
        source="nbrb",
        recorded_at=NOW,
        recorded_by="test",
    )
    house.session.commit()


def a_new_conversion(*, expected: str = "300.00", **other: Any) -> NewConversion:
    """100.00 EUR of the fines into 300.00 BYN unless told."""
    stated: dict[str, Any] = {
        "alias": draw(Kind.CONVERSION),
        "source": EUR_LEAF,
        "target": LEAF,
        "shares": {"fines": eur("100.00")},
        "expected": byn(expected),
    }
    return NewConversion(**(stated | other))


def a_requested_conversion(house: House, **stated: Any) -> Conversion:
    """Clara asks."""
    new = a_new_conversion(**stated)
    conversion = conversions.request(house.session, new, by=house.fund.clara.alias, at=NOW)
    house.session.commit()
    return conversion


def on_conversion(house: House, verb: Verb, conversion: Conversion, *, by: Person, **other: Any) -> Agreed:
    """What a client signs about a conversion that it sees."""
    seen: dict[str, Any] = {
        "amount": conversion.sold(),
        "commitment": conversions.commitment_of(house.session, conversion),
        "version": conversion.version,
    }
    return _agreed(conversion.alias, verb, by, **(seen | other))


def approve_conversion(house: House, conversion: Conversion, *, by: Person | None = None) -> Conversion:
    agreed = on_conversion(house, "approve_conversion", conversion, by=by or house.fund.boris)
    conversion_acts.approve(house.session, conversion.alias, agreed)
    house.session.commit()
    return conversion


def a_released_conversion(house: House, **stated: Any) -> Conversion:
    """Boris agrees, Clara releases."""
    conversion = approve_conversion(house, a_requested_conversion(house, **stated))
    agreed = on_conversion(house, "release_conversion", conversion, by=house.fund.clara)
    conversion_acts.release(house.session, conversion.alias, agreed)
    house.session.commit()
    return conversion


def the_gift(house: House, *, fund: str = "fines") -> Donation:
    """The one gift of a fund."""
    return house.session.exec(select(Donation).where(Donation.fund_code == fund)).one()


def walk_with_the_treasury(office: Office) -> None:
    """Every route of the treasury that writes, once."""
    anna, boris = office.desk("anna"), office.desk("boris")
    gift = next(
        one
        for one in anna.api.get("/v1/donations")["donations"]
        if (one["fund"], one["amount"]["currency"], one["state"]) == ("fines", "EUR", "received")
    )
    asked = client.request(
        anna,
        giver="fines",
        taker="detention",
        account=EUR_LEAF,
        amount=eur("10.00"),
        consent=gift["alias"],
        evidence="I agree: use it for detention bills.",
    )
    client.read_consent(boris, asked)
    client.approve(boris, asked)
    convert(office)
    given_up = ask_to_convert(office)
    conversions_client.cancel(anna, given_up["alias"])
    told(office, release_conversion(office, ask_to_convert(office)), amount="297.01")


def ask_to_convert(office: Office, *, expected: str = "300.00") -> dict[str, Any]:
    """Anna asks for 100.00 EUR of the fines to become roubles; 1 BYN is 0.33 EUR."""
    office.set_clock(DECISION_DAY)
    rates.send(office.desk("anna"), b"currency,on,rate,source\nBYN,2020-10-01,0.33,nbrb\n")
    admin = office.desk("clara").api
    if not any(one["code"] == IN_TRANSIT for one in admin.get("/v1/accounts")["accounts"]):
        admin.post("/v1/accounts", {"code": IN_TRANSIT, "name": "In transit", "currency": "EUR"}, key="account:transit")
    return conversions_client.request(
        office.desk("anna"),
        source=EUR_LEAF,
        target=BYN_LEAF,
        shares={"fines": eur("100.00")},
        expected=byn(expected),
    )


def release_conversion(office: Office, asked: dict[str, Any]) -> dict[str, Any]:
    """Boris agrees, Anna releases."""
    conversions_client.approve(office.desk("boris"), asked)
    anna = office.desk("anna")
    return conversions_client.release(anna, conversions_client.find(anna, asked["alias"]))


def convert(office: Office) -> dict[str, Any]:
    """The bank shows both sides with our reference: what arrived first, and a little less than was expected."""
    released = release_conversion(office, ask_to_convert(office))
    office.set_clock(noon(SENT_ON))
    bank_line(office, byn("299.50"), reference=released["reference"], leaf=BYN_LEAF, on=SENT_ON)
    bank_line(office, eur("-100.00"), reference=released["reference"], on=SENT_ON)
    return conversions_client.find(office.desk("anna"), released["alias"])


def told(office: Office, released: dict[str, Any], *, amount: str) -> dict[str, Any]:
    """The bank shows another amount and no reference: Anna says that it is the conversion's."""
    anna = office.desk("anna")
    office.set_clock(noon(RECEIVED_ON))
    standing = office.balance(BYN_LEAF)
    file = a_camt_file([BankLine(byn(amount), RECEIVED_ON)], opening=standing, first=RECEIVED_ON, last=RECEIVED_ON)
    statements.send(anna, file, account=BYN_LEAF)
    (waiting,) = [one for one in anna.api.get("/v1/exceptions")["exceptions"] if amount == one["amount"]["amount"]]
    resolutions.say(anna, waiting["alias"], Answer.CONVERSION, of=released["alias"])
    return conversions_client.find(anna, released["alias"])


def _agreed(alias: str, verb: Verb, by: Person, *, amount: Money, commitment: str, **other: Any) -> Agreed:
    stated: dict[str, Any] = {
        "object": alias,
        "amount": amount.decimal(),
        "currency": amount.currency,
        "payee_commitment": commitment,
    }
    return agreed_by(by, verb, **(stated | other))
