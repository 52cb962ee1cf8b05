SELECT table_name, IF(view_definition = '', 'unreadable', NULL) AS contents, IF(view_definition = '', 'SHOW VIEW', NULL) AS lacks,
       REPLACE(view_definition, CONCAT('`', REPLACE(DATABASE(), '`', '``'), '`.'), '') AS definition,
       check_option AS check_option, is_updatable AS updatable, definer AS definer, security_type AS security,
       algorithm AS algorithm, character_set_client AS character_set, collation_connection AS collation
FROM information_schema.views WHERE table_schema = DATABASE()
