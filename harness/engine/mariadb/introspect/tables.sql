SELECT table_name, table_type AS kind, engine AS engine, row_format AS row_format, table_collation AS collation,
       create_options AS options, table_comment AS comment
FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
