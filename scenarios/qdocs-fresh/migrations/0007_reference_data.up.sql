INSERT INTO roles (id, name, description) VALUES
    (1, 'Author', 'writes documents and new versions of them'),
    (2, 'Reviewer', 'comments on what is under review'),
    (3, 'Approver', 'approves documents and makes them effective'),
    (4, 'DMS_Admin', 'looks after users, roles and everything else');
SELECT setval(pg_get_serial_sequence('roles', 'id'), 4);

-- The password is none that anybody could give: the administrator sets one by the first link that is sent.
INSERT INTO users (id, username, email, full_name, hashed_password, role_id, must_change_password, created_at, updated_at) VALUES
    (1, 'admin', 'admin@qdocs.example', 'Administrator', '!', 4, true, '2026-01-05 08:00:00+00', '2026-01-05 08:00:00+00');
SELECT setval(pg_get_serial_sequence('users', 'id'), 1);
