-- Version 11: how a track's values are stored.

-- Tracks that were to be stored as 16-bit counts of a step (1 / steps_per_unit of what is stored, so of arcsinh
-- where the track is transformed). `fits` is 0 where a value lay beyond what 16 bits hold: the array then has
-- 32-bit numbers. A track without a row has 32-bit numbers, as all tracks of databases made before version 11.
CREATE TABLE track_values (
    track          INTEGER NOT NULL PRIMARY KEY REFERENCES tracks (id) ON DELETE CASCADE,
    steps_per_unit INTEGER NOT NULL CHECK (steps_per_unit BETWEEN 1 AND 65536),
    fits           INTEGER NOT NULL CHECK (fits IN (0, 1))
) STRICT;
