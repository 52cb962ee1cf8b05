-- Somebody reads the first document that was imported, asks something, gets an answer, and puts a file to it.

INSERT INTO comments (id, document_id, author_id, body, created_at)
SELECT 2, min(id), 3, 'Where is the annex?', '2026-02-21 08:00:00+00'
FROM documents WHERE document_number LIKE 'LEGACY-%' AND created_at >= '2020-01-01';
INSERT INTO comments (id, document_id, author_id, parent_id, body, created_at)
SELECT 3, document_id, 2, id, 'Here.', '2026-02-21 09:00:00+00' FROM comments WHERE id = 2;
INSERT INTO attachments (id, document_id, file_name, content_type, content, uploaded_by_id, uploaded_at)
SELECT 1, document_id, 'annex.pdf', 'application/pdf', '\x255044462d', 2, '2026-02-21 09:00:00+00' FROM comments WHERE id = 2;

SELECT setval(pg_get_serial_sequence('comments', 'id'), 3), setval(pg_get_serial_sequence('attachments', 'id'), 1);
