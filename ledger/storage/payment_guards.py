"""The triggers that keep payments within their obligations: with bail, those that stand never pay more than is payable.

Whichever of the three is changed, they are counted. What has failed, was cancelled or came back stands no more. On
PostgreSQL a payment locks its obligation, as the verbs do: of two at once the second sees the first.
"""

SQLITE = (
    """
    CREATE TRIGGER guard_payment_fits_when_asked AFTER INSERT ON disbursement
    WHEN NEW.state NOT IN ('failed', 'cancelled', 'returned')
         AND (SELECT NEW.minor > 0 AND obligation.currency = NEW.currency AND (
                  SELECT sum(minor) FROM disbursement
                  WHERE obligation_alias = NEW.obligation_alias AND state NOT IN ('failed', 'cancelled', 'returned')
              ) + (SELECT coalesce(sum(minor), 0) FROM bail_part WHERE fine_alias = NEW.obligation_alias)
              <= obligation.minor - obligation.forgone_minor
              FROM obligation WHERE alias = NEW.obligation_alias) IS NOT 1
    BEGIN SELECT RAISE(ABORT, 'guard: payments are never over their obligation'); END
    """,
    """
    CREATE TRIGGER guard_payment_fits_when_changed AFTER UPDATE ON disbursement
    WHEN NEW.state NOT IN ('failed', 'cancelled', 'returned')
         AND (OLD.state IN ('failed', 'cancelled', 'returned') OR NEW.minor IS NOT OLD.minor
              OR NEW.currency IS NOT OLD.currency OR NEW.obligation_alias IS NOT OLD.obligation_alias)
         AND (SELECT NEW.minor > 0 AND obligation.currency = NEW.currency AND (
                  SELECT sum(minor) FROM disbursement
                  WHERE obligation_alias = NEW.obligation_alias AND state NOT IN ('failed', 'cancelled', 'returned')
              ) + (SELECT coalesce(sum(minor), 0) FROM bail_part WHERE fine_alias = NEW.obligation_alias)
              <= obligation.minor - obligation.forgone_minor
              FROM obligation WHERE alias = NEW.obligation_alias) IS NOT 1
    BEGIN SELECT RAISE(ABORT, 'guard: payments are never over their obligation'); END
    """,
    """
    CREATE TRIGGER guard_obligation_covers_when_entered AFTER INSERT ON obligation
    WHEN NEW.forgone_minor < 0 OR (
        SELECT coalesce(sum(minor), 0) + (SELECT coalesce(sum(minor), 0) FROM bail_part WHERE fine_alias = NEW.alias)
               > NEW.minor - NEW.forgone_minor OR max(currency <> NEW.currency) FROM disbursement
        WHERE obligation_alias = NEW.alias AND state NOT IN ('failed', 'cancelled', 'returned'))
    BEGIN SELECT RAISE(ABORT, 'guard: payments are never over their obligation'); END
    """,
    """
    CREATE TRIGGER guard_obligation_covers_when_changed AFTER UPDATE ON obligation
    WHEN NEW.forgone_minor < 0 OR (
        SELECT coalesce(sum(minor), 0) + (SELECT coalesce(sum(minor), 0) FROM bail_part WHERE fine_alias = NEW.alias)
               > NEW.minor - NEW.forgone_minor OR max(currency <> NEW.currency) FROM disbursement
        WHERE obligation_alias = NEW.alias AND state NOT IN ('failed', 'cancelled', 'returned'))
    BEGIN SELECT RAISE(ABORT, 'guard: payments are never over their obligation'); END
    """,
    """
    CREATE TRIGGER guard_bail_fits_when_applied AFTER INSERT ON bail_part
    WHEN NEW.fine_alias IS NOT NULL
         AND (SELECT obligation.currency = (SELECT currency FROM obligation WHERE alias = NEW.obligation_alias) AND (
                  SELECT coalesce(sum(minor), 0) FROM disbursement
                  WHERE obligation_alias = NEW.fine_alias AND state NOT IN ('failed', 'cancelled', 'returned')
              ) + (SELECT sum(minor) FROM bail_part WHERE fine_alias = NEW.fine_alias)
              <= obligation.minor - obligation.forgone_minor
              FROM obligation WHERE alias = NEW.fine_alias) IS NOT 1
    BEGIN SELECT RAISE(ABORT, 'guard: payments are never over their obligation'); END
    """,
)
"""The second pair is asked on insertion too: `INSERT OR REPLACE` would put a smaller obligation in another's place."""

