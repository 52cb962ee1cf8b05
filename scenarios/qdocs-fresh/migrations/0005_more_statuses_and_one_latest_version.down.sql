DROP INDEX documents_title_idx;
DROP INDEX document_versions_latest_idx;
ALTER TABLE documents DROP CONSTRAINT documents_status_check;
-- Who goes back behind the two newer statuses has to say what becomes of such documents first.
ALTER TABLE documents ADD CONSTRAINT documents_status_check CHECK (status IN (
    'Draft', 'Under Review', 'Approved', 'Effective', 'Archived', 'Rejected'));
