CREATE TABLE tenants (id TEXT PRIMARY KEY, name VARCHAR(40) NOT NULL UNIQUE);
CREATE TABLE users (
    tenant TEXT NOT NULL REFERENCES tenants (id),
    id INTEGER NOT NULL,
    email TEXT NOT NULL CHECK (email LIKE '%@%'),
    role TEXT NOT NULL CHECK (role IN ('reader', 'writer')),
    age INTEGER CHECK (age BETWEEN 18 AND 120),
    active BOOLEAN NOT NULL DEFAULT TRUE,
    team INTEGER REFERENCES teams (id),
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX users_email ON users (lower(email)) WHERE active;
CREATE TABLE teams (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, lead INTEGER NOT NULL,
                    FOREIGN KEY (tenant, lead) REFERENCES users (tenant, id));
CREATE TABLE members (tenant TEXT NOT NULL, user INTEGER NOT NULL, team INTEGER NOT NULL REFERENCES teams,
                      PRIMARY KEY (tenant, user, team), FOREIGN KEY (tenant, user) REFERENCES users) WITHOUT ROWID;
CREATE TABLE pages (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES pages (id), title TEXT NOT NULL,
                    slug TEXT GENERATED ALWAYS AS (lower(title)) STORED);
CREATE TABLE keys (id BLOB PRIMARY KEY NOT NULL, made_at DATETIME NOT NULL, note JSON CHECK (json_valid(note)));
CREATE TABLE uses (key BLOB NOT NULL REFERENCES keys (id), amount DECIMAL(9, 2) NOT NULL CHECK (amount > 0), any);
CREATE TABLE strict_one (id INTEGER PRIMARY KEY, name TEXT NOT NULL, share REAL NOT NULL) STRICT;
CREATE TABLE documents (id INTEGER PRIMARY KEY, document TEXT NOT NULL, code TEXT NOT NULL CHECK (code GLOB 'x-[0-9]*'),
                        n TEXT GENERATED ALWAYS AS (json_extract(document, '$.n')) VIRTUAL);
CREATE INDEX documents_m ON documents (json_extract(document, '$.m'));
CREATE TABLE counters (id INTEGER PRIMARY KEY);
CREATE TABLE refused (id INTEGER PRIMARY KEY, name TEXT);
CREATE TRIGGER refuse BEFORE INSERT ON refused BEGIN SELECT RAISE(ABORT, 'not on a Sunday'); END;
CREATE TABLE skipped (id INTEGER PRIMARY KEY);
