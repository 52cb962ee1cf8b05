-- Keys and indexes of users' tables that can be taken away and brought back exactly as they are: schema, table, how each
-- goes, how it comes back with its comment; in the order of their coming back. What hangs on an index besides (a replica
-- identity, CLUSTER, a table space, storage options, statistics targets, a comment of the constraint's index) would be
-- lost, so that such a one stays; keys of partitions go with those of their parents.
WITH plain_index AS (
    SELECT i.indexrelid, i.indrelid, x.relname AS name, n.nspname, t.relname
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    WHERE t.relkind = 'r' AND NOT t.relispartition AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND i.indisvalid AND i.indisready AND NOT i.indisclustered AND NOT i.indisreplident
        AND x.reltablespace = 0 AND x.reloptions IS NULL
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = i.indexrelid AND coalesce(a.attstattarget, -1) <> -1)
)
SELECT nspname, relname, goes, comes || coalesce(says, '') FROM (
    SELECT 1 AS turn, p.nspname, p.relname, p.name,
        format('ALTER TABLE %I.%I DROP CONSTRAINT IF EXISTS %I', p.nspname, p.relname, k.conname) AS goes,
        format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', p.nspname, p.relname, k.conname,
            pg_catalog.pg_get_constraintdef(k.oid)) AS comes,
        format('; COMMENT ON CONSTRAINT %I ON %I.%I IS ', k.conname, p.nspname, p.relname)
            || quote_literal(pg_catalog.obj_description(k.oid, 'pg_constraint')) AS says
    FROM plain_index p
    JOIN pg_catalog.pg_constraint k ON k.conindid = p.indexrelid AND k.conrelid = p.indrelid
    WHERE k.contype IN ('p', 'u') AND pg_catalog.obj_description(p.indexrelid, 'pg_class') IS NULL
    UNION ALL
    SELECT 2, p.nspname, p.relname, p.name,
        format('DROP INDEX IF EXISTS %I.%I', p.nspname, p.name),
        pg_catalog.pg_get_indexdef(p.indexrelid),
        format('; COMMENT ON INDEX %I.%I IS ', p.nspname, p.name)
            || quote_literal(pg_catalog.obj_description(p.indexrelid, 'pg_class'))
    FROM plain_index p
    WHERE NOT EXISTS (
        SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = p.indexrelid AND k.conrelid = p.indrelid)
    UNION ALL
    SELECT 3, n.nspname, c.relname, k.conname,
        format('ALTER TABLE %I.%I DROP CONSTRAINT IF EXISTS %I', n.nspname, c.relname, k.conname),
        format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname, k.conname,
            pg_catalog.pg_get_constraintdef(k.oid)),
        format('; COMMENT ON CONSTRAINT %I ON %I.%I IS ', k.conname, n.nspname, c.relname)
            || quote_literal(pg_catalog.obj_description(k.oid, 'pg_constraint'))
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE k.contype = 'f' AND k.conparentid = 0
) AS keys
ORDER BY turn, nspname, relname, name
