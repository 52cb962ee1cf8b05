-- What has to come out of both files, written down and not computed: nine documents that are taken, two that are skipped,
-- four rejected by the import, and two that could not be read (these the reading of the CSV file names here as well).

INSERT INTO documents (id, document_number, title, description, status, department, owner_id, updated_by_id, created_at, updated_at) VALUES
    (2, 'LEGACY-0001', 'Quality manual', 'What everybody has to know.', 'Effective', 'Quality', 2, 3, '2020-03-01 09:00:00+00', '2022-05-06 10:11:12+00'),
    (3, 'LEGACY-0002', 'Complaints, and what "urgent" means', NULL, 'Approved', 'Operations', 3, 4, '2020-03-02 09:00:00+00', '2022-05-07 10:11:12+00'),
    (4, 'LEGACY-0003', 'Supplier audits', '', 'Under Review', 'Quality', 4, NULL, '2020-03-03 09:00:00+00', '2020-03-03 09:00:00+00'),
    (5, 'LEGACY-0004', 'Archive rules', NULL, 'Archived', 'Legal', 5, NULL, '2020-03-04 09:00:00+00', '2021-01-01 00:00:00+00'),
    (6, 'LEGACY-0005', 'Travel', NULL, 'Rejected', 'Legal', 2, NULL, '2020-03-05 09:00:00+00', '2020-03-05 09:00:00+00'),
    (7, 'LEGACY-0006', 'No department', NULL, 'Draft', 'Uncategorized', 2, NULL, '2020-03-06 09:00:00+00', '2020-03-06 09:00:00+00'),
    (8, 'LEGACY-0007', 'Prüfung – “neu”', 'kostet 5 €, ™ und Œuvre', 'Draft', 'Qualität', 2, NULL, '2020-03-07 09:00:00+00', '2020-03-07 09:00:00+00'),
    (9, 'LEGACY-0008', 'Locked', NULL, 'Draft', 'Legal', 2, NULL, '2020-03-08 09:00:00+00', '2020-03-08 09:00:00+00'),
    (10, 'LEGACY-0017', 'The last one', NULL, 'Draft', 'Research', 5, NULL, '2020-03-17 09:00:00+00', '2020-03-17 09:00:00+00');

INSERT INTO document_versions (id, document_id, version_number, content, change_note, created_by_id, is_latest, created_at) VALUES
    (3, 2, 1, 'Begin here.', 'from the old system', 2, true, '2020-03-01 09:00:00+00'),
    (4, 3, 1, 'Answer; then ask.', 'from the old system', 3, true, '2020-03-02 09:00:00+00'),
    (5, 4, 1, '', 'from the old system', 4, true, '2020-03-03 09:00:00+00'),
    (6, 5, 1, '', 'from the old system', 5, true, '2020-03-04 09:00:00+00'),
    (7, 6, 1, '=HYPERLINK("http://example.invalid")', 'from the old system', 2, true, '2020-03-05 09:00:00+00'),
    (8, 7, 1, 'a', 'from the old system', 2, true, '2020-03-06 09:00:00+00'),
    (9, 8, 1, 'naïve façade', 'from the old system', 2, true, '2020-03-07 09:00:00+00'),
    (10, 9, 1, 'a', 'from the old system', 2, true, '2020-03-08 09:00:00+00'),
    (11, 10, 1, 'a', 'from the old system', 5, true, '2020-03-17 09:00:00+00');

INSERT INTO audit_logs (id, user_id, document_id, action, details, created_at) VALUES
    (2, 1, 2, 'import', '{"row": 2}', '2026-02-20 10:00:00+00'),
    (3, 1, 3, 'import', '{"row": 3}', '2026-02-20 10:00:00+00'),
    (4, 1, 4, 'import', '{"row": 4}', '2026-02-20 10:00:00+00'),
    (5, 1, 5, 'import', '{"row": 5}', '2026-02-20 10:00:00+00'),
    (6, 1, 6, 'import', '{"row": 6}', '2026-02-20 10:00:00+00'),
    (7, 1, 7, 'import', '{"row": 7}', '2026-02-20 10:00:00+00'),
    (8, 1, 8, 'import', '{"row": 8}', '2026-02-20 10:00:00+00'),
    (9, 1, 9, 'import', '{"row": 9}', '2026-02-20 10:00:00+00'),
    (10, 1, 10, 'import', '{"row": 18}', '2026-02-20 10:00:00+00');

INSERT INTO legacy_import_notes VALUES
    ('LEGACY-0008', 'doc_status is no status: Draft'), ('LEGACY-0004', 'updated_by_user is nobody here: none');

INSERT INTO legacy_import_rejects VALUES
    ('documents', 12, 'there is no doc_title'),
    ('documents', 13, 'created_by_user is nobody here'),
    ('documents', 14, 'there is no doc_id'),
    ('documents', 15, 'a text was encoded twice');

-- The second import finds the nine there as well.
INSERT INTO legacy_import_runs VALUES (1, 17, 9, 2, 6), (2, 17, 0, 11, 6);

-- What people wrote about the first of them meanwhile.
INSERT INTO comments (id, document_id, author_id, parent_id, body, created_at) VALUES
    (2, 2, 3, NULL, 'Where is the annex?', '2026-02-21 08:00:00+00'),
    (3, 2, 2, 2, 'Here.', '2026-02-21 09:00:00+00');
INSERT INTO attachments (id, document_id, file_name, content_type, content, uploaded_by_id, uploaded_at) VALUES
    (1, 2, 'annex.pdf', 'application/pdf', '\x255044462d', 2, '2026-02-21 09:00:00+00');

SELECT setval(pg_get_serial_sequence('documents', 'id'), 10);
SELECT setval(pg_get_serial_sequence('document_versions', 'id'), 11);
SELECT setval(pg_get_serial_sequence('audit_logs', 'id'), 10);
SELECT setval(pg_get_serial_sequence('comments', 'id'), 3);
SELECT setval(pg_get_serial_sequence('attachments', 'id'), 1);

INSERT INTO legacy_user_map VALUES
    ('u001', 'anna.author'), ('u002', 'ben.reviewer'), ('u003', 'cleo.approver'), ('u004', 'dora.author'), ('u005', 'anna.author'),
    ('u006', 'left.the.company');
