"""Routes of dossiers: what the books show about one case, as pages or as facts that a client checks again."""

from fastapi import APIRouter
from fastapi.responses import Response

from api.authentication import Admitted, Now
from api.routes.wire import Alias
from api.transactions import Tx
from reports.dossier import pages
from reports.dossier.gathering import gather

router = APIRouter()


@router.get("/v1/cases/{alias}/dossier.pdf", response_class=Response)
def read_dossier(alias: Alias, session: Tx, _caller: Admitted, now: Now) -> Response:
    """The dossier of a case from what the server knows: coarse, and without a name."""
    return Response(pages.render_pdf(gather(session, alias, as_of=now)), media_type="application/pdf")


@router.get("/v1/cases/{alias}/dossier.json", response_class=Response)
def read_dossier_facts(alias: Alias, session: Tx, _caller: Admitted, now: Now) -> Response:
    """The facts behind it, with every signed act in full."""
    return Response(pages.render_json(gather(session, alias, as_of=now)), media_type="application/json")
