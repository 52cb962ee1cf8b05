-- Tables that hold rows: name, why the rows cannot be read. Partitions are read through their parent.
SELECT r.name, CASE WHEN r.relkind = 'f' THEN 'its rows are kept by a foreign server' END
FROM relation r
WHERE r.relkind IN ('r', 'p', 'f') AND NOT r.relispartition
ORDER BY r.name
