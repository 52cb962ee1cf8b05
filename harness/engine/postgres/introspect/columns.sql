-- Columns of tables, foreign tables and views. The statistics target is unset as -1 before version 17, and NULL since.
-- Of a column's options pg_attver is left out: seen in 17.12, where the server keeps in it a number that grows with every
-- (re)definition of the column. Nobody can set it, pg_dump does not print it, and like an OID it is new after a rebuild.
SELECT 'column', r.name || '.' || replace(replace(a.attname, '\', '\\'), '.', '\.'), jsonb_build_object(
    'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
    'not_null', a.attnotnull,
    'default', CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
    'generated', CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid)
                      || CASE a.attgenerated WHEN 's' THEN ' STORED' ELSE ' VIRTUAL' END END,
    'identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
    'collation', CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END,
    'storage', CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage::text END,
    'compression', nullif(to_jsonb(a) ->> 'attcompression', ''),
    'statistics_target', nullif(a.attstattarget, -1),
    'options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(a.attoptions) o
                WHERE o NOT LIKE 'pg\_attver=%'),
    'server_options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(a.attfdwoptions) o),
    'inherited', CASE WHEN a.attinhcount > 0 THEN CASE WHEN a.attislocal THEN 'and local' ELSE 'only' END END,
    'grants', (SELECT string_agg(i::text, E'\n' ORDER BY i::text COLLATE "C") FROM unnest(a.attacl) i))::text
FROM relation r
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE r.relkind IN ('r', 'p', 'f', 'v', 'm')
