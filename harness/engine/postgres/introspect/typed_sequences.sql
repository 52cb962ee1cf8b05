-- Sequences: name, step, largest value, smallest value, first value, last value where it is known without reading the sequence, and
-- whether it can be read.
SELECT r.name, q.seqincrement::text, q.seqmax::text, q.seqmin::text, q.seqstart::text,
       CASE WHEN pg_catalog.has_sequence_privilege(r.oid, 'SELECT, USAGE')
            THEN pg_catalog.pg_sequence_last_value(r.oid)::text END,
       CASE WHEN pg_catalog.has_sequence_privilege(r.oid, 'SELECT')
             AND pg_catalog.has_schema_privilege(r.relnamespace, 'USAGE') THEN 't' ELSE 'f' END
FROM relation r
JOIN pg_catalog.pg_sequence q ON q.seqrelid = r.oid
ORDER BY r.name
