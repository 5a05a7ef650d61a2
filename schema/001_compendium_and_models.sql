-- Version 1: the compendium's metadata and the models. The signal itself lies in signal.zarr.
--
-- Positions are 0-based and half-open. `first_bin` and `n_bins` count 25 bp bins of a chromosome.
-- Tables whose rows have an order carry it in `ordinal`, from 0.

-- Facts about the database as a whole (when it was created, by which version of Persea), and the
-- counter that numbers tracks, so that a number is never used twice.
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The assembly's name: one row, for a database holds one assembly.
CREATE TABLE assembly (
    id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL
) STRICT;

-- The assembly's chromosomes, covered or not: bigWig headers name them all, and every coordinate
-- that is read later is checked against them.
CREATE TABLE chromosomes (
    ordinal INTEGER NOT NULL PRIMARY KEY,
    name    TEXT    NOT NULL UNIQUE,
    length  INTEGER NOT NULL CHECK (length > 0)
) STRICT;

-- The genome axis: the covered stretches, in the order in which their bins are concatenated.
CREATE TABLE regions (
    ordinal   INTEGER NOT NULL PRIMARY KEY,
    name      TEXT,
    chrom     TEXT    NOT NULL REFERENCES chromosomes (name),
    first_bin INTEGER NOT NULL CHECK (first_bin >= 0),
    n_bins    INTEGER NOT NULL CHECK (n_bins > 0)
) STRICT;

-- What is neither trained on nor scored (blacklist, assembly gaps), kept as intervals so that a
-- mask can be made for any axis, a model's own included.
CREATE TABLE mask_intervals (
    ordinal INTEGER NOT NULL PRIMARY KEY,
    chrom   TEXT    NOT NULL REFERENCES chromosomes (name),
    start   INTEGER NOT NULL CHECK (start >= 0),
    "end"   INTEGER NOT NULL CHECK ("end" > start)
) STRICT;

-- Genes: measures over promoters and gene bodies, queries by a gene's name, distances to a TSS.
CREATE TABLE genes (
    ordinal INTEGER NOT NULL PRIMARY KEY,
    id      TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    chrom   TEXT    NOT NULL REFERENCES chromosomes (name),
    start   INTEGER NOT NULL CHECK (start >= 0),
    "end"   INTEGER NOT NULL CHECK ("end" > start),
    strand  TEXT    NOT NULL CHECK (strand IN ('+', '-'))
) STRICT;
CREATE INDEX genes_by_name ON genes (name);

-- Enhancers: the measure over enhancers, and annotation of similar positions.
CREATE TABLE enhancers (
    ordinal INTEGER NOT NULL PRIMARY KEY,
    chrom   TEXT    NOT NULL REFERENCES chromosomes (name),
    start   INTEGER NOT NULL CHECK (start >= 0),
    "end"   INTEGER NOT NULL CHECK ("end" > start)
) STRICT;

-- The biosamples that have a track, and what is known of them (group, anatomy, age, …) as one
-- JSON object, because every consortium describes its samples in columns of its own.
CREATE TABLE biosamples (
    id       INTEGER NOT NULL PRIMARY KEY,
    name     TEXT    NOT NULL UNIQUE CHECK (name <> ''),
    metadata TEXT    NOT NULL DEFAULT '{}' CHECK (json_type(metadata) = 'object')
) STRICT;

-- The assays that have a track; as biosamples.
CREATE TABLE assays (
    id       INTEGER NOT NULL PRIMARY KEY,
    name     TEXT    NOT NULL UNIQUE CHECK (name <> ''),
    metadata TEXT    NOT NULL DEFAULT '{}' CHECK (json_type(metadata) = 'object')
) STRICT;

-- One row makes one array of signal.zarr real: an array that no row names is garbage. A
-- replacement is a new array and an update of this row. `checksum` is that of the sources'
-- content; the statistics are of the stored values over all bins of the axis.
CREATE TABLE tracks (
    id              INTEGER NOT NULL PRIMARY KEY,
    biosample       INTEGER NOT NULL REFERENCES biosamples (id),
    assay           INTEGER NOT NULL REFERENCES assays (id),
    array           TEXT    NOT NULL UNIQUE,
    transform       TEXT    NOT NULL CHECK (transform IN ('arcsinh', 'none')),
    unit            TEXT,
    checksum        TEXT    NOT NULL,
    n_nan_bins      INTEGER NOT NULL CHECK (n_nan_bins >= 0),
    n_negative_bins INTEGER NOT NULL CHECK (n_negative_bins >= 0),
    mean            REAL    NOT NULL,
    variance        REAL    NOT NULL,
    maximum         REAL    NOT NULL,
    ingested        TEXT    NOT NULL,
    UNIQUE (biosample, assay)
) STRICT;
CREATE INDEX tracks_by_assay ON tracks (assay);

