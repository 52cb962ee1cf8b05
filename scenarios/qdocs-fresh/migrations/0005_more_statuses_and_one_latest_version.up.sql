ALTER TABLE documents DROP CONSTRAINT documents_status_check;
ALTER TABLE documents ADD CONSTRAINT documents_status_check CHECK (status IN (
    'Draft', 'Under Review', 'Pending Approval', 'Approved', 'Effective', 'Archived', 'Obsolete', 'Rejected'));
CREATE UNIQUE INDEX document_versions_latest_idx ON document_versions (document_id) WHERE is_latest;
CREATE INDEX documents_title_idx ON documents (lower(title) text_pattern_ops);
