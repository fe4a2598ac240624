-- Changes that sinks have to write, newest number last. A thing that changes again gets a new number.
-- kind: 0 window (at = start), 1 vintages and plans (at = issue time), 2 anomalies (at = start), 3 alert (at = since, name = id),
-- 4 nowcasts (at = issue time), 5 accuracy (at = midnight of the day), 6 planned (at = start, name = what and where, as JSON).
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL, at INTEGER NOT NULL, name TEXT NOT NULL,
    UNIQUE (kind, at, name)
);
-- The plan of each window when it began.
CREATE TABLE staffed (
    start INTEGER NOT NULL, series INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (start, series)
) WITHOUT ROWID;
