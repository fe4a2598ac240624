-- Planners' adjustments.
CREATE TABLE adjustments (
    id TEXT PRIMARY KEY, starts_at INTEGER NOT NULL, ends_at INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE INDEX adjustments_by_end ON adjustments (ends_at);
-- Adjusted vintages, as they were served. The model's are in `vintages`. Both are guarded by triggers.
CREATE TABLE adjusted_vintages (
    id INTEGER PRIMARY KEY, series INTEGER NOT NULL, issued_at INTEGER NOT NULL, body BLOB NOT NULL,
    UNIQUE (series, issued_at)
);
CREATE INDEX adjusted_vintages_by_time ON adjusted_vintages (issued_at);
CREATE TRIGGER adjusted_vintages_first_stands BEFORE INSERT ON adjusted_vintages
WHEN EXISTS (SELECT 1 FROM adjusted_vintages WHERE series = NEW.series AND issued_at = NEW.issued_at)
BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER adjusted_vintages_fixed BEFORE UPDATE ON adjusted_vintages
BEGIN SELECT RAISE(ABORT, 'a vintage is never rewritten'); END;
CREATE TRIGGER adjusted_vintages_kept BEFORE DELETE ON adjusted_vintages
WHEN NOT EXISTS (SELECT 1 FROM retention_open)
BEGIN SELECT RAISE(ABORT, 'a vintage is deleted by retention only'); END;
-- Sums over windows in which adjusted and model's forecasts differ.
CREATE TABLE adjusted_scores (
    series INTEGER NOT NULL, day INTEGER NOT NULL, lead_minutes INTEGER NOT NULL,
    adjusted BLOB NOT NULL, model BLOB NOT NULL,
    PRIMARY KEY (series, day, lead_minutes)
) WITHOUT ROWID;
