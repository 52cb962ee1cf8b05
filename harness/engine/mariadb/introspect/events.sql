SELECT event_name, event_definition AS definition, event_type AS kind, execute_at AS execute_at,
       interval_value AS interval_value, interval_field AS interval_field, starts AS starts, ends AS ends,
       status AS status, on_completion AS on_completion, time_zone AS time_zone, sql_mode AS sql_mode,
       event_comment AS comment, definer AS definer, character_set_client AS character_set,
       collation_connection AS collation, database_collation AS database_collation
FROM information_schema.events WHERE event_schema = DATABASE()
