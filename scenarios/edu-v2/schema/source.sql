-- The legacy database of a university: 355 tables, integer keys, and no foreign key. 49 tables are modelled; 306 are made at the
-- end, in six families of 51.

-- What is migrated.

CREATE TABLE users (
    id integer PRIMARY KEY, username varchar(64) NOT NULL, email varchar(120), password_hash varchar(120) NOT NULL,
    kind varchar(8) NOT NULL, active smallint NOT NULL, last_login timestamp, created timestamp NOT NULL);
CREATE TABLE persons (
    id integer PRIMARY KEY, user_id integer NOT NULL, first_name varchar(80) NOT NULL, last_name varchar(80) NOT NULL,
    middle_name varchar(80), birth_date date, gender varchar(1), phone varchar(40));
CREATE TABLE students (
    id integer PRIMARY KEY, person_id integer NOT NULL, student_number varchar(20) NOT NULL, organization_id integer,
    status smallint NOT NULL, gpa numeric(4,2), enrolled_on date);
CREATE TABLE teachers (
    id integer PRIMARY KEY, person_id integer NOT NULL, position varchar(60), degree varchar(40), hired_on date,
    salary numeric(10,2));
CREATE TABLE organizations (
    id integer PRIMARY KEY, parent_id integer, type smallint NOT NULL, code varchar(20) NOT NULL, name_az varchar(200),
    name_ru varchar(200), name_en varchar(200), active smallint NOT NULL);
CREATE TABLE courses (
    id integer PRIMARY KEY, code varchar(20) NOT NULL, name_az varchar(200), name_ru varchar(200), name_en varchar(200),
    credits smallint NOT NULL, teacher_id integer, year smallint NOT NULL, season smallint NOT NULL,
    section varchar(10) NOT NULL, capacity integer);
CREATE TABLE assessments (
    id integer PRIMARY KEY, course_id integer NOT NULL, kind varchar(12) NOT NULL, title varchar(120),
    max_points numeric(5,2) NOT NULL, held_on date);
CREATE TABLE enrollments (
    id integer PRIMARY KEY, student_id integer NOT NULL, course_id integer NOT NULL, enrolled_on date NOT NULL,
    letter varchar(2), status smallint NOT NULL);
CREATE INDEX enrollments_student ON enrollments (student_id);
CREATE TABLE grades (
    id integer PRIMARY KEY, enrollment_id integer NOT NULL, assessment_id integer NOT NULL, points numeric(6,2) NOT NULL,
    graded_at timestamp NOT NULL, note varchar(100));
CREATE INDEX grades_enrollment ON grades (enrollment_id);

-- What is left behind: the system's own tables, lists, programmes and terms.

CREATE TABLE sys_roles (id integer PRIMARY KEY, name varchar(40) NOT NULL, description text);
CREATE TABLE sys_user_roles (id integer PRIMARY KEY, user_id integer NOT NULL, role_id integer, given timestamp);
CREATE TABLE sys_permissions (id integer PRIMARY KEY, role_id integer, module varchar(40), may_write boolean);
CREATE TABLE sys_settings (name varchar(80) PRIMARY KEY, value text, changed timestamp);
CREATE TABLE ref_countries (id integer PRIMARY KEY, code char(2), name varchar(80));
CREATE TABLE ref_languages (id integer PRIMARY KEY, code char(2), name varchar(80));
CREATE TABLE ref_org_types (id smallint PRIMARY KEY, name varchar(40));
CREATE TABLE ref_statuses (id smallint PRIMARY KEY, name varchar(40));
CREATE TABLE ref_grade_scale (letter varchar(2) PRIMARY KEY, lowest numeric(5,2), highest numeric(5,2));
CREATE TABLE edu_programmes (id integer PRIMARY KEY, organization_id integer, code varchar(20), title varchar(200), years smallint);
CREATE TABLE edu_curricula (id integer PRIMARY KEY, programme_id integer, year smallint, approved_on date);
CREATE TABLE edu_curriculum_items (
    id integer PRIMARY KEY, curriculum_id integer, course_code varchar(20), credits smallint, is_elective boolean);
CREATE TABLE edu_years (id integer PRIMARY KEY, name varchar(9), starts date, ends date);
CREATE TABLE edu_terms (id integer PRIMARY KEY, year_id integer, season smallint, starts date, ends date);
CREATE TABLE edu_groups (id integer PRIMARY KEY, programme_id integer, name varchar(40), curator_id integer);
CREATE TABLE edu_group_members (id integer PRIMARY KEY, group_id integer, student_id integer, since date);

-- Timetable, attendance, examinations.

