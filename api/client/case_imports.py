"""Rows of a list, sealed on the operator's device and sent as cases."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.client import case_evidence, cases, compared, previews, sealing, shelves
from api.client.desk import Desk
from api.client.lists import BadList, ListRow
from ledger.aid import jurisdictions
from ledger.aid.eligibility import Rejection
from ledger.aid.jurisdictions import Pack
from ledger.aliases import Kind, draw
from ledger.identities.boxes import length_prefixed
from ledger.identities.shelves import OLDER_WRITING, ROW

ROWS_A_REQUEST = 100


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rows were sent, and how many of them as rejected, by code."""

    rows: int
    rejected: dict[Rejection, int]


def import_rows(
    desk: Desk, rows: Sequence[ListRow], *, jurisdiction: str, list_name: str, progress: cases.Progress | None = None
) -> Imported:
    """Seals and sends the rows of a list, in parts; the same rows again send the same bytes, or nothing.

    Rows that say the same but for their line are one. A row that was rejected is sent anew once the pack admits it.

    Raises:
        BadList: a row does not fit the jurisdiction; nothing is sent.
        ApiRefusal, ApiUnreachable: the parts before stay sent; the same call goes on where it stopped.
    """
    pack = jurisdictions.load(jurisdiction)
    check_rows(pack, rows)
    token_keys = {vault.epoch: sealing.token_key(vault) for vault in desk.vaults(cases.VAULT)}
    newest = token_keys[desk.vault_public(cases.VAULT).epoch]
    sent, _ = previews.without_repeats(rows)
    codes = [previews.rejection(pack, row, on=desk.now().date()) for row in sent]
    is_rejected = {row: code is not None for row, code in zip(sent, codes, strict=True)}
    for start in range(0, len(sent), ROWS_A_REQUEST):
        part = sent[start : start + ROWS_A_REQUEST]
        rows_told = " ".join(_row_token(newest, row, list_name, rejected=is_rejected[row]) for row in part)
        key = f"cases:{sealing.token(newest, field='part', value=rows_told)}"
        if not desk.api.was_answered(key):  # sealing is what takes long
            lines = (json.dumps(_sealed_row(desk, pack, row, token_keys, list_name)).encode() for row in part)
            desk.api.post_bytes("/v1/case-imports", b"\n".join(lines), content_type="application/x-ndjson", key=key)
        if progress:
            progress(min(start + ROWS_A_REQUEST, len(sent)), len(sent))
    return Imported(len(sent), dict(Counter(code for code in codes if code)))


def check_rows(pack: Pack, rows: Sequence[ListRow]) -> None:
    """Refuses rows that do not fit the jurisdiction; `where` names the line and the column.

    Raises:
        BadList: see there.
    """
    for row in rows:
        for fault in previews.misfits(pack, row):
            raise BadList(fault.what, where=fault.where)


def coarse_facts(pack: Pack, row: ListRow) -> dict[str, Any]:
    """What the server is told of a row's ruling and of what it asks for."""
    bounds = case_evidence.bounds(pack, details_of(row))
    return {
        "article": row.article,
        "region": row.region,
        "kind": row.kind,
        "amount": {"amount": row.amount.decimal(), "currency": row.amount.currency},
        "ruled_by": bounds.ruled_by.isoformat(),
        "payable_from": bounds.payable_from.isoformat(),
        "due_by": bounds.due_by.isoformat(),
        "force_presumed": bounds.force_presumed,
    }


def identity_of(row: ListRow) -> dict[str, Any]:
    """What is sealed of the person."""
    return {"name": row.name, "payee_account": row.payee_account}


def details_of(row: ListRow) -> dict[str, Any]:
    """What is sealed of a ruling: all of it, exactly."""
    days = {name: getattr(row, name) for name in ("issued_on", "in_force_on", "served_on", "paid_on")}
    # Only when told: rows without it say what they said before there was such a column, and are known as the same.
    detained = {"detained_days": row.detained_days} if row.detained_days is not None else {}
    return {
        "ruling_number": row.ruling_number,
        "court": row.court,
        "ruling_kind": row.ruling_kind,
        "article": row.article,
        "part": row.part,
        "kind": row.kind.value,
        "amount": row.amount.decimal(),
        "currency": row.amount.currency,
        **{name: day.isoformat() if day else None for name, day in days.items()},
        **detained,
    }


def _sealed_row(
    desk: Desk, pack: Pack, row: ListRow, token_keys: Mapping[int, bytes], list_name: str
) -> dict[str, Any]:
    beneficiary, case = draw(Kind.BENEFICIARY), draw(Kind.CASE)
    ruling, obligation = draw(Kind.RULING), draw(Kind.OBLIGATION)
    shelf = desk.draw_shelf(cases.VAULT, alias=beneficiary)
    details, identity = details_of(row), identity_of(row)
    rejection = previews.rejection(pack, row, on=desk.now().date())
    boxes = [
        shelves.seal_json(shelf.public, identity, kind="beneficiary", alias=beneficiary, field="identity"),
        shelves.seal_json(shelf.public, details, kind="ruling", alias=ruling, field="details"),
    ]
    return {
        "case": case,
        "ruling": ruling,
        "obligation": obligation,
        "jurisdiction": pack.id,
        **coarse_facts(pack, row),
        "rejection": rejection,
        "shelf": shelves.shelf_on_wire(shelf),
        "boxes": boxes,
        "tokens": [
            *_row_tokens(row, token_keys, list_name, rejected=rejection is not None),
            *compared.tokens_of(row, token_keys),
        ],
    }


def _row_tokens(
    row: ListRow, token_keys: Mapping[int, bytes], list_name: str, *, rejected: bool
) -> list[dict[str, Any]]:
    """The tokens of the row for every epoch; a rejected one also asks whether it came before and was admitted."""
    told = [(epoch, key, rejected) for epoch, key in token_keys.items()]
    told += [(OLDER_WRITING, key, False) for key in token_keys.values() if rejected]
    return [
        {"epoch": epoch, "field": ROW, "value": _row_token(key, row, list_name, rejected=as_rejected)}
        for epoch, key, as_rejected in told
    ]


def _row_token(token_key: bytes, row: ListRow, list_name: str, *, rejected: bool) -> str:
    """The same row of the same list has the same token, on every device of the vault and whatever its line.

    One that is rejected has another: when the pack is mended, the same list brings the row as a case.
    """
    details = json.dumps(details_of(row), sort_keys=True)
    outcome = ("rejected",) if rejected else ()
    content = length_prefixed(list_name, details, row.name, row.region, row.payee_account, *outcome)
    return sealing.token(token_key, field="row", value=content.hex())
