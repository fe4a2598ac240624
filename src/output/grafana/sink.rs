//! Writes episodes as annotations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

use super::client::{
    Answer, Created, GrafanaClient, GrafanaSettings, OUR_TAG, Shown, key_tag, kind_tag,
};
use super::episodes::{self, Episode};
use super::outages::Outages;
use super::planned::planned;
use crate::domain::{Clock, DAY, HOUR, Timestamp};
use crate::engine::Message;
use crate::output::sink::{Refused, Sink, SinkError, Written};
use crate::store::{Annotation, AnnotationKind, AnnotationState, Change, Reader, StoreError};
use crate::text::Texts;
use crate::window::AlarmRules;

/// Episodes that ended longer ago are not annotated any more.
const BACK: Duration = Duration::from_secs(7 * DAY.as_secs());
/// Interval of examinations of the alarms.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Grafana's limit of all tags of an annotation is 500 bytes, as a list of JSON.
const TAGS_BYTES_MAX: usize = 480;

/// What the sink needs besides the store.
pub struct GrafanaContext {
    /// Base of links.
    pub public_url: String,
    /// Language of annotations.
    pub texts: Texts,
    /// When alarms begin and end.
    pub alarms: AlarmRules,
    pub clock: Arc<dyn Clock>,
    /// The forecaster, which stores what was written.
    pub leader: SyncSender<Message>,
}

/// Grafana.
pub struct GrafanaSink {
    client: GrafanaClient,
    context: GrafanaContext,
    outages: Outages,
    looked_at: Option<Timestamp>,
}

/// The results of one round.
#[derive(Default)]
struct Round {
    /// Rows to store.
    rows: BTreeMap<String, Annotation>,
    /// Number of accepted requests.
    count: usize,
    left_out: usize,
    refused: Vec<Refused>,
}

