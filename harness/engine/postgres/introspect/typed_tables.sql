-- Tables that hold rows: name, why the rows cannot be read. Partitions are read through their parent.
-- A question about a table in a schema that the role may not use is refused, with all that it asks besides.
SELECT r.name, CASE WHEN r.relkind = 'f' THEN 'its rows are kept by a foreign server'
                    WHEN NOT pg_catalog.has_schema_privilege(r.relnamespace, 'USAGE')
                        THEN 'its role lacks USAGE on the schema ' || r.relnamespace::regnamespace::text END
FROM relation r
WHERE r.relkind IN ('r', 'p', 'f') AND NOT r.relispartition
ORDER BY r.name
