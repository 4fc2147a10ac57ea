"""The line to the card processor: asks with one key, tries again within bounds, and hands on what was answered.

With its gateway it is all that knows the processor's library, which is imported when the first line is opened. What
went wrong is told without the processor's words: they may hold what nobody should read in a log.
"""

import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Self

from api.stripe_gateway import (
    BadMovements,
    RefundTold,
    as_far_as_known,
    as_they_count,
    as_unreadable,
    read_payout,
    read_refund,
    sort_out,
    sum_up,
)
from ledger.errors import LedgerError, NotFound, Refused
from ledger.giving.movements import Category, Movement
from ledger.giving.strays import Unreadable
from ledger.giving.unread import Told
from ledger.money import BadAmount, Money

TELL_THEIR_CHARGE = ("re_", "pyr_", "dp_", "du_")
"""The sources that are asked for by themselves: they name the charge that they are about. Charges stay unread."""
PAGE = 100
"""The most that the processor lists at once."""
TRIES = 5
"""How often one request is sent before the processor counts as away."""
FIRST_PAUSE_SECONDS = 0.5
"""Before the second try; each further one waits twice as long. Up to half of it more is added by chance."""
TIMEOUT_SECONDS = 30.0
LOOKS = 3
"""How often all is listed again when the balance moved meanwhile."""
_TOO_MANY, _CLASH, _BROKEN = 429, 409, 500
_RIGHT = re.compile(r"'rak_([a-z_]{1,60})'", re.ASCII)
"""How the processor names the right that a restricted key lacks."""
_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)


class ProcessorUnavailable(LedgerError):
    """The processor did not answer, or was too busy, at every try. Nothing is lost: the same is asked next time."""

    rule = "processor_unavailable"


class ProcessorKeyRefused(Refused):
    """The processor does not know the key, or the key lacks the `right` that it names: see docs/processor-keys.md."""

    rule = "processor_key_refused"


class UnknownAtProcessor(NotFound):
    """The processor knows no such object under this key."""

    rule = "unknown_at_processor"


class ProcessorRefused(Refused):
    """The processor does not do it; `code` is its own word for why, if it gave one."""

    rule = "processor_refused"


@dataclass(frozen=True, slots=True)
class Pulled:
    """Movements, oldest first, each with the second it was made in; the balance after them, None if it did not rest.

    One in a currency that we do not know is as it was told. What could not be read at all stands by itself.
    """

    movements: list[tuple[int, Movement | Told]]
    balances: list[Money] | None
    unreadable: list[Unreadable] = field(default_factory=list)


class Link:
    """A connection to the processor with one key, which is all that it can do. Close it when done.

    What may pass is tried again, `TRIES` times in all; `base` is another address than the processor's own.
    """

    def __init__(
        self,
        key: str,
        *,
        base: str | None = None,
        pause: Callable[[float], None] = time.sleep,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        import stripe  # noqa: PLC0415  # takes half a second: whoever books no cards does not wait for it

        stripe.enable_telemetry = False
        self._stripe = stripe
        self._http = stripe.RequestsClient(timeout=timeout_seconds)
        self._client = stripe.StripeClient(
            key, base_addresses={"api": base} if base else {}, http_client=self._http, max_network_retries=0
        )
        self._pause = pause

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()  # type: ignore[no-untyped-call]  # the library forgot it

    def pull(self, since: int, *, again: Sequence[Movement] = (), unread: Sequence[str] = ()) -> Pulled:
        """Everything that moved from the second `since` on.

        Of one second, charges come first and payouts last: what is given back was given before. `again` are payouts
        that are asked once more what they pay out; they come first, with the second 0. `unread` are the ids of balance
        transactions that could not be read before.

        Raises:
            BadMovements, BadBalance: a list, or the balance, cannot be read.
            ProcessorUnavailable, ProcessorKeyRefused, UnknownAtProcessor, ProcessorRefused: see there.
        """
        balances, items = self._at_rest({"created": {"gte": since}})
        listed = {item.get("id") for item in items if isinstance(item, dict)}
        items += [item for name in unread if name not in listed for item in self._once_more(name)]
        found, silent = [], []
        for item in items:
            try:
                found.append(self._telling(item))
            except (UnknownAtProcessor, ProcessorRefused):
                silent.append(as_unreadable(item))
        told, unreadable = sort_out(found)
        moved = [*self._asked_again(again), *((second, self._with_items(one)) for second, one in told)]
        return Pulled(moved, balances, [*silent, *unreadable])

    def refund(self, charge: str, amount: Money, *, order: str) -> RefundTold:
        """Gives back an amount of a charge for one order: however often it is asked for, it is done once.

        The processor forgets idempotency keys after a day, so what was done for the order is looked for first.

        Raises:
            As `pull`; after `ProcessorUnavailable` it may have been done, and the next call tells.
        """
        try:
            units = as_they_count(amount)
        except BadAmount:
            raise ProcessorRefused("the processor takes this currency without decimals") from None
        for done in self._all(self._client.v1.refunds.list, {"charge": charge}):
            if isinstance(done, dict) and (done.get("metadata") or {}).get("order") == order:
                return read_refund(done)
        facts: Any = {"charge": charge, "amount": units, "metadata": {"order": order}}
        once: Any = {"idempotency_key": f"refund:{order}"}
        return read_refund(self._ask(lambda: self._client.v1.refunds.create(facts, once)))

    def find_refund(self, refund: str) -> RefundTold:
        """How a refund stands now; raises as `pull`."""
        return read_refund(self._ask(lambda: self._client.v1.refunds.retrieve(refund)))

    def _asked_again(self, waiting: Sequence[Movement]) -> Iterator[tuple[int, Movement | Told]]:
        """Payouts as they are told now; one that the processor knows no more goes on waiting, and holds nothing up."""
        return ((0, self._with_items(one)) for one in waiting)

    def _once_more(self, name: str) -> Iterator[dict[str, Any]]:
        """A balance transaction by itself; one that the processor does not tell goes on waiting."""
        expanded: Any = {"expand": ["source"]}
        with suppress(UnknownAtProcessor, ProcessorRefused):
            yield self._ask(partial(self._client.v1.balance_transactions.retrieve, name, expanded))

    def _with_items(self, moved: Movement | Told) -> Movement | Told:
        """A payout with what comes to the bank in another currency, and, if it is automatic, the transactions in it.

        What the processor still puts together is listed in part: nothing of it is taken. One that cannot be read is
        asked again, like those that are put together.
        """
        if moved.category != Category.PAYOUT or moved.source is None:
            return moved
        told = moved if isinstance(moved, Told) else Told.of(moved)
        try:
            payout = read_payout(self._ask(partial(self._client.v1.payouts.retrieve, moved.source)))
            items: tuple[str, ...] | None = () if payout.is_automatic else None
            if payout.is_automatic and payout.is_complete:
                items = self._items(moved.source)
        except (BadMovements, UnknownAtProcessor, ProcessorRefused):
            return as_far_as_known(replace(told, transactions=()))
        arriving = payout.arriving, payout.currency if payout.arriving is not None else None
        return as_far_as_known(replace(told, arriving=arriving[0], arriving_currency=arriving[1], transactions=items))

    def _items(self, payout: str) -> tuple[str, ...]:
        """What an automatic payout pays out, oldest first; not the payout itself, which is listed each time it left."""
        listed = self._all(self._client.v1.balance_transactions.list, {"payout": payout})
        own = [one for one in reversed(listed) if isinstance(one, dict) and one.get("source") != payout]
        return tuple(str(one.get("id")) for one in own)

    def _at_rest(self, asked: dict[str, Any]) -> tuple[list[Money] | None, list[Any]]:
        """The balance and all that is listed, if possible of one moment."""
        for _ in range(LOOKS):
            before = self._balance()
            items = self._all(self._client.v1.balance_transactions.list, asked)
            if self._balance() == before:
                return before, items
        return None, self._all(self._client.v1.balance_transactions.list, asked)

    def _balance(self) -> list[Money]:
        return sum_up(self._ask(self._client.v1.balance.retrieve))

    def _telling(self, item: Any) -> Any:
        """A balance transaction that tells its charge, where it is about one that was booked before.

        Its amounts are those of the list: two may have one id, and asked for by that, only one of them is told.
        """
        source = item.get("source") if isinstance(item, dict) and isinstance(item.get("id"), str) else None
        if isinstance(source, str) and source.startswith(TELL_THEIR_CHARGE):
            expanded: Any = {"expand": ["source"]}
            told = self._ask(lambda: self._client.v1.balance_transactions.retrieve(item["id"], expanded)).get("source")
            return item | {"source": told} if isinstance(told, dict) and told.get("id") == source else item
        return item

    def _all(self, lists: Callable[..., Any], asked: dict[str, Any]) -> list[Any]:
        """Everything that is listed, newest first; what has no id is told like the rest."""
        found: list[Any] = []
        page: dict[str, Any] = {"has_more": True}
        last: dict[str, str] = {}
        while page.get("has_more"):
            page = self._ask(partial(lists, asked | last | {"limit": PAGE}))
            data = page.get("data")
            if not isinstance(data, list):
                raise BadMovements("not a list of the processor's API", where="page")
            found += data
            named = [one["id"] for one in data if isinstance(one, dict) and isinstance(one.get("id"), str)]
            if page.get("has_more") and named[-1:] in ([], list(last.values())):
                raise BadMovements("the list does not go on", where="page")
            last = {"starting_after": named[-1]} if named else last
        return found

    def _ask(self, asks: Callable[[], Any]) -> dict[str, Any]:
        """One answer; what went wrong is told without its text, which may hold what should not be told."""
        for tried in range(1, TRIES + 1):
            try:
                return dict(asks().to_dict())
            except self._stripe.StripeError as error:
                self._judge(error, is_last=tried == TRIES)
            self._pause(FIRST_PAUSE_SECONDS * 2 ** (tried - 1) * random.uniform(1, 1.5))  # noqa: S311  # no secret
        raise AssertionError("the last try is judged")

    def _judge(self, error: Any, *, is_last: bool) -> None:
        """Passes over what may pass, unless it was the last try."""
        status = error.http_status
        if status is None or status in {_TOO_MANY, _CLASH} or status >= _BROKEN:
            if is_last:
                raise ProcessorUnavailable("the processor does not answer", status=status) from None
            return
        if isinstance(error, (self._stripe.AuthenticationError, self._stripe.PermissionError)):
            raise ProcessorKeyRefused("the processor does not accept the key for this", **_lacking(error)) from None
        code = error.code if isinstance(error.code, str) and _CODE.fullmatch(error.code) else None
        if code == "resource_missing":
            raise UnknownAtProcessor("the processor knows no such object") from None
        raise ProcessorRefused("the processor does not do this", status=status, code=code) from None


def _lacking(error: Any) -> dict[str, Any]:
    """Status, and of a key that is known the right that it lacks: of the processor's words that name only."""
    named = _RIGHT.search(error.user_message or "")
    return {"status": error.http_status, "right": named[1]} if named else {"status": error.http_status}
