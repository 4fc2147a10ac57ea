"""What comes into an office on paper: rows of lists and files of banks, of invented people only."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from api.client import lists
from ledger.aid.obligations import ObligationKind
from ledger.money import Money
from tests.cast import byn


def a_list_row(**facts: Any) -> lists.ListRow:
    """A row of a list; name and ruling number are random unless told."""
    known: dict[str, Any] = {
        "line": 2,
        "name": f"Invented Person {secrets.token_hex(4)}",
        "ruling_number": f"INVENTED-{secrets.token_hex(4)}",
        "court": "Invented court no. 1",
        "region": "minsk_city",
        "ruling_kind": "administrative",
        "article": "23.34",
        "part": "1",
        "issued_on": date(2020, 8, 31),
        "in_force_on": None,
        "served_on": None,
        "paid_on": None,
        "kind": ObligationKind.FINE,
        "amount": byn("810.00"),
        "payee_account": "INVENTED-TREASURY-01",
    }
    return lists.ListRow(**(known | facts))


@dataclass(frozen=True)
class BankLine:
    """A booked line of a bank's file: what moved, and everything that names somebody."""

    amount: Money
    on: date
    reference: str = ""
    counterparty: str = "An invented counterparty"
    remittance: str = ""
    reversal: bool = False
    end_to_end_id: str = "NOTPROVIDED"


def a_payment_line(disbursement: dict[str, Any], *, on: date = date(2020, 10, 8), **facts: Any) -> BankLine:
    """The bank's line for a released disbursement."""
    amount = Money.parse(disbursement["amount"]["amount"], disbursement["amount"]["currency"])
    return BankLine(-amount, on, reference=disbursement["reference"], **facts)


def october(*lines: BankLine, opening: str, closing: str | None = None) -> bytes:
    """October's CAMT file of the roubles' leaf; its closing balance is what the lines give, unless told."""
    return a_camt_file(
        lines,
        opening=byn(opening),
        closing=byn(closing) if closing else None,
        first=date(2020, 10, 1),
        last=date(2020, 10, 31),
    )


def a_camt_file(
    lines: Sequence[BankLine], *, opening: Money, first: date, last: date, closing: Money | None = None
) -> bytes:
    """A CAMT.053 file with one statement."""
    shown = sum((line.amount for line in lines), opening) if closing is None else closing
    entries = "".join(_camt_entry(line) for line in lines)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>INVENTED</MsgId></GrpHdr><Stmt><Id>INVENTED-{first}</Id>"
        f"<Acct><Id><Othr><Id>INVENTED-ACCOUNT</Id></Othr></Id><Ccy>{opening.currency}</Ccy></Acct>"
        f"{_camt_balance('OPBD', opening, first)}{_camt_balance('CLBD', shown, last)}{entries}"
        "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def _camt_balance(code: str, balance: Money, on: date) -> str:
    return f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_camt_amount(balance)}<Dt><Dt>{on}</Dt></Dt></Bal>"


def _camt_entry(line: BankLine) -> str:
    side = "Dbtr" if line.amount.minor > 0 else "Cdtr"
    reference = f"<Strd><CdtrRefInf><Ref>{line.reference}</Ref></CdtrRefInf></Strd>" if line.reference else ""
    remittance = f"<Ustrd>{line.remittance}</Ustrd>" if line.remittance else ""
    return (
        f"<Ntry>{_camt_amount(line.amount)}{'<RvslInd>true</RvslInd>' if line.reversal else ''}"
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{line.on}</Dt></BookgDt><ValDt><Dt>{line.on}</Dt></ValDt>"
        f"<NtryDtls><TxDtls><Refs><EndToEndId>{line.end_to_end_id}</EndToEndId></Refs><RltdPties><{side}><Pty><Nm>{line.counterparty}</Nm></Pty></{side}></RltdPties>"
        f"<RmtInf>{remittance}{reference}</RmtInf></TxDtls></NtryDtls></Ntry>"
    )


def _camt_amount(money: Money) -> str:
    amount = Money(abs(money.minor), money.currency).decimal()
    sign = "CRDT" if money.minor >= 0 else "DBIT"
    return f'<Amt Ccy="{money.currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'


def list_file(*rows: lists.ListRow) -> bytes:
    """A list as CSV."""
    columns = [*lists.REQUIRED, *lists.OPTIONAL]
    shown = [{**{name: getattr(row, name, None) for name in columns}, **_cells(row)} for row in rows]
    lines = [";".join(columns), *(";".join(str(row[name] or "") for name in columns) for row in shown)]
    return "\r\n".join(lines).encode()


def _cells(row: lists.ListRow) -> dict[str, str]:
    article = f"{row.article} part {row.part}" if row.part else row.article
    return {"article": article, "amount": row.amount.decimal(), "currency": row.amount.currency}
