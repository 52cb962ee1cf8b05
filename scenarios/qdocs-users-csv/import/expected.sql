-- What has to become of the lines of users_import, and what both imports have to count.

CREATE TEMPORARY TABLE expected ON COMMIT DROP AS SELECT * FROM users_import_expected;

INSERT INTO users_import_runs
SELECT run, 'users.csv', l.n + s.n + r.n + f.n, CASE run WHEN 1 THEN l.n ELSE 0 END, CASE run WHEN 1 THEN s.n ELSE s.n + l.n END, r.n + f.n
FROM (VALUES (1), (2)) AS runs (run),
    (SELECT count(*) AS n FROM expected WHERE outcome = 'loaded') l,
    (SELECT count(*) AS n FROM expected WHERE outcome = 'skipped') s,
    (SELECT count(*) AS n FROM expected WHERE outcome = 'rejected') r,
    (SELECT count(*) AS n FROM users_import_rejects) f;

INSERT INTO users_import_rejects
SELECT 'users.csv', line, reason FROM expected WHERE outcome = 'rejected';

INSERT INTO users (id, username, email, full_name, hashed_password, role_id, department, is_active, must_change_password,
                   imported_from, created_at, updated_at)
SELECT (SELECT max(id) FROM users) + row_number() OVER (ORDER BY line), username, email, full_name, '!', role_id, department,
    is_active, true, 'users.csv', '2026-02-20 10:00:00+00', '2026-02-20 10:00:00+00'
FROM expected WHERE outcome = 'loaded';

SELECT setval(pg_get_serial_sequence('users', 'id'), (SELECT max(id) FROM users));
