-- Types of columns. First every type that a value of them can be made of, as JSON, without schema, table and column;
-- then schema, table, column, and its type's OID and modifier as JSON. $1 and $2 are schema and table, or NULL for every
-- user table.
WITH RECURSIVE wanted AS (
    SELECT n.nspname, c.relname, a.attname, a.attnum, a.atttypid, a.atttypmod
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attnum > 0 AND NOT a.attisdropped
      AND CASE WHEN $1::text IS NULL
               THEN c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition
                    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
               ELSE n.nspname = $1::text AND c.relname = $2::text AND c.relkind IN ('r', 'p', 'f', 'v', 'm') END
), reached (oid) AS (
    SELECT DISTINCT atttypid FROM wanted
    UNION
    SELECT inner_type.oid
    FROM reached r
    JOIN pg_catalog.pg_type t ON t.oid = r.oid
    CROSS JOIN LATERAL (
        SELECT t.typbasetype WHERE t.typtype = 'd'
        UNION ALL
        SELECT t.typelem WHERE t.typcategory = 'A' AND t.typelem <> 0
        UNION ALL
        SELECT a.atttypid FROM pg_catalog.pg_attribute a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT g.rngsubtype FROM pg_catalog.pg_range g WHERE g.rngtypid = t.oid
        UNION ALL
        -- Multiranges came with version 14.
        SELECT g.rngtypid FROM pg_catalog.pg_range g
        WHERE t.typtype = 'm' AND (pg_catalog.to_jsonb(g) ->> 'rngmultitypid')::oid = t.oid
    ) AS inner_type (oid)
)
SELECT NULL::text, NULL::text, NULL::text, pg_catalog.jsonb_build_object(
    'oid', t.oid::bigint, 'name', t.typname, 'class', t.typtype, 'sends', t.typsend <> 0,
    'base', CASE WHEN t.typtype = 'd' THEN
        pg_catalog.jsonb_build_object('oid', t.typbasetype::bigint, 'modifier', t.typtypmod) END,
    'element', CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN t.typelem::bigint END,
    'labels', (SELECT coalesce(pg_catalog.jsonb_agg(e.enumlabel ORDER BY e.enumsortorder), '[]')
               FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
    'fields', (SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                   'name', a.attname, 'oid', a.atttypid::bigint, 'modifier', a.atttypmod) ORDER BY a.attnum), '[]')
               FROM pg_catalog.pg_attribute a
               WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
    'over', (SELECT CASE WHEN g.rngtypid = t.oid THEN g.rngsubtype ELSE g.rngtypid END::bigint
             FROM pg_catalog.pg_range g
             WHERE t.typtype IN ('r', 'm')
               AND (g.rngtypid = t.oid OR (pg_catalog.to_jsonb(g) ->> 'rngmultitypid')::oid = t.oid)))::text
FROM reached r
JOIN pg_catalog.pg_type t ON t.oid = r.oid
UNION ALL
SELECT ordered.* FROM (
    SELECT w.nspname::text, w.relname::text, w.attname::text,
           pg_catalog.jsonb_build_object('oid', w.atttypid::bigint, 'modifier', w.atttypmod)::text
    FROM wanted w
    ORDER BY w.nspname, w.relname, w.attnum
) AS ordered
