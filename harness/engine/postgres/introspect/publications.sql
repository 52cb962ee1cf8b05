-- Replication: publications and what they publish, subscriptions without their connection strings; statistics objects.
-- Columns that came with later versions are taken from the row as JSON, so that one text serves all versions.
SELECT 'publication', p.pubname, (jsonb_build_object('owner', pg_catalog.pg_get_userbyid(p.pubowner))
    || (to_jsonb(p) - ARRAY['oid', 'pubname', 'pubowner']))::text
FROM pg_catalog.pg_publication p
UNION ALL
SELECT 'publication_table', quote_ident(t.pubname) || ' ' || quote_ident(t.schemaname) || '.' || quote_ident(t.tablename),
       (to_jsonb(t) - ARRAY['pubname', 'schemaname', 'tablename'])::text
FROM pg_catalog.pg_publication_tables t
UNION ALL
SELECT 'subscription', s.subname, jsonb_build_object(
    'owner', pg_catalog.pg_get_userbyid(s.subowner), 'enabled', s.subenabled, 'slot', s.subslotname,
    'publications', array_to_string(s.subpublications, ', '))::text
FROM pg_catalog.pg_subscription s
JOIN pg_catalog.pg_database b ON b.oid = s.subdbid AND b.datname = current_database()
UNION ALL
SELECT 'statistics', s.prefix || replace(replace(x.stxname, '\', '\\'), '.', '\.'), jsonb_build_object(
    'definition', pg_catalog.pg_get_statisticsobjdef(x.oid),
    'target', nullif(x.stxstattarget, -1),
    'owner', pg_catalog.pg_get_userbyid(x.stxowner))::text
FROM pg_catalog.pg_statistic_ext x
JOIN space s ON s.oid = x.stxnamespace
WHERE (x.oid, 'pg_catalog.pg_statistic_ext'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
