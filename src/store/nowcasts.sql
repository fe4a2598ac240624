-- Nowcasts, separate from `vintages` and guarded by the same triggers. replaced: issue time of the vintage that it replaced.
CREATE TABLE nowcasts (
    id INTEGER PRIMARY KEY, series INTEGER NOT NULL, issued_at INTEGER NOT NULL,
    replaced INTEGER NOT NULL, reason TEXT NOT NULL, body BLOB NOT NULL,
    UNIQUE (series, issued_at)
);
CREATE INDEX nowcasts_by_time ON nowcasts (issued_at);
CREATE TRIGGER nowcasts_first_stands BEFORE INSERT ON nowcasts
WHEN EXISTS (SELECT 1 FROM nowcasts WHERE series = NEW.series AND issued_at = NEW.issued_at)
BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER nowcasts_fixed BEFORE UPDATE ON nowcasts
BEGIN SELECT RAISE(ABORT, 'a vintage is never rewritten'); END;
CREATE TRIGGER nowcasts_kept BEFORE DELETE ON nowcasts
WHEN NOT EXISTS (SELECT 1 FROM retention_open)
BEGIN SELECT RAISE(ABORT, 'a vintage is deleted by retention only'); END;
-- Sums over windows that both the nowcast and the vintage that it replaced forecast.
CREATE TABLE nowcast_scores (
    series INTEGER NOT NULL, day INTEGER NOT NULL, nowcast BLOB NOT NULL, scheduled BLOB NOT NULL,
    PRIMARY KEY (series, day)
) WITHOUT ROWID;
