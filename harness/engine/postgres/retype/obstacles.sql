-- What keeps a column from being dropped and made anew. Takes the table as regclass text and the column.
WITH this AS (
    SELECT a.attrelid, a.attnum, a.attgenerated, a.attinhcount, c.relkind, c.relispartition
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE a.attrelid = $1::regclass AND a.attname = $2 AND NOT a.attisdropped
)
SELECT 'it is a generated column' FROM this WHERE attgenerated <> ''
UNION ALL SELECT 'its table is partitioned or a partition' FROM this WHERE relkind <> 'r' OR relispartition
UNION ALL SELECT 'its table inherits it, or gives it to tables that inherit' FROM this
    WHERE attinhcount > 0 OR EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = attrelid)
UNION ALL SELECT DISTINCT pg_describe_object(
        CASE WHEN d.classid = 'pg_rewrite'::regclass THEN 'pg_class'::regclass ELSE d.classid END,
        coalesce((SELECT w.ev_class FROM pg_rewrite w WHERE w.oid = d.objid AND d.classid = 'pg_rewrite'::regclass), d.objid), 0)
        || ' depends on it'
    FROM this JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = attrelid AND d.refobjsubid = attnum
    WHERE d.classid IN ('pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_trigger'::regclass, 'pg_proc'::regclass,
            'pg_publication_rel'::regclass)
        OR (d.classid = 'pg_attrdef'::regclass AND NOT EXISTS (
            SELECT FROM pg_attrdef f WHERE f.oid = d.objid AND f.adrelid = attrelid AND f.adnum = attnum))
ORDER BY 1
