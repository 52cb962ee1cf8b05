-- Keeps everybody from writing to any table, its owner as well. A trigger that always fires does so for a session that plays the
-- replica, too. Making it waits for whoever writes, and not for readers.
CREATE SCHEMA rehearse_fence;
CREATE FUNCTION rehearse_fence.refuse() RETURNS trigger LANGUAGE plpgsql AS $fence$
BEGIN
    RAISE EXCEPTION 'the database is fenced off while it is migrated: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'read_only_sql_transaction';
END $fence$;
DO $fence$
DECLARE
    fenced regclass;
BEGIN
    FOR fenced IN
        SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        ORDER BY c.oid
    LOOP
        EXECUTE format('CREATE TRIGGER rehearse_fence BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s
            FOR EACH STATEMENT EXECUTE FUNCTION rehearse_fence.refuse()', fenced);
        EXECUTE format('ALTER TABLE ONLY %s ENABLE ALWAYS TRIGGER rehearse_fence', fenced);
    END LOOP;
END $fence$;
