"""Aliases: random names without sequence, time or meaning. The client draws them, the server refuses a taken one."""

import re
import secrets
from enum import StrEnum

from ledger.errors import BadInput, Conflict

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_BODY = re.compile(rf"[{_LETTERS}]{{4}}-[{_LETTERS}]{{4}}-[{_LETTERS}]{{4}}")


class Kind(StrEnum):
    """What an alias names; its first letters tell."""

    BENEFICIARY = "B"
    CASE = "C"
    RULING = "R"
    OBLIGATION = "O"
    DISBURSEMENT = "D"
    DONATION = "G"
    DONOR = "P"
    DISPUTE = "Q"
    STATEMENT = "S"
    BANK_MONTH = "M"
    EXCEPTION = "X"
    OPERATOR = "OP"
    KEY = "K"
    PUBLICATION = "U"
    LIST = "L"
    AGENT = "A"
    ADVANCE = "V"
    BATCH = "T"
    EVIDENCE = "E"
    TRANSFER = "F"
    CONVERSION = "W"
    PAYMENT_FILE = "N"
    PURSE_MOVEMENT = "H"
    REFUND_ORDER = "Y"
    OUTLAY = "J"
    JOB_RUN = "Z"
    RECONCILIATION = "RC"
    PURPOSE_DRAFT = "PD"
    CLEARING = "CL"
    PAIRING = "PG"
    MATCHING_RULE = "MR"
    RECEIPT = "RT"
    GIFT_RETURN = "GR"
    CASH_DEPOSIT = "CD"


_KINDS = {kind.value: kind for kind in Kind}


class AliasTaken(Conflict):
    """The alias drawn by a client names something already; draw another and send again."""

    rule = "alias_taken"


class BadAlias(BadInput):
    """Not an alias of the kind that stands here."""

    rule = "bad_alias"


def draw(kind: Kind) -> str:
    """A fresh alias with 60 random bits, such as `B-7K3M-Q2XD-9F4T`."""
    bits = secrets.randbits(60)  # at once: many are drawn when a season is booked
    body = "".join([_LETTERS[bits >> at & 31] for at in range(0, 60, 5)])
    return f"{kind.value}-{body[:4]}-{body[4:8]}-{body[8:]}"


def check(alias: str, kind: Kind) -> str:
    """`alias` itself when it is one of `kind`.

    Raises:
        BadAlias: it is not.
    """
    if kind_of(alias) is not kind:
        raise BadAlias(f"not an alias of the kind {kind.name.lower()}", where=kind.name.lower())
    return alias


def kind_of(text: str) -> Kind | None:
    """What the alias `text` names, or None when it is no alias."""
    prefix, _, body = text.partition("-")
    return _KINDS.get(prefix) if _BODY.fullmatch(body) else None
