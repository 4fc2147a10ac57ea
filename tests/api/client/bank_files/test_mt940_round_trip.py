"""What is written as MT940 reads back the same, for every mark, year turn and line end."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from api.client.bank_files import detection
from api.client.bank_files.lines import Detail, Entry, Statement, adds_up
from ledger.errors import BadInput
from ledger.money import Money, exponent

words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12).filter(
    lambda text: text.upper() not in {"NOTPROVIDED", "NONREF"}
)
references = st.none() | st.text("ABCDEFGHJ0123456789", min_size=1, max_size=16)
remittances = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=60)


@st.composite
def generated_entries(draw: st.DrawFn, currency: str) -> Entry:
    amount = Money(draw(st.integers(-(10**12), 10**12).filter(bool)), currency)
    value_on = draw(st.dates(date(1990, 1, 1), date(2078, 12, 31)))
    text = {
        "counterparty": draw(words),
        "counterparty_account": draw(words),
        "remittance": draw(remittances),
    }
    reference = draw(references)
    return Entry(
        amount=amount,
        status=draw(st.sampled_from(["booked", "pending"])),
        booked_on=value_on + timedelta(days=draw(st.integers(-150, 150))),
        value_on=value_on,
        reference=reference,
        details=(Detail(amount=amount, end_to_end_id=draw(words), text=text),),
    )


@st.composite
def generated_statements(draw: st.DrawFn) -> Statement:
    currency = draw(st.sampled_from(["EUR", "BYN", "JPY", "KWD"]))
    entries = tuple(draw(st.lists(generated_entries(currency), max_size=4)))
    opening = Money(draw(st.integers(-(10**9), 10**9)), currency)
    booked = sum(entry.amount.minor for entry in entries if entry.status == "booked")
    closing = Money(opening.minor + booked + draw(st.sampled_from([0, 0, 1])), currency)
    day = draw(st.dates(date(1980, 1, 1), date(2079, 12, 31)))
    return Statement(
        account="XX00FUND",
        identification="S1 1/1",
        currency=currency,
        opening=opening,
        closing=closing,
        opened_on=day,
        closed_on=day,
        adds_up=adds_up(opening=opening, closing=closing, entries=entries),
        entries=entries,
        number="1/1",
    )


def amount_of(money: Money) -> str:
    whole, _, fraction = Money(abs(money.minor), money.currency).decimal().partition(".")
    return f"{whole},{fraction}" if exponent(money.currency) else f"{whole},"


def balance(tag: str, money: Money, on: date) -> str:
    return f":{tag}:{'D' if money.minor < 0 else 'C'}{on:%y%m%d}{money.currency}{amount_of(money)}"


def written_entry(entry: Entry) -> list[str]:
    assert entry.value_on is not None
    assert entry.booked_on is not None
    mark = ("E" if entry.status == "pending" else "") + ("D" if entry.amount.minor < 0 else "C")
    (detail,) = entry.details
    purpose = f"EREF+{detail.end_to_end_id}SVWZ+{detail.text['remittance']}"
    pieces = [purpose[start : start + 27] for start in range(0, len(purpose), 27)]
    text = "".join(f"?{20 + nth}{piece}" for nth, piece in enumerate(pieces))
    text += f"?31{detail.text['counterparty_account']}?32{detail.text['counterparty']}"
    reference = f"//{entry.reference}" if entry.reference else ""
    lines = [text[start : start + 61] for start in range(0, len(text), 61)]
    return [
        f":61:{entry.value_on:%y%m%d}{entry.booked_on:%m%d}{mark}{amount_of(entry.amount)}NTRFNONREF{reference}",
        f":86:166{lines[0]}",
        *lines[1:],
    ]


def written(statement: Statement) -> list[str]:
    assert statement.opening is not None
    assert statement.closing is not None
    assert statement.opened_on is not None
    return [
        ":20:S1",
        f":25:{statement.account}",
        ":28C:1/1",
        balance("60F", statement.opening, statement.opened_on),
        *(line for entry in statement.entries for line in written_entry(entry)),
        balance("62F", statement.closing, statement.opened_on),
        "-",
    ]


@settings(deadline=None, max_examples=25)
@given(statements=st.lists(generated_statements(), min_size=1, max_size=2), end=st.sampled_from(["\r\n", "\n", "\r"]))
def test_a_written_statement_reads_back_the_same(statements: list[Statement], end: str) -> None:
    lines = [line for statement in statements for line in written(statement)]
    file = detection.read((end.join(lines) + end).encode())

    assert file.statements == tuple(statements)
    assert file.format == "mt940"
    assert all(problem.what.startswith("it does not add up") for problem in file.problems)


@settings(deadline=None, max_examples=25)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tail: bytes) -> None:
    data = b":20:S1\n:25:XX\n:60F:C201001EUR0,\n:61:2010011001C1,00NTRF\n" + tail
    try:
        file = detection.read(data)
    except BadInput:
        return

    assert file.statements
