-- A second import leaves nothing but a line on itself.

DELETE FROM users_import_runs WHERE run = 2;
