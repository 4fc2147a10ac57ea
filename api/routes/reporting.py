"""Routes of reports for auditors."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from api.authentication import Admitted
from api.routes.wire import Day, Moment
from api.transactions import Tx
from reports import gathering
from reports.audit import activities, cash_flows, disbursements, position, statements, trial_balance

router = APIRouter()

From = Annotated[Day, Query(alias="from")]
To = Annotated[Day, Query(alias="to")]
"""The first and the last day of a span, both included."""


class Form(StrEnum):
    """How a report is written."""

    PDF = "pdf"
    CSV = "csv"
    JSON = "json"


@router.get("/v1/reports/audit.pdf", response_class=Response)
def read_audit_file(on: Day, session: Tx, _caller: Admitted) -> Response:
    """The statements of a day in one PDF."""
    balance = gathering.gather_trial_balance(session, on=on)
    paid = gathering.gather_disbursements(session, on=on)
    return Response(statements.render_pdf(balance, paid=paid), media_type="application/pdf")


@router.get("/v1/reports/trial-balance.{form}", response_class=Response)
def read_trial_balance_report(
    form: Annotated[Form, Path()], on: Day, session: Tx, _caller: Admitted, as_known_at: Moment | None = None
) -> Response:
    """The trial balance of a day over all funds: the same figures as PDF, CSV or JSON."""
    figures = gathering.gather_trial_balance(session, on=on, as_known_at=as_known_at)
    if form is Form.PDF:
        return Response(trial_balance.render_pdf(figures), media_type="application/pdf")
    if form is Form.CSV:
        return Response(trial_balance.render_csv(figures), media_type="text/csv; charset=utf-8")
    return Response(trial_balance.render_json(figures), media_type="application/json")


@router.get("/v1/reports/disbursements.{form}", response_class=Response)
def read_disbursements_report(form: Annotated[Form, Path()], on: Day, session: Tx, _caller: Admitted) -> Response:
    """The statement of disbursements in totals until a day: the same figures as PDF, CSV or JSON."""
    figures = gathering.gather_disbursements(session, on=on)
    if form is Form.PDF:
        return Response(disbursements.render_pdf(figures), media_type="application/pdf")
    if form is Form.CSV:
        return Response(disbursements.render_csv(figures), media_type="text/csv; charset=utf-8")
    return Response(disbursements.render_json(figures), media_type="application/json")


@router.get("/v1/reports/position")
def read_position(session: Tx, _caller: Admitted, on: Day, as_known_at: Moment | None = None) -> dict[str, Any]:
    """What the fund has and owes at the end of a day, in its functional currency, with the rates it is told by."""
    return position.as_json(position.gather(session, on=on, as_known_at=as_known_at))


@router.get("/v1/reports/activities")
def read_activities(
    session: Tx, _caller: Admitted, since: From, until: To, as_known_at: Moment | None = None
) -> dict[str, Any]:
    """What changed net assets from a day to a day, in both columns and by fund, with the exchange result's proof."""
    return activities.as_json(activities.gather(session, since=since, until=until, as_known_at=as_known_at))


@router.get("/v1/reports/cash-flows")
def read_cash_flows(
    session: Tx, _caller: Admitted, since: From, until: To, as_known_at: Moment | None = None
) -> dict[str, Any]:
    """What cash came for and went for from a day to a day, and what rates did to it."""
    return cash_flows.as_json(cash_flows.gather(session, since=since, until=until, as_known_at=as_known_at))
