"""The base of every refusal: a fact, its rule's name and its data, never the input that caused it."""

from typing import ClassVar


class LedgerError(Exception):
    """A refusal. `rule` names it for programs; `data` carries its facts as strings, integers or booleans.

    Neither the message nor the data ever holds a name, a reference or any text that somebody typed:
    aliases, codes, amounts, dates and positions only.
    """

    rule: ClassVar[str] = "refused"

    def __init__(self, message: str, **data: str | int | bool | None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class BadInput(LedgerError):
    """What was handed in cannot be read exactly; nothing of it was used. `where` in the data tells the place."""

    rule = "bad_input"


class NotFound(LedgerError):
    """There is no such thing, or not for this caller: the two look the same."""

    rule = "not_found"


class Conflict(LedgerError):
    """The thing is not in a state that admits the verb, or somebody else was first."""

    rule = "conflict"


class Refused(LedgerError):
    """A rule of the fund forbids it."""

    rule = "refused"


class Tampered(LedgerError):
    """A signature, a hash or a seal does not hold."""

    rule = "tampered"
