SELECT CONCAT(c.table_name, '.', c.column_name), c.column_type AS declared, c.is_nullable AS nullable,
       c.column_default AS `default`, c.extra AS extra, c.generation_expression AS expression,
       c.character_set_name AS character_set, c.collation_name AS collation, c.column_comment AS comment
FROM information_schema.columns c
JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
WHERE c.table_schema = DATABASE() AND t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
