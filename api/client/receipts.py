"""Legal receipts on the treasurer's device: the identity opened, the PDF written and committed to, all of it here."""

import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from api.client import amounts, donors, private_files, sealing
from api.client.desk import Desk
from api.client.donors import Opened
from api.client.http import ApiRefusal
from ledger.aliases import Kind, draw
from ledger.errors import Refused, Tampered
from ledger.giving.receipts import NewReceipt, NumberTaken, Voided
from ledger.identities.boxes import length_prefixed
from ledger.identities.person_keys import overwrite_and_remove
from reports.receipts import pages
from reports.receipts.facts import Cancelled, Facts, Gift, Letterhead, Recipient

_TRIES = 5
"""How often a number is written anew because somebody else's receipt got it."""


class NothingToCertify(Refused):
    """None of the gifts asked for stands, is the donor's, and is on no valid receipt."""

    rule = "nothing_to_certify"


class NotThisReceipt(Tampered):
    """The file is not the one that was committed to under this number."""

    rule = "not_this_receipt"


@dataclass(frozen=True, slots=True)
class Written:
    """A receipt as the API keeps it, and where its PDF lies."""

    receipt: dict[str, Any]
    path: Path


def choose(desk: Desk, donor: str, *, gift: Sequence[str], year: int | None, replaces: str | None) -> list[Gift]:
    """The gifts that one receipt certifies: those named, or all of a year; of one currency.

    Raises:
        NothingToCertify: there is none, one that was named cannot be certified, or they are of several currencies.
    """
    found = []
    for one in donors.gifts(desk, donor):
        asked = one["donation"] in gift if gift else date.fromisoformat(one["received_on"]).year == year
        if asked and one["left"] is not None and one["receipt"] in {None, replaces}:
            found.append(
                Gift(
                    alias=one["donation"],
                    received_on=date.fromisoformat(one["received_on"]),
                    source=one["source"],
                    given=amounts.read(one["amount"]),
                    certified=amounts.read(one["left"]),
                )
            )
    if not found or len(set(gift)) > len(found):
        raise NothingToCertify("not all of these gifts can be certified to this donor", donor=donor)
    if len({one.certified.currency for one in found}) > 1:
        raise NothingToCertify("a receipt is of gifts in one currency: name them", donor=donor)
    return found


def issue(
    desk: Desk,
    donor: str,
    gifts: Sequence[Gift],
    *,
    letterhead: Letterhead,
    lang: str,
    folder: Path,
    replaces: str | None = None,
) -> Written:
    """Opens the donor here, writes the receipt with the next number, signs it, and has it kept.

    The file (mode 0600) is on disk before the number is asked for, and goes again when it is refused.

    Raises:
        FolderNotPrivate, FileStands, MissingGlyph, BadFacts: nothing is sent. What `donors.open_donor` raises.
        ApiRefusal: refused. ApiUnreachable: nobody knows; the file stays.
    """
    private_files.require_private(folder)
    opened = donors.open_donor(desk, donor)
    who = opened.identity
    replaced = find(desk, replaces) if replaces else None
    facts = Facts(
        alias=draw(Kind.RECEIPT),
        year=desk.now().year,
        number=0,
        issued_on=desk.now().date(),
        lang=lang,
        letterhead=letterhead,
        recipient=Recipient(who.name, who.address, who.tax_id),
        gifts=gifts,
        replaces=f"{replaced['year']}/{replaced['number']}" if replaced else None,
    )
    for attempt in range(_TRIES):
        number = desk.api.get("/v1/receipts", year=facts.year, limit=1)["next_number"]
        try:
            return _send(desk, replace(facts, number=number), opened, folder=folder, replaces=replaces)
        except ApiRefusal as refusal:
            if refusal.rule != NumberTaken.rule or attempt == _TRIES - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


def note_cancellation(
    desk: Desk, alias: str, *, reason: Voided, letterhead: Letterhead, lang: str, folder: Path
) -> Written:
    """Opens the donor here, writes the note that their receipt counts no more, and signs that.

    The file (mode 0600) is on disk before the receipt is cancelled, and goes again when that is refused.

    Raises:
        As `issue`; ApiUnreachable: nobody knows; the file stays.
    """
    private_files.require_private(folder)
    receipt = find(desk, alias)
    who = donors.open_donor(desk, receipt["donor"]).identity
    facts = Cancelled(
        alias=alias,
        label=f"{receipt['year']}/{receipt['number']}",
        issued_on=date.fromisoformat(receipt["issued_on"]),
        cancelled_on=desk.now().date(),
        amount=amounts.read(receipt["amount"]),
        reason=reason.value,
        lang=lang,
        letterhead=letterhead,
        recipient=Recipient(who.name, who.address, who.tax_id),
    )
    path = folder / f"receipt-{receipt['year']}-{receipt['number']}-{alias}-cancelled.pdf"
    private_files.write(path, pages.render_cancellation(facts))
    try:
        return Written(cancel(desk, alias, reason=reason), path)
    except ApiRefusal:
        overwrite_and_remove(path)
        raise


