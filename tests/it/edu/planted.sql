-- Faults in a migration that is right otherwise: `verify.sql` has to end at each of them for the stated reason. What is planted is
-- taken back before the next.
DO $planted$
DECLARE
    one record;
    said text;
BEGIN
    FOR one IN SELECT * FROM (VALUES
        ($$UPDATE organization_units SET parent_id = id WHERE id = (SELECT id FROM organization_units WHERE type = 'department' LIMIT 1)$$,
            'units are in a cycle'),
        ($$UPDATE organization_units o SET parent_id = p.id FROM organization_units p
           WHERE 'university' NOT IN (o.type, p.type) AND o.id <> p.id$$,
            'units are in a cycle'),
        ($$UPDATE organization_units SET parent_id = NULL WHERE id = (SELECT id FROM organization_units WHERE type = 'faculty' LIMIT 1)$$,
            'the tree of units has not one root'),
        ($$ALTER TABLE students DISABLE TRIGGER students_change;
           UPDATE students SET program_id = (SELECT id FROM organization_units WHERE type = 'university')$$,
            'a student studies at what is no program'),
        ($$INSERT INTO academic_terms VALUES (gen_random_uuid(), '2019/2020', 'fall', '2019-09-15', '2020-01-20', false)$$,
            'there are not twelve terms'),
        ($$UPDATE persons SET phone = phone WHERE id = (SELECT id FROM persons LIMIT 1)$$, 'the migration left traces in the audit log'),
        -- What each role sees.
        ($$ALTER POLICY own ON users USING (true)$$, 'a student sees more than one person'),
        ($$ALTER TABLE persons DISABLE ROW LEVEL SECURITY$$, 'a student sees more than one person'),
        ($$ALTER POLICY related ON grades USING (true)$$, 'a student has '),
        ($$ALTER POLICY related ON persons USING (current_user_id() IS NULL OR user_id = current_user_id()
               OR user_id IN (SELECT s.user_id FROM students s))$$, 'whoever has not signed in sees rows'),
        ($$GRANT UPDATE ON grades TO edu_student$$, 'a student can change grades'),
        ($$GRANT SELECT ON audit_log TO edu_student$$, 'a student can read the audit log'),
        ($$GRANT SELECT ON staff_members TO edu_student$$, 'a student can read salaries'),
        ($$REVOKE SELECT (position) ON staff_members FROM edu_student$$, 'permission denied for table staff_members'),
        ($$ALTER POLICY taught ON course_enrollments USING (true)$$, 'a teacher gave '),
        ($$ALTER POLICY taught ON students USING (true)$$, 'a teacher has '),
        ($$DROP POLICY related ON persons; CREATE POLICY related ON persons TO edu_student USING (user_id = current_user_id());
           CREATE POLICY taught ON persons TO edu_teacher USING (true)$$, 'a teacher sees '),
        ($$GRANT SELECT (salary) ON staff_members TO edu_teacher$$, 'a teacher can read salaries'),
        ($$DROP POLICY everything ON student_programs$$, 'an administrator sees 0 of '),
        ($$ALTER POLICY everything ON persons USING (gender = 'female')$$, 'rows of persons'),
        -- The trail: without a trigger, and without one of its events.
        ($$DROP TRIGGER users_change ON users$$, 'a row of users left the traces: none'),
        ($$ALTER TABLE persons DISABLE TRIGGER persons_change$$, 'a row of persons left the traces: none'),
        ($$DROP TRIGGER students_change ON students$$, 'a row of students left the traces: none'),
        ($$DROP TRIGGER enrollments_change ON course_enrollments$$, 'a row of course_enrollments left the traces: none'),
        ($$DROP TRIGGER staff_change ON staff_members;
           CREATE TRIGGER staff_change AFTER INSERT OR UPDATE ON staff_members FOR EACH ROW EXECUTE FUNCTION note_change()$$,
            'a row of staff_members left the traces: INSERT UPDATE'),
        ($$DROP TRIGGER grades_change ON grades;
           CREATE TRIGGER grades_change AFTER INSERT OR DELETE ON grades FOR EACH ROW EXECUTE FUNCTION note_change()$$,
            'which left 0 traces'),
        ($$DROP TRIGGER grades_change ON grades;
           CREATE TRIGGER grades_change AFTER UPDATE ON grades FOR EACH ROW EXECUTE FUNCTION note_change()$$,
            'a row of grades left the traces: UPDATE')) AS planted (fault, expected)
    LOOP
        said := NULL;
        BEGIN
            EXECUTE one.fault;
            EXECUTE $verify${verify}$verify$;
            said := 'nothing';
            RAISE EXCEPTION 'taken back';
        EXCEPTION WHEN OTHERS THEN
            said := coalesce(said, SQLERRM);
        END;
        IF position(one.expected IN said) = 0 THEN
            RAISE EXCEPTION 'after % verify says %, and not %', one.fault, said, one.expected;
        END IF;
    END LOOP;
END $planted$;
