"""The triggers that keep the journal honest whatever program writes. Dropped and made anew by every migration.

Lines come first and the entry row last: the entry's insert is the seal. It checks once that its lines sum to zero
per currency and fund, and from then on no line can join. See docs/architecture.md.

No entry is dated in a closed month. On PostgreSQL whoever posts shares an advisory lock, and whoever closes a month has
it alone: no entry is in flight while its month is closed.

A hold gives no more than is left of it, and nothing after its end: an end moves all that is left, and no movement is
zero.

On PostgreSQL the functions have a search path of their own: else a temporary table named `entry` or `line` would stand
before the real one, and the guard would look into it. On SQLite a trigger sees its own database only.
"""

from sqlalchemy import Connection, text

from ledger.storage import (
    fact_guards,
    failure_guards,
    movement_guards,
    payment_guards,
    people_guards,
    receipt_guards,
    statement_guards,
)
from ledger.storage.locks import CLOSING

APPEND_ONLY = (
    "entry",
    "line",
    "signed_act",
    "roster",
    "suspension",
    "publication",
    "access",
    "statement_line",
    "movement",
    "unread_movement",
    "payout_item",
    "exchange_rate",
    "closed_month",
    "hold",
    "hold_movement",
    "bail_part",
    "correction",
    "quashing",
    "appeal",
    "not_duplicate",
    "same_person",
    "assessment",
    "emergency_step",
    "soft_closed_month",
    "admitted_entry",
    "sealed_balance",
    "sealed_rate",
    "sealed_net_assets",
    "sealed_month",
    "purse_change",
    "reconciliation_sheet",
    "reconciliation_review",
    "clearing",
    "clearing_agreement",
    "pairing",
    "pairing_part",
    "pairing_undone",
    "line_unbooked",
    "line_told_twice",
    "matching_rule",
    "matching_rule_withdrawal",
    "purpose",
    "purpose_draft",
    "purpose_version",
    "gift_assignment",
    "donor",
    "donor_merge",
    "donor_link",
    "receipt",
    "receipt_gift",
    "receipt_void",
    "confirmation_setting",
    "gift_step",
    "resolution",
    "resolution_agreement",
)
"""Tables whose rows are never changed and never removed."""

SEALED = ("sealed_balance", "sealed_rate", "sealed_net_assets", "sealed_month")
"""Tables that a closing fills, and nobody after it."""