POSTGRESQL = (
    """
    CREATE FUNCTION guard_payment() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    DECLARE
        owed record;
        asked numeric;
        by_bail numeric;
    BEGIN
        IF NEW.state IN ('failed', 'cancelled', 'returned') THEN
            RETURN NULL;
        END IF;
        IF TG_OP = 'UPDATE' AND OLD.state NOT IN ('failed', 'cancelled', 'returned') AND NEW.minor = OLD.minor
           AND NEW.currency = OLD.currency AND NEW.obligation_alias = OLD.obligation_alias THEN
            RETURN NULL;
        END IF;
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION 'guard: a payment is asked for in a transaction that sees what others commit';
        END IF;
        SELECT * INTO owed FROM obligation WHERE alias = NEW.obligation_alias FOR NO KEY UPDATE;
        SELECT sum(minor) INTO asked FROM disbursement
        WHERE obligation_alias = NEW.obligation_alias AND state NOT IN ('failed', 'cancelled', 'returned');
        SELECT coalesce(sum(minor), 0) INTO by_bail FROM bail_part WHERE fine_alias = NEW.obligation_alias;
        IF (NEW.minor > 0 AND NEW.currency = owed.currency
            AND asked + by_bail <= owed.minor - owed.forgone_minor) IS NOT TRUE THEN
            RAISE EXCEPTION 'guard: payments are never over their obligation'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER guard_payment_fits AFTER INSERT OR UPDATE ON disbursement
    FOR EACH ROW EXECUTE FUNCTION guard_payment()
    """,
    """
    CREATE FUNCTION guard_obligation() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    BEGIN
        IF NEW.minor = OLD.minor AND NEW.forgone_minor = OLD.forgone_minor AND NEW.currency = OLD.currency THEN
            RETURN NULL;
        END IF;
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION 'guard: what is owed changes in a transaction that sees what others commit';
        END IF;
        IF NEW.forgone_minor < 0 OR EXISTS (
            SELECT 1 FROM disbursement
            WHERE obligation_alias = NEW.alias AND state NOT IN ('failed', 'cancelled', 'returned')
            HAVING coalesce(sum(minor), 0)
                   + (SELECT coalesce(sum(minor), 0) FROM bail_part WHERE fine_alias = NEW.alias)
                   > NEW.minor - NEW.forgone_minor OR bool_or(currency <> NEW.currency)
        ) THEN
            RAISE EXCEPTION 'guard: payments are never over their obligation'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER guard_obligation_covers_when_changed AFTER UPDATE ON obligation
    FOR EACH ROW EXECUTE FUNCTION guard_obligation()
    """,
    """
    CREATE FUNCTION guard_bail() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    DECLARE
        owed record;
        taken numeric;
    BEGIN
        IF NEW.fine_alias IS NULL THEN
            RETURN NULL;
        END IF;
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION 'guard: bail is applied in a transaction that sees what others commit';
        END IF;
        SELECT * INTO owed FROM obligation WHERE alias = NEW.fine_alias FOR NO KEY UPDATE;
        SELECT coalesce(sum(minor), 0) INTO taken FROM disbursement
        WHERE obligation_alias = NEW.fine_alias AND state NOT IN ('failed', 'cancelled', 'returned');
        taken := taken + (SELECT sum(minor) FROM bail_part WHERE fine_alias = NEW.fine_alias);
        IF (owed.currency = (SELECT currency FROM obligation WHERE alias = NEW.obligation_alias)
            AND taken <= owed.minor - owed.forgone_minor) IS NOT TRUE THEN
            RAISE EXCEPTION 'guard: payments are never over their obligation'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER guard_bail_fits_when_applied AFTER INSERT ON bail_part
    FOR EACH ROW EXECUTE FUNCTION guard_bail()
    """,
)
