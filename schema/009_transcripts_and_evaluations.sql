-- Version 9: where each transcript of a gene starts, and evaluations of models.

-- A row a distinct start, 0-based, of the genes whose annotation has transcripts. A gene without a row starts
-- where `genes` says: at `start` on +, at `end` - 1 on -. So do all genes of databases made before version 9.
-- Classes, loci and the nearest gene go by these starts; the published measures by the gene's own.
CREATE TABLE transcript_starts (
    gene     INTEGER NOT NULL REFERENCES genes (ordinal),
    position INTEGER NOT NULL CHECK (position >= 0),
    PRIMARY KEY (gene, position)
) STRICT, WITHOUT ROWID;

-- Evaluations of models, kept so that they are shown and used without being computed again.

-- One row for each model, kind and settings: a later evaluation of the same settings takes the place of the
-- earlier one. `settings` repeat it, as canonical JSON. `basis` lists what it rests on: the model's checksum and
-- each track that it read, with checksum and array. Where one of these is no longer so, the result is of
-- something else and is not used. `checksum` has the first 16 bytes of the BLAKE3 of settings, basis and result.
CREATE TABLE evaluations (
    id       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    model    INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    kind     TEXT    NOT NULL CHECK (kind IN ('imputation', 'probe')),
    settings TEXT    NOT NULL CHECK (json_valid(settings)),
    basis    TEXT    NOT NULL CHECK (json_valid(basis)),
    persea   TEXT    NOT NULL,
    created  TEXT    NOT NULL,
    result   TEXT    NOT NULL CHECK (json_valid(result)),
    checksum BLOB    NOT NULL CHECK (length(checksum) = 16),
    UNIQUE (model, kind, settings)
) STRICT;
