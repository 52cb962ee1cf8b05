-- Row security policies.
SELECT 'policy', r.name || '.' || replace(replace(p.polname, '\', '\\'), '.', '\.'), jsonb_build_object(
    'command', CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                             ELSE 'ALL' END,
    'permissive', p.polpermissive,
    'roles', (SELECT string_agg(CASE o WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(o) END, ', '
                                ORDER BY CASE o WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(o) END COLLATE "C")
              FROM unnest(p.polroles) o),
    'using', pg_catalog.pg_get_expr(p.polqual, p.polrelid),
    'check', pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))::text
FROM relation r
JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid
