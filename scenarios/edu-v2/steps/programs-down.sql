ALTER TABLE students DISABLE TRIGGER students_change;
UPDATE students SET program_id = NULL WHERE program_id IS NOT NULL;
ALTER TABLE students ENABLE TRIGGER students_change;
