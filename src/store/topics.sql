-- From this version on a window's counts may have topics at their end, which older releases do not read (chunk.rs). Rows of
-- `cells` may be of kind 3: phrases, with the phrase in the column of the channel.
CREATE INDEX cells_by_kind ON cells (kind, region, service);