_SQLITE_JOURNAL = (
    """
    CREATE TRIGGER guard_line_before_its_entry BEFORE INSERT ON line
    WHEN EXISTS (SELECT 1 FROM entry WHERE id = NEW.entry_id)
    BEGIN SELECT RAISE(ABORT, 'guard: the entry is sealed, no line can join it'); END
    """,
    """
    CREATE TRIGGER guard_entry_is_new BEFORE INSERT ON entry
    WHEN EXISTS (SELECT 1 FROM entry WHERE id = NEW.id)
         OR EXISTS (SELECT 1 FROM entry WHERE source_key = NEW.source_key)
         OR (NEW.reverses_id IS NOT NULL AND EXISTS (SELECT 1 FROM entry WHERE reverses_id = NEW.reverses_id))
    BEGIN SELECT RAISE(ABORT, 'guard: an entry is posted once'); END
    """,
    """
    CREATE TRIGGER guard_entry_is_behind_the_rollups BEFORE INSERT ON entry
    WHEN NEW.id <= (SELECT entry_id FROM rollup_horizon)
    BEGIN SELECT RAISE(ABORT, 'guard: an entry is numbered after those that are rolled up'); END
    """,
    """
    CREATE TRIGGER guard_entry_has_lines BEFORE INSERT ON entry
    WHEN (SELECT count(*) FROM line WHERE entry_id = NEW.id) < 2
    BEGIN SELECT RAISE(ABORT, 'guard: an entry has two lines or more'); END
    """,
    """
    CREATE TRIGGER guard_entry_sums_to_zero BEFORE INSERT ON entry
    WHEN EXISTS (SELECT 1 FROM line WHERE entry_id = NEW.id
                 GROUP BY currency, fund_code HAVING sum(minor) <> 0)
    BEGIN SELECT RAISE(ABORT, 'guard: an entry sums to zero per currency and fund'); END
    """,
    """
    CREATE TRIGGER guard_entry_in_open_month BEFORE INSERT ON entry
    WHEN NEW.effective_on IS NOT date(NEW.effective_on)
         OR NEW.effective_on <= (SELECT max(last_day) FROM closed_month)
    BEGIN SELECT RAISE(ABORT, 'guard: an entry is dated in an open month'); END
    """,
    """
    CREATE TRIGGER guard_entry_in_soft_closed_month BEFORE INSERT ON entry
    WHEN NEW.effective_on <= (SELECT max(last_day) FROM soft_closed_month)
         AND NOT EXISTS (SELECT 1 FROM admitted_entry WHERE fingerprint = NEW.fingerprint)
    BEGIN SELECT RAISE(ABORT, 'guard: an entry in a softly closed month is one that was admitted'); END
    """,
    """
    CREATE TRIGGER guard_soft_month_follows BEFORE INSERT ON soft_closed_month
    WHEN NEW.last_day IS NOT date(
        coalesce((SELECT max(last_day) FROM (SELECT last_day FROM closed_month
                                             UNION ALL SELECT last_day FROM soft_closed_month)),
                 date(NEW.last_day, 'start of month', '-1 day')),
        '+1 day', 'start of month', '+1 month', '-1 day')
    BEGIN SELECT RAISE(ABORT, 'guard: months are closed by their last day, one after the other'); END
    """,
    """
    CREATE TRIGGER guard_month_is_sealed BEFORE INSERT ON closed_month
    WHEN NOT EXISTS (SELECT 1 FROM sealed_month WHERE last_day = NEW.last_day)
    BEGIN SELECT RAISE(ABORT, 'guard: a month is closed with its figures sealed'); END
    """,
    """
    CREATE TRIGGER guard_month_follows BEFORE INSERT ON closed_month
    WHEN NEW.last_day IS NOT date(
        coalesce((SELECT max(last_day) FROM closed_month), date(NEW.last_day, 'start of month', '-1 day')),
        '+1 day', 'start of month', '+1 month', '-1 day')
    BEGIN SELECT RAISE(ABORT, 'guard: months are closed by their last day, one after the other'); END
    """,
    """
    CREATE TRIGGER guard_rate_is_new BEFORE INSERT ON exchange_rate
    WHEN EXISTS (SELECT 1 FROM exchange_rate
                 WHERE currency = NEW.currency AND quoted_on = NEW.quoted_on AND version = NEW.version)
    BEGIN SELECT RAISE(ABORT, 'guard: a rate is corrected by a new version'); END
    """,
    """
    CREATE TRIGGER guard_hold_is_new BEFORE INSERT ON hold
    WHEN EXISTS (SELECT 1 FROM hold WHERE source_key = NEW.source_key)
    BEGIN SELECT RAISE(ABORT, 'guard: a hold is placed once'); END
    """,
    """
    CREATE TRIGGER guard_hold_movement_is_new BEFORE INSERT ON hold_movement
    WHEN EXISTS (SELECT 1 FROM hold_movement WHERE source_key = NEW.source_key)
         OR NEW.number IS NOT (SELECT count(*) + 1 FROM hold_movement WHERE hold_key = NEW.hold_key)
    BEGIN SELECT RAISE(ABORT, 'guard: what moves on a hold is numbered, each once'); END
    """,
    """
    CREATE TRIGGER guard_hold_movement_fits BEFORE INSERT ON hold_movement
    WHEN (SELECT NEW.minor <= rest AND (NEW.move = 'captured' OR NEW.minor = rest) FROM (
              SELECT hold.minor - coalesce(
                  (SELECT sum(minor) FROM hold_movement WHERE hold_key = NEW.hold_key), 0) AS rest
              FROM hold WHERE source_key = NEW.hold_key)) IS NOT 1
    BEGIN SELECT RAISE(ABORT, 'guard: a hold gives what is left of it, and its end all of that'); END
    """,
    """
    CREATE TRIGGER guard_erased_gets_no_key BEFORE INSERT ON person_key
    WHEN EXISTS (SELECT 1 FROM erasure WHERE shelf_alias = NEW.alias AND erased_at IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'guard: who was erased gets no key again'); END
    """,
    """
    CREATE TRIGGER guard_key_stays_with_its_person BEFORE UPDATE ON person_key
    WHEN NEW.alias IS NOT OLD.alias OR NEW.epoch IS NOT OLD.epoch
    BEGIN SELECT RAISE(ABORT, 'guard: a key stays with its person'); END
    """,
    """
    CREATE TRIGGER guard_erasure_stays BEFORE DELETE ON erasure
    BEGIN SELECT RAISE(ABORT, 'guard: an erasure is not taken back'); END
    """,
    """
    CREATE TRIGGER guard_erasure_stays_carried_out BEFORE UPDATE ON erasure
    WHEN NEW.shelf_alias IS NOT OLD.shelf_alias
         OR (OLD.erased_at IS NOT NULL AND (NEW.erased_at IS NOT OLD.erased_at OR NEW.agreed_by IS NOT OLD.agreed_by))
    BEGIN SELECT RAISE(ABORT, 'guard: an erasure is not taken back'); END
    """,
)

