-- The roster of teams. `absent` is NULL where absences are not known.
CREATE TABLE team_shifts (
    team TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    agents INTEGER NOT NULL,
    absent INTEGER
);
CREATE INDEX team_shifts_by_end ON team_shifts (ends_at);
