SELECT @@character_set_database,
       @@collation_database,
       (SELECT CAST(COALESCE(SUM(data_length + index_length), 0) AS CHAR)
        FROM information_schema.tables WHERE table_schema = DATABASE()),
       CASE
           WHEN @@global.read_only = 1 AND NOT EXISTS (
               SELECT 1 FROM information_schema.user_privileges WHERE privilege_type IN ('SUPER', 'READ_ONLY ADMIN'))
               THEN 'the server only reads'
           WHEN NOT EXISTS (SELECT 1 FROM information_schema.user_privileges WHERE privilege_type IN ('CREATE', 'INSERT'))
               AND NOT EXISTS (
                   SELECT 1 FROM information_schema.schema_privileges
                   WHERE DATABASE() LIKE table_schema AND privilege_type IN ('CREATE', 'INSERT'))
               AND NOT EXISTS (
                   SELECT 1 FROM information_schema.table_privileges
                   WHERE table_schema = DATABASE() AND privilege_type IN ('CREATE', 'INSERT'))
               AND NOT EXISTS (SELECT 1 FROM information_schema.enabled_roles WHERE role_name IS NOT NULL)
               THEN 'the user has no right to CREATE, and none to INSERT'
       END
