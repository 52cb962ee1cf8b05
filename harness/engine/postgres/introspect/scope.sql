-- What every query of the catalogue begins with: schemas of users, what belongs to extensions, relations by name.
-- A name has its schema in front unless that is public; dots and backslashes inside a part are escaped.
WITH space AS (
    SELECT n.oid, n.nspname,
           CASE WHEN n.nspname = 'public' THEN ''
                ELSE replace(replace(n.nspname, '\', '\\'), '.', '\.') || '.' END AS prefix
    FROM pg_catalog.pg_namespace n
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
), member AS (
    SELECT d.classid, d.objid FROM pg_catalog.pg_depend d WHERE d.deptype = 'e'
), relation AS (
    SELECT c.*, s.prefix || replace(replace(c.relname, '\', '\\'), '.', '\.') AS name
    FROM pg_catalog.pg_class c
    JOIN space s ON s.oid = c.relnamespace
    WHERE (c.oid, 'pg_catalog.pg_class'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
)
