-- What became of the contacts that were created in a window, by series.
CREATE TABLE service_windows (
    region TEXT NOT NULL,
    service TEXT NOT NULL,
    channel TEXT NOT NULL,
    start INTEGER NOT NULL,
    body BLOB NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (region, service, channel, start)
) WITHOUT ROWID;
CREATE INDEX service_windows_by_start ON service_windows (start);
