SELECT pg_catalog.getdatabaseencoding()::text,
       d.datcollate::text,
       pg_catalog.pg_database_size(d.oid)::text,
       CASE
           WHEN pg_catalog.pg_is_in_recovery() THEN 'the server is a standby'
           WHEN NOT pg_catalog.has_database_privilege(d.oid, 'CREATE')
               AND NOT EXISTS (
                   SELECT 1 FROM pg_catalog.pg_namespace n
                   WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                       AND pg_catalog.has_schema_privilege(n.oid, 'CREATE'))
               AND NOT EXISTS (
                   SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                   WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                       AND pg_catalog.has_table_privilege(c.oid, 'INSERT'))
               THEN 'the role has no right to CREATE, and none to INSERT'
       END
FROM pg_catalog.pg_database d
WHERE d.datname = pg_catalog.current_database()
