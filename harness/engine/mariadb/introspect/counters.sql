SELECT c.table_name, c.column_name, c.data_type, c.column_type, t.auto_increment
FROM information_schema.columns c
JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
WHERE c.table_schema = DATABASE() AND c.extra LIKE '%auto_increment%'
ORDER BY c.table_name
