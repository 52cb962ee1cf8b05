-- Partitioned tables, and materialised views that hold rows with their columns: name, kind, columns as JSON.
SELECT r.name, r.relkind::text, (
    SELECT coalesce(jsonb_agg(a.attname ORDER BY a.attnum), '[]')
    FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped)::text
FROM relation r
WHERE (r.relkind = 'p' AND NOT r.relispartition) OR (r.relkind = 'm' AND r.relispopulated)
