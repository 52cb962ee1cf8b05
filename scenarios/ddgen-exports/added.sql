-- What somebody adds behind an export, as rows of their own.
INSERT INTO dictionaries (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'added later');
INSERT INTO versions (id, dictionary_id, version_number, schema_hash)
VALUES ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000001', 1, 'none');
