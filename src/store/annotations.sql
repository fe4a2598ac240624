-- Annotations in Grafana. ends_at is NULL while an episode lasts. state: 0 written (grafana_id is its id there), 1 left out,
-- 2 gone (deleted by a person, or refused), 3 deleted by us. text: a hash of the text that Grafana has.
CREATE TABLE annotations (
    key TEXT PRIMARY KEY, kind INTEGER NOT NULL, region TEXT NOT NULL, service TEXT NOT NULL,
    starts_at INTEGER NOT NULL, ends_at INTEGER, text INTEGER NOT NULL,
    state INTEGER NOT NULL, grafana_id INTEGER
) WITHOUT ROWID;
CREATE INDEX annotations_by_place ON annotations (kind, region, service, starts_at);
CREATE INDEX annotations_by_start ON annotations (kind, starts_at);
