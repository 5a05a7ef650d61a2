-- Version 9: where each transcript of a gene starts.

-- A row a distinct start, 0-based, of the genes whose annotation has transcripts. A gene without a row starts
-- where `genes` says: at `start` on +, at `end` - 1 on -. So do all genes of databases made before version 9.
-- Classes, loci and the nearest gene go by these starts; the published measures by the gene's own.
CREATE TABLE transcript_starts (
    gene     INTEGER NOT NULL REFERENCES genes (ordinal),
    position INTEGER NOT NULL CHECK (position >= 0),
    PRIMARY KEY (gene, position)
) STRICT, WITHOUT ROWID;
