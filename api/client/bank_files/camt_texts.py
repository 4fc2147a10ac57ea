"""Who and why in a CAMT message: all that must go into a sealed box."""

from collections.abc import Iterable, Mapping

from api.client.bank_files.camt_values import read_account, read_reference
from api.client.bank_files.markup import Node


def read_other_side(transaction: Node, *, incoming: bool, account: str | None) -> dict[str, str]:
    """The party of a `TxDtls` that is not the account holder.

    That is the debtor of what came in and the creditor of what went out, unless nothing is said of it or its account
    is the holder's own `account`: then the other one, on the same terms.
    """
    parties = transaction.one("RltdPties")
    if parties is None:
        return {}
    for role in ("Dbtr", "Cdtr") if incoming else ("Cdtr", "Dbtr"):
        party = _read_party(parties, role)
        if party and (account is None or party.get("counterparty_account") != account):
            return party
    return {}


def read_purpose(transaction: Node, *, returned: Node | None) -> dict[str, str]:
    """The remittance lines, the creditor's structured reference and the bank's additions of a `TxDtls`."""
    remittance = transaction.one("RmtInf")
    lines = [] if remittance is None else remittance.all("Ustrd")
    structured = [] if remittance is None else remittance.all("Strd")
    return read_texts(
        {
            "remittance": [*lines, *(line for part in structured for line in part.all("AddtlRmtInf"))],
            "creditor_reference": [part.any(("CdtrRefInf", "Ref"), ("CdtrRefInf", "CdtrRef")) for part in structured],
            "additional": [*transaction.all("AddtlTxInf"), *(returned.all("AddtlInf") if returned else ())],
        }
    )


def read_texts(found: Mapping[str, Iterable[Node | None]]) -> dict[str, str]:
    """The texts under each key as lines of one; a key without any is left out."""
    joined = {key: "\n".join(filter(None, map(read_reference, nodes))) for key, nodes in found.items()}
    return {key: text for key, text in joined.items() if text}


def _read_party(parties: Node, role: str) -> dict[str, str]:
    found = {
        "counterparty": _read_name(parties.one(role)),
        "counterparty_account": read_account(parties.one(f"{role}Acct")),
        "counterparty_ultimate": _read_name(parties.one(f"Ultmt{role}")),
    }
    return {key: text for key, text in found.items() if text}


def _read_name(party: Node | None) -> str | None:
    """Since version 7 a party is either a person or a bank, each in an element of its own."""
    name = None if party is None else party.any(("Nm",), ("Pty", "Nm"), ("Agt", "FinInstnId", "Nm"))
    return None if name is None else name.text()
