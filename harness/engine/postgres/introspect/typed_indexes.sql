-- Indexes that no constraint made, as the model has them: table, index.
SELECT r.name, jsonb_build_object(
    'name', i.relname, 'unique', x.indisunique, 'method', m.amname, 'valid', x.indisvalid AND x.indisready,
    'predicate', pg_catalog.pg_get_expr(x.indpred, x.indrelid),
    'parts', (
        SELECT jsonb_agg(jsonb_build_object(
            'column', a.attname,
            'expression', CASE WHEN a.attname IS NULL THEN pg_catalog.pg_get_indexdef(x.indexrelid, n.position, true) END,
            'descending', x.indoption[n.position - 1] & 1 = 1,
            'collation', CASE WHEN a.attcollation <> x.indcollation[n.position - 1] THEN c.collname END)
            ORDER BY n.position)
        FROM generate_series(1, x.indnkeyatts::integer) n (position)
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[n.position - 1]
             AND a.attnum <> 0
        LEFT JOIN pg_catalog.pg_collation c ON c.oid = x.indcollation[n.position - 1]))::text
FROM relation r
JOIN pg_catalog.pg_index x ON x.indrelid = r.oid
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = i.relam
WHERE r.relkind IN ('r', 'p') AND NOT r.relispartition
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY r.name, i.relname
