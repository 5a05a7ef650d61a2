-- Version 3: downstream tasks, their labels, and benchmark runs.
--
-- Positions are 0-based and half-open. Numbers that belong to all examples of a task are kept as
-- one little-endian blob, with the first 16 bytes of its BLAKE3: a matrix of 20,000 genes × 57
-- biosamples is 57 rows here, not a million.

-- The tasks: what was imported, from which files. `checksum` is that of examples and labels, by
-- which a run knows whether the labels are still those that it was scored on.
CREATE TABLE tasks (
    id       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name     TEXT    NOT NULL UNIQUE CHECK (name <> ''),
    kind     TEXT    NOT NULL,
    sources  TEXT    NOT NULL CHECK (json_valid(sources)),
    checksum TEXT    NOT NULL,
    imported TEXT    NOT NULL
) STRICT;

-- What is labelled: a window (chrom, start, end; of a gene its transcription start and strand), a
-- pair of windows (the partner is the enhancer), or a row of somebody's matrix (no place at all).
-- Examples that the database does not cover are kept: a matrix may cover them.
CREATE TABLE task_examples (
    task          INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    ordinal       INTEGER NOT NULL,
    name          TEXT    NOT NULL,
    chrom         TEXT    REFERENCES chromosomes (name),
    start         INTEGER CHECK (start >= 0),
    "end"         INTEGER CHECK ("end" > start),
    strand        TEXT    CHECK (strand IN ('+', '-')),
    partner_chrom TEXT    REFERENCES chromosomes (name),
    partner_start INTEGER CHECK (partner_start >= 0),
    partner_end   INTEGER CHECK (partner_end > partner_start),
    fold          TEXT,
    PRIMARY KEY (task, ordinal)
) STRICT, WITHOUT ROWID;

-- One column of labels a biosample, float64 in the order of the examples, NaN where there is none.
-- `unit` keeps apart what must never be pooled (RPKM, arcsinh RNA-seq).
CREATE TABLE task_labels (
    task      INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    ordinal   INTEGER NOT NULL,
    biosample TEXT    NOT NULL,
    unit      TEXT    NOT NULL,
    n         INTEGER NOT NULL CHECK (n >= 0),
    checksum  BLOB    NOT NULL CHECK (length(checksum) = 16),
    data      BLOB    NOT NULL,
    PRIMARY KEY (task, ordinal),
    UNIQUE (task, biosample)
) STRICT;

-- Benchmark runs: the settings that repeat them (with the checksums of task, model and matrices)
-- and what came out. `key` is the settings' checksum: a suite finds by it what it has done. No
-- reference to `tasks`: a result outlives the labels' replacement, and says so.
CREATE TABLE task_runs (
    id       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    key      TEXT    NOT NULL,
    task     TEXT    NOT NULL,
    settings TEXT    NOT NULL CHECK (json_valid(settings)),
    result   TEXT    NOT NULL CHECK (json_valid(result)),
    created  TEXT    NOT NULL
) STRICT;
CREATE INDEX task_runs_by_key ON task_runs (key);

-- What a run has for every example: which examples, labels, folds, and each feature set's
-- out-of-fold predictions. float64, little-endian.
CREATE TABLE task_run_columns (
    run      INTEGER NOT NULL REFERENCES task_runs (id) ON DELETE CASCADE,
    ordinal  INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    checksum BLOB    NOT NULL CHECK (length(checksum) = 16),
    data     BLOB    NOT NULL,
    PRIMARY KEY (run, ordinal),
    UNIQUE (run, name)
) STRICT;
