-- Vintages of one issue time, at most 64 series in a row (block.rs). block = series >> 6, members = bits of series & 63.
-- The program moves vintages of the older tables, which have one a row, into these (repack.rs).
CREATE TABLE vintage_blocks (
    id INTEGER PRIMARY KEY, issued_at INTEGER NOT NULL, block INTEGER NOT NULL, members INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX vintage_blocks_by_time ON vintage_blocks (issued_at, block);
CREATE INDEX vintage_blocks_by_series ON vintage_blocks (block, issued_at);
CREATE TRIGGER vintage_blocks_once BEFORE INSERT ON vintage_blocks
WHEN EXISTS (SELECT 1 FROM vintage_blocks
    WHERE issued_at = NEW.issued_at AND block = NEW.block AND members & NEW.members <> 0)
BEGIN SELECT RAISE(ABORT, 'a vintage is never rewritten'); END;
CREATE TRIGGER vintage_blocks_fixed BEFORE UPDATE ON vintage_blocks
BEGIN SELECT RAISE(ABORT, 'a vintage is never rewritten'); END;
CREATE TRIGGER vintage_blocks_kept BEFORE DELETE ON vintage_blocks
WHEN NOT EXISTS (SELECT 1 FROM retention_open)
BEGIN SELECT RAISE(ABORT, 'a vintage is deleted by retention only'); END;
-- The same, for the three leads that are kept after two weeks.
CREATE TABLE lead_blocks (
    id INTEGER PRIMARY KEY, issued_at INTEGER NOT NULL, block INTEGER NOT NULL, members INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX lead_blocks_by_time ON lead_blocks (issued_at, block);
CREATE INDEX lead_blocks_by_series ON lead_blocks (block, issued_at);
CREATE TRIGGER lead_blocks_once BEFORE INSERT ON lead_blocks
WHEN EXISTS (SELECT 1 FROM lead_blocks
    WHERE issued_at = NEW.issued_at AND block = NEW.block AND members & NEW.members <> 0)
BEGIN SELECT RAISE(ABORT, 'a vintage is never rewritten'); END;
CREATE TRIGGER lead_blocks_fixed BEFORE UPDATE ON lead_blocks
BEGIN SELECT RAISE(ABORT, 'a vintage is never rewritten'); END;
CREATE TRIGGER lead_blocks_kept BEFORE DELETE ON lead_blocks
WHEN NOT EXISTS (SELECT 1 FROM retention_open)
BEGIN SELECT RAISE(ABORT, 'a vintage is deleted by retention only'); END;
