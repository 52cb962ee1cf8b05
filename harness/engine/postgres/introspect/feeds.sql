-- Which sequence feeds which column: sequence (schema, name), owned, ascending, table (schema, name), column, numeric.
-- A sequence feeds a column that owns it (serial, identity) or whose default mentions it.
WITH feed AS (
    SELECT d.objid AS sequence, d.refobjid AS relation, d.refobjsubid AS attnum, true AS owned
    FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
      AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
    UNION ALL
    SELECT d.refobjid, f.adrelid, f.adnum, false
    FROM pg_catalog.pg_attrdef f
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = f.oid
     AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid = 0
)
SELECT sn.nspname::text, s.relname::text, CASE WHEN bool_or(f.owned) THEN 't' ELSE 'f' END,
       CASE WHEN min(q.seqincrement) > 0 THEN 't' ELSE 'f' END,
       tn.nspname::text, t.relname::text, a.attname::text,
       CASE WHEN min(ty.typcategory) = 'N' THEN 't' ELSE 'f' END
FROM feed f
JOIN pg_catalog.pg_class s ON s.oid = f.sequence AND s.relkind = 'S'
JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
JOIN pg_catalog.pg_class t ON t.oid = f.relation AND t.relkind IN ('r', 'p') AND NOT t.relispartition
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = f.attnum AND NOT a.attisdropped
JOIN pg_catalog.pg_type ty ON ty.oid = a.atttypid
WHERE sn.nspname !~ '^pg_'
GROUP BY 1, 2, 5, 6, 7
ORDER BY 1, 2, 5, 6, 7
