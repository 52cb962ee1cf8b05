-- What users taught the server: collations, casts, operators, operator classes and families, conversions, languages,
-- transforms, access methods. OIDs below 16384 are built in.
-- A collation that was copied from another is for every encoding, and one restored from a dump for the database's own:
-- there is no difference in what it does.
SELECT 'collation', s.prefix || c.collname || CASE WHEN c.collencoding IN (-1, (SELECT d.encoding FROM pg_catalog.pg_database d WHERE d.datname = current_database())) THEN '' ELSE ' for ' || pg_catalog.pg_encoding_to_char(c.collencoding) END,
       (jsonb_build_object('owner', pg_catalog.pg_get_userbyid(c.collowner))
        || jsonb_build_object(
            'provider', c.collprovider, 'deterministic', c.collisdeterministic, 'collate', to_jsonb(c) ->> 'collcollate',
            'ctype', to_jsonb(c) ->> 'collctype', 'rules', to_jsonb(c) ->> 'collicurules', 'version', c.collversion,
            'locale', coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale')))::text
FROM pg_catalog.pg_collation c
JOIN space s ON s.oid = c.collnamespace
WHERE (c.oid, 'pg_catalog.pg_collation'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
UNION ALL
SELECT 'cast', pg_catalog.format_type(c.castsource, NULL) || ' as ' || pg_catalog.format_type(c.casttarget, NULL),
       jsonb_build_object('function', nullif(c.castfunc, 0)::regprocedure::text, 'context', c.castcontext,
                          'method', c.castmethod)::text
FROM pg_catalog.pg_cast c
WHERE c.oid >= 16384 AND (c.oid, 'pg_catalog.pg_cast'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
UNION ALL
SELECT 'operator', o.oid::regoperator::text, jsonb_build_object(
    'function', o.oprcode::regprocedure::text, 'result', pg_catalog.format_type(o.oprresult, NULL),
    'commutator', nullif(o.oprcom, 0)::regoperator::text, 'negator', nullif(o.oprnegate, 0)::regoperator::text,
    'restrict', nullif(o.oprrest::oid, 0)::regproc::text, 'join', nullif(o.oprjoin::oid, 0)::regproc::text,
    'merges', o.oprcanmerge, 'hashes', o.oprcanhash, 'owner', pg_catalog.pg_get_userbyid(o.oprowner))::text
FROM pg_catalog.pg_operator o
JOIN space s ON s.oid = o.oprnamespace
WHERE (o.oid, 'pg_catalog.pg_operator'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
UNION ALL
SELECT 'operator_class', s.prefix || o.opcname || ' using ' || a.amname, jsonb_build_object(
    'family', f.opfname, 'type', pg_catalog.format_type(o.opcintype, NULL), 'default', o.opcdefault,
    'storage', nullif(o.opckeytype, 0)::regtype::text, 'owner', pg_catalog.pg_get_userbyid(o.opcowner))::text
FROM pg_catalog.pg_opclass o
JOIN space s ON s.oid = o.opcnamespace
JOIN pg_catalog.pg_am a ON a.oid = o.opcmethod
JOIN pg_catalog.pg_opfamily f ON f.oid = o.opcfamily
WHERE (o.oid, 'pg_catalog.pg_opclass'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
UNION ALL
SELECT 'operator_family', s.prefix || f.opfname || ' using ' || a.amname, jsonb_build_object(
    'operators', (SELECT string_agg(x.amopstrategy || ' ' || x.amopopr::regoperator, ', ' ORDER BY x.amopstrategy, x.amopopr::regoperator::text)
                  FROM pg_catalog.pg_amop x WHERE x.amopfamily = f.oid),
    'functions', (SELECT string_agg(x.amprocnum || ' ' || x.amproc::regprocedure, ', ' ORDER BY x.amprocnum, x.amproc::regprocedure::text)
                  FROM pg_catalog.pg_amproc x WHERE x.amprocfamily = f.oid),
    'owner', pg_catalog.pg_get_userbyid(f.opfowner))::text
FROM pg_catalog.pg_opfamily f
JOIN space s ON s.oid = f.opfnamespace
JOIN pg_catalog.pg_am a ON a.oid = f.opfmethod
WHERE (f.oid, 'pg_catalog.pg_opfamily'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
UNION ALL
SELECT 'conversion', s.prefix || c.conname, jsonb_build_object(
    'from', pg_catalog.pg_encoding_to_char(c.conforencoding), 'to', pg_catalog.pg_encoding_to_char(c.contoencoding),
    'function', c.conproc::regproc::text, 'default', c.condefault, 'owner', pg_catalog.pg_get_userbyid(c.conowner))::text
FROM pg_catalog.pg_conversion c
JOIN space s ON s.oid = c.connamespace
WHERE (c.oid, 'pg_catalog.pg_conversion'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
UNION ALL
SELECT 'language', l.lanname, jsonb_build_object(
    'trusted', l.lanpltrusted, 'handler', nullif(l.lanplcallfoid, 0)::regproc::text, 'owner', pg_catalog.pg_get_userbyid(l.lanowner),
    'grants', (SELECT string_agg(i::text, E'\n' ORDER BY i::text COLLATE "C")
               FROM unnest(coalesce(l.lanacl, pg_catalog.acldefault('l', l.lanowner))) i))::text
FROM pg_catalog.pg_language l
WHERE l.oid >= 16384 AND (l.oid, 'pg_catalog.pg_language'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
UNION ALL
SELECT 'transform', pg_catalog.format_type(t.trftype, NULL) || ' for ' || l.lanname, jsonb_build_object(
    'from_sql', nullif(t.trffromsql::oid, 0)::regprocedure::text, 'to_sql', nullif(t.trftosql::oid, 0)::regprocedure::text)::text
FROM pg_catalog.pg_transform t
JOIN pg_catalog.pg_language l ON l.oid = t.trflang
WHERE (t.oid, 'pg_catalog.pg_transform'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
UNION ALL
SELECT 'access_method', a.amname, jsonb_build_object('kind', a.amtype, 'handler', a.amhandler::regproc::text)::text
FROM pg_catalog.pg_am a
WHERE a.oid >= 16384 AND (a.oid, 'pg_catalog.pg_am'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
