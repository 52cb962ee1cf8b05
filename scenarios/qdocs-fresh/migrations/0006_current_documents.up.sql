CREATE VIEW current_documents AS
    SELECT d.id, d.document_number, d.title, d.status, d.department, u.username AS owner, v.version_number, v.content
    FROM documents d
    JOIN users u ON u.id = d.owner_id
    LEFT JOIN document_versions v ON v.document_id = d.id AND v.is_latest;
