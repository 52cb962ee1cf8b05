SELECT trigger_name, IF(action_statement IS NULL, 'unreadable', NULL) AS contents,
       IF(action_statement IS NULL, 'TRIGGER', NULL) AS lacks, event_object_table AS `table`, action_timing AS timing, event_manipulation AS event,
       action_order AS position, action_statement AS statement, sql_mode AS sql_mode, definer AS definer,
       character_set_client AS character_set, collation_connection AS collation, database_collation AS database_collation
FROM information_schema.triggers WHERE trigger_schema = DATABASE()
