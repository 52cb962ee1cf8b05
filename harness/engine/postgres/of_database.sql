-- What belongs to a database and is not in it, so that its copy has none of it: owner, rights, settings, comment. Gives the
-- statements by which the database :name gets those of :of.
WITH d AS (SELECT * FROM pg_catalog.pg_database WHERE datname = :of)
SELECT s.statement FROM (
    SELECT 0, format('ALTER DATABASE %I OWNER TO %s', :name, d.datdba::regrole)
    FROM d WHERE d.datdba <> (SELECT c.datdba FROM pg_catalog.pg_database c WHERE c.datname = :name)
    UNION ALL
    SELECT 1, format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :name) FROM d WHERE d.datacl IS NOT NULL
    UNION ALL
    SELECT 2, format('GRANT %s ON DATABASE %I TO %s%s', a.privilege_type, :name,
        CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
        CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM d, aclexplode(d.datacl) a
    UNION ALL
    SELECT 3, format('ALTER %s SET %I TO %s',
        CASE g.setrole WHEN 0 THEN format('DATABASE %I', :name)
            ELSE format('ROLE %s IN DATABASE %I', g.setrole::regrole, :name) END,
        split_part(c, '=', 1),
        -- Lists of names are kept as they are written.
        CASE WHEN split_part(c, '=', 1) IN ('search_path', 'temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries')
            THEN coalesce(nullif(substr(c, strpos(c, '=') + 1), ''), '''''') ELSE quote_literal(substr(c, strpos(c, '=') + 1)) END)
    FROM d JOIN pg_catalog.pg_db_role_setting g ON g.setdatabase = d.oid, unnest(g.setconfig) c
    UNION ALL
    SELECT 4, format('COMMENT ON DATABASE %I IS %L', :name, shobj_description(d.oid, 'pg_database'))
    FROM d WHERE shobj_description(d.oid, 'pg_database') IS NOT NULL
) s (place, statement)
ORDER BY s.place
