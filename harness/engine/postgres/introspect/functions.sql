-- Functions, procedures and aggregates, named with the types of their arguments.
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
       s.prefix || replace(replace(p.proname, '\', '\\'), '.', '\.') || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')',
       jsonb_build_object(
    'definition', CASE WHEN p.prokind <> 'a' THEN pg_catalog.pg_get_functiondef(p.oid) END,
    'arguments', CASE WHEN p.prokind = 'a' THEN pg_catalog.pg_get_function_arguments(p.oid) END,
    'result', CASE WHEN p.prokind = 'a' THEN pg_catalog.pg_get_function_result(p.oid) END,
    'aggregate', (SELECT jsonb_build_object(
                      'kind', a.aggkind, 'direct_arguments', a.aggnumdirectargs,
                      'transition', a.aggtransfn::regprocedure::text, 'state', pg_catalog.format_type(a.aggtranstype, NULL),
                      'initial', a.agginitval, 'final', nullif(a.aggfinalfn::oid, 0)::regprocedure::text,
                      'final_extra', a.aggfinalextra, 'final_modify', a.aggfinalmodify,
                      'combine', nullif(a.aggcombinefn::oid, 0)::regprocedure::text,
                      'serialise', nullif(a.aggserialfn::oid, 0)::regprocedure::text,
                      'deserialise', nullif(a.aggdeserialfn::oid, 0)::regprocedure::text,
                      'moving_transition', nullif(a.aggmtransfn::oid, 0)::regprocedure::text,
                      'moving_inverse', nullif(a.aggminvtransfn::oid, 0)::regprocedure::text,
                      'moving_final', nullif(a.aggmfinalfn::oid, 0)::regprocedure::text,
                      'moving_initial', a.aggminitval, 'sort_operator', nullif(a.aggsortop, 0)::regoperator::text)
                  FROM pg_catalog.pg_aggregate a WHERE a.aggfnoid = p.oid),
    'parallel', CASE WHEN p.prokind = 'a' THEN p.proparallel::text END,
    'owner', pg_catalog.pg_get_userbyid(p.proowner),
    'grants', (SELECT string_agg(i::text, E'\n' ORDER BY i::text COLLATE "C")
               FROM unnest(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) i))::text
FROM pg_catalog.pg_proc p
JOIN space s ON s.oid = p.pronamespace
WHERE (p.oid, 'pg_catalog.pg_proc'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
