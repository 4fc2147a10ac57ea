"""The schemas of ISO 20022 for payment files: each file is held against its own before anybody is handed it.

The schemas are those that the package `sepaxml` ships. None of its code is run: see docs/decisions.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lxml import etree

from ledger.errors import BadInput, Refused

PACKAGE = "sepaxml"


class NoSchema(Refused):
    """The schema of this form is not installed: no file is written that nobody has checked."""

    rule = "no_schema"


class AgainstSchema(BadInput):
    """The file is not as its schema asks: `where` names the elements down to the place, `reason` the rule it breaks."""

    rule = "against_schema"


def check(content: bytes, form: str) -> None:
    """Accepts a payment file that its schema admits.

    Raises:
        AgainstSchema: it does not, or is no XML. NoSchema: there is none to ask.
    """
    schema = _schema(form)
    try:
        document = etree.fromstring(content, _parser())
    except etree.XMLSyntaxError:
        raise AgainstSchema("the payment file is no XML", where="file", reason="syntax", form=form) from None
    if not schema.validate(document):
        errors: Any = schema.error_log
        first = errors[0]  # its message holds what stands in the file: a name, an account
        found: Any = document.xpath(first.path)
        raise AgainstSchema(
            "the payment file is not as its schema asks", where=_place(found[0]), reason=first.type_name, form=form
        )


@cache
def _schema(form: str) -> etree.XMLSchema:
    found = find_spec(PACKAGE)  # looked for, not imported
    folders = [Path(one) / "schemas" for one in (found.submodule_search_locations or () if found else ())]
    files = [file for folder in folders if (file := folder / f"{form}.xsd").is_file()]
    if not files:
        raise NoSchema("the schema of this payment file is not installed", form=form)
    return etree.XMLSchema(etree.fromstring(files[0].read_bytes(), _parser()))


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def _place(element: etree._Element) -> str:
    """The names of the elements from the root to this one, with its number where it stands among others of its name."""
    steps = []
    for one in (*reversed(list(element.iterancestors())), element):
        name, parent = etree.QName(one).localname, one.getparent()
        alike = [] if parent is None else parent.findall(one.tag)
        steps.append(f"{name} {alike.index(one) + 1}" if len(alike) > 1 else name)
    return "/".join(steps)
