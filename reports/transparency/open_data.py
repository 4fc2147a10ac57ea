"""The published figures as data: the same blocks as on the page, as CSV and as JSON that explains itself."""

import json
from collections.abc import Sequence
from typing import Any

from reports.csv_table import as_csv
from reports.transparency.blocks import Block, block_as_json
from reports.transparency.words import ABSENT, PROMISE

FORMAT = "solidarity-open-data-1"

_CSV_HEADER = ("series", "first_month", "last_month", "carried_from", "kinds", "persons", "sum", "currency")
_DICTIONARY = {
    "blocks": "What was published at one closing date each, oldest first. A block is never changed.",
    "series": "main, or large: what is too large to stand among the others, published once a year.",
    "first_month, last_month": "The months, of recording, that the block is about.",
    "carried_months, carried_from": "Earlier months that are inside the block's figures, or the first of them: their "
    "own block had to stay silent.",
    "currency": "ISO 4217 code; everything in a block was converted at one rate.",
    "atoms": "Groups that do not overlap, of at least ten people each. An empty list: " + ABSENT + ".",
    "kinds": "Everything that a group may hold; in CSV separated by spaces.",
    "persons": "People in the group, rounded to five. Somebody in two groups stands in both.",
    "sum": "What was paid (or given), corrections deducted, rounded to hundreds (large: thousands) or more.",
    "totals": "Years and totals are sums of these rounded figures, and nothing else.",
}


def render_csv(blocks: Sequence[Block]) -> bytes:
    """One line for each published group. Silent blocks have no line: absent means none or not yet."""
    return as_csv(
        _CSV_HEADER,
        rows=(
            (
                block.series,
                block.first_month,
                block.last_month,
                block.carried_months[0] if block.carried else "",
                " ".join(atom["kinds"]),
                str(atom["persons"]),
                atom["sum"],
                block.currency,
            )
            for block in blocks
            for atom in block_as_json(block)["atoms"]
        ),
    )


def render_json(blocks: Sequence[Block]) -> bytes:
    """The blocks, with a dictionary of their fields and what is promised about them. UTF-8, always the same bytes."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "promise": PROMISE,
        "absent": ABSENT,
        "dictionary": _DICTIONARY,
        "blocks": [block_as_json(block) for block in blocks],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
