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
    -- The server lists columns as they stand in the table; by name, for their order is a thing of its own.
    'definition', left(o.definition, strpos(o.definition, ' ON ')) || 'ON '
        || array_to_string(ARRAY(SELECT one FROM regexp_split_to_table(m.part[1], ', ') one ORDER BY one), ', ')
        || ' FROM ' || m.part[2],
    'target', nullif(x.stxstattarget, -1),
    'owner', pg_catalog.pg_get_userbyid(x.stxowner))::text
FROM pg_catalog.pg_statistic_ext x
JOIN space s ON s.oid = x.stxnamespace
CROSS JOIN LATERAL (SELECT pg_catalog.pg_get_statisticsobjdef(x.oid) AS definition) o
CROSS JOIN LATERAL (SELECT regexp_match(
    substr(o.definition, strpos(o.definition, ' ON ') + 4), '^(.*) FROM (.*)$') AS part) m
WHERE (x.oid, 'pg_catalog.pg_statistic_ext'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
