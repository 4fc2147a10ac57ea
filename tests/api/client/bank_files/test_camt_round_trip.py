"""What is written as CAMT reads back the same, whatever the version and the namespace."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from api.client.bank_files import detection
from api.client.bank_files.lines import Detail, Entry, Statement, Status, adds_up
from ledger.money import Money

amounts = st.integers(0, 10**12)
days = st.dates(date(2000, 1, 1), date(2099, 12, 31))
references = st.none() | st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20).filter(
    lambda text: text.upper() != "NOTPROVIDED"
)
statuses: st.SearchStrategy[Status] = st.sampled_from(["booked", "pending", "info"])


@st.composite
def generated_details(draw: st.DrawFn, amount: Money) -> tuple[Detail, ...]:
    names = st.dictionaries(
        st.sampled_from(["counterparty", "remittance", "creditor_reference", "additional"]),
        st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=30),
    )
    fee = st.none() | st.integers(-(10**6), 0).map(lambda minor: Money(minor, amount.currency))
    made = st.builds(Detail, st.just(amount), references, st.sampled_from([None, "AC04", "MD07"]), fee, names)
    return draw(st.just(()) | st.tuples(made))


@st.composite
def generated_entries(draw: st.DrawFn, currency: str) -> Entry:
    amount = Money(draw(amounts | amounts.map(lambda minor: -minor)), currency)
    status = draw(statuses)
    return Entry(
        amount=amount,
        status=status,
        booked_on=draw(days if status == "booked" else st.none() | days),  # without it, its value day is taken
        value_on=draw(st.none() | days),
        reference=draw(references),
        reversal=draw(st.booleans()),
        details=draw(generated_details(amount)),
    )


@st.composite
def generated_statements(draw: st.DrawFn) -> Statement:
    currency = draw(st.sampled_from(["EUR", "BYN", "JPY", "KWD"]))
    entries = tuple(draw(st.lists(generated_entries(currency), max_size=5)))
    opening, closing = (draw(st.none() | amounts.map(lambda minor: Money(minor - 10**6, currency))) for _ in "oc")
    if opening is not None and draw(st.booleans()):
        booked = sum(entry.amount.minor for entry in entries if entry.status == "booked")
        closing = Money(opening.minor + booked, currency)
    return Statement(
        account="XX00FUND",
        identification="S1",
        currency=currency,
        opening=opening,
        closing=closing,
        opened_on=draw(days) if opening else None,
        closed_on=draw(days) if closing else None,
        adds_up=adds_up(opening=opening, closing=closing, entries=entries),
        entries=entries,
        number="7/12",
    )


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def tagged(tag: str, text: str | None) -> str:
    return "" if text is None else f"<{tag}>{escaped(text)}</{tag}>"


def signed(money: Money) -> str:
    sign = "DBIT" if money.minor < 0 else "CRDT"
    return f"<Amt Ccy='{money.currency}'>{money.decimal().lstrip('-')}</Amt><CdtDbtInd>{sign}</CdtDbtInd>"


def written_detail(detail: Detail, *, incoming: bool, version: str) -> str:
    assert detail.amount is not None
    # Versions up to 2 have no amount and no record of charges at this place.
    amount = (
        f"<AmtDtls><TxAmt>{signed(detail.amount).split('<Cdt')[0]}</TxAmt></AmtDtls>"
        if version == "02"
        else signed(detail.amount)
    )
    charges = "" if detail.fee is None else signed(detail.fee).replace("CRDT", "DBIT")
    record = charges if version == "02" else f"<Rcrd>{charges}</Rcrd>"
    role, name = ("Dbtr" if incoming else "Cdtr"), tagged("Nm", detail.text.get("counterparty"))
    party = name if version == "02" else f"<Pty>{name}</Pty>"
    return (
        f"<TxDtls><Refs>{tagged('EndToEndId', detail.end_to_end_id)}</Refs>{amount}"
        + (f"<Chrgs>{record}</Chrgs>" if charges else "")
        + f"<RltdPties><{role}>{party}</{role}></RltdPties>"
        + f"<RmtInf>{tagged('Ustrd', detail.text.get('remittance'))}<Strd><CdtrRefInf>"
        + f"{tagged('Ref', detail.text.get('creditor_reference'))}</CdtrRefInf></Strd></RmtInf>"
        + (f"<RtrInf><Rsn><Cd>{detail.return_reason}</Cd></Rsn></RtrInf>" if detail.return_reason else "")
        + f"{tagged('AddtlTxInf', detail.text.get('additional'))}</TxDtls>"
    )


def written_entry(entry: Entry, *, version: str) -> str:
    code = {"booked": "BOOK", "pending": "PDNG", "info": "INFO"}[entry.status]
    status = code if version == "02" else f"<Cd>{code}</Cd>"
    booked = f"<BookgDt><Dt>{entry.booked_on}</Dt></BookgDt>" if entry.booked_on else ""
    value = f"<ValDt><DtTm>{entry.value_on}T12:00:00+02:00</DtTm></ValDt>" if entry.value_on else ""
    inside = "".join(
        written_detail(
            detail,
            incoming=(entry.amount.minor >= 0) != (entry.reversal or detail.return_reason is not None),
            version=version,
        )
        for detail in entry.details
    )
    reversal = f"<RvslInd>{str(entry.reversal).lower()}</RvslInd>"
    return (
        f"<Ntry>{signed(entry.amount)}{reversal}<Sts>{status}</Sts>{booked}{value}"
        f"{tagged('AcctSvcrRef', entry.reference)}<NtryDtls>{inside}</NtryDtls></Ntry>"
    )


def written(statement: Statement, *, version: str) -> str:
    balances = "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{signed(money)}<Dt><Dt>{day}</Dt></Dt></Bal>"
        for code, money, day in (
            ("OPBD", statement.opening, statement.opened_on),
            ("CLBD", statement.closing, statement.closed_on),
        )
        if money is not None
    )
    counts = "<ElctrncSeqNb>7</ElctrncSeqNb><LglSeqNb>12</LglSeqNb>"
    account = f"<Acct><Id><IBAN>{statement.account}</IBAN></Id><Ccy>{statement.currency}</Ccy></Acct>"
    entries = "\n".join(written_entry(entry, version=version) for entry in statement.entries)
    return f"<Stmt><Id>{statement.identification}</Id>{counts}{account}{balances}{entries}</Stmt>"


@settings(deadline=None, max_examples=40)
@given(
    statements=st.lists(generated_statements(), min_size=1, max_size=3),
    version=st.sampled_from(["02", "08"]),
    namespace=st.booleans(),
)
def test_a_written_statement_reads_back_the_same(statements: list[Statement], version: str, *, namespace: bool) -> None:
    name = f"camt.053.001.{version}"
    where = f" xmlns='urn:iso:std:iso:20022:tech:xsd:{name}'" if namespace else ""
    body = "".join(written(statement, version=version) for statement in statements)
    file = detection.read(f"<Document{where}><BkToCstmrStmt>{body}</BkToCstmrStmt></Document>".encode())

    assert file.statements == tuple(statements)
    assert (file.format, file.version) == ("camt.053", name if namespace else None)
    assert all(problem.what.startswith("it does not add up") for problem in file.problems)
