CREATE TABLE tenants (id uuid PRIMARY KEY, name varchar(40) NOT NULL UNIQUE);
CREATE TABLE users (
    tenant uuid NOT NULL, id int unsigned NOT NULL AUTO_INCREMENT, email varchar(60) NOT NULL CHECK (email LIKE '%@%'),
    mood enum('calm', 'cross') NOT NULL, days set('mon', 'tue') NOT NULL, age tinyint unsigned CHECK (age BETWEEN 18 AND 120),
    role varchar(10) NOT NULL DEFAULT 'reader' CHECK (role IN ('reader', 'writer')), born year NOT NULL,
    active tinyint(1) NOT NULL DEFAULT 1, PRIMARY KEY (id), UNIQUE (tenant, id), UNIQUE (email),
    FOREIGN KEY (tenant) REFERENCES tenants (id)
);
CREATE TABLE teams (id bigint AUTO_INCREMENT PRIMARY KEY, tenant uuid NOT NULL, lead_id int unsigned NOT NULL,
                    FOREIGN KEY (tenant, lead_id) REFERENCES users (tenant, id));
CREATE TABLE members (user_id int unsigned NOT NULL, team_id bigint NOT NULL, PRIMARY KEY (user_id, team_id),
                      FOREIGN KEY (user_id) REFERENCES users (id), FOREIGN KEY (team_id) REFERENCES teams (id));
CREATE TABLE pages (id int AUTO_INCREMENT PRIMARY KEY, parent int, title varchar(50) NOT NULL,
                    slug varchar(50) AS (lower(title)) STORED, UNIQUE (slug), FOREIGN KEY (parent) REFERENCES pages (id));
CREATE TABLE kinds (
    id binary(16) PRIMARY KEY, tiny tinyint NOT NULL UNIQUE, medium mediumint NOT NULL, price decimal(5, 2) NOT NULL,
    code char(3) NOT NULL UNIQUE, at datetime NOT NULL, moment timestamp NOT NULL, day date NOT NULL, clock time NOT NULL,
    note json NOT NULL, host inet6 NOT NULL, bits bit(8) NOT NULL, one bit(1) NOT NULL, spot point NOT NULL, raw blob NOT NULL,
    single float NOT NULL, twice double NOT NULL, body longtext NOT NULL
);
CREATE TABLE codes (code varchar(9) PRIMARY KEY CHECK (code REGEXP '^[A-Z]{2}-[0-9]{4}$'));
CREATE TABLE refused (id int PRIMARY KEY, name varchar(9) NOT NULL);
CREATE TRIGGER refuse BEFORE INSERT ON refused FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not on a Sunday';
CREATE TABLE skipped (id int PRIMARY KEY);
