-- What keeps a column from being dropped and made anew, but for triggers. $1 is the table, $2 the column, $3 the column in
-- backticks.
SELECT 'it is a generated column' FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name = $1 AND column_name = $2 AND generation_expression IS NOT NULL
UNION ALL
SELECT CONCAT('generated column ', column_name, ' depends on it') FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name = $1 AND column_name <> $2 AND INSTR(generation_expression, $3) > 0
UNION ALL
SELECT CONCAT('the default of ', column_name, ' depends on it') FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name = $1 AND column_name <> $2 AND INSTR(column_default, $3) > 0
UNION ALL
SELECT DISTINCT 'its table is partitioned' FROM information_schema.partitions
WHERE table_schema = DATABASE() AND table_name = $1 AND partition_name IS NOT NULL
UNION ALL
SELECT 'its table keeps the history of its rows' FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_name = $1 AND table_type = 'SYSTEM VERSIONED'
UNION ALL
SELECT CONCAT('its table is kept by ', engine, ', which has no transactions') FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_name = $1 AND engine <> 'InnoDB'
UNION ALL
SELECT CONCAT('index ', index_name, IF(sub_part IS NULL, CONCAT(' is of type ', index_type), ' holds only its beginning'))
FROM information_schema.statistics
WHERE table_schema = DATABASE() AND table_name = $1 AND column_name = $2
    AND (sub_part IS NOT NULL OR index_type NOT IN ('BTREE', 'HASH'))
UNION ALL
SELECT CONCAT('view ', IF(table_schema = DATABASE(), '', CONCAT(table_schema, '.')), table_name, ' depends on it')
FROM information_schema.views
WHERE INSTR(view_definition, CONCAT('`', REPLACE(DATABASE(), '`', '``'), '`.`', REPLACE($1, '`', '``'), '`')) > 0
    AND INSTR(view_definition, $3) > 0
UNION ALL
SELECT DISTINCT CONCAT('foreign key ', constraint_name, ' of ', table_schema, '.', table_name, ' refers to it')
FROM information_schema.key_column_usage
WHERE referenced_table_schema = DATABASE() AND referenced_table_name = $1 AND referenced_column_name = $2
    AND table_schema <> DATABASE()
