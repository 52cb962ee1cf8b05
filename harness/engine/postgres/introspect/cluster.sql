-- Of the database and its cluster: the database's own properties, settings of databases and roles, roles, tablespaces,
-- large objects. Passwords cannot be read. The database is not named, because a copy of it has another name.
SELECT 'database', 'this', (SELECT jsonb_object_agg(CASE e.key WHEN 'daticulocale' THEN 'datlocale' ELSE e.key END, e.value)
    FROM jsonb_each(to_jsonb(d)) e
    WHERE e.key IN ('datcollate', 'datctype', 'datlocprovider', 'daticulocale', 'datlocale', 'daticurules', 'datconnlimit'))::text
FROM pg_catalog.pg_database d
WHERE d.datname = current_database()
UNION ALL
SELECT 'database', 'encoding', jsonb_build_object('encoding', pg_catalog.pg_encoding_to_char(d.encoding))::text
FROM pg_catalog.pg_database d
WHERE d.datname = current_database()
UNION ALL
SELECT 'database', 'rights', jsonb_build_object(
    'owner', pg_catalog.pg_get_userbyid(d.datdba),
    'grants', (SELECT string_agg(i::text, E'\n' ORDER BY i::text COLLATE "C")
               FROM unnest(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) i))::text
FROM pg_catalog.pg_database d
WHERE d.datname = current_database()
UNION ALL
SELECT 'setting', concat_ws(' ', CASE g.setdatabase WHEN 0 THEN 'all databases' ELSE 'database' END,
                            'role ' || r.rolname),
       jsonb_build_object('settings', (SELECT string_agg(c, E'\n' ORDER BY c COLLATE "C") FROM unnest(g.setconfig) c))::text
FROM pg_catalog.pg_db_role_setting g
LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.setrole
LEFT JOIN pg_catalog.pg_database d ON d.oid = g.setdatabase
WHERE g.setdatabase = 0 OR d.datname = current_database()
UNION ALL
SELECT 'role', r.rolname, jsonb_build_object(
    'superuser', r.rolsuper, 'inherit', r.rolinherit, 'create_role', r.rolcreaterole, 'create_database', r.rolcreatedb,
    'login', r.rolcanlogin, 'replication', r.rolreplication, 'bypass_row_security', r.rolbypassrls,
    'connection_limit', r.rolconnlimit, 'valid_until', r.rolvaliduntil,
    'member_of', (SELECT string_agg(pg_catalog.pg_get_userbyid(m.roleid) || CASE WHEN m.admin_option THEN ' with admin' ELSE '' END
                                    || coalesce(' inherit ' || (to_jsonb(m) ->> 'inherit_option'), '')
                                    || coalesce(' set ' || (to_jsonb(m) ->> 'set_option'), ''),
                                    ', ' ORDER BY pg_catalog.pg_get_userbyid(m.roleid) COLLATE "C")
                  FROM pg_catalog.pg_auth_members m WHERE m.member = r.oid))::text
FROM pg_catalog.pg_roles r
WHERE r.rolname !~ '^pg_'
UNION ALL
SELECT 'tablespace', t.spcname, jsonb_build_object(
    'options', (SELECT string_agg(o, ', ' ORDER BY o COLLATE "C") FROM unnest(t.spcoptions) o),
    'owner', pg_catalog.pg_get_userbyid(t.spcowner))::text
FROM pg_catalog.pg_tablespace t
WHERE t.spcname !~ '^pg_'
UNION ALL
SELECT 'large_objects', 'all', jsonb_build_object('count', count(*), 'numbers', (
    SELECT md5(string_agg(o.oid::text, ',' ORDER BY o.oid)) FROM pg_catalog.pg_largeobject_metadata o),
    'owners', (SELECT string_agg(DISTINCT pg_catalog.pg_get_userbyid(o.lomowner), ', ') FROM pg_catalog.pg_largeobject_metadata o),
    'grants', (SELECT md5(string_agg(o.oid || ' ' || i, ',' ORDER BY o.oid, i::text COLLATE "C"))
               FROM pg_catalog.pg_largeobject_metadata o, unnest(o.lomacl) i),
    -- A digest of every object's bytes, one object in memory at a time; only for whoever may read them all.
    'contents', CASE WHEN count(*) = 0 THEN NULL
        WHEN bool_and(pg_catalog.pg_has_role(m.lomowner, 'USAGE') OR EXISTS (
            SELECT FROM pg_catalog.aclexplode(m.lomacl) a
            WHERE a.privilege_type = 'SELECT'
              AND CASE a.grantee WHEN 0 THEN true ELSE pg_catalog.pg_has_role(a.grantee, 'USAGE') END))
        THEN (SELECT encode(sha256(string_agg(sha256(pg_catalog.lo_get(o.oid)), '' ORDER BY o.oid)), 'hex')
              FROM pg_catalog.pg_largeobject_metadata o)
        ELSE 'unreadable' END)::text
FROM pg_catalog.pg_largeobject_metadata m