_KEYS = {
    "signed_act": ("nonce", "rowid"),
    "roster": ("number", "digest"),
    "suspension": ("id",),
    "emergency_step": ("number",),
    "publication": ("number", "alias"),
    "access": ("id",),
    "statement": ("alias", "content_token", "rowid"),
    "statement_line": ("source_key", "rowid"),
    "admitted_entry": ("fingerprint",),
    "sealed_balance": ("last_day, account_code, fund_code, currency",),
    "sealed_rate": ("last_day, currency",),
    "sealed_net_assets": ("last_day, fund_code",),
    "sealed_month": ("last_day",),
    "purse_change": ("movement_alias, number", "rowid"),
    "bail_part": ("obligation_alias, number", "rowid"),
    "correction": ("case_alias, version", "rowid"),
    "quashing": ("ruling_alias", "rowid"),
    "appeal": ("ruling_alias, number", "rowid"),
    "not_duplicate": ("case_alias, other_alias", "rowid"),
    "same_person": ("beneficiary_alias, other_alias, number", "nonce"),
    "assessment": ("case_alias", "rowid"),
    "movement": ("balance_transaction, gross_minor",),
    "order_failure": ("order_alias, number",),
    "unread_movement": ("balance_transaction, gross_minor",),
    "reconciliation_sheet": ("alias",),
    "reconciliation_review": ("sheet",),
    "movement_booking": ("balance_transaction, gross_minor", "entry_id"),
    "clearing": ("alias", "entry_id"),
    "clearing_agreement": ("clearing_alias",),
    "pairing": ("alias",),
    "pairing_part": ("pairing_alias, number",),
    "pairing_undone": ("pairing_alias",),
    "line_unbooked": ("source_key", "entry_id"),
    "line_told_twice": ("source_key",),
    "matching_rule": ("alias",),
    "matching_rule_withdrawal": ("rule_alias",),
    "payout_item": ("payout, balance_transaction",),
    "purpose": ("code", "reference", "rowid"),
    "purpose_draft": ("alias", "rowid"),
    "purpose_version": ("purpose_code, number", "alias", "rowid"),
    "gift_assignment": ("donation_alias", "rowid"),
    "donor": ("alias",),
    "donor_merge": ("alias",),
    "donor_link": ("donation_alias, number",),
    "receipt": ("alias", "year, number", "replaces"),
    "receipt_gift": ("receipt_alias, donation_alias",),
    "receipt_void": ("receipt_alias",),
    "confirmation_setting": ("number",),
    "gift_step": ("donation_alias, number", "source_key"),
    "resolution": ("about, number",),
    "resolution_agreement": ("about, number",),
}
"""By which keys a row could be replaced on SQLite, a hidden row number among them; the other tables have one above."""

_SQLITE_MONTH_IS_NOT_CLOSED = """
    WHEN EXISTS (SELECT 1 FROM closed_month WHERE last_day >= NEW.last_day)
    BEGIN SELECT RAISE(ABORT, 'guard: the month is closed, its figures are sealed'); END
"""