-- The file or files (replicates) a track was read from and how each was read: by these `ingest`
-- tells a track that is in from one that has changed, without reading what has not.
CREATE TABLE track_sources (
    track      INTEGER NOT NULL REFERENCES tracks (id) ON DELETE CASCADE,
    ordinal    INTEGER NOT NULL,
    location   TEXT    NOT NULL,
    format     TEXT,
    bytes      INTEGER NOT NULL,
    modified   INTEGER,
    etag       TEXT,
    checksum   TEXT    NOT NULL,
    multiplier REAL    NOT NULL CHECK (multiplier > 0),
    missing    TEXT    NOT NULL CHECK (missing IN ('zero', 'nan')),
    PRIMARY KEY (track, ordinal)
) STRICT, WITHOUT ROWID;

-- The models. A row is `writing` until all of its tensors are in, and `deleted` while they are
-- taken out again in short transactions: only `ready` rows are models, and only their names are
-- unique, so that a replacement is written beside the model it replaces and takes its place in
-- one update. `checksum` is that of all tensors: what a derived index is checked against.
CREATE TABLE models (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL CHECK (name <> ''),
    kind       TEXT    NOT NULL CHECK (kind IN ('avocado', 'persea')),
    status     TEXT    NOT NULL CHECK (status IN ('writing', 'ready', 'deleted')),
    is_default INTEGER NOT NULL DEFAULT 0 CHECK (is_default IN (0, 1)),
    config     TEXT    NOT NULL CHECK (json_valid(config)),
    seed       INTEGER NOT NULL,
    training   TEXT    NOT NULL CHECK (json_valid(training)),
    precision  TEXT    NOT NULL CHECK (precision IN ('f32', 'f16')),
    created    TEXT    NOT NULL,
    checksum   TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX models_by_name ON models (name) WHERE status = 'ready';
CREATE UNIQUE INDEX models_default ON models (is_default) WHERE is_default = 1;

-- The order of a model's biosample factors. Names, not ids: an imported model may know biosamples
-- of which the compendium has no track.
CREATE TABLE model_biosamples (
    model   INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    name    TEXT    NOT NULL,
    PRIMARY KEY (model, ordinal),
    UNIQUE (model, name)
) STRICT, WITHOUT ROWID;

-- The order of a model's assay factors.
CREATE TABLE model_assays (
    model   INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    name    TEXT    NOT NULL,
    PRIMARY KEY (model, ordinal),
    UNIQUE (model, name)
) STRICT, WITHOUT ROWID;

-- What each track was to a model: without this no score could be trusted to be held out. The
-- track's checksum then tells whether it has changed since.
CREATE TABLE model_tracks (
    model     INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    biosample TEXT    NOT NULL,
    assay     TEXT    NOT NULL,
    role      TEXT    NOT NULL CHECK (role IN ('train', 'validate', 'hold', 'extend')),
    checksum  TEXT    NOT NULL,
    PRIMARY KEY (model, biosample, assay)
) STRICT, WITHOUT ROWID;

-- The genome axis a model was trained on, which may be less than the compendium's.
CREATE TABLE model_regions (
    model     INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    ordinal   INTEGER NOT NULL,
    name      TEXT,
    chrom     TEXT    NOT NULL,
    first_bin INTEGER NOT NULL CHECK (first_bin >= 0),
    n_bins    INTEGER NOT NULL CHECK (n_bins > 0),
    PRIMARY KEY (model, ordinal)
) STRICT, WITHOUT ROWID;

-- A model's arrays of numbers, row-major: weights and factors. Genome factors are one tensor a
-- scale and region, so that a region can be added, read or dropped by itself.
CREATE TABLE model_tensors (
    id     INTEGER NOT NULL PRIMARY KEY,
    model  INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    name   TEXT    NOT NULL,
    region INTEGER,
    rows   INTEGER NOT NULL CHECK (rows >= 0),
    cols   INTEGER NOT NULL CHECK (cols >= 0),
    dtype  TEXT    NOT NULL CHECK (dtype IN ('f32', 'f16'))
) STRICT;
CREATE UNIQUE INDEX model_tensors_by_name ON model_tensors (model, name, ifnull(region, -1));

-- The tensors' numbers (little-endian) in pieces of whole rows: up to 450 KB, large enough that a
-- row of SQLite costs little and small enough that a position's factors are read in one go. The
-- checksum is the first 16 bytes of the data's BLAKE3.
CREATE TABLE model_chunks (
    id        INTEGER NOT NULL PRIMARY KEY,
    tensor    INTEGER NOT NULL REFERENCES model_tensors (id) ON DELETE CASCADE,
    ordinal   INTEGER NOT NULL,
    first_row INTEGER NOT NULL,
    n_rows    INTEGER NOT NULL CHECK (n_rows > 0),
    checksum  BLOB    NOT NULL CHECK (length(checksum) = 16),
    data      BLOB    NOT NULL,
    UNIQUE (tensor, ordinal)
) STRICT;
