-- Version 5: selections, what was chosen to be measured next.

-- `settings` is everything that repeats one (the question, with costs written out, the seed), `result`
-- everything that came out, the checksums of model and file that it rests on among it: a later run
-- tells by them whether it could have come out the same.
CREATE TABLE selections (
    id       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind     TEXT    NOT NULL CHECK (kind <> ''),
    settings TEXT    NOT NULL CHECK (json_valid(settings)),
    result   TEXT    NOT NULL CHECK (json_valid(result)),
    created  TEXT    NOT NULL
) STRICT;
