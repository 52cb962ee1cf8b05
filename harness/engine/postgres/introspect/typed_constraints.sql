-- Constraints as the model has them: table, contype (p, u, f, c; i for a plain unique index), constraint.
-- Keys with an exclusion operator (WITHOUT OVERLAPS) are not equality, and stay with the objects.
SELECT r.name, k.contype::text, (CASE k.contype
    WHEN 'c' THEN jsonb_build_object('name', k.conname, 'expression', pg_catalog.pg_get_expr(k.conbin, k.conrelid))
    WHEN 'f' THEN jsonb_build_object(
        'name', k.conname, 'columns', own.names, 'parent', parent.name, 'parent_columns', theirs.names,
        'on_update', actions.words ->> k.confupdtype::text, 'on_delete', actions.words ->> k.confdeltype::text,
        'match_full', k.confmatchtype = 'f', 'deferrable', CASE WHEN k.condeferrable THEN k.condeferred END,
        'validated', k.convalidated)
    ELSE jsonb_build_object('name', k.conname, 'columns', own.names) END)::text
FROM relation r
JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid AND k.conparentid = 0
LEFT JOIN relation parent ON parent.oid = k.confrelid
CROSS JOIN (SELECT '{"a": "no_action", "r": "restrict", "c": "cascade", "n": "set_null", "d": "set_default"}'::jsonb
            AS words) actions
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(a.attname ORDER BY u.position), '[]') AS names
    FROM unnest(k.conkey) WITH ORDINALITY u (attnum, position)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum) own
CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_agg(a.attname ORDER BY u.position), '[]') AS names
    FROM unnest(k.confkey) WITH ORDINALITY u (attnum, position)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum) theirs
WHERE r.relkind IN ('r', 'p', 'f') AND NOT r.relispartition AND k.contype IN ('p', 'u', 'f', 'c')
  AND (k.contype NOT IN ('p', 'u') OR k.conexclop IS NULL) AND (k.contype <> 'f' OR parent.oid IS NOT NULL)
UNION ALL
SELECT r.name, 'i', jsonb_build_object('name', i.relname, 'columns', (
        SELECT jsonb_agg(a.attname ORDER BY u.position)
        FROM unnest(x.indkey) WITH ORDINALITY u (attnum, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = u.attnum
        WHERE u.position <= x.indnkeyatts))::text
FROM relation r
JOIN pg_catalog.pg_index x ON x.indrelid = r.oid
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
WHERE r.relkind IN ('r', 'p') AND NOT r.relispartition AND x.indisunique AND x.indisvalid
  AND x.indpred IS NULL AND x.indexprs IS NULL
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY 1, 2, 3
