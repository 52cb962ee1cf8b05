SELECT c.table_name, c.column_name, c.data_type, c.column_type,
       c.data_type = 'longtext' AND EXISTS (
           SELECT 1 FROM information_schema.check_constraints k
           WHERE k.constraint_schema = c.table_schema AND k.table_name = c.table_name
             AND k.level = 'Column' AND k.constraint_name = c.column_name
             AND k.check_clause = CONCAT('json_valid(`', REPLACE(c.column_name, '`', '``'), '`)')
       ) AS is_json,
       c.collation_name
FROM information_schema.columns c
