"""Configuration: environment variables `SOLIDARITY_…`, refused at start when wrong."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AwareDatetime, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.errors import BadInput, Refused

Some = TypeVar("Some", bound=BaseSettings)
_RESTRICTED = re.compile(r"rk_[A-Za-z0-9_]{4,200}", re.ASCII)


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
    """What the server needs to know. Nothing has a working default but ports and names.

    The one kind of secret here proves that the card processor sent a notice, and moves nothing: one or several with
    blanks or commas between, as they are rotated; or a file with them.

    `shred_key_directory` lies outside database and backups. `readings_a_day` is how many shelves one operator opens a
    day beyond the work that waits for them: a batch of the largest size can be asked for. `site_directory` is where a
    job writes the public site's files.
    """

    database_url: str
    shred_key_directory: Path
    readings_a_day: Annotated[int, Field(ge=1)] = 500
    demo_now: AwareDatetime | None = None
    site_directory: Path | None = None
    stripe_webhook_secrets: SecretStr | None = None
    stripe_webhook_secrets_file: Path | None = None

    def now(self) -> datetime:
        """The moment, in UTC; a demonstration's clock stands where it was set."""
        return self.demo_now.astimezone(UTC) if self.demo_now else datetime.now(UTC)

    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets of the processor's notices; none are set where none are taken."""
        told = _secret(self.stripe_webhook_secrets, self.stripe_webhook_secrets_file) or ""
        return tuple(told.replace(",", " ").split())


class ProcessorSettings(BaseSettings):
    """What the commands need that talk to the card processor; the program that serves never reads it.

    `pull_key` may read the balance, balance transactions with their sources, and payouts; `refund_key` may refund, and
    each command reads its own. Only restricted keys are taken. `address` is for tests and demonstrations: on loopback.
    """

    model_config = SettingsConfigDict(env_prefix="SOLIDARITY_STRIPE_", env_file=".env", extra="ignore", frozen=True)

    pull_key: SecretStr | None = None
    pull_key_file: Path | None = None
    refund_key: SecretStr | None = None
    refund_key_file: Path | None = None
    address: str | None = None

    @field_validator("address")
    @classmethod
    def _is_on_loopback(cls, told: str | None) -> str | None:
        if told is not None and urlsplit(told).hostname not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError("another address than the processor's own is on loopback")
        return told

    def key_to_pull(self) -> str:
        """The key that reads; raises `BadSettings` without a restricted one."""
        return _restricted(_secret(self.pull_key, self.pull_key_file), "SOLIDARITY_STRIPE_PULL_KEY")

    def key_to_refund(self) -> str:
        """The key that refunds; raises `BadSettings` without a restricted one."""
        return _restricted(_secret(self.refund_key, self.refund_key_file), "SOLIDARITY_STRIPE_REFUND_KEY")


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


def load_for_processor() -> ProcessorSettings:
    """The settings of the commands that talk to the card processor.

    Raises:
        BadSettings: one is wrong.
    """
    return _read(ProcessorSettings)


def _read(kind: type[Some]) -> Some:
    try:
        return kind()
    except ValidationError as error:
        prefix = kind.model_config["env_prefix"]
        names = sorted({prefix + str(part["loc"][0]).upper() for part in error.errors(include_input=False)})
        raise BadSettings("settings are missing or wrong", where=", ".join(names)) from None


def _secret(value: SecretStr | None, file: Path | None) -> str | None:
    """A secret as it was told, or of the file that holds it."""
    if value is not None:
        return value.get_secret_value().strip()
    return file.read_text("utf-8").strip() if file is not None else None


def _restricted(key: str | None, name: str) -> str:
    if key is None or not _RESTRICTED.fullmatch(key):
        raise BadSettings("a restricted key of the card processor is needed: rk_…", where=name)
    return key
