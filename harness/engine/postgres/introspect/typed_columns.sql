-- Columns in the order of the catalogue: table, column as the model has it (its kind is added from its type).
, serial AS (
    -- Columns whose default draws from a sequence that they own.
    SELECT f.adrelid, f.adnum
    FROM pg_catalog.pg_attrdef f
    JOIN pg_catalog.pg_depend uses ON uses.classid = 'pg_catalog.pg_attrdef'::regclass AND uses.objid = f.oid
     AND uses.refclassid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_depend owned ON owned.classid = 'pg_catalog.pg_class'::regclass AND owned.objid = uses.refobjid
     AND owned.deptype = 'a' AND owned.refobjid = f.adrelid AND owned.refobjsubid = f.adnum
)
SELECT r.name, jsonb_build_object(
    'name', a.attname,
    'declared', pg_catalog.format_type(a.atttypid, a.atttypmod),
    'nullable', NOT a.attnotnull,
    'default', CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
    'generation', CASE
        WHEN a.attgenerated <> '' THEN jsonb_build_object('computed', jsonb_build_object(
            'expression', pg_catalog.pg_get_expr(d.adbin, d.adrelid), 'stored', a.attgenerated = 's'))
        WHEN a.attidentity = 'a' THEN '"identity_always"'
        WHEN a.attidentity = 'd' OR (a.attrelid, a.attnum) IN (SELECT s.adrelid, s.adnum FROM serial s)
            THEN '"identity_by_default"'
        ELSE '"none"' END,
    'collation', CASE WHEN a.attcollation <> t.typcollation THEN c.collname END)::text
FROM relation r
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_catalog.pg_collation c ON c.oid = a.attcollation
WHERE r.relkind IN ('r', 'p', 'f') AND NOT r.relispartition
ORDER BY r.name, a.attnum
