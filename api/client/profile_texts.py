"""Profiles as TOML: what is wrong with one is told by its key, and never by what stands there."""

import tomllib
from collections.abc import Collection
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from ledger.errors import BadInput

Model = TypeVar("Model", bound=BaseModel)


def read(data: bytes, model: type[Model], *, keys: Collection[str], refusal: type[BadInput]) -> Model:
    """The profile of a kind that a TOML file holds; `keys` are the names that may be told, all others are somebody's.

    Raises:
        The `refusal`: it holds none; `where` is the key that is wrong.
    """
    try:
        return model.model_validate(tomllib.loads(data.decode()))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"] if isinstance(part, int) or part in keys) or "file"
        raise refusal("not a profile", where=where, reason=first["type"]) from None
    except ValueError:
        raise refusal("not TOML in UTF-8", where="file") from None
