-- The statements that drop the named database, if it is there, and make it anew: empty, and with the properties that the session's
-- database has. They are run one by one, in another database.
WITH this AS (SELECT :name AS anew, d.*, to_jsonb(d) AS j FROM pg_catalog.pg_database d WHERE d.datname = current_database()),
settings AS (
    SELECT t.anew, r.rolname, split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value
    FROM this t JOIN pg_catalog.pg_db_role_setting g ON g.setdatabase = t.oid
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = g.setrole, unnest(g.setconfig) c
),
rights AS (
    SELECT t.anew, a.privilege_type, a.is_grantable,
           CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END AS grantee
    FROM this t, pg_catalog.aclexplode(t.datacl) a
)
SELECT '0', format('DROP DATABASE IF EXISTS %I WITH (FORCE)', anew) FROM this
UNION ALL
SELECT '1', format('CREATE DATABASE %I TEMPLATE template0 OWNER %I ENCODING %L LC_COLLATE %L LC_CTYPE %L%s TABLESPACE %I CONNECTION LIMIT %s',
    anew, pg_catalog.pg_get_userbyid(datdba), pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype,
    CASE j ->> 'datlocprovider'
        WHEN 'c' THEN ' LOCALE_PROVIDER libc'
        WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L', coalesce(j ->> 'datlocale', j ->> 'daticulocale'))
                      || coalesce(' ICU_RULES ' || quote_literal(j ->> 'daticurules'), '')
        WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', j ->> 'datlocale')
        ELSE '' END,
    (SELECT s.spcname FROM pg_catalog.pg_tablespace s WHERE s.oid = dattablespace), datconnlimit) FROM this
UNION ALL
-- Lists of names are kept with their quotes.
SELECT '2', format('ALTER %s SET %s TO %s',
    CASE WHEN rolname IS NULL THEN '' ELSE 'ROLE ' || quote_ident(rolname) || ' IN ' END || 'DATABASE ' || quote_ident(anew), name,
    CASE WHEN lower(name) IN ('search_path', 'temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries')
              AND value <> '' THEN value
         ELSE quote_literal(value) END) FROM settings
UNION ALL
SELECT '3', format('REVOKE ALL ON DATABASE %I FROM PUBLIC, %I', anew, pg_catalog.pg_get_userbyid(datdba)) FROM this
WHERE datacl IS NOT NULL
UNION ALL
SELECT '4', format('GRANT %s ON DATABASE %I TO %s%s', privilege_type, anew, grantee,
    CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) FROM rights
UNION ALL
SELECT '5', format('COMMENT ON DATABASE %I IS %L', anew, pg_catalog.shobj_description(oid, 'pg_database')) FROM this
WHERE pg_catalog.shobj_description(oid, 'pg_database') IS NOT NULL
ORDER BY 1
