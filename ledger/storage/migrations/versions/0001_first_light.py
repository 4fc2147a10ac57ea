"""First light: every table the first path through the product needs."""

import sqlalchemy as sa
from alembic import op

from ledger.storage.columns import UtcDateTime, whole_minor

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Creates the tables; the guards are made after every migration."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE entry_number AS bigint")
    op.create_table(
        "account",
        sa.Column("code", sa.String(length=45), nullable=False),
        sa.Column("parent_code", sa.String(length=4), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "account_class",
            sa.Enum(
                "asset",
                "liability",
                "net_assets",
                "income",
                "expense",
                name="accountclass_is_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "function",
            sa.Enum(
                "programme",
                "management",
                "fundraising",
                "none",
                name="function_is_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("liquid", sa.Boolean(), nullable=False),
        sa.Column("cash", sa.Boolean(), nullable=False),
        sa.Column("pooled", sa.Boolean(), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.CheckConstraint("parent_code IS NULL OR code LIKE parent_code || ':%'", name="leaf_of_parent"),
        sa.ForeignKeyConstraint(
            ["parent_code"],
            ["account.code"],
        ),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index(("ix_account_parent_code"), "account", ["parent_code"], unique=False)
    op.create_table(
        "bearer_key",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("operator", sa.String(length=20), nullable=False),
        sa.Column("roles", sa.String(length=120), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_on", sa.Date(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index(("ix_bearer_key_operator"), "bearer_key", ["operator"], unique=False)
    op.create_table(
        "beneficiary",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("alias"),
    )
    op.create_table(
        "book",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("book_id", sa.String(length=32), nullable=False),
        sa.Column("organisation", sa.String(length=120), nullable=False),
        sa.Column("functional_currency", sa.String(length=3), nullable=False),
        sa.Column("jurisdiction", sa.String(length=10), nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("id = 1", name="one_book"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "entry",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("xact_id", sa.BigInteger(), nullable=False),
        sa.Column("source_key", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.String(length=40), nullable=False),
        sa.Column("reverses_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "because",
            sa.Enum(
                "wrong_amount",
                "wrong_account",
                "wrong_fund",
                "wrong_date",
                "booked_twice",
                "fact_withdrawn",
                name="because_is_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"],
            ["entry.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("id", "xact_id", name="entry_of_transaction"),
        sa.UniqueConstraint("reverses_id"),
        sa.UniqueConstraint("source_key"),
        sqlite_with_rowid=False,
    )
    op.create_index(("ix_entry_effective_on"), "entry", ["effective_on"], unique=False)
    op.create_table(
        "fund",
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "publication_draft",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("drafted_by", sa.String(length=20), nullable=False),
        sa.Column("drafted_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("alias"),
    )
    op.create_table(
        "roster",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("signatures", sa.String(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("digest"),
    )
    op.create_table(
        "shelf",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("vault", sa.String(length=20), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sealing_key", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.Column("signer", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("alias"),
    )
    op.create_table(
        "signed_act",
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.Column("verb", sa.String(length=40), nullable=False),
        sa.Column("signer", sa.String(length=20), nullable=False),
        sa.Column("object", sa.String(length=64), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.Column("roster", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("nonce"),
    )
    op.create_index(("ix_signed_act_object"), "signed_act", ["object"], unique=False)
    op.create_index(("ix_signed_act_signer"), "signed_act", ["signer"], unique=False)
    op.create_table(
        "token",
        sa.Column("field", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("field", "value", "alias"),
    )
    op.create_index(("ix_token_alias"), "token", ["alias"], unique=False)
    rows_only = sa.text("field = 'row'")
    op.create_index(
        "row_comes_once", "token", ["value"], unique=True, sqlite_where=rows_only, postgresql_where=rows_only
    )
    op.create_table(
        "stored_answer",
        sa.Column("operator", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("operator", "key"),
    )
    op.create_table(
        "vault_wrap",
        sa.Column("vault", sa.String(length=20), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("member", sa.String(length=20), nullable=False),
        sa.Column("wrap", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("vault", "epoch", "member"),
    )
    op.create_table(
        "access",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("operator", sa.String(length=20), nullable=False),
        sa.Column("shelf_alias", sa.String(length=20), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "verification",
                "approval",
                "payment",
                "reconciliation",
                "audit",
                name="reason_is_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("boxes", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shelf_alias"],
            ["shelf.alias"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(("ix_access_operator"), "access", ["operator"], unique=False)
    op.create_index(("ix_access_shelf_alias"), "access", ["shelf_alias"], unique=False)
    op.create_table(
        "aid_case",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("beneficiary_alias", sa.String(length=20), nullable=False),
        sa.Column("jurisdiction", sa.String(length=10), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "received",
                "verified",
                "approved",
                "paid",
                "rejected",
                name="state_is_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "rejection",
            sa.Enum(
                "not_assembly_related",
                "criminal_charge",
                "no_ruling",
                "not_in_force",
                "already_paid",
                "duplicate",
                "over_cap",
                "illegible",
                "arithmetic_mismatch",
                "unsafe_channel",
                name="rejection_is_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.String(length=20), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("verified_by", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(
            ["beneficiary_alias"],
            ["beneficiary.alias"],
        ),
        sa.PrimaryKeyConstraint("alias"),
    )
    op.create_index(("ix_aid_case_beneficiary_alias"), "aid_case", ["beneficiary_alias"], unique=False)
    op.create_index(("ix_aid_case_state"), "aid_case", ["state"], unique=False)
    op.create_table(
        "box",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("field", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("shelf_alias", sa.String(length=20), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["shelf_alias"],
            ["shelf.alias"],
        ),
        sa.PrimaryKeyConstraint("alias", "field", "version"),
    )
    op.create_index(("ix_box_shelf_alias"), "box", ["shelf_alias"], unique=False)
    op.create_table(
        "exception",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column(
            "difference",
            sa.Enum(
                "unmatched_debit",
                "amount_differs",
                "not_released",
                "payment_returned",
                "reversal",
                "statement_does_not_add_up",
                "statement_does_not_follow",
                "balance_differs",
                "below_zero",
                name="difference_is_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("resolved_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_code"],
            ["account.code"],
        ),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("about"),
    )
    op.create_index(("ix_exception_account_code"), "exception", ["account_code"], unique=False)
    op.create_table(
        "line",
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("xact_id", sa.BigInteger(), nullable=False),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=True),
        sa.Column("case_alias", sa.String(length=40), nullable=True),
        sa.Column("rate_on", sa.Date(), nullable=True),
        sa.CheckConstraint("minor <> 0", name="minor_is_not_zero"),
        sa.ForeignKeyConstraint(
            ["account_code"],
            ["account.code"],
        ),
        sa.ForeignKeyConstraint(
            ["entry_id", "xact_id"], ["entry.id", "entry.xact_id"], initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["fund_code"],
            ["fund.code"],
        ),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("entry_id", "number"),
        sqlite_with_rowid=False,
    )
    op.create_index(("ix_line_case_alias"), "line", ["case_alias"], unique=False)
    op.create_index(("ix_line_subject"), "line", ["subject"], unique=False)
    op.create_index(
        "line_by_account", "line", ["account_code", "fund_code", "currency", "minor", "entry_id"], unique=False
    )
    op.create_table(
        "person_key",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("locked", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alias"],
            ["shelf.alias"],
        ),
        sa.PrimaryKeyConstraint("alias", "epoch"),
    )
    op.create_table(
        "publication",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("approved_by", sa.String(length=20), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alias"],
            ["publication_draft.alias"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("alias"),
    )
    op.create_table(
        "purpose",
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("text", sa.String(length=400), nullable=False),
        sa.Column("net_of_costs", sa.Boolean(), nullable=False),
        sa.Column("reference", sa.String(length=25), nullable=False),
        sa.ForeignKeyConstraint(
            ["fund_code"],
            ["fund.code"],
        ),
        sa.PrimaryKeyConstraint("code"),
        sa.UniqueConstraint("reference"),
    )
    op.create_table(
        "statement",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("opening_minor", sa.BigInteger(), nullable=True),
        sa.Column("closing_minor", sa.BigInteger(), nullable=True),
        sa.Column("content_token", sa.String(length=64), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("received_by", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_code"],
            ["account.code"],
        ),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("content_token"),
    )
    op.create_index(("ix_statement_account_code"), "statement", ["account_code"], unique=False)
    op.create_table(
        "donation",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column(
            "source",
            sa.Enum("card", "bank", name="source_is_known", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "received", "unidentified", name="state_is_known", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("source_key", sa.String(length=200), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("purpose_code", sa.String(length=12), nullable=True),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["fund_code"],
            ["fund.code"],
        ),
        sa.ForeignKeyConstraint(
            ["purpose_code"],
            ["purpose.code"],
        ),
        *whole_minor("minor", "fee_minor"),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("source_key"),
    )
    op.create_table(
        "ruling",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("case_alias", sa.String(length=20), nullable=False),
        sa.Column("article", sa.String(length=20), nullable=False),
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.Column("ruled_by", sa.Date(), nullable=False),
        sa.Column("payable_from", sa.Date(), nullable=False),
        sa.Column("due_by", sa.Date(), nullable=False),
        sa.Column("force_presumed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_alias"],
            ["aid_case.alias"],
        ),
        sa.PrimaryKeyConstraint("alias"),
    )
    op.create_index(("ix_ruling_case_alias"), "ruling", ["case_alias"], unique=False)
    op.create_table(
        "statement_line",
        sa.Column("source_key", sa.String(length=120), nullable=False),
        sa.Column("statement_alias", sa.String(length=20), nullable=False),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("value_on", sa.Date(), nullable=True),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reference", sa.String(length=25), nullable=True),
        sa.Column("reversal", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_code"],
            ["account.code"],
        ),
        sa.ForeignKeyConstraint(
            ["statement_alias"],
            ["statement.alias"],
        ),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("source_key"),
    )
    op.create_index(("ix_statement_line_account_code"), "statement_line", ["account_code"], unique=False)
    op.create_index(("ix_statement_line_statement_alias"), "statement_line", ["statement_alias"], unique=False)
    op.create_table(
        "obligation",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("case_alias", sa.String(length=20), nullable=False),
        sa.Column("ruling_alias", sa.String(length=20), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "fine",
                "detention",
                "court_fee",
                name="obligationkind_is_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "due",
                "approved",
                "recognised",
                "paid",
                name="state_is_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=True),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_alias"],
            ["aid_case.alias"],
        ),
        sa.ForeignKeyConstraint(
            ["fund_code"],
            ["fund.code"],
        ),
        sa.ForeignKeyConstraint(
            ["ruling_alias"],
            ["ruling.alias"],
        ),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("alias"),
    )
    op.create_index(("ix_obligation_case_alias"), "obligation", ["case_alias"], unique=False)
    op.create_index(("ix_obligation_ruling_alias"), "obligation", ["ruling_alias"], unique=False)
    op.create_index(("ix_obligation_state"), "obligation", ["state"], unique=False)
    op.create_table(
        "statement_match",
        sa.Column("source_key", sa.String(length=120), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["entry.id"],
        ),
        sa.ForeignKeyConstraint(
            ["source_key"],
            ["statement_line.source_key"],
        ),
        sa.PrimaryKeyConstraint("source_key"),
        sa.UniqueConstraint("entry_id"),
    )
    op.create_table(
        "disbursement",
        sa.Column("alias", sa.String(length=20), nullable=False),
        sa.Column("obligation_alias", sa.String(length=20), nullable=False),
        sa.Column("case_alias", sa.String(length=20), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "approved",
                "released",
                "paid",
                name="state_is_known",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "payee",
            sa.Enum(
                "authority", "beneficiary", name="payee_is_known", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("payee_commitment", sa.String(length=64), nullable=False),
        sa.Column("fund_code", sa.String(length=30), nullable=False),
        sa.Column("account_code", sa.String(length=45), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reference", sa.String(length=25), nullable=False),
        sa.Column("requested_by", sa.String(length=20), nullable=False),
        sa.Column("approved_by", sa.String(length=20), nullable=True),
        sa.Column("released_by", sa.String(length=20), nullable=True),
        sa.Column("released_on", sa.Date(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("paid_recorded_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_code"],
            ["account.code"],
        ),
        sa.ForeignKeyConstraint(
            ["case_alias"],
            ["aid_case.alias"],
        ),
        sa.ForeignKeyConstraint(
            ["fund_code"],
            ["fund.code"],
        ),
        sa.ForeignKeyConstraint(
            ["obligation_alias"],
            ["obligation.alias"],
        ),
        *whole_minor("minor"),
        sa.PrimaryKeyConstraint("alias"),
        sa.UniqueConstraint("obligation_alias"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index(("ix_disbursement_account_code"), "disbursement", ["account_code"], unique=False)
    op.create_index(("ix_disbursement_case_alias"), "disbursement", ["case_alias"], unique=False)
    op.create_index(("ix_disbursement_state"), "disbursement", ["state"], unique=False)
