-- Schemas, extensions, default privileges, comments and security labels.
SELECT 'schema', n.nspname::text, jsonb_build_object(
    'owner', pg_catalog.pg_get_userbyid(n.nspowner),
    'grants', (SELECT string_agg(i::text, E'\n' ORDER BY i::text COLLATE "C")
               FROM unnest(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) i))::text
FROM pg_catalog.pg_namespace n
JOIN space s ON s.oid = n.oid
WHERE (n.oid, 'pg_catalog.pg_namespace'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
UNION ALL
SELECT 'extension', x.extname, jsonb_build_object(
    'version', x.extversion, 'schema', x.extnamespace::regnamespace::text,
    'owner', pg_catalog.pg_get_userbyid(x.extowner))::text
FROM pg_catalog.pg_extension x
UNION ALL
SELECT 'default_privileges',
       concat_ws(' ', pg_catalog.pg_get_userbyid(d.defaclrole), 'on',
                 CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
                                      WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE d.defaclobjtype::text END,
                 'in ' || nullif(d.defaclnamespace, 0)::regnamespace::text),
       jsonb_build_object('grants', (SELECT string_agg(i::text, E'\n' ORDER BY i::text COLLATE "C")
                                     FROM unnest(d.defaclacl) i))::text
FROM pg_catalog.pg_default_acl d
UNION ALL
-- The comments that initdb writes have objects with OIDs below 16384; of those only the schema public is a user's, and an
-- extension (plpgsql) that may be dropped and created again, after which its OID is another.
SELECT 'comment', i.type || ' ' || i.identity, jsonb_build_object('text', d.description)::text
FROM pg_catalog.pg_description d
CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classoid, d.objoid, d.objsubid) i
WHERE (d.objoid >= 16384 OR d.classoid = 'pg_catalog.pg_extension'::regclass
       OR (d.classoid = 'pg_catalog.pg_namespace'::regclass AND d.objoid IN (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = 'public')))
  AND (d.objoid, d.classoid) NOT IN (SELECT m.objid, m.classid FROM member m)
UNION ALL
SELECT 'comment', 'database', jsonb_build_object('text', d.description)::text
FROM pg_catalog.pg_shdescription d
JOIN pg_catalog.pg_database b ON b.oid = d.objoid AND b.datname = current_database()
WHERE d.classoid = 'pg_catalog.pg_database'::regclass
UNION ALL
SELECT 'security_label', i.type || ' ' || i.identity || ' by ' || l.provider, jsonb_build_object('label', l.label)::text
FROM pg_catalog.pg_seclabel l
CROSS JOIN LATERAL pg_catalog.pg_identify_object(l.classoid, l.objoid, l.objsubid) i
WHERE (l.objoid, l.classoid) NOT IN (SELECT m.objid, m.classid FROM member m)
