"""Configuration: environment variables `SOLIDARITY_…`, refused at start when wrong."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AwareDatetime, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.errors import BadInput, Refused

Some = TypeVar("Some", bound=BaseSettings)


class BadSettings(BadInput):
    """A variable is missing or wrong; the data names it and never holds its value."""

    rule = "bad_settings"


class NotADemo(Refused):
    """`SOLIDARITY_DEMO_NOW` is set for a book that is no demonstration: nobody turns the clock of real books."""

    rule = "not_a_demo"


class PackSettings(BaseSettings):
    """What server and operators' devices need to know alike: the folder of jurisdiction packs of the fund's own."""

    model_config = SettingsConfigDict(env_prefix="SOLIDARITY_", env_file=".env", extra="ignore", frozen=True)

    jurisdiction_directory: Path | None = None


class Settings(PackSettings):
    """What the server needs to know. Nothing secret stands here, and nothing has a working default but ports and names.

    `shred_key_directory` lies outside database and backups. `readings_a_day` is how many shelves one operator opens a
    day beyond the work that waits for them: a batch of the largest size can be asked for.
    """

    database_url: str
    shred_key_directory: Path
    readings_a_day: Annotated[int, Field(ge=1)] = 500
    demo_now: AwareDatetime | None = None

    def now(self) -> datetime:
        """The moment, in UTC; a demonstration's clock stands where it was set."""
        return self.demo_now.astimezone(UTC) if self.demo_now else datetime.now(UTC)


def load() -> Settings:
    """The settings of the environment.

    Raises:
        BadSettings: one is missing or wrong.
    """
    return _read(Settings)


def load_packs() -> PackSettings:
    """As `load`, on a device that has no database.

    Raises:
        BadSettings: it is wrong.
    """
    return _read(PackSettings)


def _read(kind: type[Some]) -> Some:
    try:
        return kind()
    except ValidationError as error:
        names = sorted({"SOLIDARITY_" + str(part["loc"][0]).upper() for part in error.errors(include_input=False)})
        raise BadSettings("settings are missing or wrong", where=", ".join(names)) from None
