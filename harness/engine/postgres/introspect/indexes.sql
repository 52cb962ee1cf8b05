-- Indexes, also those of constraints.
SELECT 'index', r.name || '.' || replace(replace(i.relname, '\', '\\'), '.', '\.'), jsonb_build_object(
    'definition', pg_catalog.pg_get_indexdef(i.oid),
    'valid', x.indisvalid, 'ready', x.indisready, 'live', x.indislive,
    'clustered', x.indisclustered,
    'tablespace', (SELECT t.spcname FROM pg_catalog.pg_tablespace t WHERE t.oid = i.reltablespace),
    'attached_to', (SELECT h.inhparent::regclass::text FROM pg_catalog.pg_inherits h WHERE h.inhrelid = i.oid),
    'statistics_targets', (SELECT string_agg(a.attnum || '=' || a.attstattarget, ', ' ORDER BY a.attnum)
                           FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.oid AND a.attstattarget >= 0))::text
FROM relation r
JOIN pg_catalog.pg_index x ON x.indrelid = r.oid
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
WHERE r.relkind IN ('r', 'p', 'm')
