-- edu_v2: UUID keys, foreign keys, names in three languages, row security, an audit trail.

CREATE TABLE users (
    id uuid PRIMARY KEY, username varchar(80) NOT NULL UNIQUE, email varchar(120), password_hash varchar(120) NOT NULL,
    role text NOT NULL CHECK (role IN ('student', 'teacher', 'administrator')), is_active boolean NOT NULL,
    last_login_at timestamp, created_at timestamp NOT NULL);
CREATE TABLE persons (
    id uuid PRIMARY KEY, user_id uuid NOT NULL UNIQUE REFERENCES users (id), first_name varchar(80) NOT NULL,
    last_name varchar(80) NOT NULL, middle_name varchar(80), birth_date date CHECK (birth_date > '1900-01-01'),
    gender text CHECK (gender IN ('female', 'male')), phone varchar(40));
CREATE TABLE staff_members (
    id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES users (id), position jsonb NOT NULL, hired_on date,
    salary numeric(10,2));
CREATE TABLE organization_units (
    id uuid PRIMARY KEY, parent_id uuid REFERENCES organization_units (id),
    type text NOT NULL CHECK (type IN ('university', 'faculty', 'department', 'program')), code varchar(20) NOT NULL UNIQUE,
    name jsonb NOT NULL, is_active boolean NOT NULL);
CREATE INDEX organization_units_parent ON organization_units (parent_id);
CREATE TABLE students (
    id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES users (id), student_number varchar(20) NOT NULL UNIQUE,
    program_id uuid REFERENCES organization_units (id),
    status text NOT NULL CHECK (status IN ('active', 'on_leave', 'graduated', 'expelled')), gpa numeric(4,2),
    enrolled_on date);
CREATE INDEX students_user ON students (user_id);
-- Who studies what; filled when both are there, and the place from which students get their program.
CREATE TABLE student_programs (
    student_id uuid PRIMARY KEY REFERENCES students (id), program_id uuid REFERENCES organization_units (id));
CREATE TABLE academic_terms (
    id uuid PRIMARY KEY, academic_year char(9) NOT NULL, term_type text NOT NULL CHECK (term_type IN ('fall', 'spring')),
    starts_on date NOT NULL, ends_on date NOT NULL CHECK (ends_on > starts_on), is_current boolean NOT NULL,
    UNIQUE (academic_year, term_type));
CREATE TABLE courses (
    id uuid PRIMARY KEY, code varchar(20) NOT NULL UNIQUE, name jsonb NOT NULL, credit_hours smallint NOT NULL);
CREATE TABLE course_offerings (
    id uuid PRIMARY KEY, course_id uuid NOT NULL REFERENCES courses (id),
    academic_term_id uuid NOT NULL REFERENCES academic_terms (id), instructor_id uuid REFERENCES staff_members (id),
    section_code varchar(10) NOT NULL, capacity integer);
CREATE INDEX course_offerings_instructor ON course_offerings (instructor_id);
CREATE TABLE assessments (
    id uuid PRIMARY KEY, course_offering_id uuid NOT NULL REFERENCES course_offerings (id),
    kind text NOT NULL CHECK (kind IN ('quiz', 'midterm', 'final', 'laboratory')), title varchar(120),
    max_points numeric(5,2) NOT NULL, held_on date);
CREATE TABLE course_enrollments (
    id uuid PRIMARY KEY, student_id uuid NOT NULL REFERENCES students (id),
    course_offering_id uuid NOT NULL REFERENCES course_offerings (id), enrolled_on date NOT NULL, grade varchar(2),
    enrollment_status text NOT NULL CHECK (enrollment_status IN ('enrolled', 'completed', 'withdrawn')));
CREATE INDEX course_enrollments_student ON course_enrollments (student_id);
CREATE INDEX course_enrollments_offering ON course_enrollments (course_offering_id);
CREATE TABLE grades (
    id uuid PRIMARY KEY, enrollment_id uuid NOT NULL REFERENCES course_enrollments (id),
    assessment_id uuid NOT NULL REFERENCES assessments (id), points numeric(5,2) NOT NULL CHECK (points BETWEEN 0 AND 100),
    graded_at timestamp NOT NULL, note varchar(100));
CREATE INDEX grades_enrollment ON grades (enrollment_id);

-- Every change to people and grades leaves a row.

CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, entity text NOT NULL, row_id uuid NOT NULL, action text NOT NULL,
    changed_by uuid, changed_at timestamptz NOT NULL DEFAULT now(), before jsonb, after jsonb);

CREATE FUNCTION current_user_id() RETURNS uuid LANGUAGE sql STABLE
    AS $$ SELECT nullif(current_setting('app.user_id', true), '')::uuid $$;

CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    INSERT INTO audit_log (entity, row_id, action, changed_by, before, after) VALUES (
        TG_TABLE_NAME, CASE WHEN TG_OP = 'DELETE' THEN OLD.id ELSE NEW.id END, TG_OP, current_user_id(),
        CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
    RETURN NULL;
END $$;

CREATE TRIGGER users_change AFTER INSERT OR UPDATE OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER persons_change AFTER INSERT OR UPDATE OR DELETE ON persons FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER students_change AFTER INSERT OR UPDATE OR DELETE ON students FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER staff_change AFTER INSERT OR UPDATE OR DELETE ON staff_members FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER enrollments_change AFTER INSERT OR UPDATE OR DELETE ON course_enrollments
    FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE TRIGGER grades_change AFTER INSERT OR UPDATE OR DELETE ON grades FOR EACH ROW EXECUTE FUNCTION note_change();

-- Who sees what: students what is theirs, teachers whom they teach, administrators everything.

DO $$
BEGIN
    IF to_regrole('edu_student') IS NULL THEN CREATE ROLE edu_student; END IF;
    IF to_regrole('edu_teacher') IS NULL THEN CREATE ROLE edu_teacher; END IF;
    IF to_regrole('edu_admin') IS NULL THEN CREATE ROLE edu_admin; END IF;
END $$;

GRANT SELECT ON users, persons, students, organization_units, student_programs, academic_terms, courses, course_offerings,
    assessments, course_enrollments, grades TO edu_student, edu_teacher, edu_admin;
-- Who teaches is for everybody, and what they earn is not.
GRANT SELECT (id, user_id, position, hired_on) ON staff_members TO edu_student, edu_teacher;
GRANT SELECT ON staff_members TO edu_admin;
GRANT UPDATE (points, note) ON grades TO edu_teacher;
GRANT INSERT, UPDATE, DELETE ON users, persons, students, staff_members, course_enrollments, grades TO edu_admin;
GRANT SELECT ON audit_log TO edu_admin;

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE persons ENABLE ROW LEVEL SECURITY;
ALTER TABLE students ENABLE ROW LEVEL SECURITY;
ALTER TABLE student_programs ENABLE ROW LEVEL SECURITY;
ALTER TABLE course_enrollments ENABLE ROW LEVEL SECURITY;
ALTER TABLE grades ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;

CREATE POLICY own ON users TO edu_student, edu_teacher USING (id = current_user_id());
CREATE POLICY own ON students TO edu_student USING (user_id = current_user_id());
CREATE POLICY own ON course_enrollments TO edu_student USING (student_id IN (SELECT s.id FROM students s));
CREATE POLICY taught ON course_enrollments TO edu_teacher USING (course_offering_id IN (
    SELECT o.id FROM course_offerings o JOIN staff_members m ON m.id = o.instructor_id WHERE m.user_id = current_user_id()));
CREATE POLICY taught ON students TO edu_teacher USING (id IN (SELECT e.student_id FROM course_enrollments e));
CREATE POLICY related ON persons TO edu_student, edu_teacher
    USING (user_id = current_user_id() OR user_id IN (SELECT s.user_id FROM students s));
CREATE POLICY related ON student_programs TO edu_student, edu_teacher USING (student_id IN (SELECT s.id FROM students s));
CREATE POLICY related ON grades TO edu_student, edu_teacher USING (enrollment_id IN (SELECT e.id FROM course_enrollments e));

CREATE POLICY everything ON users TO edu_admin USING (true);
CREATE POLICY everything ON persons TO edu_admin USING (true);
CREATE POLICY everything ON students TO edu_admin USING (true);
CREATE POLICY everything ON student_programs TO edu_admin USING (true);
CREATE POLICY everything ON course_enrollments TO edu_admin USING (true);
CREATE POLICY everything ON grades TO edu_admin USING (true);
CREATE POLICY everything ON audit_log TO edu_admin USING (true);
