-- What Q-Docs cannot begin without: its four roles, and an administrator whose password nobody knows until it is set.

INSERT INTO roles (id, name, description) VALUES
    (1, 'Author', 'writes documents and new versions of them'),
    (2, 'Reviewer', 'comments on what is under review'),
    (3, 'Approver', 'approves documents and makes them effective'),
    (4, 'DMS_Admin', 'looks after users, roles and everything else');

INSERT INTO users (id, username, email, full_name, hashed_password, role_id, must_change_password, created_at, updated_at) VALUES
    (1, 'admin', 'admin@qdocs.example', 'Administrator', '!', 4, true, '2026-01-05 08:00:00+00', '2026-01-05 08:00:00+00');

SELECT setval(pg_get_serial_sequence('roles', 'id'), 4);
SELECT setval(pg_get_serial_sequence('users', 'id'), 1);
