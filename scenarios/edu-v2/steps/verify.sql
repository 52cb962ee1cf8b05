-- What no comparison of rows tells: the tree, who sees what, and that changes leave a trace. Whatever does not hold ends the
-- step, and with it the migration. Nothing is changed: what is tried is taken back in its own block.

SET LOCAL row_security = on;

DO $$
BEGIN
    IF (SELECT count(*) FROM organization_units WHERE parent_id IS NULL AND type = 'university') <> 1
        OR (SELECT count(*) FROM organization_units WHERE parent_id IS NULL) <> 1 THEN
        RAISE EXCEPTION 'the tree of units has not one root, the university';
    END IF;
    IF (WITH RECURSIVE tree AS (
            SELECT id FROM organization_units WHERE parent_id IS NULL
            UNION ALL SELECT u.id FROM organization_units u JOIN tree ON u.parent_id = tree.id)
        SELECT count(*) FROM tree) <> (SELECT count(*) FROM organization_units) THEN
        RAISE EXCEPTION 'units are in a cycle, and the university is not above them';
    END IF;
    IF EXISTS (SELECT FROM students s JOIN organization_units o ON o.id = s.program_id WHERE o.type <> 'program') THEN
        RAISE EXCEPTION 'a student studies at what is no program';
    END IF;
    IF (SELECT count(*) FROM academic_terms) <> 12 THEN
        RAISE EXCEPTION 'there are not twelve terms';
    END IF;
    IF EXISTS (SELECT FROM audit_log) THEN
        RAISE EXCEPTION 'the migration left traces in the audit log, which is for changes';
    END IF;
END $$;

-- As a student: the rows that are theirs, all of them, and no way to change one.
DO $$
DECLARE
    me uuid; mine bigint; seen bigint;
BEGIN
    SELECT s.user_id, count(*) INTO STRICT me, mine
    FROM grades g JOIN course_enrollments e ON e.id = g.enrollment_id JOIN students s ON s.id = e.student_id
    GROUP BY s.user_id ORDER BY 2 DESC, 1 LIMIT 1;
    PERFORM set_config('app.user_id', me::text, true), set_config('role', 'edu_student', true);
    SELECT count(*) INTO seen FROM grades;
    IF seen <> mine THEN RAISE EXCEPTION 'a student has % grades and sees %', mine, seen; END IF;
    IF (SELECT count(*) FROM users) <> 1 OR (SELECT count(*) FROM persons) <> 1 OR (SELECT count(*) FROM students) <> 1
        OR EXISTS (SELECT FROM users WHERE id <> me) OR EXISTS (SELECT FROM students WHERE user_id <> me) THEN
        RAISE EXCEPTION 'a student sees more than one person, or somebody else';
    END IF;
    BEGIN
        UPDATE grades SET points = 100;
        RAISE EXCEPTION 'a student can change grades';
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
    BEGIN
        PERFORM count(*) FROM audit_log;
        RAISE EXCEPTION 'a student can read the audit log';
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
    BEGIN
        PERFORM salary FROM staff_members;
        RAISE EXCEPTION 'a student can read salaries';
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
    IF NOT EXISTS (SELECT position FROM staff_members) THEN
        RAISE EXCEPTION 'a student sees nobody who teaches';
    END IF;
    PERFORM set_config('app.user_id', '', true);
    IF EXISTS (SELECT FROM grades) OR EXISTS (SELECT FROM persons) THEN
        RAISE EXCEPTION 'whoever has not signed in sees rows';
    END IF;
    PERFORM set_config('role', 'none', true);
END $$;

-- As a teacher: those whom they teach, and no others; what they change leaves a trace with their name.
DO $$
DECLARE
    me uuid; mine bigint; taught bigint; seen bigint; changed bigint; traces bigint;
    one uuid := gen_random_uuid();
    stranger jsonb := jsonb_build_object('id', one, 'user_id', one, 'username', one, 'student_number', left(one::text, 20));
BEGIN
    SELECT m.user_id, count(*) INTO STRICT me, mine
    FROM grades g JOIN course_enrollments e ON e.id = g.enrollment_id JOIN course_offerings o ON o.id = e.course_offering_id
    JOIN staff_members m ON m.id = o.instructor_id GROUP BY m.user_id ORDER BY 2 DESC, 1 LIMIT 1;
    SELECT count(DISTINCT e.student_id) INTO taught FROM course_enrollments e
    JOIN course_offerings o ON o.id = e.course_offering_id JOIN staff_members m ON m.id = o.instructor_id WHERE m.user_id = me;
    BEGIN
        -- Somebody whom nobody teaches.
        INSERT INTO users SELECT (jsonb_populate_record(NULL::users, to_jsonb(u) || stranger)).* FROM users u WHERE u.id = me;
        INSERT INTO persons SELECT (jsonb_populate_record(NULL::persons, to_jsonb(p) || stranger)).* FROM persons p LIMIT 1;
        INSERT INTO students SELECT (jsonb_populate_record(NULL::students, to_jsonb(s) || stranger)).* FROM students s LIMIT 1;
        PERFORM set_config('app.user_id', me::text, true), set_config('role', 'edu_teacher', true);
        SELECT count(*) INTO seen FROM grades;
        IF seen <> mine THEN RAISE EXCEPTION 'a teacher gave % grades and sees %', mine, seen; END IF;
        SELECT count(*) INTO seen FROM students;
        IF seen <> taught THEN RAISE EXCEPTION 'a teacher has % students and sees %', taught, seen; END IF;
        SELECT count(*) INTO seen FROM persons;
        IF seen <> taught + 1 THEN RAISE EXCEPTION 'a teacher sees % persons besides % students', seen, taught; END IF;
        BEGIN
            PERFORM salary FROM staff_members;
            RAISE EXCEPTION 'a teacher can read salaries';
        EXCEPTION WHEN insufficient_privilege THEN NULL;
        END;
        UPDATE grades SET note = 'seen' WHERE id IN (SELECT id FROM grades ORDER BY id LIMIT 3);
        GET DIAGNOSTICS changed = ROW_COUNT;
        PERFORM set_config('role', 'none', true);
        SELECT count(*) INTO traces FROM audit_log WHERE changed_by = me AND entity = 'grades' AND before <> after;
        IF changed = 0 OR traces <> changed THEN
            RAISE EXCEPTION 'a teacher changed % grades, which left % traces', changed, traces;
        END IF;
        RAISE EXCEPTION 'taken back' USING ERRCODE = 'ZZ001';
    EXCEPTION WHEN SQLSTATE 'ZZ001' THEN NULL;
    END;
    PERFORM set_config('role', 'none', true);
END $$;

-- As an administrator: everything; whatever becomes of people, of their courses and of grades leaves a trace each time.
DO $$
DECLARE
    me uuid := (SELECT id FROM users WHERE role = 'administrator' ORDER BY id LIMIT 1);
    entity text; all_rows bigint; seen bigint; traces text;
    -- Somebody who comes and goes: parents first, and what is changed of each.
    tried text[] := ARRAY[
        ['users', 'email = ''changed'''], ['persons', 'phone = ''changed'''], ['students', 'gpa = coalesce(gpa, 0) + 1'],
        ['staff_members', 'salary = coalesce(salary, 0) + 1'], ['course_enrollments', 'enrolled_on = enrolled_on + 1'],
        ['grades', 'note = ''changed''']];
    one uuid := gen_random_uuid();
    names jsonb := jsonb_build_object('id', one, 'user_id', one, 'username', one, 'student_number', left(one::text, 20));
BEGIN
    FOREACH entity IN ARRAY ARRAY['users', 'persons', 'students', 'staff_members', 'course_enrollments', 'grades',
        'student_programs'] LOOP
        PERFORM set_config('role', 'none', true);
        EXECUTE format('SELECT count(*) FROM %I', entity) INTO all_rows;
        PERFORM set_config('app.user_id', coalesce(me::text, ''), true), set_config('role', 'edu_admin', true);
        EXECUTE format('SELECT count(*) FROM %I', entity) INTO seen;
        IF seen <> all_rows THEN RAISE EXCEPTION 'an administrator sees % of % rows of %', seen, all_rows, entity; END IF;
    END LOOP;
    BEGIN
        FOR number IN 1 .. array_length(tried, 1) LOOP
            EXECUTE format('INSERT INTO %1$I SELECT (jsonb_populate_record(NULL::%1$I,
                (SELECT to_jsonb(t) FROM %1$I t LIMIT 1) || $1)).*', tried[number][1]) USING names;
            EXECUTE format('UPDATE %I SET %s WHERE id = $1', tried[number][1], tried[number][2]) USING one;
        END LOOP;
        FOR number IN REVERSE array_length(tried, 1) .. 1 LOOP
            EXECUTE format('DELETE FROM %I WHERE id = $1', tried[number][1]) USING one;
        END LOOP;
        FOR number IN 1 .. array_length(tried, 1) LOOP
            SELECT string_agg(l.action, ' ' ORDER BY l.id) INTO traces FROM audit_log l WHERE l.entity = tried[number][1]
                AND l.row_id = one AND l.changed_by IS NOT DISTINCT FROM me AND l.before IS DISTINCT FROM l.after;
            IF traces IS DISTINCT FROM 'INSERT UPDATE DELETE' THEN
                RAISE EXCEPTION 'a row of % left the traces: %', tried[number][1], coalesce(traces, 'none');
            END IF;
        END LOOP;
        RAISE EXCEPTION 'taken back' USING ERRCODE = 'ZZ001';
    EXCEPTION WHEN SQLSTATE 'ZZ001' THEN NULL;
    END;
    PERFORM set_config('role', 'none', true);
END $$;
