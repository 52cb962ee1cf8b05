-- Triggers of tables and views, rules, event triggers.
SELECT 'trigger', r.name || '.' || replace(replace(g.tgname, '\', '\\'), '.', '\.'), jsonb_build_object(
    'definition', pg_catalog.pg_get_triggerdef(g.oid),
    'enabled', CASE g.tgenabled WHEN 'O' THEN 'yes' WHEN 'D' THEN 'no' WHEN 'R' THEN 'replica only' ELSE 'always' END)::text
FROM relation r
JOIN pg_catalog.pg_trigger g ON g.tgrelid = r.oid AND NOT g.tgisinternal
UNION ALL
SELECT 'rule', r.name || '.' || replace(replace(w.rulename, '\', '\\'), '.', '\.'), jsonb_build_object(
    'definition', pg_catalog.pg_get_ruledef(w.oid),
    'enabled', CASE w.ev_enabled WHEN 'O' THEN 'yes' WHEN 'D' THEN 'no' WHEN 'R' THEN 'replica only' ELSE 'always' END)::text
FROM relation r
JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
UNION ALL
SELECT 'event_trigger', e.evtname, jsonb_build_object(
    'event', e.evtevent,
    'tags', (SELECT string_agg(t, ', ' ORDER BY t COLLATE "C") FROM unnest(e.evttags) t),
    'function', e.evtfoid::regprocedure::text,
    'enabled', CASE e.evtenabled WHEN 'O' THEN 'yes' WHEN 'D' THEN 'no' WHEN 'R' THEN 'replica only' ELSE 'always' END,
    'owner', pg_catalog.pg_get_userbyid(e.evtowner))::text
FROM pg_catalog.pg_event_trigger e
WHERE (e.oid, 'pg_catalog.pg_event_trigger'::regclass::oid) NOT IN (SELECT m.objid, m.classid FROM member m)
