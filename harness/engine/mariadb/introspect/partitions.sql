SELECT CONCAT_WS('.', table_name, partition_name, subpartition_name), partition_ordinal_position AS position,
       subpartition_ordinal_position AS subposition, partition_method AS method, partition_expression AS expression,
       partition_description AS bound, subpartition_method AS submethod, subpartition_expression AS subexpression,
       partition_comment AS comment
FROM information_schema.partitions WHERE table_schema = DATABASE() AND partition_name IS NOT NULL
