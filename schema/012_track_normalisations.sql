-- Version 12: tracks that are normalised to their assay's reference.

-- The scale that an assay's tracks are brought to: the mean of the background and of the peaks, on the scale
-- that tracks are stored on; each is the median of `n_tracks` tracks. They were taken over the bins of the two
-- lists: ascending numbers of bins of the axis, each as its distance from the one before, as LEB128. A row is
-- written once, by the first ingest that normalises the assay, and never changed. An assay without a row is
-- not normalised.
CREATE TABLE assay_references (
    assay           INTEGER NOT NULL PRIMARY KEY REFERENCES assays (id) ON DELETE CASCADE,
    background      REAL    NOT NULL CHECK (background >= 0),
    peaks           REAL    NOT NULL CHECK (peaks > background),
    n_tracks        INTEGER NOT NULL CHECK (n_tracks > 0),
    background_bins BLOB    NOT NULL,
    peak_bins       BLOB    NOT NULL
) STRICT;

-- Tracks whose stored values are factor * v ^ exponent of the transformed signal v that was read (of a negative v
-- the negative of it). A track without a row is stored as it was read, as all tracks of databases made before
-- version 12.
CREATE TABLE track_normalisations (
    track    INTEGER NOT NULL PRIMARY KEY REFERENCES tracks (id) ON DELETE CASCADE,
    factor   REAL    NOT NULL CHECK (factor > 0),
    exponent REAL    NOT NULL CHECK (exponent > 0)
) STRICT;
