//! What can change in MariaDB.

use super::changes::{Change, Changes};

pub const CHANGES: Changes = Changes {
    engine: "mariadb",
    schema: "CREATE TABLE users (id INT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(100) NOT NULL, plain TEXT, amount INT,
               twice INT AS (amount * 2) STORED, word VARCHAR(9) DEFAULT 'x',
               CONSTRAINT users_email_key UNIQUE (email), CONSTRAINT users_amount CHECK (amount > 0));;
             CREATE TABLE notes (id INT PRIMARY KEY, user_id INT, body VARCHAR(150), at TIMESTAMP NULL,
               KEY notes_body (body),
               CONSTRAINT notes_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL);;
             CREATE TABLE parts (n INT) PARTITION BY RANGE (n) (PARTITION low VALUES LESS THAN (10));;
             CREATE TRIGGER notes_touch AFTER INSERT ON notes FOR EACH ROW UPDATE users SET word = 'y';;
             CREATE VIEW loud AS SELECT upper(body) AS body FROM notes;;
             CREATE FUNCTION doubled (n INT) RETURNS INT DETERMINISTIC RETURN n * 2;;
             CREATE PROCEDURE touch (IN n INT) UPDATE users SET amount = n;;
             CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO DELETE FROM notes;;
             CREATE SEQUENCE tickets START WITH 5",
    changes: &[
        Change {
            make: "ALTER TABLE users MODIFY email VARCHAR(99) NOT NULL",
            undo: "ALTER TABLE users MODIFY email VARCHAR(100) NOT NULL",
            classes: &["column"],
        },
        Change {
            make: "ALTER TABLE users MODIFY email VARCHAR(100)",
            undo: "ALTER TABLE users MODIFY email VARCHAR(100) NOT NULL",
            classes: &["column"],
        },
        Change {
            make: "ALTER TABLE users ALTER word SET DEFAULT 'z'",
            undo: "ALTER TABLE users ALTER word SET DEFAULT 'x'",
            classes: &["column"],
        },
        Change {
            make: "ALTER TABLE users MODIFY plain TEXT COLLATE utf8mb4_bin",
            undo: "ALTER TABLE users MODIFY plain TEXT",
            classes: &["column"],
        },
        Change {
            make: "ALTER TABLE users MODIFY plain TEXT CHARACTER SET latin1",
            undo: "ALTER TABLE users MODIFY plain TEXT",
            classes: &["column"],
        },
        Change {
            make: "ALTER TABLE users MODIFY plain TEXT COMMENT 'spoken of'",
            undo: "ALTER TABLE users MODIFY plain TEXT",
            classes: &["column"],
        },
        Change {
            make: "ALTER TABLE users MODIFY plain TEXT INVISIBLE",
            undo: "ALTER TABLE users MODIFY plain TEXT",
            classes: &["column"],
        },
        Change {
            make: "ALTER TABLE users MODIFY amount INT UNSIGNED",
            undo: "ALTER TABLE users MODIFY amount INT",
            classes: &["column"],
        },
        Change {
            make: "ALTER TABLE users MODIFY id INT",
            undo: "ALTER TABLE users MODIFY id INT AUTO_INCREMENT",
            classes: &["column"],
        },
        Change {
            make: "ALTER TABLE notes MODIFY at TIMESTAMP NULL ON UPDATE CURRENT_TIMESTAMP",
            undo: "ALTER TABLE notes MODIFY at TIMESTAMP NULL",
            classes: &["column"],
        },
        Change {
            make: "ALTER TABLE notes MODIFY at DATETIME(3) NULL",
            undo: "ALTER TABLE notes MODIFY at TIMESTAMP NULL",
            classes: &["column"],
        },
        Change {
            make: "ALTER TABLE users MODIFY twice INT AS (amount * 3) STORED",
            undo: "ALTER TABLE users MODIFY twice INT AS (amount * 2) STORED",
            classes: &["column"],
        },
        Change {
            make: "ALTER TABLE users ADD extra INT",
            undo: "ALTER TABLE users DROP extra",
            classes: &["column", "order"],
        },
        Change {
            make: "ALTER TABLE users MODIFY plain TEXT FIRST",
            undo: "ALTER TABLE users MODIFY plain TEXT AFTER email",
            classes: &["order"],
        },
        Change {
            make: "ALTER TABLE users DROP CONSTRAINT users_amount, ADD CONSTRAINT users_amount CHECK (amount > 1)",
            undo: "ALTER TABLE users DROP CONSTRAINT users_amount, ADD CONSTRAINT users_amount CHECK (amount > 0)",
            classes: &["constraint"],
        },
        Change {
            make: "ALTER TABLE users DROP KEY users_email_key",
            undo: "ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email)",
            classes: &["constraint", "index"],
        },
        Change {
            make: "ALTER TABLE notes DROP FOREIGN KEY notes_user;;
                   ALTER TABLE notes ADD CONSTRAINT notes_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE",
            undo: "ALTER TABLE notes DROP FOREIGN KEY notes_user;;
                   ALTER TABLE notes ADD CONSTRAINT notes_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL",
            classes: &["constraint"],
        },
        Change {
            make: "ALTER TABLE notes DROP KEY notes_body, ADD KEY notes_body (body DESC)",
            undo: "ALTER TABLE notes DROP KEY notes_body, ADD KEY notes_body (body)",
            classes: &["index"],
        },
        Change {
            make: "ALTER TABLE notes DROP KEY notes_body, ADD KEY notes_body (body(20))",
            undo: "ALTER TABLE notes DROP KEY notes_body, ADD KEY notes_body (body)",
            classes: &["index"],
        },
        Change {
            make: "ALTER TABLE notes DROP KEY notes_body, ADD FULLTEXT KEY notes_body (body)",
            undo: "ALTER TABLE notes DROP KEY notes_body, ADD KEY notes_body (body)",
            classes: &["index"],
        },
        Change {
            make: "ALTER TABLE notes ALTER INDEX notes_body IGNORED",
            undo: "ALTER TABLE notes ALTER INDEX notes_body NOT IGNORED",
            classes: &["index"],
        },
        Change {
            make: "ALTER TABLE notes ROW_FORMAT = COMPACT",
            undo: "ALTER TABLE notes ROW_FORMAT = DEFAULT",
            classes: &["table"],
        },
        Change { make: "ALTER TABLE parts ENGINE = Aria", undo: "ALTER TABLE parts ENGINE = InnoDB", classes: &["table"] },
        Change { make: "ALTER TABLE notes COMMENT = 'loud'", undo: "ALTER TABLE notes COMMENT = ''", classes: &["table"] },
        Change {
            make: "ALTER TABLE parts ADD PARTITION (PARTITION high VALUES LESS THAN (20))",
            undo: "ALTER TABLE parts DROP PARTITION high",
            classes: &["partition"],
        },
        Change {
            make: "CREATE OR REPLACE TRIGGER notes_touch AFTER INSERT ON notes FOR EACH ROW UPDATE users SET word = 'z'",
            undo: "CREATE OR REPLACE TRIGGER notes_touch AFTER INSERT ON notes FOR EACH ROW UPDATE users SET word = 'y'",
            classes: &["trigger"],
        },
        Change {
            make: "CREATE OR REPLACE VIEW loud AS SELECT body FROM notes",
            undo: "CREATE OR REPLACE VIEW loud AS SELECT upper(body) AS body FROM notes",
            classes: &["view"],
        },
        Change {
            make: "CREATE OR REPLACE SQL SECURITY INVOKER VIEW loud AS SELECT upper(body) AS body FROM notes",
            undo: "CREATE OR REPLACE SQL SECURITY DEFINER VIEW loud AS SELECT upper(body) AS body FROM notes",
            classes: &["view"],
        },
        Change {
            make: "CREATE OR REPLACE FUNCTION doubled (n INT) RETURNS INT DETERMINISTIC RETURN n + n",
            undo: "CREATE OR REPLACE FUNCTION doubled (n INT) RETURNS INT DETERMINISTIC RETURN n * 2",
            classes: &["routine"],
        },
        Change {
            make: "CREATE OR REPLACE PROCEDURE touch (IN n BIGINT) UPDATE users SET amount = n",
            undo: "CREATE OR REPLACE PROCEDURE touch (IN n INT) UPDATE users SET amount = n",
            classes: &["routine"],
        },
        Change {
            make: "ALTER EVENT nightly DISABLE",
            undo: "ALTER EVENT nightly ENABLE",
            classes: &["event"],
        },
        Change {
            make: "ALTER SEQUENCE tickets INCREMENT BY 2",
            undo: "ALTER SEQUENCE tickets INCREMENT BY 1",
            classes: &["sequence"],
        },
        Change {
            make: "CREATE USER IF NOT EXISTS rehearse_reader;; GRANT SELECT ON users TO rehearse_reader",
            undo: "REVOKE SELECT ON users FROM rehearse_reader;; DROP USER rehearse_reader",
            classes: &["grant"],
        },
        Change {
            make: "ALTER DATABASE COMMENT = 'mine'",
            undo: "ALTER DATABASE COMMENT = ''",
            classes: &["database"],
        },
    ],
};
