DROP VIEW current_documents;
