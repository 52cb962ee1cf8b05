-- Where documents of the old system land as they are, whatever they come from, and what is kept about their import.

CREATE TABLE legacy_documents (
    row_no integer PRIMARY KEY,
    doc_id varchar(100),
    doc_title varchar(500),
    doc_desc text,
    doc_status varchar(30),
    doc_content text,
    department varchar(100),
    created_by_user varchar(20),
    created_date timestamp(0),
    updated_by_user varchar(20),
    updated_date timestamp(0)
);

-- Who of the old system is who of Q-Docs.
CREATE TABLE legacy_user_map (
    legacy_user varchar(20) PRIMARY KEY,
    username varchar(100) NOT NULL
);

CREATE TABLE legacy_import_rejects (
    file varchar(255) NOT NULL,
    line integer NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (file, line)
);

-- What was taken, and not as it stood.
CREATE TABLE legacy_import_notes (
    document_number varchar(100) NOT NULL,
    note text NOT NULL,
    PRIMARY KEY (document_number, note)
);

CREATE TABLE legacy_import_runs (
    run integer PRIMARY KEY,
    rows_read integer NOT NULL,
    rows_loaded integer NOT NULL,
    rows_skipped integer NOT NULL,
    rows_rejected integer NOT NULL,
    CHECK (rows_read = rows_loaded + rows_skipped + rows_rejected)
);
