-- Version 10: where a consortium's files come from.

-- What a consortium's table says of a file that a track was read from: its accession, the experiment's, the
-- donor, the audit, the output type and the MD5 that the file was checked against. Text as in the table; null
-- where the table has none. Files that another manifest names have no row, and neither do those of databases
-- made before version 10. `ordinal` is that of `track_sources`.
CREATE TABLE track_origins (
    track       INTEGER NOT NULL REFERENCES tracks (id) ON DELETE CASCADE,
    ordinal     INTEGER NOT NULL,
    accession   TEXT    NOT NULL,
    experiment  TEXT,
    output_type TEXT,
    donor       TEXT,
    audit       TEXT,
    md5         TEXT,
    PRIMARY KEY (track, ordinal)
) STRICT, WITHOUT ROWID;
