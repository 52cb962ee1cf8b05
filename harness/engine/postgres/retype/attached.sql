-- What hangs on a column and goes with it: class, name, how it goes where it does not go by itself, how it comes back,
-- how it is proven on the rows where it comes unproven; and of an index the name under which it is made beforehand, how it
-- was made, and how it is taken then.
-- Takes the table as regclass text and the column.
WITH this AS (
    SELECT a.attrelid, a.attnum, a.attname, a.attnotnull, a.attstattarget, a.attacl, a.attidentity,
        a.attrelid::regclass::text AS place
    FROM pg_attribute a WHERE a.attrelid = $1::regclass AND a.attname = $2
),
-- Indexes that hold the column, in a key, an expression or a predicate.
held AS (
    SELECT i.indexrelid, i.indrelid, i.indisclustered, i.indisreplident, k.oid AS key
    FROM this JOIN pg_index i ON i.indrelid = this.attrelid
    LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
    WHERE this.attnum = ANY (i.indkey::int2[]) OR EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
            AND d.refclassid = 'pg_class'::regclass AND d.refobjid = this.attrelid AND d.refobjsubid = this.attnum)
)
SELECT class, name, goes, comes, proves, made, makes, takes FROM (
    SELECT 1 AS turn, 'attribute' AS class, 'NOT NULL' AS name, NULL AS goes,
        format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', place, attname) AS comes,
        NULL AS proves, NULL AS made, NULL AS makes, NULL AS takes
    FROM this WHERE attnotnull
    UNION ALL
    SELECT 2, 'attribute', 'comment', NULL,
        format('COMMENT ON COLUMN %s.%I IS %L', place, attname, col_description(attrelid, attnum)), NULL, NULL, NULL, NULL
    FROM this WHERE col_description(attrelid, attnum) IS NOT NULL
    UNION ALL
    SELECT 3, 'attribute', 'statistics target', NULL,
        format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', place, attname, attstattarget), NULL, NULL, NULL, NULL
    FROM this WHERE coalesce(attstattarget, -1) <> -1
    UNION ALL
    SELECT 4, 'attribute', 'rights', NULL,
        format('GRANT %s (%I) ON %s TO %s%s', g.privilege_type, attname, place,
            CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
            CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), NULL, NULL, NULL, NULL
    FROM this CROSS JOIN LATERAL aclexplode(attacl) g
    UNION ALL
    SELECT 5, 'default', 'default', NULL, pg_get_expr(d.adbin, d.adrelid), NULL, NULL, NULL, NULL
    FROM this JOIN pg_attrdef d ON d.adrelid = this.attrelid AND d.adnum = this.attnum
    UNION ALL
    SELECT CASE k.contype WHEN 'p' THEN 6 WHEN 'u' THEN 7 ELSE 8 END, 'constraint', k.conname,
        format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', place, k.conname),
        format('ALTER TABLE %s ADD CONSTRAINT %I %s%s', place, k.conname, pg_get_constraintdef(k.oid),
            CASE WHEN k.contype = 'c' AND k.convalidated THEN ' NOT VALID' ELSE '' END) || said.comments,
        CASE WHEN k.contype = 'c' AND k.convalidated
            THEN format('ALTER TABLE %s VALIDATE CONSTRAINT %I', place, k.conname) END,
        said.made, CASE WHEN k.contype IN ('p', 'u') THEN pg_get_indexdef(k.conindid) END,
        format('ALTER TABLE %s ADD CONSTRAINT %I %s USING INDEX %I%s%s', place, k.conname,
            CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, said.made,
            CASE WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END,
            CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END) || said.comments
    FROM this JOIN pg_constraint k ON k.conrelid = this.attrelid AND this.attnum = ANY (k.conkey)
    CROSS JOIN LATERAL (SELECT 'made_' || left(md5(place || '.' || k.conname), 16) AS made,
        coalesce(format('; COMMENT ON CONSTRAINT %I ON %s IS ', k.conname, place)
                || quote_literal(obj_description(k.oid, 'pg_constraint')), '')
            || coalesce(format('; COMMENT ON INDEX %s IS ', k.conindid::regclass)
                || quote_literal(obj_description(nullif(k.conindid, 0), 'pg_class')), '') AS comments) said
    WHERE k.contype IN ('p', 'u', 'x', 'c')
    UNION ALL
    SELECT 9, 'index', h.indexrelid::regclass::text, format('DROP INDEX IF EXISTS %s', h.indexrelid::regclass),
        pg_get_indexdef(h.indexrelid) || said.comments, NULL, said.made, pg_get_indexdef(h.indexrelid),
        format('ALTER INDEX %I.%I RENAME TO %I', n.nspname, said.made, x.relname) || said.comments
    FROM held h JOIN pg_class x ON x.oid = h.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace
    CROSS JOIN LATERAL (SELECT 'made_' || left(md5(h.indrelid::regclass || '.' || x.relname), 16) AS made,
        coalesce(format('; COMMENT ON INDEX %s IS ', h.indexrelid::regclass)
                || quote_literal(obj_description(h.indexrelid, 'pg_class')), '') AS comments) said
    WHERE h.key IS NULL
    UNION ALL
    SELECT 10, 'index', 'CLUSTER', NULL, format('ALTER TABLE %s CLUSTER ON %I', h.indrelid::regclass, x.relname), NULL,
        NULL, NULL, NULL
    FROM held h JOIN pg_class x ON x.oid = h.indexrelid WHERE h.indisclustered
    UNION ALL
    SELECT 11, 'index', 'replica identity', NULL,
        format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', h.indrelid::regclass, x.relname), NULL,
        NULL, NULL, NULL
    FROM held h JOIN pg_class x ON x.oid = h.indexrelid WHERE h.indisreplident
    UNION ALL
    SELECT 12, 'index', s.stxname, format('DROP STATISTICS IF EXISTS %I.%I', n.nspname, s.stxname),
        pg_get_statisticsobjdef(s.oid)
            || format('; ALTER STATISTICS %I.%I OWNER TO %I', n.nspname, s.stxname, pg_get_userbyid(s.stxowner))
            || CASE WHEN coalesce((to_jsonb(s) ->> 'stxstattarget')::int, -1) <> -1
                THEN format('; ALTER STATISTICS %I.%I SET STATISTICS %s', n.nspname, s.stxname, to_jsonb(s) ->> 'stxstattarget')
                ELSE '' END
            || coalesce(format('; COMMENT ON STATISTICS %I.%I IS ', n.nspname, s.stxname)
                || quote_literal(obj_description(s.oid, 'pg_statistic_ext')), ''), NULL, NULL, NULL, NULL
    FROM this JOIN pg_statistic_ext s ON s.stxrelid = this.attrelid AND this.attnum = ANY (s.stxkeys::int2[])
    JOIN pg_namespace n ON n.oid = s.stxnamespace
    UNION ALL
    SELECT 13, 'counter', q.seqrelid::regclass::text,
        CASE d.deptype WHEN 'a' THEN format('ALTER SEQUENCE %s OWNED BY NONE', q.seqrelid::regclass) END,
        CASE d.deptype WHEN 'a' THEN format('ALTER SEQUENCE %s OWNED BY %s.%I', q.seqrelid::regclass, place, attname)
        ELSE format('ALTER TABLE %s ALTER COLUMN %I ADD GENERATED %s AS IDENTITY (SEQUENCE NAME %s START WITH %s '
                'INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s %s); SELECT pg_catalog.setval(%L, %s, %L)',
            place, attname, CASE attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, q.seqrelid::regclass,
            q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache, CASE WHEN q.seqcycle THEN 'CYCLE' ELSE '' END,
            q.seqrelid::regclass, coalesce(pg_sequence_last_value(q.seqrelid), q.seqstart),
            pg_sequence_last_value(q.seqrelid) IS NOT NULL)
        END, NULL, NULL, NULL, NULL
    FROM this JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = attrelid AND d.refobjsubid = attnum
        AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    JOIN pg_sequence q ON q.seqrelid = d.objid
    UNION ALL
    SELECT 14, 'reference', k.conname,
        format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', k.conrelid::regclass, k.conname),
        format('ALTER TABLE %s ADD CONSTRAINT %I %s%s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid),
            CASE WHEN k.convalidated THEN ' NOT VALID' ELSE '' END)
            || coalesce(format('; COMMENT ON CONSTRAINT %I ON %s IS ', k.conname, k.conrelid::regclass)
                || quote_literal(obj_description(k.oid, 'pg_constraint')), ''),
        CASE WHEN k.convalidated
            THEN format('ALTER TABLE %s VALIDATE CONSTRAINT %I', k.conrelid::regclass, k.conname) END, NULL, NULL, NULL
    FROM this JOIN pg_constraint k ON k.contype = 'f' AND k.conparentid = 0
        AND ((k.conrelid = this.attrelid AND this.attnum = ANY (k.conkey))
            OR (k.confrelid = this.attrelid AND this.attnum = ANY (k.confkey)))
) AS attached
ORDER BY turn, name