CREATE TABLE tt_rooms (id integer PRIMARY KEY, building varchar(40), name varchar(20), seats smallint);
CREATE TABLE tt_slots (id integer PRIMARY KEY, weekday smallint, begins time, ends time);
CREATE TABLE tt_lessons (id integer PRIMARY KEY, course_id integer, room_id integer, slot_id integer, weeks bit varying(20));
CREATE TABLE att_sessions (id integer PRIMARY KEY, course_id integer, held_on date, topic varchar(200));
CREATE TABLE att_marks (id integer PRIMARY KEY, session_id integer, student_id integer, mark char(1), minutes_late smallint);
CREATE TABLE ex_sessions (id integer PRIMARY KEY, year_id integer, name varchar(80), starts date, ends date);
CREATE TABLE ex_results (id integer PRIMARY KEY, session_id integer, student_id integer, course_id integer, points numeric(5,2));

-- Money, personnel, messages, files, library, logs.

CREATE TABLE fin_contracts (id integer PRIMARY KEY, student_id integer, number varchar(30), amount numeric(12,2), signed_on date);
CREATE TABLE fin_invoices (id integer PRIMARY KEY, contract_id integer, due_on date, amount numeric(12,2));
CREATE TABLE fin_payments (id integer PRIMARY KEY, invoice_id integer, paid_at timestamptz, amount numeric(12,2), receipt uuid);
CREATE TABLE fin_scholarships (id integer PRIMARY KEY, student_id integer, kind varchar(40), monthly numeric(8,2));
CREATE TABLE hr_positions (id integer PRIMARY KEY, title varchar(80), grade smallint);
CREATE TABLE hr_contracts (id integer PRIMARY KEY, teacher_id integer, position_id integer, starts date, rate real);
CREATE TABLE msg_threads (id integer PRIMARY KEY, subject varchar(200), opened timestamp);
CREATE TABLE msg_messages (id integer PRIMARY KEY, thread_id integer, sender_id integer, body text, sent timestamp);
CREATE TABLE msg_recipients (id integer PRIMARY KEY, message_id integer, user_id integer, read_at timestamp);
CREATE TABLE msg_notifications (id integer PRIMARY KEY, user_id integer, payload json, seen boolean);
CREATE TABLE doc_files (id integer PRIMARY KEY, owner_id integer, file_name varchar(200), mime varchar(80), content bytea);
CREATE TABLE doc_links (id integer PRIMARY KEY, file_id integer, entity varchar(40), entity_id integer);
CREATE TABLE lib_books (id integer PRIMARY KEY, isbn varchar(20), title varchar(200), authors text[]);
CREATE TABLE lib_loans (id integer PRIMARY KEY, book_id integer, person_id integer, lent date, returned date);
CREATE TABLE log_logins (id integer PRIMARY KEY, user_id integer, at timestamp, ip inet, user_agent text);
CREATE TABLE log_changes (id integer PRIMARY KEY, user_id integer, entity varchar(40), entity_id integer, change jsonb);
CREATE TABLE log_errors (id integer PRIMARY KEY, at timestamp, level varchar(10), message text);

-- What grew around it: archives, imports, reports, surveys, copies and counters, 51 of each. Families differ in their types,
-- tables of a family in their rows (none in every seventeenth) and, every third one, in an index.

DO $$
DECLARE
    family record;
    name text;
BEGIN
    FOR family IN SELECT * FROM (VALUES
        ('arc_grades', 'student integer, course varchar(20), points numeric(5,2), at timestamp',
            'i, ''C'' || i % 40, i % 101, timestamp ''2014-09-01'' + i * interval ''7 hours'''),
        ('imp_rows', 'line integer, raw text, is_done boolean, problem varchar(80)',
            'i, repeat(''x'', i % 90), i % 3 = 0, CASE WHEN i % 5 = 0 THEN ''bad line'' END'),
        ('rpt_totals', 'day date, key varchar(30), total bigint, share double precision',
            'date ''2015-01-01'' + i, ''k'' || i % 9, i::bigint * 1000003, i / 7.0'),
        ('srv_answers', 'respondent uuid, answers jsonb, score smallint, sent timestamptz',
            'md5(i::text)::uuid, jsonb_build_object(''q1'', i % 5, ''q2'', NULL), i % 11, to_timestamp(1500000000 + i * 60)'),
        ('old_files', 'name varchar(60), digest char(32), content bytea, size integer',
            '''f'' || i || ''.pdf'', md5(i::text), decode(md5(i::text), ''hex''), i * 17'),
        ('cnt_visits', 'page varchar(60), from_ip inet, visits integer[], last interval',
            '''/p/'' || i % 12, (''10.0.'' || i % 200 || ''.1'')::inet, ARRAY[i, i % 7, NULL], i * interval ''1 minute''')
        ) AS families (prefix, columns, made)
    LOOP
        FOR number IN 1..51 LOOP
            name := format('%s_%s', family.prefix, to_char(number, 'FM00'));
            EXECUTE format('CREATE TABLE %I (id integer PRIMARY KEY, %s)', name, family.columns);
            EXECUTE format('INSERT INTO %I SELECT i, %s FROM generate_series(1, %s) AS i',
                name, family.made, number % 17 * 3);
            IF number % 3 = 0 THEN
                EXECUTE format('CREATE INDEX ON %I (%I)', name, split_part(family.columns, ' ', 1));
            END IF;
        END LOOP;
    END LOOP;
END
$$;