def cancel(desk: Desk, alias: str, *, reason: Voided) -> dict[str, Any]:
    """Signs that a receipt counts no more, without a note to its donor: one who was erased gets none."""
    receipt = find(desk, alias)
    agreed = desk.agree(
        "cancel_receipt",
        alias,
        version=1,
        detail=reason,
        amount=amounts.read(receipt["amount"]),
        payee_commitment=receipt["commitment"],
    )
    body = {"reason": reason, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post(f"/v1/receipts/{alias}/cancel", body, key=f"cancel:{alias}")
    return answer


def verify(desk: Desk, alias: str, pdf: bytes) -> dict[str, Any]:
    """The receipt, once it is known that this file is the one that was committed to.

    Raises:
        NotThisReceipt. What `donors.open_donor` raises.
    """
    receipt = find(desk, alias)
    opened = donors.open_donor(desk, receipt["donor"])
    if not hmac.compare_digest(commitment(opened.seed, alias, pdf), receipt["commitment"]):
        raise NotThisReceipt("the file is not the one that was committed to", receipt=alias)
    return receipt


def listed(desk: Desk, *, year: int | None = None) -> Iterator[dict[str, Any]]:
    """The receipts of a year, this one unless told, page by page."""
    cursor: str | None = None
    while True:
        page = desk.api.get("/v1/receipts", year=year, cursor=cursor)
        yield from page["receipts"]
        cursor = page["next"]
        if cursor is None:
            return


def find(desk: Desk, alias: str) -> dict[str, Any]:
    """One receipt, of this year or one of the ten before.

    Raises:
        NothingToCertify: there is none.
    """
    this = desk.now().year
    for year in range(this, this - 11, -1):
        for receipt in listed(desk, year=year):
            if receipt["alias"] == alias:
                return receipt
    raise NothingToCertify("no receipt has this alias", receipt=alias)


def commitment(seed: bytes, alias: str, pdf: bytes) -> str:
    """HMAC-SHA-256 of the PDF under a key made of the donor's shelf's: once that is erased it tells nothing."""
    return hmac.digest(sealing.derive(seed, length_prefixed("SL1 receipt", alias)), pdf, "sha256").hex()


def confirmations(desk: Desk) -> dict[str, Any]:
    """Whether the book confirms gifts to their donors."""
    setting: dict[str, Any] = desk.api.get("/v1/receipts/confirmations")
    return setting


def set_confirmations(desk: Desk, *, on: bool) -> dict[str, Any]:
    """Signs that the book confirms gifts from now on, or no longer."""
    standing, detail = confirmations(desk), "on" if on else "off"
    version = standing["version"]
    agreed = desk.agree("set_confirmations", desk.roster.book, version=version, detail=detail)
    body = {"on": on, "agreed": agreed}
    answer: dict[str, Any] = desk.api.post("/v1/receipts/confirmations", body, key=f"confirmations:{version}:{detail}")
    return answer


def confirm(desk: Desk, donation: str) -> dict[str, Any]:
    """The books' own receipt of a gift, where the book gives any."""
    made: dict[str, Any] = desk.api.get(f"/v1/receipts/confirmations/{donation}")
    return made


def _send(desk: Desk, facts: Facts, opened: Opened, *, folder: Path, replaces: str | None) -> Written:
    pdf = pages.render_pdf(facts)
    certified = [(gift.alias, gift.certified) for gift in facts.gifts]
    new = NewReceipt(
        alias=facts.alias,
        donor=opened.alias,
        year=facts.year,
        number=facts.number,
        gifts=certified,
        commitment=commitment(opened.seed, facts.alias, pdf),
        replaces=replaces,
    )
    agreed = desk.agree("issue_receipt", new.alias, version=1, amount=new.amount(), payee_commitment=new.digest())
    body = {
        "alias": new.alias,
        "donor": new.donor,
        "year": new.year,
        "number": new.number,
        "gifts": [{"donation": gift, "amount": amounts.on_wire(amount)} for gift, amount in certified],
        "commitment": new.commitment,
        "replaces": replaces,
        "agreed": agreed,
    }
    path = folder / f"receipt-{facts.year}-{facts.number}-{facts.alias}.pdf"
    private_files.write(path, pdf)
    try:
        receipt = desk.api.post("/v1/receipts", body, key=f"receipt:{facts.alias}:{facts.number}")
    except ApiRefusal:
        overwrite_and_remove(path)
        raise
    return Written(receipt, path)
