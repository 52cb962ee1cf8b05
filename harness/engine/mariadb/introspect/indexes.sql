SELECT CONCAT(table_name, '.', index_name), MAX(IF(non_unique = 0, 'yes', 'no')) AS `unique`, MAX(index_type) AS method,
       GROUP_CONCAT(CONCAT('`', REPLACE(column_name, '`', '``'), '`', IFNULL(CONCAT('(', sub_part, ')'), ''),
                           IF(collation = 'D', ' DESC', '')) ORDER BY seq_in_index SEPARATOR ', ') AS parts,
       MAX(ignored) AS ignored, MAX(index_comment) AS comment
FROM information_schema.statistics WHERE table_schema = DATABASE()
GROUP BY table_name, index_name
