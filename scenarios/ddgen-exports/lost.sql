-- What somebody loses and changes by mistake.
DELETE FROM annotations WHERE is_ai_generated;
UPDATE dictionaries SET name = 'changed by mistake', tags = NULL, is_archived = NOT is_archived;
UPDATE versions SET notes = NULL, processing_stats = '{"changed": true}';
