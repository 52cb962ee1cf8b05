-- Types that users made: enums with labels in order, domains, composites, ranges, base types. Array types and the row
-- types of tables follow from others.
SELECT 'type', s.prefix || replace(replace(t.typname, '\', '\\'), '.', '\.'), jsonb_build_object(
    'kind', CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite' WHEN 'r' THEN 'range'
                           WHEN 'm' THEN 'multirange' WHEN 'p' THEN 'shell' ELSE 'base' END,
    'labels', (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
               FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
    'over', CASE t.typtype WHEN 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END,
    'not_null', CASE t.typtype WHEN 'd' THEN t.typnotnull END,
    'default', t.typdefault,
    'collation', CASE WHEN t.typtype = 'd' AND t.typcollation <> 0 THEN t.typcollation::regcollation::text END,
    'attributes', (SELECT string_agg(quote_ident(a.attname) || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod)
                                     || CASE WHEN a.attcollation <> b.typcollation
                                             THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END,
                                     ', ' ORDER BY a.attnum)
                   FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type b ON b.oid = a.atttypid
                   WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
    'range', (SELECT jsonb_build_object(
                  'subtype', pg_catalog.format_type(g.rngsubtype, NULL),
                  'operator_class', (SELECT o.opcname FROM pg_catalog.pg_opclass o WHERE o.oid = g.rngsubopc),
                  'collation', nullif(g.rngcollation, 0)::regcollation::text,
                  'canonical', nullif(g.rngcanonical::oid, 0)::regproc::text,
                  'difference', nullif(g.rngsubdiff::oid, 0)::regproc::text)
              FROM pg_catalog.pg_range g WHERE g.rngtypid = t.oid),
    'functions', CASE WHEN t.typtype = 'b' THEN concat_ws(', ', t.typinput, t.typoutput, t.typreceive, t.typsend) END,
    'storage', CASE WHEN t.typtype = 'b' THEN concat_ws(' ', t.typlen, t.typalign, t.typstorage) END,
    'owner', pg_catalog.pg_get_userbyid(t.typowner),
    'grants', (SELECT string_agg(i::text, E'\n' ORDER BY i::text COLLATE "C")
               FROM unnest(coalesce(t.typacl, pg_catalog.acldefault('T', t.typowner))) i))::text
FROM pg_catalog.pg_type t
JOIN space s ON s.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
WHERE (t.typrelid = 0 OR c.relkind = 'c')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
  AND (t.oid, 'pg_catalog.pg_type'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
