-- Views and materialised views.
SELECT CASE r.relkind WHEN 'v' THEN 'view' ELSE 'materialized_view' END, r.name, jsonb_build_object(
    'definition', pg_catalog.pg_get_viewdef(r.oid),
    'options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(r.reloptions) o),
    'populated', CASE r.relkind WHEN 'm' THEN r.relispopulated END,
    'access_method', CASE r.relkind WHEN 'm' THEN (SELECT m.amname FROM pg_catalog.pg_am m WHERE m.oid = r.relam) END,
    'tablespace', (SELECT t.spcname FROM pg_catalog.pg_tablespace t WHERE t.oid = r.reltablespace),
    'owner', pg_catalog.pg_get_userbyid(r.relowner),
    'grants', (SELECT string_agg(CASE WHEN i = ANY (pg_catalog.acldefault('r', r.relowner))
                                      THEN regexp_replace(i::text, '=[a-zA-Z*]*/', '=(by default)/') ELSE i::text END,
                                 E'\n' ORDER BY i::text COLLATE "C")
               FROM unnest(coalesce(r.relacl, pg_catalog.acldefault('r', r.relowner))) i))::text
FROM relation r
WHERE r.relkind IN ('v', 'm')
