-- Types of columns: schema, table, column, type as JSON. $1 and $2 are schema and table, or NULL for every user table.
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
), resolved (declared, modifier, oid, typmod) AS (
    -- A domain is followed down to the type that it is over.
    SELECT DISTINCT atttypid, atttypmod, atttypid, atttypmod FROM wanted
    UNION
    SELECT r.declared, r.modifier, t.typbasetype, t.typtypmod
    FROM resolved r
    JOIN pg_catalog.pg_type t ON t.oid = r.oid AND t.typtype = 'd'
), described AS (
    SELECT r.declared, r.modifier, jsonb_build_object(
        'oid', t.oid::bigint, 'name', t.typname, 'class', t.typtype, 'modifier', r.typmod,
        'sends', t.typsend <> 0,
        'labels', (SELECT coalesce(jsonb_agg(e.enumlabel ORDER BY e.enumsortorder), '[]')
                   FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
        'element', CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN jsonb_build_object(
            'oid', e.oid::bigint, 'name', e.typname, 'class', e.typtype, 'modifier', r.typmod, 'sends', e.typsend <> 0,
            'labels', (SELECT coalesce(jsonb_agg(l.enumlabel ORDER BY l.enumsortorder), '[]')
                       FROM pg_catalog.pg_enum l WHERE l.enumtypid = e.oid)) END) AS type
    FROM resolved r
    JOIN pg_catalog.pg_type t ON t.oid = r.oid AND t.typtype <> 'd'
    LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
)
SELECT w.nspname::text, w.relname::text, w.attname::text, d.type::text
FROM wanted w
JOIN described d ON d.declared = w.atttypid AND d.modifier = w.atttypmod
ORDER BY w.nspname, w.relname, w.attnum
