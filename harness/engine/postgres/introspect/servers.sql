-- Foreign data: wrappers, servers, user mappings (whose option values are passwords, so only their names); text search.
SELECT 'foreign_data_wrapper', w.fdwname, jsonb_build_object(
    'handler', nullif(w.fdwhandler, 0)::regproc::text, 'validator', nullif(w.fdwvalidator, 0)::regproc::text,
    'options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(w.fdwoptions) o),
    'owner', pg_catalog.pg_get_userbyid(w.fdwowner),
    'grants', (SELECT string_agg(i::text, E'\n' ORDER BY i::text COLLATE "C")
               FROM unnest(coalesce(w.fdwacl, pg_catalog.acldefault('F', w.fdwowner))) i))::text
FROM pg_catalog.pg_foreign_data_wrapper w
WHERE (w.oid, 'pg_catalog.pg_foreign_data_wrapper'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
UNION ALL
SELECT 'server', f.srvname, jsonb_build_object(
    'wrapper', w.fdwname, 'type', f.srvtype, 'version', f.srvversion,
    'options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(f.srvoptions) o),
    'owner', pg_catalog.pg_get_userbyid(f.srvowner),
    'grants', (SELECT string_agg(i::text, E'\n' ORDER BY i::text COLLATE "C")
               FROM unnest(coalesce(f.srvacl, pg_catalog.acldefault('S', f.srvowner))) i))::text
FROM pg_catalog.pg_foreign_server f
JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = f.srvfdw
UNION ALL
SELECT 'user_mapping', u.usename || ' at ' || u.srvname, jsonb_build_object(
    'options', (SELECT string_agg(split_part(o, '=', 1), ', ' ORDER BY o COLLATE "C") FROM unnest(u.umoptions) o))::text
FROM pg_catalog.pg_user_mappings u
UNION ALL
SELECT 'text_search_configuration', s.prefix || c.cfgname, jsonb_build_object(
    'parser', p.prsname,
    'mappings', (SELECT string_agg(t.alias || ' ' || m.mapseqno || ' ' || m.mapdict::regdictionary, ', ' ORDER BY t.alias, m.mapseqno)
                 FROM pg_catalog.pg_ts_config_map m
                 JOIN LATERAL pg_catalog.ts_token_type(c.cfgparser) t ON t.tokid = m.maptokentype
                 WHERE m.mapcfg = c.oid),
    'owner', pg_catalog.pg_get_userbyid(c.cfgowner))::text
FROM pg_catalog.pg_ts_config c
JOIN space s ON s.oid = c.cfgnamespace
JOIN pg_catalog.pg_ts_parser p ON p.oid = c.cfgparser
WHERE (c.oid, 'pg_catalog.pg_ts_config'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
UNION ALL
SELECT 'text_search_dictionary', s.prefix || d.dictname, jsonb_build_object(
    'template', t.tmplname, 'options', d.dictinitoption, 'owner', pg_catalog.pg_get_userbyid(d.dictowner))::text
FROM pg_catalog.pg_ts_dict d
JOIN space s ON s.oid = d.dictnamespace
JOIN pg_catalog.pg_ts_template t ON t.oid = d.dicttemplate
WHERE (d.oid, 'pg_catalog.pg_ts_dict'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
UNION ALL
SELECT 'text_search_parser', s.prefix || p.prsname, jsonb_build_object(
    'functions', concat_ws(', ', p.prsstart, p.prstoken, p.prsend, p.prsheadline, p.prslextype))::text
FROM pg_catalog.pg_ts_parser p
JOIN space s ON s.oid = p.prsnamespace
WHERE (p.oid, 'pg_catalog.pg_ts_parser'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
UNION ALL
SELECT 'text_search_template', s.prefix || t.tmplname, jsonb_build_object(
    'functions', concat_ws(', ', t.tmplinit, t.tmpllexize))::text
FROM pg_catalog.pg_ts_template t
JOIN space s ON s.oid = t.tmplnamespace
WHERE (t.oid, 'pg_catalog.pg_ts_template'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
