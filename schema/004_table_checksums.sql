-- Version 4: checksums of the small tables. SQLite notices a damaged page only where its structure
-- is hit; a flipped bit in a name, a number or a date is a well-formed row that lies. The pieces of
-- model_chunks have checksums of their own and are not in here.

-- For each table the sum (modulo 2^128, little-endian) of its rows' BLAKE3, cut to 16 bytes: every
-- write adds what it changes, so that damage is neither taken over nor made good by a later write.
CREATE TABLE table_checksums (
    name   TEXT NOT NULL PRIMARY KEY,
    digest BLOB NOT NULL CHECK (length(digest) = 16)
) STRICT, WITHOUT ROWID;
