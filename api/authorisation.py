"""Which role opens which route: the one table. A route that is not listed does not start."""

from dataclasses import dataclass

from ledger.people import Role

INTAKE, APPROVER, TREASURER, PUBLISHER, AUDITOR, ADMIN = (
    Role.INTAKE,
    Role.APPROVER,
    Role.TREASURER,
    Role.PUBLISHER,
    Role.AUDITOR,
    Role.ADMIN,
)
EVERYBODY = frozenset(Role)
"""Every operator with a key."""


BOX_BODY = 8 * 1024 * 1024
"""Bytes of a request that brings a box or two: 4 MiB in base64, and what stands around it."""
LIST_BODY = 64 * 1024 * 1024
"""Bytes of a request that brings many: 500 sealed rows, or a statement of 20,000 lines."""

NOTICE_BODY = 256 * 1024
"""Bytes of a notice of the card processor, whose signature stands over all of them: they are read of anybody."""


@dataclass(frozen=True, slots=True)
class Door:
    """Who may pass: `roles`, or anybody without a key when None. `writes`: it needs a writing transaction."""

    roles: frozenset[Role] | None
    writes: bool
    largest_body: int = BOX_BODY


def _read(*roles: Role) -> Door:
    return Door(frozenset(roles), writes=False)


def _write(*roles: Role, largest_body: int = BOX_BODY) -> Door:
    return Door(frozenset(roles), writes=True, largest_body=largest_body)


PUBLIC = Door(None, writes=False)
SIGNED = Door(None, writes=True, largest_body=NOTICE_BODY)
"""Without a key of ours: the card processor signs what it sends, and the route looks at that first of all."""

