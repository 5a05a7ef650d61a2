-- Version 6: projections of a model's axes onto the plane.

-- One row a projection. `settings` repeat it; `result` says how far it can be trusted (neighbourhoods kept,
-- variance explained). No reference to `models`: a picture outlives its model's replacement, and says so by
-- the checksum.
CREATE TABLE projections (
    id             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name           TEXT    NOT NULL UNIQUE CHECK (name <> ''),
    axis           TEXT    NOT NULL CHECK (axis IN ('genome', 'biosamples', 'assays')),
    method         TEXT    NOT NULL,
    model          TEXT    NOT NULL,
    model_checksum TEXT    NOT NULL,
    settings       TEXT    NOT NULL CHECK (json_valid(settings)),
    result         TEXT    NOT NULL CHECK (json_valid(result)),
    n              INTEGER NOT NULL CHECK (n >= 0),
    created        TEXT    NOT NULL
) STRICT;

-- What a projection has for every point: coordinates and places as float64 (little-endian), names and labels as
-- a JSON list of texts; with the first 16 bytes of its BLAKE3. A million points are five rows.
CREATE TABLE projection_columns (
    projection INTEGER NOT NULL REFERENCES projections (id) ON DELETE CASCADE,
    ordinal    INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('number', 'text')),
    checksum   BLOB    NOT NULL CHECK (length(checksum) = 16),
    data       BLOB    NOT NULL,
    PRIMARY KEY (projection, ordinal),
    UNIQUE (projection, name)
) STRICT;
