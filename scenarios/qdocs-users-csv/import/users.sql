-- Users out of users_import, in the order of their lines. Whoever is there already is left alone, so that a second import
-- changes nothing; numbers follow the last one that is there, so that it gives nobody another number either.

DO $$
DECLARE
    one record;
    role integer;
    why text;
    next integer := (SELECT coalesce(max(id), 0) + 1 FROM users);
    loaded integer := 0;
    skipped integer := 0;
BEGIN
    FOR one IN SELECT * FROM users_import ORDER BY line LOOP
        IF EXISTS (SELECT FROM users WHERE username = one.username) THEN
            skipped := skipped + 1;
            CONTINUE;
        END IF;
        SELECT id INTO role FROM roles WHERE name = one.role_name;
        why := CASE
            WHEN one.username IS NULL THEN 'there is no username'
            WHEN one.email IS NULL OR one.email NOT LIKE '_%@_%._%' OR one.email ~ '[[:space:]]' THEN 'email is no address'
            WHEN one.full_name IS NULL THEN 'there is no full_name'
            WHEN one.full_name ~ '^[=+@-]' THEN 'full_name would be a formula in a spreadsheet'
            WHEN role IS NULL THEN 'role_name is no role'
            WHEN EXISTS (SELECT FROM users WHERE email = one.email) THEN 'email is that of another user'
        END;
        IF why IS NULL THEN
            INSERT INTO users (id, username, email, full_name, hashed_password, role_id, department, is_active,
                               must_change_password, imported_from, created_at, updated_at)
            VALUES (next, one.username, one.email, one.full_name, '!', role, one.department, coalesce(one.is_active, true),
                    true, 'users.csv', '2026-02-20 10:00:00+00', '2026-02-20 10:00:00+00');
            INSERT INTO users_import_passwords VALUES (next, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
            next := next + 1;
            loaded := loaded + 1;
        ELSE
            INSERT INTO users_import_rejects VALUES ('users.csv', one.line, why) ON CONFLICT DO NOTHING;
        END IF;
    END LOOP;
    PERFORM setval(pg_get_serial_sequence('users', 'id'), next, false);
    -- Rows that could not be read at all were counted and named by whoever read the file.
    INSERT INTO users_import_runs
    SELECT count(*) + 1, 'users.csv',
        (SELECT count(*) FROM users_import)
            + (SELECT count(*) FROM users_import_rejects r WHERE NOT EXISTS (SELECT FROM users_import i WHERE i.line = r.line)),
        loaded, skipped, (SELECT count(*) FROM users_import_rejects)
    FROM users_import_runs;
END $$;
