-- Nobody writes to the legacy database from here on. A trigger that always fires stops whoever writes, also its owner, and no
-- setting of a session is a way around it.
CREATE FUNCTION fenced_off() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the legacy database is being migrated: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'read_only_sql_transaction';
END $$;
DO $$
DECLARE
    fenced regclass;
BEGIN
    FOR fenced IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname LOOP
        EXECUTE format('CREATE TRIGGER fenced_off BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s
            FOR EACH STATEMENT EXECUTE FUNCTION fenced_off()', fenced);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER fenced_off', fenced);
    END LOOP;
END $$;
