-- Tables and foreign tables, and the order of their columns. What an owner may do by default grows with the versions of the
-- server, and is told as that.
SELECT CASE r.relkind WHEN 'f' THEN 'foreign_table' ELSE 'table' END, r.name, jsonb_build_object(
    'owner', pg_catalog.pg_get_userbyid(r.relowner),
    'grants', (SELECT string_agg(CASE WHEN i = ANY (pg_catalog.acldefault('r', r.relowner))
                                      THEN regexp_replace(i::text, '=[a-zA-Z*]*/', '=(by default)/') ELSE i::text END,
                                 E'\n' ORDER BY i::text COLLATE "C")
               FROM unnest(coalesce(r.relacl, pg_catalog.acldefault('r', r.relowner))) i),
    'persistence', CASE r.relpersistence WHEN 'p' THEN 'permanent' WHEN 'u' THEN 'unlogged' ELSE 'temporary' END,
    'row_security', r.relrowsecurity,
    'row_security_forced', r.relforcerowsecurity,
    'replica_identity', CASE r.relreplident
        WHEN 'd' THEN 'default' WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full'
        ELSE (SELECT 'index ' || i.relname FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
              WHERE x.indrelid = r.oid AND x.indisreplident) END,
    'options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(r.reloptions) o),
    'toast_options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C")
                      FROM pg_catalog.pg_class t, unnest(t.reloptions) o WHERE t.oid = r.reltoastrelid),
    'access_method', (SELECT m.amname FROM pg_catalog.pg_am m WHERE m.oid = r.relam),
    'tablespace', (SELECT t.spcname FROM pg_catalog.pg_tablespace t WHERE t.oid = r.reltablespace),
    'of_type', CASE WHEN r.reloftype <> 0 THEN pg_catalog.format_type(r.reloftype, NULL) END,
    'partition_key', CASE WHEN r.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(r.oid) END,
    'partition_bound', pg_catalog.pg_get_expr(r.relpartbound, r.oid),
    'inherits', (SELECT string_agg(h.inhparent::regclass::text, ', ' ORDER BY h.inhseqno)
                 FROM pg_catalog.pg_inherits h WHERE h.inhrelid = r.oid),
    'server', (SELECT s.srvname FROM pg_catalog.pg_foreign_table f JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
               WHERE f.ftrelid = r.oid),
    'server_options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C")
                       FROM pg_catalog.pg_foreign_table f, unnest(f.ftoptions) o WHERE f.ftrelid = r.oid))::text
FROM relation r
WHERE r.relkind IN ('r', 'p', 'f')
UNION ALL
SELECT 'order', r.name, jsonb_build_object('columns', string_agg(a.attname, ', ' ORDER BY a.attnum))::text
FROM relation r
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE r.relkind IN ('r', 'p', 'f')
GROUP BY r.name
