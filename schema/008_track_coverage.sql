-- Version 8: which bins of a track have data.

-- How many bins of a track have data, and the BLAKE3 of its run lengths. Small: read with each track. Tracks
-- stored before version 8 have no row; all of their bins have data.
CREATE TABLE track_coverage (
    track  INTEGER NOT NULL PRIMARY KEY REFERENCES tracks (id) ON DELETE CASCADE,
    n_bins INTEGER NOT NULL CHECK (n_bins > 0),
    digest BLOB    NOT NULL CHECK (length(digest) = 32)
) STRICT;

-- The run lengths themselves: bins without data, bins with data, and so on in turn along the axis, each
-- length as LEB128. The first may be 0. In the array a bin without data is NaN.
CREATE TABLE track_intervals (
    track INTEGER NOT NULL PRIMARY KEY REFERENCES tracks (id) ON DELETE CASCADE,
    runs  BLOB    NOT NULL
) STRICT;

-- What a base that a file does not cover counted as may also follow from the file's format.
CREATE TABLE track_sources_8 (
    track      INTEGER NOT NULL REFERENCES tracks (id) ON DELETE CASCADE,
    ordinal    INTEGER NOT NULL,
    location   TEXT    NOT NULL,
    format     TEXT,
    bytes      INTEGER NOT NULL,
    modified   INTEGER,
    etag       TEXT,
    checksum   TEXT    NOT NULL,
    multiplier REAL    NOT NULL CHECK (multiplier > 0),
    missing    TEXT    NOT NULL CHECK (missing IN ('by_format', 'zero', 'nan')),
    PRIMARY KEY (track, ordinal)
) STRICT, WITHOUT ROWID;
INSERT INTO track_sources_8 SELECT * FROM track_sources;
DROP TABLE track_sources;
ALTER TABLE track_sources_8 RENAME TO track_sources;
