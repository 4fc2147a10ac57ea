"""What donors are told in the tests: versions of purposes, drafted by Dina and agreed to by Boris."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from api.client import donations as donations_client
from api.client import gifts
from api.client import purpose_texts as client
from ledger.aliases import Kind, draw
from ledger.approvals import Agreed
from ledger.giving import purpose_texts, purpose_versions
from ledger.giving.purpose_texts import PurposeText
from ledger.giving.purpose_versions import PurposeDraft, PurposeVersion
from tests.bookkeeping import CARD_LEAF
from tests.cast import TODAY, House, Person, agreed_by

if TYPE_CHECKING:
    from tests.office import Office  # whose path through all routes leads through here

LINK = "https://donate.stripe.com/Invented0001"
IBAN = "DE89370400440532013000"
TEXTS = {
    "en": {"title": "Fines", "text": "For fines after assemblies.\nPaid to the authority."},
    "be": {"title": "Штрафы", "text": "На штрафы пасля мірных сходаў."},  # noqa: RUF001  # Belarusian
    "ru": {"title": "Штрафы", "text": "На штрафы после мирных собраний."},  # noqa: RUF001  # Russian
    "de": {"title": "Bußgelder", "text": "Für Bußgelder nach Versammlungen."},
}


def content(**other: Any) -> dict[str, Any]:
    """The parts of version 1 of FINES, which begins tomorrow."""
    parts: dict[str, Any] = {
        "code": "FINES",
        "number": 1,
        "effective_from": (TODAY + timedelta(days=1)).isoformat(),
        "fund": "fines",
        "net_of_costs": False,
        "statement_shows": "INVENTED FUND",
        "link": LINK,
        "bank": {"holder": "Invented Fund", "iban": IBAN, "bic": "COBADEFFXXX"},
        "texts": TEXTS,
    }
    return parts | other


def a_text(**other: Any) -> PurposeText:
    return purpose_texts.make(content(**other))


def a_draft(house: House, text: PurposeText | None = None, *, by: Person | None = None, **other: Any) -> PurposeDraft:
    """Dina proposes."""
    text = text or a_text(**other)
    alias = draw(Kind.PURPOSE_DRAFT)
    kept = purpose_versions.draft(
        house.session, alias, document=text.canonical(), agreed=on_text(alias, text, by=by or house.fund.dina)
    )
    house.session.commit()
    return kept


def on_text(alias: str, text: PurposeText, *, by: Person, verb: Any = "draft_purpose", **other: Any) -> Agreed:
    """What a client signs about a text."""
    evidence = (purpose_texts.digest(text.canonical()),)
    stated: dict[str, Any] = {"object": alias, "version": text.number, "evidence_commitments": evidence}
    return agreed_by(by, verb, **(stated | other))


def on_draft(draft: PurposeDraft, *, by: Person, **other: Any) -> Agreed:
    """What a client signs about a draft that it sees."""
    return on_text(draft.alias, purpose_texts.read(draft.document), by=by, verb="approve_purpose", **other)


def publish(house: House, draft: PurposeDraft, *, by: Person | None = None, **other: Any) -> PurposeVersion:
    """Boris agrees."""
    agreed = on_draft(draft, by=by or house.fund.boris, **other)
    version = purpose_versions.approve(house.session, draft.alias, agreed)
    house.session.commit()
    return version


def a_version(house: House, **other: Any) -> PurposeVersion:
    """A published version."""
    return publish(house, a_draft(house, **other))


def a_file(office: Office, **other: Any) -> bytes:
    """The next version of FINES as somebody writes it, from tomorrow on."""
    tomorrow = office.now().date() + timedelta(days=1)
    parts = content(effective_from=tomorrow.isoformat(), **other)
    return json.dumps({name: part for name, part in parts.items() if name not in {"code", "number"}}).encode()


def tell_donors(office: Office, **other: Any) -> dict[str, Any]:
    """Clara drafts, Boris publishes."""
    drafted = client.draft(office.desk("clara"), "FINES", data=a_file(office, **other))
    boris = office.desk("boris")
    client.approve(boris, client.find_draft(boris, drafted["alias"]))
    return drafted


def a_gift_without_purpose(office: Office, gift: bytes) -> str:
    """A gift by card whose description is none of our codes."""
    anna = office.desk("anna")
    donations_client.send(anna, gift)
    (waiting,) = gifts.unassigned(anna)
    return str(waiting["alias"])


def walk_with_purposes(office: Office, gift: bytes) -> None:
    """Every route that writes of what donors are told, and of single gifts, once."""
    tell_donors(office)
    gifts.assign(office.desk("anna"), a_gift_without_purpose(office, gift), purpose="FINES", account=CARD_LEAF)
