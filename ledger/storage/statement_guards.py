"""The triggers that keep a statement as it came; only its token changes, with the keys of the vault."""

_STAYS = (
    "alias",
    "account_code",
    "currency",
    "opened_on",
    "closed_on",
    "opening_minor",
    "closing_minor",
    "received_at",
    "received_by",
    "format",
    "number",
    "number_token",
    "fingerprint",
)

SQLITE = (
    f"""
    CREATE TRIGGER guard_statement_stays BEFORE UPDATE ON statement
    WHEN {" OR ".join(f"NEW.{one} IS NOT OLD.{one}" for one in _STAYS)}
    BEGIN SELECT RAISE(ABORT, 'guard: a statement stays as it came'); END
    """,
    """
    CREATE TRIGGER guard_statement_is_kept BEFORE DELETE ON statement
    BEGIN SELECT RAISE(ABORT, 'guard: a statement stays as it came'); END
    """,
)

POSTGRESQL = (
    """
    CREATE FUNCTION guard_statement() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    BEGIN
        IF TG_OP <> 'UPDATE' OR to_jsonb(NEW) - 'content_token' <> to_jsonb(OLD) - 'content_token' THEN
            RAISE EXCEPTION 'guard: a statement stays as it came';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER guard_statement_stays BEFORE UPDATE OR DELETE ON statement
    FOR EACH ROW EXECUTE FUNCTION guard_statement()
    """,
    """
    CREATE TRIGGER guard_statement_is_kept BEFORE TRUNCATE ON statement
    FOR EACH STATEMENT EXECUTE FUNCTION guard_statement()
    """,
)
