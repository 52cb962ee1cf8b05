-- A Q-Docs in use: who will own what comes from the old system, and a document that somebody carried over by hand.

INSERT INTO users (id, username, email, full_name, hashed_password, role_id, department, created_at, updated_at) VALUES
    (2, 'anna.author', 'anna@qdocs.example', 'Anna Author', '!', 1, 'Quality', '2026-01-06 08:00:00+00', '2026-01-06 08:00:00+00'),
    (3, 'ben.reviewer', 'ben@qdocs.example', 'Ben Reviewer', '!', 2, 'Quality', '2026-01-06 08:00:00+00', '2026-01-06 08:00:00+00'),
    (4, 'cleo.approver', 'cleo@qdocs.example', 'Cleo Approver', '!', 3, 'Legal', '2026-01-06 08:00:00+00', '2026-01-06 08:00:00+00'),
    (5, 'dora.author', 'dora@qdocs.example', 'Dora Author', '!', 1, 'Research', '2026-01-06 08:00:00+00', '2026-01-06 08:00:00+00');

INSERT INTO documents (id, document_number, title, status, department, owner_id, created_at, updated_at) VALUES
    (1, 'LEGACY-A08', 'Carried over by hand', 'Effective', 'Quality', 2, '2019-05-05 10:00:00+00', '2026-01-07 09:00:00+00');
INSERT INTO document_versions (id, document_id, version_number, content, created_by_id, is_latest, created_at) VALUES
    (1, 1, 1, 'As it was typed.', 2, false, '2026-01-07 09:00:00+00'),
    (2, 1, 2, 'As it was typed, and read again.', 3, true, '2026-01-08 09:00:00+00');
INSERT INTO comments (id, document_id, author_id, body, created_at) VALUES
    (1, 1, 3, 'Two words were wrong.', '2026-01-08 08:00:00+00');
INSERT INTO audit_logs (id, user_id, document_id, action, details, created_at) VALUES
    (1, 2, 1, 'create', '{"by": "hand"}', '2026-01-07 09:00:00+00');

SELECT setval(pg_get_serial_sequence('users', 'id'), 5);
SELECT setval(pg_get_serial_sequence('documents', 'id'), 1);
SELECT setval(pg_get_serial_sequence('document_versions', 'id'), 2);
SELECT setval(pg_get_serial_sequence('comments', 'id'), 1);
SELECT setval(pg_get_serial_sequence('audit_logs', 'id'), 1);
