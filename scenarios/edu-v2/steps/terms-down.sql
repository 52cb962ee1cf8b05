DELETE FROM academic_terms;
