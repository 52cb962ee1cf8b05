-- The old system as it runs: MariaDB, no keys between tables, and columns of several ages: `doc_desc` and `department` are
-- from the time of Windows-1252, and some texts were written into it by a client that took its UTF-8 for that.

CREATE TABLE dms_documents (
    row_no int NOT NULL PRIMARY KEY,
    doc_id varchar(100),
    doc_title varchar(500),
    doc_desc text CHARACTER SET latin1,
    doc_status varchar(30),
    doc_content longtext,
    department varchar(100) CHARACTER SET latin1,
    created_by_user varchar(20),
    created_date datetime,
    updated_by_user varchar(20),
    updated_date datetime
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO dms_documents (row_no, doc_id, doc_title, doc_desc, doc_status, doc_content, department, created_by_user,
                           created_date, updated_by_user, updated_date) VALUES
    -- Two without a title, two without an owner, one without a number: rejected.
    (1, 'LEGACY-A01', NULL, NULL, 'DRAFT', 'a', 'Legal', 'u001', '2021-02-03 04:05:06', NULL, NULL),
    (2, 'LEGACY-A02', '  ', NULL, 'DRAFT', 'a', 'Legal', 'u001', '2021-02-03 04:05:06', NULL, NULL),
    (3, 'LEGACY-A03', 'Of nobody', NULL, 'DRAFT', 'a', 'Legal', 'u999', '2021-02-03 04:05:06', NULL, NULL),
    (4, 'LEGACY-A04', 'Of somebody who left', NULL, 'DRAFT', 'a', 'Legal', 'u006', '2021-02-03 04:05:06', NULL, NULL),
    (5, NULL, 'Without a number', NULL, 'DRAFT', 'a', 'Legal', 'u001', '2021-02-03 04:05:06', NULL, NULL),
    -- A status that nobody knows, and none: drafts, and that is noted.
    (6, 'LEGACY-A06', 'Locked', NULL, 'LOCKED', 'a', 'Legal', 'u001', '2021-02-03 04:05:06', 'u002', '2022-01-01 00:00:00'),
    (7, 'LEGACY-A07', 'Without a status', NULL, NULL, 'a', 'Legal', 'u001', '2021-02-03 04:05:06', 'u999', '2022-01-01 00:00:00'),
    -- A number that Q-Docs has already, and one that is there twice: skipped.
    (8, 'LEGACY-A08', 'Carried over by hand', NULL, 'DRAFT', 'a', 'Legal', 'u001', '2021-02-03 04:05:06', NULL, NULL),
    (9, 'LEGACY-A06', 'Locked, once more', NULL, 'DRAFT', 'b', 'Legal', 'u001', '2021-02-03 04:05:06', NULL, NULL),
    -- No department and no content; text of Windows-1252; text of everywhere.
    (10, 'LEGACY-A10', 'Uncategorized', '', 'PUBLISHED', NULL, NULL, 'u005', '2021-02-03 04:05:06', NULL, NULL),
    (11, 'LEGACY-A11', 'Prüfung – “neu”', 'kostet 5 €, ™ und Œuvre', 'ARCHIVED', 'naïve façade', 'Qualität', 'u003', '2021-02-03 04:05:06', 'u004', '2021-02-04 00:00:00'),
    (12, 'LEGACY-A12', '品質マニュアル 🗎', NULL, 'REJECTED', 'Ελληνικά, עברית', 'Legal', 'u004', '2021-02-03 04:05:06', NULL, NULL),
    -- Text that was encoded twice, in a title, a description and a content: rejected.
    (13, 'LEGACY-A13', 'PrÃ¼fung', NULL, 'DRAFT', 'a', 'Legal', 'u001', '2021-02-03 04:05:06', NULL, NULL),
    (14, 'LEGACY-A14', 'Encoded twice', 'kostet 5 â‚¬', 'DRAFT', 'a', 'Legal', 'u001', '2021-02-03 04:05:06', NULL, NULL),
    (15, 'LEGACY-A15', 'Encoded twice as well', NULL, 'DRAFT', 'naÃ¯ve', 'Legal', 'u001', '2021-02-03 04:05:06', NULL, NULL);
