-- Documents out of legacy_documents. Numbers follow the last ones that are there, so that a second import after a rollback
-- gives the same ones; one without a rollback finds every document there, and leaves nothing but a line on itself.

CREATE TEMPORARY TABLE told ON COMMIT DROP AS
SELECT l.*, o.id AS owner_id, u.id AS updated_by_id, s.status,
    CASE
        WHEN coalesce(btrim(l.doc_id), '') = '' THEN 'there is no doc_id'
        WHEN coalesce(btrim(l.doc_title), '') = '' THEN 'there is no doc_title'
        WHEN l.created_date IS NULL THEN 'there is no created_date'
        WHEN o.id IS NULL THEN 'created_by_user is nobody here'
        -- UTF-8 that was read as Windows-1252: a lead byte, and what bytes from 80 to BF look like.
        WHEN concat_ws(' ', l.doc_title, l.doc_desc, l.doc_content, l.department)
            ~ '[ÂÃ][\u0080-\u00BF€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|[âã][\u0080-\u00BF€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]{2}'
            THEN 'a text was encoded twice'
    END AS reason
FROM legacy_documents l
LEFT JOIN legacy_user_map om ON om.legacy_user = l.created_by_user
LEFT JOIN users o ON o.username = om.username
LEFT JOIN legacy_user_map um ON um.legacy_user = l.updated_by_user
LEFT JOIN users u ON u.username = um.username
LEFT JOIN (VALUES ('DRAFT', 'Draft'), ('REVIEW', 'Under Review'), ('APPROVED', 'Approved'), ('PUBLISHED', 'Effective'),
                  ('ARCHIVED', 'Archived'), ('REJECTED', 'Rejected')) AS s (word, status) ON s.word = l.doc_status;

CREATE TEMPORARY TABLE taken ON COMMIT DROP AS
SELECT t.*, (SELECT max(id) FROM documents) + row_number() OVER (ORDER BY row_no) AS id
FROM told t
WHERE reason IS NULL
    AND NOT EXISTS (SELECT FROM documents d WHERE d.document_number = t.doc_id)
    AND NOT EXISTS (SELECT FROM told e WHERE e.doc_id = t.doc_id AND e.reason IS NULL AND e.row_no < t.row_no);

INSERT INTO documents (id, document_number, title, description, status, department, owner_id, updated_by_id, created_at, updated_at)
SELECT id, doc_id, doc_title, doc_desc, coalesce(status, 'Draft'), coalesce(nullif(btrim(department), ''), 'Uncategorized'),
    owner_id, updated_by_id, created_date AT TIME ZONE 'UTC', coalesce(updated_date, created_date) AT TIME ZONE 'UTC'
FROM taken;

INSERT INTO document_versions (id, document_id, version_number, content, change_note, created_by_id, is_latest, created_at)
SELECT (SELECT max(id) FROM document_versions) + row_number() OVER (ORDER BY id), id, 1, coalesce(doc_content, ''),
    'from the old system', owner_id, true, created_date AT TIME ZONE 'UTC'
FROM taken;

INSERT INTO audit_logs (id, user_id, document_id, action, details, created_at)
SELECT (SELECT max(id) FROM audit_logs) + row_number() OVER (ORDER BY id), 1, id, 'import',
    jsonb_build_object('row', row_no), '2026-02-20 10:00:00+00'
FROM taken;

INSERT INTO legacy_import_notes
SELECT doc_id, 'doc_status is no status: Draft' FROM taken WHERE status IS NULL
UNION ALL SELECT doc_id, 'updated_by_user is nobody here: none' FROM taken WHERE updated_by_user IS NOT NULL AND updated_by_id IS NULL;

INSERT INTO legacy_import_rejects
SELECT 'documents', row_no, reason FROM told WHERE reason IS NOT NULL
ON CONFLICT DO NOTHING;

-- Rows that could not be read at all were named by whoever read them.
INSERT INTO legacy_import_runs
SELECT i.n + 1, l.n + r.n - t.n, k.n, t.ok - k.n, r.n
FROM (SELECT count(*) AS n FROM legacy_import_runs) i, (SELECT count(*) AS n FROM legacy_documents) l, (SELECT count(*) AS n FROM legacy_import_rejects) r,
    (SELECT count(*) FILTER (WHERE reason IS NOT NULL) AS n, count(*) FILTER (WHERE reason IS NULL) AS ok FROM told) t,
    (SELECT count(*) AS n FROM taken) k;

SELECT setval(pg_get_serial_sequence('documents', 'id'), (SELECT max(id) FROM documents)),
    setval(pg_get_serial_sequence('document_versions', 'id'), (SELECT max(id) FROM document_versions)),
    setval(pg_get_serial_sequence('audit_logs', 'id'), (SELECT max(id) FROM audit_logs));
