-- Version 2: what is recorded of approximate search.

-- One row a graph (HNSW) in `index/`: how it was built, what an audit found right after, and the
-- checksums of its files. The library that reads them trusts what it reads, so nothing is handed to it
-- that this row does not vouch for. `vectors` says of what: 250bp, 5kbp, biosamples, assays.
-- `model_checksum` is the model's when the graph was built.
CREATE TABLE search_graphs (
    model          INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
    vectors        TEXT    NOT NULL CHECK (vectors IN ('250bp', '5kbp', 'biosamples', 'assays')),
    model_checksum TEXT    NOT NULL,
    parameters     TEXT    NOT NULL CHECK (json_valid(parameters)),
    audit          TEXT    NOT NULL CHECK (json_valid(audit)),
    checksums      TEXT    NOT NULL CHECK (json_valid(checksums)),
    built          TEXT    NOT NULL,
    PRIMARY KEY (model, vectors)
) STRICT, WITHOUT ROWID;
