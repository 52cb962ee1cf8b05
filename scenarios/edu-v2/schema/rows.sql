-- Behind the dataset: what no generator makes, and exact numbers of what is wrong in such a database. Whatever the scale, these
-- numbers stay. Rows that get repaired are among those of the dataset; rows that get rejected come on top.

-- The tree: one university, a faculty for each thirty units, departments, programs.

UPDATE organizations SET
    code = 'OU' || id,
    type = CASE WHEN id = 1 THEN 1 WHEN id <= 1 + ceil(n / 30.0) THEN 2 WHEN id <= 1 + ceil(n / 30.0) + ceil(n / 6.0) THEN 3 ELSE 4 END,
    parent_id = CASE WHEN id = 1 THEN NULL
        WHEN id <= 1 + ceil(n / 30.0) THEN 1
        WHEN id <= 1 + ceil(n / 30.0) + ceil(n / 6.0) THEN 2 + id % ceil(n / 30.0)::integer
        ELSE 2 + ceil(n / 30.0)::integer + id % ceil(n / 6.0)::integer END
FROM (SELECT count(*) AS n FROM organizations) AS units;
UPDATE students SET
    status = 1 + id % 4,
    organization_id = programs.ids[1 + id % cardinality(programs.ids)]
FROM (SELECT array_agg(id ORDER BY id) AS ids FROM organizations WHERE type = 4) AS programs;

-- Persons: users one by one; students come first, teachers behind them.

UPDATE users SET kind = CASE
    WHEN id <= (SELECT count(*) FROM students) THEN 'STUDENT'
    WHEN id <= (SELECT count(*) FROM students) + (SELECT count(*) FROM teachers) THEN 'TEACHER' ELSE 'ADMIN' END;
UPDATE teachers SET person_id = (SELECT count(*) FROM students) + id;

-- 6,020 courses are 1,234 that are held again and again, in twelve terms, by everybody who teaches.

UPDATE courses SET
    code = 'BBU' || to_char(1 + (id - 1) % masters, 'FM0000'),
    year = 2020 + id % 6, season = 1 + id / 6 % 2, section = 'S' || id,
    teacher_id = 1 + id % (SELECT count(*) FROM teachers)
FROM (SELECT greatest(1, round(count(*) * 1234 / 6020.0))::integer AS masters FROM courses) AS masters;

-- Repaired by a stated rule: 4 user names that somebody else had before, 5 empty addresses, 2 sign-ins and 6 births in the year 1,
-- 5 empty middle names, 7 genders that nobody knows, 2 empty degrees, 2 units under one that is gone, 2 students of a program that is gone, 3 courses of a teacher who is gone,
-- 3 units and 6 courses with three scripts in one column, 2 courses with a Russian name in the Azerbaijani one, 8 empty notes.

UPDATE users SET username = (SELECT o.username FROM users o WHERE o.id = 1 + users.id % 3) WHERE id IN (11, 12, 13, 14);
UPDATE users SET email = '' WHERE id BETWEEN 21 AND 25;
UPDATE users SET last_login = '0001-01-01' WHERE id IN (31, 32);
UPDATE persons SET birth_date = '0001-01-01' WHERE id BETWEEN 1 AND 6;
UPDATE persons SET middle_name = '' WHERE id BETWEEN 7 AND 11;
UPDATE persons SET gender = '?' WHERE id BETWEEN 12 AND 18;
UPDATE teachers SET degree = '' WHERE id IN (2, 3);
UPDATE organizations SET parent_id = 900000 + id WHERE id > (SELECT max(id) - 2 FROM organizations);
UPDATE students SET organization_id = 900000 + id WHERE id IN (5, 6);
UPDATE courses SET teacher_id = 900000 + id WHERE id IN (21, 22, 23);
UPDATE organizations SET name_az = 'İqtisadiyyat ' || id || ' / Экономика ' || id || ' / Economics ' || id, name_ru = '', name_en = NULL
WHERE id IN (2, 3, 4);
UPDATE courses SET name_az = 'Riyaziyyat ' || id || ' / Математика ' || id || ' / Mathematics ' || id, name_ru = NULL, name_en = ''
WHERE id BETWEEN 1 AND 6;
UPDATE courses SET name_az = 'Программирование ' || id, name_ru = NULL WHERE id IN (7, 8);
UPDATE grades SET note = '' WHERE id BETWEEN 1 AND 8;

-- Rejected by name: 39 rows. 3 persons of users who are gone; 2 students of persons who are gone, and 1 of a rejected person;
-- 1 teacher of a person who is gone; 2 assessments of courses that are gone; 5 enrollments of students and 4 of courses that are
-- gone, and 1 of a rejected student; 7 grades of enrollments and 5 of assessments that are gone, 2 of a rejected enrollment,
-- 1 of a rejected assessment, 3 below 0, 2 above 100.

INSERT INTO persons SELECT 1000000 + i, 900000 + i, 'Ghost', 'Person ' || i FROM generate_series(1, 3) AS i;
INSERT INTO students SELECT 1000000 + i, 900000 + i, 'X' || i, NULL, 1 FROM generate_series(1, 2) AS i;
INSERT INTO students VALUES (1000003, 1000001, 'X3', NULL, 1);
INSERT INTO teachers VALUES (1000001, 900000, 'Lecturer');
INSERT INTO assessments SELECT 1000000 + i, 900000 + i, 'QUIZ', 'Lost', 10 FROM generate_series(1, 2) AS i;
INSERT INTO enrollments SELECT 1000000 + i, 900000 + i, 1, '2021-09-15', NULL, 1 FROM generate_series(1, 5) AS i;
INSERT INTO enrollments SELECT 1000005 + i, 1, 900000 + i, '2021-09-15', NULL, 1 FROM generate_series(1, 4) AS i;
INSERT INTO enrollments VALUES (1000010, 1000003, 1, '2021-09-15', NULL, 1);
INSERT INTO grades SELECT 100000000 + i, 900000 + i, 1, 50, '2022-01-10' FROM generate_series(1, 7) AS i;
INSERT INTO grades SELECT 100000007 + i, 1, 900000 + i, 50, '2022-01-10' FROM generate_series(1, 5) AS i;
INSERT INTO grades SELECT 100000012 + i, 1000010, 1, 50, '2022-01-10' FROM generate_series(1, 2) AS i;
INSERT INTO grades VALUES (100000015, 1, 1000001, 50, '2022-01-10');
INSERT INTO grades SELECT 100000015 + i, 1, 1, -i, '2022-01-10' FROM generate_series(1, 3) AS i;
INSERT INTO grades SELECT 100000018 + i, 1, 1, 100 + i, '2022-01-10' FROM generate_series(1, 2) AS i;
