-- Tickets by the sentiment of their text, by series and the window in which they were created. Windows without texts have no row.
CREATE TABLE sentiment_windows (
    region TEXT NOT NULL,
    service TEXT NOT NULL,
    channel TEXT NOT NULL,
    start INTEGER NOT NULL,
    positive INTEGER NOT NULL,
    neutral INTEGER NOT NULL,
    negative INTEGER NOT NULL,
    PRIMARY KEY (region, service, channel, start)
) WITHOUT ROWID;
CREATE INDEX sentiment_windows_by_start ON sentiment_windows (start);
