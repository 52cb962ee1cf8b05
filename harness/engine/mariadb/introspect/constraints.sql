SELECT CONCAT(table_name, '.', constraint_name) AS name, 'CHECK' AS kind, check_clause AS expression, level AS level,
       NULL AS columns, NULL AS parent, NULL AS on_update, NULL AS on_delete
FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()
UNION ALL
SELECT CONCAT(k.table_name, '.', k.constraint_name), 'FOREIGN KEY', NULL, NULL,
       GROUP_CONCAT(CONCAT('`', REPLACE(k.column_name, '`', '``'), '`') ORDER BY k.ordinal_position SEPARATOR ', '),
       CONCAT(IF(k.referenced_table_schema = DATABASE(), '', CONCAT(k.referenced_table_schema, '.')),
              k.referenced_table_name, ' (',
              GROUP_CONCAT(CONCAT('`', REPLACE(k.referenced_column_name, '`', '``'), '`')
                           ORDER BY k.ordinal_position SEPARATOR ', '), ')'),
       MAX(r.update_rule), MAX(r.delete_rule)
FROM information_schema.key_column_usage k
LEFT JOIN information_schema.referential_constraints r
  ON r.constraint_schema = k.constraint_schema AND r.table_name = k.table_name AND r.constraint_name = k.constraint_name
WHERE k.table_schema = DATABASE() AND k.referenced_table_name IS NOT NULL
GROUP BY k.table_name, k.constraint_name, k.referenced_table_schema, k.referenced_table_name
UNION ALL
SELECT CONCAT(table_name, '.', index_name), IF(index_name = 'PRIMARY', 'PRIMARY KEY', 'UNIQUE'),
       NULL, NULL, NULL, NULL, NULL, NULL
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND non_unique = 0 AND seq_in_index = 1
