-- Version 7: what binds stored bytes to their place, and a count by which lost transactions are noticed.

-- For each track the BLAKE3 of its list of chunk checksums, which lies beside its array as
-- `chunks.crc32c` (a CRC-32C a chunk, little-endian, in the order of the bins). A chunk is believed only
-- in the track and at the place that it was written for. Tracks stored before version 7 have no row.
CREATE TABLE track_chunks (
    track  INTEGER NOT NULL PRIMARY KEY REFERENCES tracks (id) ON DELETE CASCADE,
    digest BLOB    NOT NULL CHECK (length(digest) = 32)
) STRICT;

-- One row: how many transactions have changed the database. The file `commits` in the directory has the
-- same number once a transaction is on the disk. Where the file has more, the log has lost some.
CREATE TABLE commits (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL CHECK (number >= 0)
) STRICT;
INSERT INTO commits (id, number) VALUES (1, 0);
