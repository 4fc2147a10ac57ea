"""The triggers that keep legal receipts honest: numbered without a gap, each of standing gifts, no gift on two.

A receipt's gifts come first and its own row last: that insert is the seal. It checks the number and the sum once, and
from then on no gift can join. What a receipt certifies of a gift is never more than what is left of it at that moment.
On PostgreSQL a certified gift's row is locked: of two receipts at once the second sees the first.
"""

SQLITE = (
    """
    CREATE TRIGGER guard_receipt_gift_stands BEFORE INSERT ON receipt_gift
    WHEN NEW.minor <= 0 OR (SELECT state IN ('received', 'matched', 'settled', 'refunded', 'won')
                                   AND NEW.minor <= minor - refunded_minor
                            FROM donation WHERE alias = NEW.donation_alias) IS NOT 1
    BEGIN SELECT RAISE(ABORT, 'guard: a receipt certifies what is left of a standing gift'); END
    """,
    """
    CREATE TRIGGER guard_receipt_gift_is_on_one BEFORE INSERT ON receipt_gift
    WHEN EXISTS (SELECT 1 FROM receipt WHERE alias = NEW.receipt_alias)
         OR EXISTS (SELECT 1 FROM receipt_gift WHERE donation_alias = NEW.donation_alias
                    AND receipt_alias NOT IN (SELECT receipt_alias FROM receipt_void))
    BEGIN SELECT RAISE(ABORT, 'guard: a gift is on one valid receipt, and joins no sealed one'); END
    """,
    """
    CREATE TRIGGER guard_receipt_follows BEFORE INSERT ON receipt
    WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM receipt WHERE year = NEW.year)
    BEGIN SELECT RAISE(ABORT, 'guard: receipts of a year are numbered without a gap'); END
    """,
    """
    CREATE TRIGGER guard_receipt_is_its_gifts BEFORE INSERT ON receipt
    WHEN (SELECT NEW.minor = sum(part.minor) AND max(donation.currency <> NEW.currency) = 0
          FROM receipt_gift AS part JOIN donation ON donation.alias = part.donation_alias
          WHERE part.receipt_alias = NEW.alias) IS NOT 1
    BEGIN SELECT RAISE(ABORT, 'guard: a receipt is the sum of its gifts'); END
    """,
    """
    CREATE TRIGGER guard_receipt_replaces_a_void_one BEFORE INSERT ON receipt
    WHEN NEW.replaces IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM receipt_void WHERE receipt_alias = NEW.replaces AND reason = 'replaced')
    BEGIN SELECT RAISE(ABORT, 'guard: a receipt replaces one that is void'); END
    """,
    """
    CREATE TRIGGER guard_donor_merge_goes_up BEFORE INSERT ON donor_merge
    WHEN NEW.alias = NEW.into_alias OR EXISTS (SELECT 1 FROM donor_merge WHERE alias = NEW.into_alias)
    BEGIN SELECT RAISE(ABORT, 'guard: a donor is merged into one that is not merged'); END
    """,
    """
    CREATE TRIGGER guard_donor_link_follows BEFORE INSERT ON donor_link
    WHEN NEW.number IS NOT (SELECT count(*) + 1 FROM donor_link WHERE donation_alias = NEW.donation_alias)
    BEGIN SELECT RAISE(ABORT, 'guard: links of a gift are numbered, each once'); END
    """,
    """
    CREATE TRIGGER guard_donor_link_of_a_receipt_stays BEFORE INSERT ON donor_link
    WHEN EXISTS (SELECT 1 FROM receipt_gift WHERE donation_alias = NEW.donation_alias
                 AND receipt_alias NOT IN (SELECT receipt_alias FROM receipt_void))
    BEGIN SELECT RAISE(ABORT, 'guard: a gift on a valid receipt stays with its donor'); END
    """,
)

