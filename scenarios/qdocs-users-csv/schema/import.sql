-- Where users from a file are taken apart before they become users, and what is kept about that.

CREATE TABLE users_import (
    line integer PRIMARY KEY,
    username varchar(100),
    email varchar(255),
    full_name varchar(255),
    role_name varchar(50),
    department varchar(100),
    is_active boolean
);

CREATE TABLE users_import_rejects (
    file varchar(255) NOT NULL,
    line integer NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (file, line)
);

CREATE TABLE users_import_runs (
    run integer PRIMARY KEY,
    file varchar(255) NOT NULL,
    rows_read integer NOT NULL,
    rows_loaded integer NOT NULL,
    rows_skipped integer NOT NULL,
    rows_rejected integer NOT NULL,
    CHECK (rows_read = rows_loaded + rows_skipped + rows_rejected)
);

-- A password that nobody knows is replaced by the user's own through the first link that is sent: its hash alone is kept.
CREATE TABLE users_import_passwords (
    user_id integer PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    sha256 bytea NOT NULL
);

-- What has to become of each line, told by sets of rows and not one by one: what the import comes to is compared with it.
CREATE VIEW users_import_expected AS
WITH told AS (
    SELECT i.*, r.id AS role_id,
        EXISTS (SELECT FROM users u WHERE u.username = i.username) AS is_known,
        CASE
            WHEN i.username IS NULL THEN 'there is no username'
            WHEN i.email IS NULL OR i.email !~ '^[^@[:space:]]+@[^@[:space:]]+[.][^@[:space:]]+$' THEN 'email is no address'
            WHEN i.full_name IS NULL THEN 'there is no full_name'
            WHEN left(i.full_name, 1) IN ('=', '+', '-', '@') THEN 'full_name would be a formula in a spreadsheet'
            WHEN r.id IS NULL THEN 'role_name is no role'
            WHEN EXISTS (SELECT FROM users u WHERE u.email = i.email) THEN 'email is that of another user'
        END AS reason
    FROM users_import i LEFT JOIN roles r ON r.name = i.role_name
), good AS (
    SELECT * FROM told WHERE NOT is_known AND reason IS NULL
), judged AS (
    SELECT t.*,
        is_known OR EXISTS (SELECT FROM good g WHERE g.username = t.username AND g.line < t.line) AS is_skipped,
        coalesce(reason, (SELECT 'email is that of another user' FROM good g
                          WHERE g.email = t.email AND g.username <> t.username AND g.line < t.line LIMIT 1)) AS why
    FROM told t
)
SELECT line, username, email, full_name, role_id, department, coalesce(is_active, true) AS is_active,
    CASE WHEN is_skipped THEN 'skipped' WHEN why IS NOT NULL THEN 'rejected' ELSE 'loaded' END AS outcome,
    CASE WHEN is_skipped THEN NULL ELSE why END AS reason
FROM judged;
