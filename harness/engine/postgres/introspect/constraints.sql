-- Constraints of tables and domains. NOT NULL is the column's own affair, except where it was never validated; a
-- constraint trigger is found among the triggers. Of a foreign key to a partitioned table only the one that was declared.
SELECT 'constraint', o.owner || '.' || replace(replace(k.conname, '\', '\\'), '.', '\.'), jsonb_build_object(
    'definition', pg_catalog.pg_get_constraintdef(k.oid),
    'validated', k.convalidated,
    'inherited', CASE WHEN k.coninhcount > 0 THEN CASE WHEN k.conislocal THEN 'and local' ELSE 'only' END END,
    -- ALTER TABLE ... DISABLE TRIGGER ALL also disables the triggers by which foreign keys are kept.
    'triggers', (SELECT string_agg(DISTINCT CASE g.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica only'
                                            ELSE 'always' END, ', ')
                 FROM pg_catalog.pg_trigger g WHERE g.tgconstraint = k.oid AND g.tgenabled <> 'O'))::text
FROM pg_catalog.pg_constraint k
JOIN (SELECT r.oid AS relid, 0::oid AS typid, r.name AS owner FROM relation r
      UNION ALL
      SELECT 0, t.oid, s.prefix || replace(replace(t.typname, '\', '\\'), '.', '\.')
      FROM pg_catalog.pg_type t JOIN space s ON s.oid = t.typnamespace
      WHERE t.typtype = 'd'
        AND (t.oid, 'pg_catalog.pg_type'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)) o
  ON o.relid = k.conrelid AND o.typid = k.contypid
LEFT JOIN pg_catalog.pg_constraint parent ON parent.oid = k.conparentid AND k.contype = 'f'
WHERE k.contype <> 't' AND (k.contype <> 'n' OR NOT k.convalidated) AND parent.conrelid IS DISTINCT FROM k.conrelid
