SELECT 'default', default_character_set_name AS character_set, default_collation_name AS collation,
       schema_comment AS comment
FROM information_schema.schemata WHERE schema_name = DATABASE()