DOORS: dict[tuple[str, str], Door] = {
    ("GET", "/healthz"): PUBLIC,
    ("GET", "/readyz"): PUBLIC,
    ("GET", "/"): PUBLIC,
    ("GET", "/data/{name}"): PUBLIC,
    ("GET", "/give"): PUBLIC,
    ("GET", "/give/{language}"): PUBLIC,
    ("GET", "/v1/book"): _read(*EVERYBODY),
    ("GET", "/v1/roster"): _read(*EVERYBODY),
    ("POST", "/v1/roster"): _write(ADMIN, largest_body=LIST_BODY),
    ("GET", "/v1/keys"): _read(AUDITOR, ADMIN),
    ("POST", "/v1/keys"): _write(ADMIN),
    ("POST", "/v1/keys/{alias}/revoke"): _write(ADMIN),
    ("GET", "/v1/suspensions"): _read(*EVERYBODY),
    ("POST", "/v1/suspensions"): _write(*EVERYBODY),  # whoever sees it first stops it
    ("GET", "/v1/vaults/{name}/wraps"): _read(INTAKE, APPROVER, TREASURER, PUBLISHER, AUDITOR),
    ("PUT", "/v1/vaults/{name}/wraps"): _write(INTAKE, APPROVER, TREASURER, ADMIN),
    ("GET", "/v1/vaults/{name}/members"): _read(INTAKE, APPROVER, TREASURER, ADMIN),
    ("GET", "/v1/vaults/{name}/rewraps"): _read(INTAKE, APPROVER, TREASURER),
    ("POST", "/v1/vaults/{name}/rewraps"): _write(INTAKE, APPROVER, TREASURER),
    ("GET", "/v1/boxes"): _write(INTAKE, APPROVER, TREASURER),  # the reading is logged
    ("GET", "/v1/boxes/{alias}"): _write(INTAKE, APPROVER, TREASURER),  # the reading is logged
    ("GET", "/v1/access-log"): _read(AUDITOR),
    ("GET", "/v1/evidence-retention"): _read(INTAKE, APPROVER, AUDITOR),
    ("POST", "/v1/evidence/{alias}/{version}/drop"): _write(APPROVER),
    ("GET", "/v1/retention"): _read(INTAKE, APPROVER, AUDITOR),
    ("GET", "/v1/erasures"): _read(INTAKE, APPROVER, AUDITOR),
    ("POST", "/v1/erasures"): _write(INTAKE),
    ("POST", "/v1/erasures/{alias}/agree"): _write(APPROVER),
    ("GET", "/v1/accounts"): _read(INTAKE, APPROVER, TREASURER, AUDITOR, ADMIN),
    ("POST", "/v1/accounts"): _write(ADMIN),
    ("GET", "/v1/funds"): _read(INTAKE, APPROVER, TREASURER, AUDITOR, ADMIN),
    ("POST", "/v1/funds"): _write(ADMIN),
    ("GET", "/v1/purposes"): _read(TREASURER, PUBLISHER, AUDITOR, ADMIN),
    ("POST", "/v1/purposes"): _write(ADMIN),
    ("GET", "/v1/purposes/versions"): _read(APPROVER, TREASURER, PUBLISHER, AUDITOR, ADMIN),
    ("POST", "/v1/purposes/versions"): _write(PUBLISHER),
    ("GET", "/v1/donations"): _read(TREASURER, AUDITOR),
    ("GET", "/v1/donations/unassigned"): _read(TREASURER, AUDITOR),
    ("GET", "/v1/donations/{alias}/history"): _read(TREASURER, AUDITOR),
    ("POST", "/v1/donations/{alias}/assign"): _write(TREASURER),
    ("GET", "/v1/movements"): _read(TREASURER, AUDITOR),
    ("POST", "/v1/donations"): _write(TREASURER, largest_body=LIST_BODY),
    ("GET", "/v1/donations/unclaimed"): _read(TREASURER, AUDITOR),
    ("GET", "/v1/donations/{alias}/steps"): _read(APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/donations/{alias}/match"): _write(TREASURER),
    ("POST", "/v1/donations/{alias}/meet"): _write(APPROVER),
    ("POST", "/v1/donations/{alias}/claim"): _write(TREASURER),
    ("POST", "/v1/donations/{alias}/payout"): _write(TREASURER),
    ("GET", "/v1/gift-returns"): _read(APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/gift-returns"): _write(TREASURER),
    ("POST", "/v1/gift-returns/{alias}/cancel"): _write(TREASURER),
    ("GET", "/v1/cash-counts"): _read(*EVERYBODY),  # any other operator witnesses
    ("POST", "/v1/cash-counts"): _write(TREASURER),
    ("POST", "/v1/cash-counts/{alias}/witness"): _write(*EVERYBODY),
    ("POST", "/v1/cash-counts/{alias}/withdraw"): _write(TREASURER),
    ("GET", "/v1/cash-deposits"): _read(TREASURER, AUDITOR),
    ("POST", "/v1/cash-deposits"): _write(TREASURER),
    ("POST", "/v1/cash-deposits/{alias}/cancel"): _write(TREASURER),
    ("GET", "/v1/gifts-in-kind"): _read(APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/gifts-in-kind"): _write(TREASURER),
    ("POST", "/v1/gifts-in-kind/{alias}/withdraw"): _write(TREASURER),
    ("GET", "/v1/gifts-in-kind/{alias}/evidence"): _read(APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/gifts-in-kind/{alias}/evidence"): _write(TREASURER),
    ("POST", "/v1/webhooks/stripe"): SIGNED,
    ("GET", "/v1/disputes"): _read(APPROVER, TREASURER, AUDITOR),
    ("GET", "/v1/payouts"): _read(TREASURER, AUDITOR),
    ("GET", "/v1/refund-orders"): _read(APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/refund-orders"): _write(TREASURER),
    ("POST", "/v1/refund-orders/{alias}/withdraw"): _write(TREASURER),
    ("GET", "/v1/donors"): _read(TREASURER, AUDITOR),
    ("POST", "/v1/donors"): _write(TREASURER),
    ("POST", "/v1/donors/recognise"): _write(TREASURER),
    ("POST", "/v1/donors/unlink"): _write(TREASURER),
    ("POST", "/v1/donors/{alias}/identity"): _write(TREASURER),
    ("GET", "/v1/donors/{alias}/gifts"): _read(TREASURER, AUDITOR),
    ("POST", "/v1/donors/{alias}/gifts"): _write(TREASURER),
    ("GET", "/v1/donors/{alias}/alike"): _read(TREASURER),
    ("POST", "/v1/donors/{alias}/merge"): _write(TREASURER),
    ("GET", "/v1/receipts"): _read(TREASURER, AUDITOR),
    ("POST", "/v1/receipts"): _write(TREASURER),
    ("POST", "/v1/receipts/{alias}/cancel"): _write(TREASURER),
    ("GET", "/v1/receipts/confirmations"): _read(TREASURER, AUDITOR, ADMIN),
    ("POST", "/v1/receipts/confirmations"): _write(ADMIN),
    ("GET", "/v1/receipts/confirmations/{donation}"): _read(TREASURER),
    ("POST", "/v1/case-imports"): _write(INTAKE, largest_body=LIST_BODY),
    ("GET", "/v1/cases"): _read(INTAKE, APPROVER, TREASURER, AUDITOR),
    ("GET", "/v1/cases/{alias}"): _read(INTAKE, APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/cases/{alias}/verify"): _write(INTAKE),
    ("POST", "/v1/cases/{alias}/reject"): _write(INTAKE),
    ("POST", "/v1/cases/{alias}/hold"): _write(INTAKE, APPROVER, TREASURER),  # whoever sees a reason stops it
    ("POST", "/v1/cases/{alias}/resume"): _write(INTAKE),
    ("POST", "/v1/cases/{alias}/withdraw"): _write(INTAKE),
    ("POST", "/v1/cases/{alias}/confirm"): _write(INTAKE),
    ("POST", "/v1/cases/{alias}/close"): _write(INTAKE),
    ("GET", "/v1/cases/{alias}/suspicions"): _read(INTAKE),
    ("POST", "/v1/cases/{alias}/duplicate"): _write(INTAKE),
    ("POST", "/v1/cases/{alias}/correction"): _write(INTAKE),
    ("POST", "/v1/cases/{alias}/obligations"): _write(INTAKE),
    ("POST", "/v1/cases/{alias}/obligations/correction"): _write(INTAKE),
    ("GET", "/v1/cases/{alias}/rulings"): _read(INTAKE, APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/cases/{alias}/rulings"): _write(INTAKE),
    ("GET", "/v1/queue"): _read(*EVERYBODY),  # each sees the sections of their own roles
    ("GET", "/v1/queue/{section}"): _read(*EVERYBODY),
    ("POST", "/v1/cases/{alias}/told"): _write(INTAKE, TREASURER),
    ("GET", "/v1/cases/{alias}/evidence"): _read(INTAKE, APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/cases/{alias}/evidence"): _write(INTAKE, TREASURER),
    ("PUT", "/v1/evidence/{alias}/{version}/chunks/{number}"): _write(INTAKE, TREASURER),
    ("GET", "/v1/evidence/{alias}/{version}"): _write(INTAKE, APPROVER, TREASURER),  # the reading is logged
    ("GET", "/v1/cases/{alias}/dossier.pdf"): _read(INTAKE, APPROVER, TREASURER, AUDITOR),
    ("GET", "/v1/cases/{alias}/dossier.json"): _read(INTAKE, APPROVER, TREASURER, AUDITOR),
    ("GET", "/v1/cases/{alias}/ledger"): _read(APPROVER, TREASURER, AUDITOR),
    ("GET", "/v1/cases/{alias}/ledger.csv"): _read(APPROVER, TREASURER, AUDITOR),
    ("GET", "/v1/beneficiaries/{alias}/ledger"): _read(APPROVER, TREASURER, AUDITOR),
    ("GET", "/v1/beneficiaries/{alias}/ledger.csv"): _read(APPROVER, TREASURER, AUDITOR),
    ("GET", "/v1/disbursements"): _read(INTAKE, APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/disbursements"): _write(TREASURER),
    ("POST", "/v1/disbursements/{alias}/release"): _write(TREASURER),
    ("POST", "/v1/disbursements/{alias}/cancel"): _write(TREASURER),
    ("GET", "/v1/order-failures"): _read(APPROVER, TREASURER, AUDITOR),
    ("GET", "/v1/order-failures/{alias}"): _read(APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/order-failures"): _write(TREASURER),
    ("GET", "/v1/payment-files"): _read(APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/payment-files"): _write(TREASURER),
    ("POST", "/v1/payment-files/{alias}/withdraw"): _write(TREASURER),
    ("POST", "/v1/payment-files/{alias}/agree"): _write(APPROVER),
    ("GET", "/v1/approvals"): _read(APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/approvals"): _write(APPROVER),
    ("GET", "/v1/agents"): _read(APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/agents"): _write(TREASURER),
    ("POST", "/v1/agents/{alias}/freeze"): _write(APPROVER, TREASURER, ADMIN),
    ("POST", "/v1/agents/{alias}/compromise"): _write(APPROVER, TREASURER, ADMIN),
    ("POST", "/v1/agents/{alias}/close"): _write(TREASURER),
    ("GET", "/v1/bail"): _read(INTAKE, APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/bail/{alias}/hearings"): _write(INTAKE, TREASURER),
    ("POST", "/v1/bail/{alias}/returns"): _write(TREASURER),
    ("POST", "/v1/bail/{alias}/withdraw-return"): _write(TREASURER),
    ("POST", "/v1/bail/{alias}/apply"): _write(APPROVER),
    ("POST", "/v1/bail/{alias}/forfeit"): _write(APPROVER),
    ("GET", "/v1/agents/exposure"): _read(APPROVER, TREASURER, AUDITOR),
    ("GET", "/v1/agents/{alias}/cases"): _read(INTAKE, APPROVER, TREASURER),
    ("POST", "/v1/agents/{alias}/seizure"): _write(TREASURER),
    ("GET", "/v1/agents/{alias}/movements"): _read(APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/agents/{alias}/movements"): _write(TREASURER),
    ("POST", "/v1/agents/{alias}/movements/{movement}/withdraw"): _write(TREASURER),
    ("GET", "/v1/agents/{alias}/outlays"): _read(APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/agents/{alias}/outlays"): _write(TREASURER),
    ("POST", "/v1/agents/{alias}/outlays/{repayment}/cancel"): _write(TREASURER),
    ("GET", "/v1/advances"): _read(APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/advances"): _write(TREASURER),
    ("POST", "/v1/advances/{alias}/release"): _write(TREASURER),
    ("POST", "/v1/advances/{alias}/cancel"): _write(TREASURER),
    ("POST", "/v1/advances/{alias}/acknowledge"): _write(TREASURER),
    ("POST", "/v1/advances/{alias}/return"): _write(TREASURER),
    ("POST", "/v1/advances/{alias}/withdraw-return"): _write(TREASURER),
    ("GET", "/v1/resolutions"): _read(APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/resolutions"): _write(TREASURER),
    ("GET", "/v1/returns/waiting"): _read(APPROVER, TREASURER, AUDITOR),
    ("GET", "/v1/obligations"): _read(APPROVER, TREASURER, AUDITOR),
    ("GET", "/v1/batches"): _read(APPROVER, TREASURER, AUDITOR),
    ("GET", "/v1/batches/{alias}"): _read(APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/batches"): _write(TREASURER, largest_body=LIST_BODY),
    ("POST", "/v1/batches/{alias}/lock"): _write(TREASURER, largest_body=LIST_BODY),
    ("POST", "/v1/batches/{alias}/cancel"): _write(TREASURER),
    ("POST", "/v1/batches/{alias}/told"): _write(INTAKE, TREASURER, largest_body=LIST_BODY),
    ("POST", "/v1/batches/{alias}/release"): _write(TREASURER, largest_body=LIST_BODY),
    ("POST", "/v1/batches/{alias}/results"): _write(TREASURER, largest_body=LIST_BODY),
    ("PUT", "/v1/batches/{alias}/list"): _write(TREASURER),
    ("GET", "/v1/batches/{alias}/list"): _write(TREASURER),  # what has expired is removed
    ("GET", "/v1/batches/{alias}/failures"): _read(APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/batches/{alias}/failures"): _write(TREASURER),
    ("GET", "/v1/transfers"): _read(APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/transfers"): _write(TREASURER),
    ("GET", "/v1/conversions"): _read(APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/conversions"): _write(TREASURER),
    ("POST", "/v1/conversions/{alias}/release"): _write(TREASURER),
    ("POST", "/v1/conversions/{alias}/cancel"): _write(TREASURER),
    ("POST", "/v1/rulings/{alias}/quash"): _write(INTAKE),
    ("POST", "/v1/rulings/{alias}/reduce"): _write(INTAKE),
    ("POST", "/v1/rulings/{alias}/uphold"): _write(INTAKE),
    ("POST", "/v1/obligations/{alias}/acknowledge"): _write(INTAKE),
    ("GET", "/v1/refunds"): _read(INTAKE, TREASURER, AUDITOR),
    ("POST", "/v1/statements"): _write(TREASURER, largest_body=LIST_BODY),
    ("GET", "/v1/reconciliations"): _read(TREASURER, AUDITOR),
    ("GET", "/v1/jobs"): _read(*EVERYBODY),
    ("GET", "/v1/jobs/{name}/runs"): _read(*EVERYBODY),
    ("POST", "/v1/jobs/{name}/runs"): _write(TREASURER, ADMIN),
    ("GET", "/v1/reconciliations/content"): _read(*EVERYBODY),
    ("GET", "/v1/reconciliations/sheets"): _read(*EVERYBODY),
    ("POST", "/v1/reconciliations/sheets"): _write(TREASURER),
    ("GET", "/v1/reconciliations/sheets/{alias}.pdf"): _read(*EVERYBODY),
    ("POST", "/v1/reconciliations/sheets/{alias}/review"): _write(APPROVER, TREASURER, AUDITOR),
    ("GET", "/v1/reconciliations/proposals"): _read(TREASURER, AUDITOR),
    ("GET", "/v1/reconciliations/rules"): _read(TREASURER, AUDITOR),
    ("POST", "/v1/reconciliations/rules"): _write(TREASURER),
    ("POST", "/v1/reconciliations/rules/{alias}/withdraw"): _write(TREASURER),
    ("POST", "/v1/reconciliations/{alias}/match"): _write(TREASURER),
    ("POST", "/v1/reconciliations/{alias}/unmatch"): _write(TREASURER),
    ("GET", "/v1/exceptions"): _read(APPROVER, TREASURER, AUDITOR),
    ("POST", "/v1/exceptions/{alias}/resolve"): _write(TREASURER),
    ("POST", "/v1/exceptions/{alias}/agree"): _write(APPROVER),
    ("GET", "/v1/balances"): _read(APPROVER, TREASURER, AUDITOR),
    ("GET", "/v1/trial-balance"): _read(APPROVER, TREASURER, AUDITOR),
    ("GET", "/v1/exchange-rates"): _read(APPROVER, TREASURER, AUDITOR, ADMIN),
    ("POST", "/v1/exchange-rates"): _write(TREASURER, ADMIN, largest_body=LIST_BODY),
    ("GET", "/v1/periods"): _read(APPROVER, TREASURER, AUDITOR, ADMIN),
    ("GET", "/v1/periods/{month}/figures"): _read(TREASURER, AUDITOR),
    ("POST", "/v1/periods/{month}/soft-close"): _write(TREASURER),
    ("POST", "/v1/periods/{month}/admissions"): _write(TREASURER),
    ("POST", "/v1/periods/{month}/close"): _write(TREASURER),
    ("GET", "/v1/reports/audit.pdf"): _read(TREASURER, AUDITOR),
    ("GET", "/v1/reports/trial-balance.{form}"): _read(TREASURER, AUDITOR),
    ("GET", "/v1/reports/disbursements.{form}"): _read(TREASURER, AUDITOR),
    ("GET", "/v1/reports/position"): _read(TREASURER, AUDITOR),
    ("GET", "/v1/reports/activities"): _read(TREASURER, AUDITOR),
    ("GET", "/v1/reports/cash-flows"): _read(TREASURER, AUDITOR),
    ("GET", "/v1/publications"): _read(APPROVER, PUBLISHER, AUDITOR),
    ("POST", "/v1/publications"): _write(PUBLISHER),
    ("GET", "/v1/publications/basis"): _read(PUBLISHER),
}
"""Method and path to door."""