POSTGRESQL = (
    """
    CREATE FUNCTION guard_receipt_gift() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    DECLARE
        gift record;
    BEGIN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION 'guard: a receipt is issued in a transaction that sees what others commit';
        END IF;
        SELECT * INTO gift FROM donation WHERE alias = NEW.donation_alias FOR NO KEY UPDATE;
        IF (NEW.minor > 0 AND gift.state IN ('received', 'matched', 'settled', 'refunded', 'won')
            AND NEW.minor <= gift.minor - gift.refunded_minor) IS NOT TRUE THEN
            RAISE EXCEPTION 'guard: a receipt certifies what is left of a standing gift'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF EXISTS (SELECT 1 FROM receipt WHERE alias = NEW.receipt_alias)
           OR EXISTS (SELECT 1 FROM receipt_gift WHERE donation_alias = NEW.donation_alias
                      AND receipt_alias NOT IN (SELECT receipt_alias FROM receipt_void)) THEN
            RAISE EXCEPTION 'guard: a gift is on one valid receipt, and joins no sealed one'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER guard_receipt_gift_stands BEFORE INSERT ON receipt_gift
    FOR EACH ROW EXECUTE FUNCTION guard_receipt_gift()
    """,
    # At once, two receipts get the same number, and the unique index admits one of them: no lock is needed.
    """
    CREATE FUNCTION guard_receipt() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    BEGIN
        IF NEW.number IS DISTINCT FROM (SELECT coalesce(max(number), 0) + 1 FROM receipt WHERE year = NEW.year) THEN
            RAISE EXCEPTION 'guard: receipts of a year are numbered without a gap' USING ERRCODE = 'unique_violation';
        END IF;
        IF (SELECT NEW.minor = sum(part.minor) AND bool_and(donation.currency = NEW.currency)
            FROM receipt_gift AS part JOIN donation ON donation.alias = part.donation_alias
            WHERE part.receipt_alias = NEW.alias) IS NOT TRUE THEN
            RAISE EXCEPTION 'guard: a receipt is the sum of its gifts'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NEW.replaces IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM receipt_void WHERE receipt_alias = NEW.replaces AND reason = 'replaced') THEN
            RAISE EXCEPTION 'guard: a receipt replaces one that is void'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER guard_receipt_follows BEFORE INSERT ON receipt FOR EACH ROW EXECUTE FUNCTION guard_receipt()",
    """
    CREATE FUNCTION guard_donor_merge() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    BEGIN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION 'guard: donors are merged in a transaction that sees what others commit';
        END IF;
        PERFORM 1 FROM book FOR NO KEY UPDATE;  -- rows of donors are nobody's to lock
        IF NEW.alias = NEW.into_alias OR EXISTS (SELECT 1 FROM donor_merge WHERE alias = NEW.into_alias) THEN
            RAISE EXCEPTION 'guard: a donor is merged into one that is not merged'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER guard_donor_merge_goes_up BEFORE INSERT ON donor_merge
    FOR EACH ROW EXECUTE FUNCTION guard_donor_merge()
    """,
    """
    CREATE FUNCTION guard_donor_link() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    BEGIN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION 'guard: a gift is linked in a transaction that sees what others commit';
        END IF;
        PERFORM 1 FROM donation WHERE alias = NEW.donation_alias FOR NO KEY UPDATE;
        IF NEW.number IS DISTINCT FROM
           (SELECT count(*) + 1 FROM donor_link WHERE donation_alias = NEW.donation_alias) THEN
            RAISE EXCEPTION 'guard: links of a gift are numbered, each once' USING ERRCODE = 'unique_violation';
        END IF;
        IF EXISTS (SELECT 1 FROM receipt_gift WHERE donation_alias = NEW.donation_alias
                   AND receipt_alias NOT IN (SELECT receipt_alias FROM receipt_void)) THEN
            RAISE EXCEPTION 'guard: a gift on a valid receipt stays with its donor'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER guard_donor_link_follows BEFORE INSERT ON donor_link
    FOR EACH ROW EXECUTE FUNCTION guard_donor_link()
    """,
)
