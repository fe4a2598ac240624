-- Every body gets the version of its form in another column (body.rs). Rows of older releases have version 0 and are not
-- rewritten.
ALTER TABLE blobs ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chunks ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE partials ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vintage_blocks ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lead_blocks ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE adjusted_vintages ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nowcasts ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE plans ADD COLUMN plan_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE plans ADD COLUMN outlook_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE staffed ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE adjustments ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE score_days ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
-- Both bodies of a row are scores.
ALTER TABLE adjusted_scores ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE nowcast_scores ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE transitions ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alarms ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rebuilt ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE maintenance ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE anomalies ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
-- From this version on acknowledged_at and worst are in the body. The columns are read only in rows of version 0.
ALTER TABLE alerts ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
