"""No route takes for sealed what is not."""

import base64
import json
from collections.abc import Iterator
from datetime import date
from functools import partial
from typing import Any

from api.client import case_imports, payments, statements
from ledger.aliases import Kind, draw
from ledger.identities.boxes import PUBLIC_BYTES
from tests.attempts import catch, told
from tests.cast import byn
from tests.office import (
    BANK_DAY,
    BYN_LEAF,
    Office,
    a_wrap,
    on_one_database,
)
from tests.papers import BankLine, a_list_row, october

LEAD_IN = json.dumps({"name": "Invented Person", "payee_account": "INVENTED-TREASURY-01"}).encode()


def plain_texts(length: int) -> dict[str, bytes]:
    """Plain text as somebody may pass it off for sealed bytes of this length."""
    long = LEAD_IN.ljust(length, b" ")
    return {
        "as it is": LEAD_IN,
        "at the length": long[:length],
        "behind the version": b"\x01" + long[: length - 1],
        "padded with zeros": b"\x01" + LEAD_IN.ljust(length - 1, b"\0"),
        "in base64": base64.b64encode(long)[:length],
        "in UTF-16": b"\x01" + (long.decode().encode("utf-16-le"))[: length - 1],
        "nothing": b"",
    }


@on_one_database
def test_no_route_takes_plain_text_for_what_should_be_sealed(furnished: Office) -> None:
    anna = furnished.desk("anna")
    alias = furnished.a_verified_case()
    furnished.set_clock(BANK_DAY)
    requests = [
        catch(
            furnished,
            "POST",
            lambda: case_imports.import_rows(anna, [a_list_row()], jurisdiction="by", list_name="another list"),
        ),
        catch(furnished, "POST", lambda: payments.request(anna, alias, account=BYN_LEAF)),
        catch(
            furnished,
            "POST",
            lambda: statements.send(
                anna, october(BankLine(byn("1.00"), date(2020, 10, 2)), opening="5000.00"), account=BYN_LEAF
            ),
        ),
        catch(
            furnished,
            "PUT",
            lambda: furnished.desk("clara").api.put("/v1/vaults/people/wraps", a_wrap(furnished, member="clara")),
        ),
    ]
    tried = 0

    with furnished.nothing_written():
        for request in requests:
            for body in in_plain(json.loads(request.content)):
                bearer = furnished.bearer("dora" if request.method == "PUT" else "anna")
                kept = {"Content-Type": request.headers["Content-Type"]}
                answer = furnished.send(request.method, request.url.path, bearer=bearer, json=body, headers=kept)
                tried += 1

                assert (answer.status_code, told(answer)[1]) == (422, "not_a_sealed_box"), request.url.path

    assert tried == (4 + 1 + 3 + 1) * len(plain_texts(1))
    for request in requests:  # and the sealed ones are taken
        answer = furnished.send(
            request.method, request.url.path, headers=dict(request.headers), content=request.content
        )
        assert answer.status_code in {200, 201}


def in_plain(body: Any) -> Iterator[Any]:
    """The body with one of its sealed parts after the other in plain text."""
    if isinstance(body, list):
        for number, part in enumerate(body):
            yield from ([*body[:number], other, *body[number + 1 :]] for other in in_plain(part))
    if isinstance(body, dict):
        for name, part in body.items():
            if name in {"bytes", "public", "wrap"}:
                length = len(base64.b64decode(part))
                assert length == PUBLIC_BYTES or name != "public"
                for text in plain_texts(length).values():
                    yield body | {name: base64.b64encode(text).decode()}
            else:
                yield from (body | {name: other} for other in in_plain(part))


@on_one_database
def test_a_vault_is_wrapped_only_to_members_of_the_roster_and_in_an_epoch_it_names(furnished: Office) -> None:
    wrap = a_wrap(furnished, member="clara")
    stranger = wrap | {"member": draw(Kind.OPERATOR)}
    attempts = [("people", stranger, 404), ("people", wrap | {"epoch": 2}, 422), ("donors", wrap | {"epoch": 2}, 422)]

    with furnished.nothing_written():
        answers = [
            furnished.send("PUT", f"/v1/vaults/{vault}/wraps", bearer=furnished.bearer("dora"), json=body)
            for vault, body, _ in attempts
        ]

    assert [answer.status_code for answer in answers] == [status for _, _, status in attempts]


@on_one_database
def test_a_wrap_that_stands_is_not_replaced(furnished: Office) -> None:
    first, second = (a_wrap(furnished, member="clara") for _ in range(2))
    put = partial(furnished.send, "PUT", "/v1/vaults/people/wraps", bearer=furnished.bearer("dora"))
    assert [put(json=first).status_code for _ in range(2)] == [200, 200]

    with furnished.nothing_written():
        assert told(put(json=second)) == (409, "alias_taken")