/// Why a round ends before it is done.
enum Stop {
    Store(StoreError),
    SinkError(SinkError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<SinkError> for Stop {
    fn from(sink_error: SinkError) -> Self {
        Self::SinkError(sink_error)
    }
}

impl Sink for GrafanaSink {
    const NAME: &'static str = "grafana";

    fn probe(&mut self) -> Result<(), SinkError> {
        self.client.probe()
    }

    fn write(
        &mut self,
        reader: &Reader,
        changes: &[Change],
    ) -> Result<(usize, Written), StoreError> {
        let episodes = self.gather(reader, changes)?;
        self.put(reader, episodes)
    }

    fn pulse(&mut self, reader: &Reader) -> Result<(usize, Written), StoreError> {
        let now = self.context.clock.now();
        let is_due = self.looked_at.is_none_or(|at| now < at || now >= at + LOOK_EVERY);
        if !is_due || !self.is_on(AnnotationKind::Outage) {
            return Ok((0, Ok(Vec::new())));
        }
        let mut episodes = self.outages.look(reader, now, &self.context.texts)?;
        episodes.extend(lost(reader, &episodes, now)?);
        let (count, written) = self.put(reader, episodes)?;
        // After an error it looks again at once, because the writer waits already.
        self.looked_at = written.is_ok().then_some(now);
        Ok((count, written))
    }
}

/// Outages that are open in Grafana but no longer in the book: their alarms ended while this instance did not run.
fn lost(reader: &Reader, known: &[Episode], now: Timestamp) -> Result<Vec<Episode>, StoreError> {
    let open = reader.open_annotations(AnnotationKind::Outage)?;
    let is_known = |row: &Annotation| {
        known.iter().any(|episode| {
            episode.scope == row.scope && episode.to.is_none_or(|to| to >= row.starts_at)
        })
    };
    let lost = open.into_iter().filter(|row| !is_known(row));
    let ended = lost.map(|row| Episode {
        kind: row.kind,
        scope: row.scope,
        key: Some(row.key),
        from: row.starts_at,
        to: Some(now),
        text: String::new(),
        is_cancelled: false,
    });
    Ok(ended.collect())
}

impl GrafanaSink {
    /// # Errors
    /// If the TLS set-up of this machine cannot be used.
    pub fn new(settings: GrafanaSettings, context: GrafanaContext) -> Result<Self, reqwest::Error> {
        Ok(Self::of(GrafanaClient::new(settings)?, context))
    }

    #[cfg(test)]
    pub(super) fn with_timeout(
        settings: GrafanaSettings,
        context: GrafanaContext,
        timeout: Duration,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self::of(GrafanaClient::with_timeout(settings, timeout)?, context))
    }

    fn of(client: GrafanaClient, context: GrafanaContext) -> Self {
        let outages = Outages::new(context.alarms);
        Self { client, context, outages, looked_at: None }
    }

    fn is_on(&self, kind: AnnotationKind) -> bool {
        self.client.settings().kinds.contains(&kind)
    }

    /// The episodes that changes concern.
    fn gather(&self, reader: &Reader, changes: &[Change]) -> Result<Vec<Episode>, StoreError> {
        let GrafanaContext { public_url, texts, clock, .. } = &self.context;
        let from = clock.now() - BACK;
        let mut found = Vec::new();
        for change in changes {
            match change {
                Change::Anomalies(start)
                    if self.is_on(AnnotationKind::Anomaly) && *start >= from =>
                {
                    found.extend(episodes::anomalies(reader, *start, texts)?);
                }
                Change::Accuracy(day)
                    if self.is_on(AnnotationKind::Surge) && *day + DAY >= from =>
                {
                    found.extend(episodes::surges(reader, *day, texts)?);
                }
                Change::Alert(_, id) if self.is_on(AnnotationKind::Page) => {
                    let alert = reader.alert(id)?;
                    found.extend(alert.and_then(|alert| episodes::page(&alert, public_url, texts)));
                }
                Change::Planned(at, text) if self.is_on(AnnotationKind::Planned) => {
                    found.push(planned(reader, text, *at, texts)?);
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// Writes episodes to Grafana, and stores which annotations exist.
    fn put(
        &mut self,
        reader: &Reader,
        episodes: Vec<Episode>,
    ) -> Result<(usize, Written), StoreError> {
        let mut round = Round::default();
        let done =
            episodes.iter().try_for_each(|episode| self.put_one(reader, episode, &mut round));
        let Round { mut rows, count, left_out, mut refused } = round;
        if done.is_err() {
            // What is refused or left out is decided and reported again in the next round.
            rows.retain(|_, row| {
                !matches!(row.state, AnnotationState::LeftOut | AnnotationState::Gone)
            });
        }
        let stored = self.store(rows);
        if left_out > 0 {
            let limit = self.client.settings().per_hour;
            let why = format!(
                "{left_out} episodes were left out, because more than {limit} of one kind begin in one hour: raise \
                 grafana.annotations_per_hour if boards should show them"
            );
            refused.push(Refused { lines: left_out, why, point: None });
        }
        match done {
            Err(Stop::Store(error)) => Err(error),
            Err(Stop::SinkError(sink_error)) => Ok((count, Err(sink_error))),
            Ok(()) => Ok((count, stored.map(|()| refused))),
        }
    }

    /// Waits until the forecaster has stored the rows. Without them, the next round finds the annotations by their tag.
    fn store(&self, rows: BTreeMap<String, Annotation>) -> Result<(), SinkError> {
        if rows.is_empty() {
            return Ok(());
        }
        let failed =
            || SinkError::Temporary("grafana: the ids of annotations were not stored".into());
        let (stored, done) = sync_channel(1);
        let rows = rows.into_values().collect();
        self.context.leader.send(Message::Annotations(rows, stored)).map_err(|_| failed())?;
        done.recv().map_err(|_| failed())
    }

    fn put_one(&self, reader: &Reader, episode: &Episode, round: &mut Round) -> Result<(), Stop> {
        let row = known(reader, episode, round)?;
        let changed = match row.filter(|row| row.state != AnnotationState::Deleted) {
            Some(row) => self.change(row, episode, round)?,
            None => self.create(reader, episode, round)?,
        };
        if let Some(row) = changed {
            round.rows.insert(row.key.clone(), row);
        }
        Ok(())
    }

    /// Creates an annotation, unless the limit for its hour is reached.
    fn create(
        &self,
        reader: &Reader,
        episode: &Episode,
        round: &mut Round,
    ) -> Result<Option<Annotation>, Stop> {
        let is_old = episode.to.is_some_and(|to| to < self.context.clock.now() - BACK);
        if episode.is_cancelled || is_old {
            return Ok(None);
        }
        let mut row = Annotation {
            key: episode.key(),
            kind: episode.kind,
            scope: episode.scope.clone(),
            starts_at: episode.from,
            ends_at: episode.to,
            text: hash(&episode.text),
            state: AnnotationState::LeftOut,
        };
        if begun(reader, &row, round)? >= self.client.settings().per_hour {
            round.left_out += 1;
            return Ok(Some(row));
        }
        if let Some(id) = self.client.find(&row.key)? {
            // Created before a crash, or by another instance.
            row.state = AnnotationState::Written(id);
            return self.send(row, id, episode, round).map(Some);
        }
        match self.client.create(&shown(&row, episode), &self.tags(&row))? {
            Created::As(id) => {
                round.count += 1;
                row.state = AnnotationState::Written(id);
            }
            Created::Refused(why) => {
                round.refused.push(Refused { lines: 1, why, point: None });
                row.state = AnnotationState::Gone;
            }
        }
        Ok(Some(row))
    }

    /// Changes, ends or deletes an annotation. `None` if it is left unchanged.
    fn change(
        &self,
        mut row: Annotation,
        episode: &Episode,
        round: &mut Round,
    ) -> Result<Option<Annotation>, Stop> {
        if episode.is_cancelled {
            let AnnotationState::Written(id) = row.state else { return Ok(None) };
            match self.client.delete(id)? {
                Answer::Done(_) => round.count += 1,
                Answer::Missing => {}
                Answer::Refused(why) => round.refused.push(Refused { lines: 1, why, point: None }),
            }
            row.state = AnnotationState::Deleted;
            return Ok(Some(row));
        }
        // An outage that goes on keeps its text.
        if row.kind == AnnotationKind::Outage && row.ends_at.is_none() && episode.to.is_none() {
            return Ok(None);
        }
        let before = row.clone();
        // What has an id may be moved; the first part of another episode may be forgotten.
        row.starts_at = match episode.key {
            Some(_) => episode.from,
            None => row.starts_at.min(episode.from),
        };
        row.ends_at = episode.to;
        if !episode.text.is_empty() {
            row.text = hash(&episode.text);
        }
        if row == before {
            return Ok(None);
        }
        match row.state {
            AnnotationState::Written(id) => self.send(row, id, episode, round).map(Some),
            _ => Ok(Some(row)),
        }
    }

    fn send(
        &self,
        mut row: Annotation,
        id: i64,
        episode: &Episode,
        round: &mut Round,
    ) -> Result<Annotation, Stop> {
        match self.client.change(id, &shown(&row, episode))? {
            Answer::Done(_) => round.count += 1,
            // A person deleted it.
            Answer::Missing => row.state = AnnotationState::Gone,
            Answer::Refused(why) => {
                round.refused.push(Refused { lines: 1, why, point: None });
                row.state = AnnotationState::Gone;
            }
        }
        Ok(row)
    }

    fn tags(&self, row: &Annotation) -> Vec<String> {
        let mut tags = vec![OUR_TAG.to_owned(), kind_tag(row.kind), key_tag(&row.key)];
        tags.extend(self.client.settings().tags.iter().cloned());
        let of_scope =
            [format!("region:{}", row.scope.region), format!("service:{}", row.scope.service)];
        for tag in of_scope {
            let bytes: usize = tags.iter().map(|tag| tag.len() + 3).sum();
            if bytes + tag.len() + 3 <= TAGS_BYTES_MAX {
                tags.push(tag);
            }
        }
        tags
    }
}

fn shown<'e>(row: &Annotation, episode: &'e Episode) -> Shown<'e> {
    let text = (!episode.text.is_empty()).then_some(episode.text.as_str());
    Shown { time: row.starts_at, time_end: row.ends_at, text }
}

fn hash(text: &str) -> i64 {
    i64::from_ne_bytes(xxh3_64(text.as_bytes()).to_ne_bytes())
}

/// The annotation of an episode: that of its key, or else the first one of its kind and scope that overlaps it.
fn known(
    reader: &Reader,
    episode: &Episode,
    round: &Round,
) -> Result<Option<Annotation>, StoreError> {
    if let Some(key) = &episode.key {
        return match round.rows.get(key) {
            Some(row) => Ok(Some(row.clone())),
            None => reader.annotation(key),
        };
    }
    let to = episode.to.unwrap_or(Timestamp::MAX);
    let is_same = |row: &&Annotation| {
        row.kind == episode.kind
            && row.scope == episode.scope
            && row.starts_at <= to
            && row.ends_at.is_none_or(|end| end >= episode.from)
    };
    let new = round.rows.values().filter(is_same).min_by_key(|row| row.starts_at);
    if let Some(row) = new {
        return Ok(Some(row.clone()));
    }
    let stored = reader.annotations_around(episode.kind, &episode.scope, (episode.from, to))?;
    Ok(stored.into_iter().next())
}

/// Number of annotations of the same kind that begin in the same hour.
fn begun(reader: &Reader, row: &Annotation, round: &Round) -> Result<usize, StoreError> {
    let hour = HOUR.as_millis() as i64;
    let from = Timestamp::from_millis(row.starts_at.millis().div_euclid(hour) * hour);
    let stored = reader.annotations_begun(row.kind, (from, from + HOUR))?;
    let mut keys: BTreeSet<&str> = stored.iter().map(|row| row.key.as_str()).collect();
    let new = round.rows.values().filter(|new| {
        new.kind == row.kind
            && new.state != AnnotationState::LeftOut
            && (from..from + HOUR).contains(&new.starts_at)
    });
    keys.extend(new.map(|row| row.key.as_str()));
    Ok(keys.len())
}
