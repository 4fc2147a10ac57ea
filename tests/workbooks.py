"""Workbooks as spreadsheets write them, and as attackers do; of invented people only."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import openpyxl

SHEET = "xl/worksheets/sheet1.xml"
_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def a_workbook(*rows: Sequence[Any], more_sheets: Mapping[str, Sequence[Sequence[Any]]] | None = None) -> bytes:
    """A workbook of these rows on its first sheet."""
    book = openpyxl.Workbook()
    for cells in rows:
        book.worksheets[0].append(list(cells))
    for name, cells_of in (more_sheets or {}).items():
        sheet = book.create_sheet(name)
        for cells in cells_of:
            sheet.append(list(cells))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def altered(book: bytes, parts: Mapping[str, bytes], *, packed: bool = True) -> bytes:
    """The workbook with these parts in the place of its own, or added."""
    out = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(io.BytesIO(book)) as known, zipfile.ZipFile(out, "w", method) as made:
        for name in dict.fromkeys([*known.namelist(), *parts]):
            made.writestr(name, parts[name] if name in parts else known.read(name))
    return out.getvalue()


def a_sheet(rows: str) -> bytes:
    """A sheet's part that holds this markup."""
    return f'<worksheet xmlns="{_NAMESPACE}"><sheetData>{rows}</sheetData></worksheet>'.encode()


def part_of(book: bytes, name: str) -> bytes:
    """One part of a workbook."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return archive.read(name)
