"""Who and why in an MT940 message: the `:86:` of German, Dutch and other banks, and `:NS:`. All for a sealed box."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from api.client.bank_files import amounts
from ledger.errors import BadInput
from ledger.money import Money

_GERMAN = re.compile(r"\s*\d{3}([?>~@$^#])(?=\d\d)", re.ASCII)
_KEYWORD = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|PURP)\+")
_DUTCH = re.compile(
    r"/(EREF|PREF|KREF|RREF|RTRN|CNTP|MARF|CSID|REMI|NAME|ADDR|ISDT|ORDP|BENM|TRTP|IBAN|BIC|PURP|ULTC|ULTD|ULTB|"
    r"TRCD|SWOC|SVCL|OCMT|CHGS|EXCH|ID)/"
)
_CHARGE = re.compile(r"/CHGS/([A-Z]{3})(\d{1,12})(?:,(\d*))?(?=/|\s|$)", re.ASCII)
_PLAIN = re.compile(r"(\d\d)(.*)", re.ASCII | re.DOTALL)
_REMITTANCE = {*range(20, 30), *range(60, 64)}
_NAMES = {32, 33}
_PLAIN_REMITTANCE, _PLAIN_NAMES, _PLAIN_ACCOUNT = set(range(1, 15)), {15, 16}, 34
_PARTS_OF_CNTP = 3


@dataclass(slots=True)
class Texts:
    """What the texts behind an entry tell; the keys of `text` are those of `Detail.text`."""

    end_to_end_id: str | None = None
    return_reason: str | None = None
    fee: Money | None = None
    text: dict[str, str] = field(default_factory=dict)


def read_texts(fields: Sequence[tuple[str, list[str]]], *, currency: str) -> Texts:
    """What the `:86:` and `:NS:` say, each given with its tag and lines. Never fails: these are words, no money.

    A fee counts only where it is in `currency`.
    """
    lines = [line for tag, lines in fields if tag == "86" for line in lines]
    joined = "".join(lines)
    german = _GERMAN.match(joined)
    if german:
        told = _read_german(joined[german.end() - 1 :], mark=german[1])
    elif _DUTCH.match(joined.lstrip()):
        told = _read_dutch(joined.lstrip())
    else:
        told = Texts(text=_keep({"remittance": [line.strip() for line in lines]}))
    plain = [line for tag, lines in fields if tag == "NS" for line in lines]
    if plain:
        told.text = _read_plain(plain) | told.text
    told.fee = _read_fee(joined, currency=currency)
    return told


def _read_german(text: str, *, mark: str) -> Texts:
    """`?00` the kind of entry, `?20` to `?29` and `?60` to `?63` the purpose, `?30` to `?33` the other side.

    A purpose is cut into pieces of 27 characters anywhere, so the pieces are joined by nothing.
    """
    pieces = re.split(rf"{re.escape(mark)}(\d\d)", text)
    parts = list(zip(map(int, pieces[1::2]), pieces[2::2], strict=True))
    account = _join("", parts, {38}) or _join("", parts, {31})
    purpose = _KEYWORD.split(_join("", parts, _REMITTANCE))
    words = list(zip(purpose[1::2], (one.strip() for one in purpose[2::2]), strict=True))
    named = dict(reversed(words))
    return Texts(
        end_to_end_id=_reference(named.get("EREF")),
        text=_keep(
            {
                "counterparty": [_join("", parts, _NAMES)],
                "counterparty_account": [account],
                "counterparty_ultimate": [named.get("ABWA", ""), named.get("ABWE", "")],
                "remittance": [purpose[0], *(value for key, value in words if key == "SVWZ")],
                "additional": [
                    _join("", parts, {0}),
                    *(f"{key}+{value}" for key, value in words if key not in {"EREF", "SVWZ", "ABWA", "ABWE"}),
                ],
            }
        ),
    )


def _read_dutch(text: str) -> Texts:
    """`/EREF/…//CNTP/account/bank/name///REMI/USTD//…/` and its older kin with `/NAME/`."""
    pieces = _DUTCH.split(text)
    found: dict[str, list[str]] = {}
    for key, value in zip(pieces[1::2], pieces[2::2], strict=True):
        found.setdefault(key, []).append(value)
    party = found.get("CNTP", [""])[0].split("/")
    remittance = [one.removeprefix("USTD//").strip("/ ") for one in found.get("REMI", []) if not one.startswith("STRD")]
    creditor = [one.strip("/ ").rpartition("/")[2] for one in found.get("REMI", []) if one.startswith("STRD")]
    name = party[_PARTS_OF_CNTP - 1] if len(party) >= _PARTS_OF_CNTP else ""
    return Texts(
        end_to_end_id=_reference(found.get("EREF", [""])[0].strip("/ ")),
        return_reason=found.get("RTRN", [""])[0].strip("/ ") or None,
        text=_keep(
            {
                "counterparty": [name, *(one.strip("/ ") for one in found.get("NAME", []))],
                "counterparty_account": [party[0], *(one.strip("/ ") for one in found.get("IBAN", []))],
                "counterparty_ultimate": [
                    one.strip("/ ") for key in ("ULTC", "ULTD", "ULTB") for one in found.get(key, [])
                ],
                "remittance": remittance,
                "creditor_reference": creditor,
                "additional": [
                    f"{key} {one.strip('/ ')}" for key in ("PREF", "MARF", "CSID", "PURP") for one in found.get(key, [])
                ],
            }
        ),
    )


def _read_plain(lines: Iterable[str]) -> dict[str, str]:
    """`:NS:`: lines that begin with two digits, 01 to 14 the purpose, 15 and 16 the name, 34 the account."""
    parts = [(int(match[1]), match[2]) for line in lines if (match := _PLAIN.fullmatch(line))]
    known = _PLAIN_REMITTANCE | _PLAIN_NAMES | {_PLAIN_ACCOUNT}
    return _keep(
        {
            "counterparty": [_join("", parts, _PLAIN_NAMES)],
            "counterparty_account": [_join("", parts, {_PLAIN_ACCOUNT})],
            "remittance": [_join("\n", parts, _PLAIN_REMITTANCE)],
            "additional": [value for key, value in parts if key not in known],
        }
    )


def _read_fee(text: str, *, currency: str) -> Money | None:
    match = _CHARGE.search(text)
    if match is None or match[1] != currency:
        return None
    try:
        return -amounts.read_unsigned(f"{match[2]}.{match[3]}" if match[3] else match[2], currency=currency)
    except BadInput:  # a note, not the money of the entry
        return None


def _join(glue: str, parts: Iterable[tuple[int, str]], keys: set[int]) -> str:
    return glue.join(value for key, value in parts if key in keys).strip()


def _reference(text: str | None) -> str | None:
    return None if not text or text.upper() in {"NOTPROVIDED", "NONREF"} else text


def _keep(found: dict[str, Iterable[str]]) -> dict[str, str]:
    joined = {key: "\n".join(filter(None, values)) for key, values in found.items()}
    return {key: text for key, text in joined.items() if text and text.upper() != "NOTPROVIDED"}
