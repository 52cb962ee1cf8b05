-- Triggers of users' tables that fire, whatever it is for: schema, table, how each is switched off, how it comes back as it was.
SELECT n.nspname::text, c.relname::text,
    format('ALTER TABLE %I.%I DISABLE TRIGGER %I', n.nspname, c.relname, t.tgname),
    format('ALTER TABLE %I.%I ENABLE %s TRIGGER %I', n.nspname, c.relname,
        CASE t.tgenabled WHEN 'A' THEN 'ALWAYS' WHEN 'R' THEN 'REPLICA' ELSE '' END, t.tgname)
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'
ORDER BY n.nspname, c.relname, t.tgname
