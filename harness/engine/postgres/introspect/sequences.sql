-- Sequences without where they stand.
, owned AS (
    SELECT d.objid, max(t.name || '.' || a.attname || CASE d.deptype WHEN 'i' THEN ' (identity)' ELSE '' END) AS owner
    FROM pg_catalog.pg_depend d
    JOIN relation t ON t.oid = d.refobjid
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
      AND d.deptype IN ('a', 'i')
    GROUP BY d.objid
)
SELECT 'sequence', r.name, jsonb_build_object(
    'type', pg_catalog.format_type(q.seqtypid, NULL),
    'start', q.seqstart, 'increment', q.seqincrement, 'minimum', q.seqmin, 'maximum', q.seqmax,
    'cache', q.seqcache, 'cycle', q.seqcycle,
    'persistence', CASE r.relpersistence WHEN 'p' THEN 'permanent' WHEN 'u' THEN 'unlogged' ELSE 'temporary' END,
    'owned_by', w.owner,
    'owner', pg_catalog.pg_get_userbyid(r.relowner),
    'grants', (SELECT string_agg(i::text, E'\n' ORDER BY i::text COLLATE "C")
               FROM unnest(coalesce(r.relacl, pg_catalog.acldefault('s', r.relowner))) i))::text
FROM relation r
JOIN pg_catalog.pg_sequence q ON q.seqrelid = r.oid
LEFT JOIN owned w ON w.objid = r.oid
