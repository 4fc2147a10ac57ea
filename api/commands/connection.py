"""How a command reaches the API: over the network with a URL, else the application in this process."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import typer

from api import settings
from api.client import keyring
from api.client.desk import PINS, Desk, Fingerprint, FirstContact, open_desk
from api.client.http import Api, in_process, over_network
from api.client.keyring import Device
from api.client.outbox import Outbox
from api.settings import BadSettings
from ledger.aid import jurisdictions
from ledger.errors import BadInput

ROSTER_FINGERPRINT = "SOLIDARITY_ROSTER_FINGERPRINT"


class NotConfigured(BadInput):
    """A variable that this command needs is not set; the data names it."""

    rule = "not_configured"


@contextmanager
def connect() -> Iterator[Desk]:
    """The operator's desk, by the environment.

    `SOLIDARITY_API_KEY[_FILE]`, `SOLIDARITY_DEVICE_KEY_FILE`, `SOLIDARITY_PASSPHRASE_FILE` (else it is asked for),
    and `SOLIDARITY_API_URL` or the server's own settings.

    Raises:
        NotConfigured: a variable is missing. What `open_desk` and `keyring.load` raise.
    """
    key_file = Path(_variable("SOLIDARITY_DEVICE_KEY_FILE"))
    device = keyring.load(key_file, passphrase())
    url = os.environ.get("SOLIDARITY_API_URL")
    if url:
        jurisdictions.read_folder(settings.load_packs().jurisdiction_directory)
        with over_network(url) as http:
            yield sit_down(http, device, key_file=key_file, bearer=_secret("SOLIDARITY_API_KEY"), now=_utc_now)
        return
    from api.app import create_app  # noqa: PLC0415  # the server's half: who has a URL need not wait for it

    app = create_app(settings.load())
    try:
        with in_process(app) as http:
            yield sit_down(
                http, device, key_file=key_file, bearer=_secret("SOLIDARITY_API_KEY"), now=app.state.settings.now
            )
    finally:
        app.state.engine.dispose()


def moment() -> datetime:
    """The moment for what needs no connection: a demonstration's, where this process would serve one.

    Raises:
        BadSettings: the demonstration's clock is set to no moment.
    """
    told = os.environ.get("SOLIDARITY_DEMO_NOW")
    if not told or os.environ.get("SOLIDARITY_API_URL"):
        return _utc_now()
    try:
        return datetime.fromisoformat(told).astimezone(UTC)
    except ValueError:
        raise BadSettings("settings are missing or wrong", where="SOLIDARITY_DEMO_NOW") from None


def sit_down(
    http: httpx2.Client,
    device: Device,
    *,
    key_file: Path,
    bearer: str,
    now: Callable[[], datetime],
    fingerprint: Fingerprint | None = None,
) -> Desk:
    """A desk with outbox and pinned roster beside the device's key file; `fingerprint` is asked at first contact."""
    outbox = Outbox(key_file.with_suffix(".outbox"), keyring.outbox_key(device))
    api = Api(http, key=bearer, outbox=outbox)
    return open_desk(
        api, device, pins=key_file.with_suffix(PINS), now=now, fingerprint=fingerprint or roster_fingerprint
    )


def roster_fingerprint() -> str:
    """The fingerprint of roster 1: of `--roster-fingerprint`, or its variable, else asked for.

    Raises:
        FirstContact: nobody is there to be asked.
    """
    told = os.environ.get(ROSTER_FINGERPRINT)
    if not told and not sys.stdin.isatty():
        raise FirstContact("this device never saw the book: --roster-fingerprint WORDS, as the officers told them")
    return told or str(typer.prompt("First contact. Fingerprint of the first roster, in words or digits"))


def passphrase() -> str:
    """The passphrase of the device key: from the file that SOLIDARITY_PASSPHRASE_FILE names, else asked for."""
    path = os.environ.get("SOLIDARITY_PASSPHRASE_FILE")
    return Path(path).read_text("utf-8").strip() if path else str(typer.prompt("Passphrase", hide_input=True))


def _secret(name: str) -> str:
    """The value of NAME, or the content of the file that NAME_FILE names."""
    path = os.environ.get(f"{name}_FILE")
    return Path(path).read_text("utf-8").strip() if path else _variable(name)


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise NotConfigured("the variable is not set", where=name)
    return value


def _utc_now() -> datetime:
    return datetime.now(UTC)
