"""The routes that write and ask for no signed act, each with the reason why not: a bearer key alone moves no money."""

from collections.abc import Iterator
from typing import Any, get_args

from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.app import ROUTERS
from api.routes.wire import SignedActOnWire

ASKS = "asks for what another person signs"
STOPS = "stops something, or takes back what has moved no money"
NOTES = "notes what somebody did or announced, and books nothing"
KEEPS = "keeps what is sealed, or what is signed in itself"
SETS_UP = "sets up what money is booked on"
BOOKS_PROOF = "books what bank and processor show: it is held against their balances"
BOOKS_RESULTS = "books what an agent has answered: within what two signed, against receipts that are verified"
BOOKS_RECOGNITION = "books as owed what an approver has signed, once the beneficiary is told; nothing leaves by it"

BOOKS = {BOOKS_PROOF, BOOKS_RESULTS, BOOKS_RECOGNITION}

UNSIGNED = {
    "POST /v1/accounts": SETS_UP,
    "POST /v1/advances": ASKS,
    "POST /v1/advances/{alias}/acknowledge": BOOKS_RESULTS,
    "POST /v1/advances/{alias}/cancel": STOPS,
    "POST /v1/advances/{alias}/return": NOTES,
    "POST /v1/advances/{alias}/withdraw-return": STOPS,
    "POST /v1/agents": ASKS,
    "POST /v1/agents/{alias}/close": STOPS,
    "POST /v1/agents/{alias}/compromise": STOPS,
    "POST /v1/agents/{alias}/freeze": STOPS,
    "POST /v1/agents/{alias}/movements/{movement}/withdraw": STOPS,
    "POST /v1/agents/{alias}/outlays": ASKS,
    "POST /v1/agents/{alias}/outlays/{repayment}/cancel": STOPS,
    "POST /v1/bail/{alias}/hearings": NOTES,
    "POST /v1/bail/{alias}/returns": NOTES,
    "POST /v1/bail/{alias}/withdraw-return": STOPS,
    "POST /v1/batches": ASKS,
    "POST /v1/batches/{alias}/cancel": STOPS,
    "POST /v1/batches/{alias}/failures": ASKS,
    "POST /v1/batches/{alias}/lock": ASKS,
    "POST /v1/batches/{alias}/results": BOOKS_RESULTS,
    "POST /v1/batches/{alias}/told": BOOKS_RECOGNITION,
    "POST /v1/case-imports": ASKS,
    "POST /v1/cases/{alias}/correction": ASKS,
    "POST /v1/cases/{alias}/evidence": KEEPS,
    "POST /v1/cases/{alias}/obligations": ASKS,
    "POST /v1/cases/{alias}/obligations/correction": ASKS,
    "POST /v1/cases/{alias}/rulings": ASKS,
    "POST /v1/cases/{alias}/told": BOOKS_RECOGNITION,
    "POST /v1/cash-counts/{alias}/withdraw": STOPS,
    "POST /v1/cash-deposits/{alias}/cancel": STOPS,
    "POST /v1/conversions": ASKS,
    "POST /v1/conversions/{alias}/cancel": STOPS,
    "POST /v1/disbursements": ASKS,
    "POST /v1/disbursements/{alias}/cancel": STOPS,
    "POST /v1/donations": BOOKS_PROOF,
    "POST /v1/donors": KEEPS,
    "POST /v1/donors/recognise": NOTES,
    "POST /v1/donors/unlink": NOTES,
    "POST /v1/donors/{alias}/gifts": NOTES,
    "POST /v1/donors/{alias}/identity": KEEPS,
    "POST /v1/exchange-rates": SETS_UP,
    "POST /v1/funds": SETS_UP,
    "POST /v1/gift-returns/{alias}/cancel": STOPS,
    "POST /v1/gifts-in-kind/{alias}/evidence": KEEPS,
    "POST /v1/gifts-in-kind/{alias}/withdraw": STOPS,
    "POST /v1/jobs/{name}/runs": NOTES,
    "POST /v1/keys/{alias}/revoke": STOPS,
    "POST /v1/payment-files": NOTES,
    "POST /v1/periods/{month}/soft-close": STOPS,
    "POST /v1/purposes": SETS_UP,
    "POST /v1/reconciliations/rules": KEEPS,
    "POST /v1/reconciliations/rules/{alias}/withdraw": STOPS,
    "POST /v1/refund-orders/{alias}/withdraw": STOPS,
    "POST /v1/roster": KEEPS,
    "POST /v1/statements": BOOKS_PROOF,
    "POST /v1/vaults/{name}/rewraps": KEEPS,
    "POST /v1/webhooks/stripe": NOTES,
    "PUT /v1/batches/{alias}/list": KEEPS,
    "PUT /v1/evidence/{alias}/{version}/chunks/{number}": KEEPS,
    "PUT /v1/vaults/{name}/wraps": KEEPS,
}
"""By method and path."""


def unsigned() -> Iterator[str]:
    """Method and path of every route that writes and whose body has no place for a signed act."""
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, APIRoute) and not _asks_for_an_act(route):
                yield from (
                    f"{method} {route.path}" for method in {"POST", "PUT", "PATCH", "DELETE"} & (route.methods or set())
                )


def _asks_for_an_act(route: APIRoute) -> bool:
    return route.body_field is not None and _holds_an_act(route.body_field.field_info.annotation, set())


def _holds_an_act(kind: Any, seen: set[Any]) -> bool:
    if kind is SignedActOnWire or kind in seen:
        return kind is SignedActOnWire
    inner = [*get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        inner += [field.annotation for field in kind.model_fields.values()]
    return any(_holds_an_act(one, {*seen, kind}) for one in inner)