_POSTGRESQL_JOURNAL = (
    """
    CREATE FUNCTION guard_line() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM entry WHERE id = NEW.entry_id) THEN
            RAISE EXCEPTION 'guard: the entry is sealed, no line can join it';
        END IF;
        NEW.xact_id := pg_current_xact_id()::text::bigint;
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER guard_line_before_its_entry BEFORE INSERT ON line FOR EACH ROW EXECUTE FUNCTION guard_line()",
    """
    CREATE FUNCTION guard_entry() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    BEGIN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION 'guard: an entry is posted in a transaction that sees what others commit';
        END IF;
        PERFORM pg_advisory_xact_lock_shared({closing_lock});
        IF NEW.effective_on <= (SELECT max(last_day) FROM closed_month) THEN
            RAISE EXCEPTION 'guard: an entry is dated in an open month'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NEW.effective_on <= (SELECT max(last_day) FROM soft_closed_month)
           AND NOT EXISTS (SELECT 1 FROM admitted_entry WHERE fingerprint = NEW.fingerprint) THEN
            RAISE EXCEPTION 'guard: an entry in a softly closed month is one that was admitted'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF (SELECT count(*) FROM line WHERE entry_id = NEW.id) < 2 THEN
            RAISE EXCEPTION 'guard: an entry has two lines or more';
        END IF;
        IF EXISTS (SELECT 1 FROM line WHERE entry_id = NEW.id
                   GROUP BY currency, fund_code HAVING sum(minor) <> 0) THEN
            RAISE EXCEPTION 'guard: an entry sums to zero per currency and fund';
        END IF;
        NEW.xact_id := pg_current_xact_id()::text::bigint;
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER guard_entry_seals BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION guard_entry()",
    """
    CREATE FUNCTION guard_month() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    DECLARE
        first_day timestamp := date_trunc('month', NEW.last_day::timestamp);
    BEGIN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION 'guard: a month is closed in a transaction that sees what others commit';
        END IF;
        PERFORM pg_advisory_xact_lock({closing_lock});
        IF TG_TABLE_NAME = 'closed_month' THEN
            first_day := coalesce((SELECT max(last_day) + 1 FROM closed_month)::timestamp, first_day);
        ELSE
            first_day := coalesce((SELECT greatest((SELECT max(last_day) FROM closed_month),
                                                   (SELECT max(last_day) FROM soft_closed_month)) + 1)::timestamp,
                                  first_day);
        END IF;
        IF NEW.last_day IS DISTINCT FROM (first_day + interval '1 month')::date - 1 THEN
            RAISE EXCEPTION 'guard: months are closed by their last day, one after the other'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF TG_TABLE_NAME = 'closed_month'
           AND NOT EXISTS (SELECT 1 FROM sealed_month WHERE last_day = NEW.last_day) THEN
            RAISE EXCEPTION 'guard: a month is closed with its figures sealed';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION post_entry(
        new_key text, new_fingerprint text, new_kind text, new_happened_on date, new_effective_on date,
        new_recorded_at timestamptz, new_recorded_by text, new_reverses_id bigint, new_because text, new_lines json,
        OUT entry_number bigint, OUT standing_fingerprint text, OUT failure text
    ) LANGUAGE plpgsql SET search_path = {path} AS $$
    BEGIN
        SELECT id, fingerprint INTO entry_number, standing_fingerprint FROM entry WHERE source_key = new_key;
        IF FOUND THEN
            RETURN;
        END IF;
        entry_number := nextval('entry_number');
        INSERT INTO line (entry_id, number, xact_id, account_code, fund_code, currency, minor, subject, case_alias,
                          rate_on)
        SELECT entry_number, nth, 0, one->>0, one->>1, one->>2, (one->>3)::bigint, one->>4, one->>5, (one->>6)::date
        FROM json_array_elements(new_lines) WITH ORDINALITY AS lines(one, nth);
        INSERT INTO entry (id, xact_id, source_key, fingerprint, kind, happened_on, effective_on, recorded_at,
                           recorded_by, reverses_id, because)
        VALUES (entry_number, 0, new_key, new_fingerprint, new_kind, new_happened_on, new_effective_on, new_recorded_at,
                new_recorded_by, new_reverses_id, new_because);
    EXCEPTION WHEN integrity_constraint_violation THEN
        failure := SQLSTATE || ' ' || SQLERRM;
    END $$
    """,
    "CREATE TRIGGER guard_month_follows BEFORE INSERT ON closed_month FOR EACH ROW EXECUTE FUNCTION guard_month()",
    # At once, two movements get the same number, and the primary key admits one of them: no lock is needed.
    """
    CREATE FUNCTION guard_hold_movement() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    DECLARE
        held bigint := (SELECT minor FROM hold WHERE source_key = NEW.hold_key);
        rest numeric := held - coalesce((SELECT sum(minor) FROM hold_movement WHERE hold_key = NEW.hold_key), 0);
    BEGIN
        IF NEW.number IS DISTINCT FROM (SELECT count(*) + 1 FROM hold_movement WHERE hold_key = NEW.hold_key) THEN
            RAISE EXCEPTION 'guard: what moves on a hold is numbered, each once' USING ERRCODE = 'unique_violation';
        END IF;
        IF (NEW.minor <= rest AND (NEW.move = 'captured' OR NEW.minor = rest)) IS NOT TRUE THEN
            RAISE EXCEPTION 'guard: a hold gives what is left of it, and its end all of that';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER guard_hold_movement_fits BEFORE INSERT ON hold_movement
    FOR EACH ROW EXECUTE FUNCTION guard_hold_movement()
    """,
    """
    CREATE TRIGGER guard_soft_month_follows BEFORE INSERT ON soft_closed_month
    FOR EACH ROW EXECUTE FUNCTION guard_month()
    """,
    """
    CREATE FUNCTION guard_sealed() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    BEGIN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION 'guard: a month is closed in a transaction that sees what others commit';
        END IF;
        PERFORM pg_advisory_xact_lock({closing_lock});
        IF EXISTS (SELECT 1 FROM closed_month WHERE last_day >= NEW.last_day) THEN
            RAISE EXCEPTION 'guard: the month is closed, its figures are sealed'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION guard_person_key() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    BEGIN
        IF TG_OP = 'UPDATE' AND (NEW.alias <> OLD.alias OR NEW.epoch <> OLD.epoch) THEN
            RAISE EXCEPTION 'guard: a key stays with its person';
        END IF;
        IF TG_OP = 'INSERT' THEN
            -- The lock: else the key could come while an erasure is about to commit.
            PERFORM 1 FROM erasure WHERE shelf_alias = NEW.alias FOR SHARE;
            IF EXISTS (SELECT 1 FROM erasure WHERE shelf_alias = NEW.alias AND erased_at IS NOT NULL) THEN
                RAISE EXCEPTION 'guard: who was erased gets no key again';
            END IF;
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER guard_erased_gets_no_key BEFORE INSERT OR UPDATE ON person_key
    FOR EACH ROW EXECUTE FUNCTION guard_person_key()
    """,
    """
    CREATE FUNCTION guard_erasure() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    BEGIN
        IF TG_OP <> 'UPDATE' THEN
            RAISE EXCEPTION 'guard: an erasure is not taken back';
        END IF;
        IF NEW.shelf_alias <> OLD.shelf_alias OR (OLD.erased_at IS NOT NULL AND (
               NEW.erased_at IS DISTINCT FROM OLD.erased_at OR NEW.agreed_by IS DISTINCT FROM OLD.agreed_by)) THEN
            RAISE EXCEPTION 'guard: an erasure is not taken back';
        END IF;
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER guard_erasure_row BEFORE UPDATE OR DELETE ON erasure FOR EACH ROW EXECUTE FUNCTION guard_erasure()",
    """
    CREATE TRIGGER guard_erasure_stays BEFORE TRUNCATE ON erasure FOR EACH STATEMENT EXECUTE FUNCTION guard_erasure()
    """,
    """
    CREATE FUNCTION guard_append_only() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    BEGIN
        RAISE EXCEPTION USING
            MESSAGE = 'guard: ' || TG_OP || ' of ' || TG_TABLE_NAME || ' is refused, rows are only added';
    END $$
    """,
)


def statements(dialect: str, *, schema: str = "public") -> list[str]:
    """The statements that make every guard on `sqlite` or `postgresql`, in order; `schema` holds the tables there."""
    if dialect == "sqlite":
        rails = [
            f"CREATE TRIGGER guard_{table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'guard: {verb} of {table} is refused, rows are only added'); END"
            for table in APPEND_ONLY
            for verb in ("UPDATE", "DELETE")
        ]
        rails += [
            f"CREATE TRIGGER guard_{table}_before_closing BEFORE INSERT ON {table} {_SQLITE_MONTH_IS_NOT_CLOSED}"
            for table in SEALED
        ]
        return [
            *_SQLITE_JOURNAL,
            *movement_guards.SQLITE,
            *statement_guards.SQLITE,
            *payment_guards.SQLITE,
            *people_guards.SQLITE,
            *fact_guards.SQLITE,
            *failure_guards.SQLITE,
            *receipt_guards.SQLITE,
            *rails,
            *(_against_replacing(table, keys) for table, keys in _KEYS.items()),
        ]
    rails = [
        f"CREATE TRIGGER guard_{table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION guard_append_only()"
        for table in APPEND_ONLY
    ]
    rails += [
        f"CREATE TRIGGER guard_{table}_before_closing BEFORE INSERT ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION guard_sealed()"
        for table in SEALED
    ]
    blanks = {"{path}": f'pg_catalog, "{schema}", pg_temp', "{closing_lock}": str(CLOSING)}
    filled = [
        *_POSTGRESQL_JOURNAL,
        *movement_guards.POSTGRESQL,
        *statement_guards.POSTGRESQL,
        *payment_guards.POSTGRESQL,
        *people_guards.POSTGRESQL,
        *fact_guards.POSTGRESQL,
        *failure_guards.POSTGRESQL,
        *receipt_guards.POSTGRESQL,
    ]
    for blank, value in blanks.items():
        filled = [statement.replace(blank, value) for statement in filled]
    return [*filled, *rails]


def install(connection: Connection) -> None:
    """Makes every guard; there may be none yet (see `remove`)."""
    dialect = connection.dialect.name
    schema = connection.scalar(text("SELECT current_schema()")) if dialect == "postgresql" else "main"
    for statement in statements(dialect, schema=str(schema)):
        connection.exec_driver_sql(statement)


def _against_replacing(table: str, keys: tuple[str, ...]) -> str:
    """INSERT OR REPLACE in a program that leaves `recursive_triggers` off would push the old row out past its guard."""
    taken = " OR ".join(f"({key}) = ({', '.join(f'NEW.{column}' for column in key.split(', '))})" for key in keys)
    return (
        f"CREATE TRIGGER guard_{table}_is_not_replaced BEFORE INSERT ON {table} "  # noqa: S608  # names of our own
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {taken}) "
        f"BEGIN SELECT RAISE(ABORT, 'guard: a row of {table} is not replaced'); END"
    )


def remove(connection: Connection) -> None:
    """Drops every guard, of this version or an earlier one, so that a migration can change tables."""
    if connection.dialect.name == "sqlite":
        names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'guard%'"))
        for (name,) in names.all():
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        return
    functions = connection.execute(
        text(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE (proname LIKE 'guard%' OR proname = 'post_entry') "
            "AND pronamespace = current_schema()::regnamespace"
        )
    )
    for (signature,) in functions.all():
        connection.exec_driver_sql(f"DROP FUNCTION {signature} CASCADE")


def installed(connection: Connection) -> dict[str, str]:
    """The guards that stand in the database now: name to definition, to be compared with a fresh `install`."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        return {name: " ".join(sql.split()) for name, sql in rows}
    triggers = connection.execute(
        text(
            "SELECT tgname, pg_get_triggerdef(t.oid) || ' ' || tgenabled::text || ' ' || pg_get_functiondef(tgfoid) "
            "FROM pg_trigger t WHERE NOT tgisinternal"
        )
    )
    return {name: " ".join(definition.split()) for name, definition in triggers}
