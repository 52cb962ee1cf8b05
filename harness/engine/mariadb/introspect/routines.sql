SELECT CONCAT(LOWER(r.routine_type), ' ', r.routine_name), r.dtd_identifier AS `returns`,
       IF(r.routine_definition IS NULL, 'unreadable', NULL) AS contents,
       IF(r.routine_definition IS NULL, 'SELECT on mysql.proc', NULL) AS lacks,
       r.routine_definition AS definition, r.is_deterministic AS `deterministic`, r.sql_data_access AS `access`,
       r.security_type AS `security`, r.sql_mode AS sql_mode, r.routine_comment AS comment, r.definer AS definer,
       r.character_set_client AS character_set, r.collation_connection AS collation,
       r.database_collation AS database_collation,
       (SELECT GROUP_CONCAT(CONCAT_WS(' ', p.parameter_mode, CONCAT('`', REPLACE(p.parameter_name, '`', '``'), '`'),
                                      p.dtd_identifier, p.character_set_name, p.collation_name)
                            ORDER BY p.ordinal_position SEPARATOR ', ')
        FROM information_schema.parameters p
        WHERE p.specific_schema = r.routine_schema AND p.specific_name = r.specific_name
          AND p.routine_type = r.routine_type AND p.ordinal_position > 0) AS parameters
FROM information_schema.routines r WHERE r.routine_schema = DATABASE()
