SELECT CONCAT(privilege_type, ' to ', grantee) AS name, is_grantable AS grantable
FROM information_schema.schema_privileges WHERE DATABASE() LIKE table_schema
UNION ALL
SELECT CONCAT(privilege_type, ' on ', table_name, ' to ', grantee), is_grantable
FROM information_schema.table_privileges WHERE table_schema = DATABASE()
UNION ALL
SELECT CONCAT(privilege_type, ' on ', table_name, '.', column_name, ' to ', grantee), is_grantable
FROM information_schema.column_privileges WHERE table_schema = DATABASE()
