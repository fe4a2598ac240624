//! Episodes of anomalies. They are not stored, because they follow from the anomalies of a series.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, params};

use super::body;
use super::codes::Code;
use super::{Reader, StoreError};
use crate::anomaly::{self, Anomaly, AnomalyKind, Episode};
use crate::domain::{SeriesKey, Timestamp, WindowWidth};

/// The anomalies of one kind and series.
#[derive(Clone, Copy)]
struct SeriesAnomalies<'a> {
    series: &'a SeriesKey,
    kind: AnomalyKind,
    width: WindowWidth,
}

impl SeriesAnomalies<'_> {
    /// Reads anomalies in the given order, those before `at` or from `at` on. They end at the first break after `until`.
    fn read(
        self,
        conn: &Connection,
        order: &str,
        at: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Anomaly>, StoreError> {
        let mut found = conn.prepare_cached(&format!(
            "SELECT a.body, a.version FROM anomalies a JOIN series s ON s.id = a.series
             WHERE s.region = ?1 AND s.service = ?2 AND s.channel = ?3 AND a.kind = ?4
                 AND a.start {order}"
        ))?;
        let SeriesKey { region, service, channel } = self.series;
        let names = [region, service, channel].map(|name| name.as_str());
        let kind = self.kind.code();
        let mut rows = found.query(params![names[0], names[1], names[2], kind, at.millis()])?;
        let apart = (anomaly::APART + self.width.length()).as_millis();
        let (mut all, mut last) = (Vec::<Anomaly>::new(), until);
        while let Some(row) = rows.next()? {
            let own: Anomaly = body::column(row, 0)?;
            let is_asked_for = (at..=until).contains(&own.window);
            let gap = (own.window.millis() - last.millis()).unsigned_abs();
            if !is_asked_for && u128::from(gap) > apart {
                break;
            }
            if !is_asked_for {
                last = own.window;
            }
            all.push(own);
        }
        Ok(all)
    }
}

impl Reader {
    /// The episode of each of these anomalies, as far as it is known now.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    pub fn episodes_of(&self, anomalies: &[Anomaly]) -> Result<Vec<Episode>, StoreError> {
        let width = self.width();
        let mut spans: BTreeMap<(&SeriesKey, AnomalyKind), (Timestamp, Timestamp)> =
            BTreeMap::new();
        for Anomaly { series, kind, window, .. } in anomalies {
            let span = spans.entry((series, *kind)).or_insert((*window, *window));
            *span = (span.0.min(*window), span.1.max(*window));
        }
        let mut known: HashMap<(SeriesKey, AnomalyKind, Timestamp), Episode> = HashMap::new();
        for ((series, kind), (from, to)) in spans {
            let of_kind = SeriesAnomalies { series, kind, width };
            let around = self.read(|conn| {
                let mut all = of_kind.read(conn, "< ?5 ORDER BY a.start DESC", from, from)?;
                all.reverse();
                all.extend(of_kind.read(conn, ">= ?5 ORDER BY a.start", from, to)?);
                Ok(all)
            })?;
            let episodes = anomaly::episodes(&around, width);
            let keys = around.into_iter().map(|own| (own.series, own.kind, own.window));
            known.extend(keys.zip(episodes));
        }
        let alone = |own: &Anomaly| anomaly::episodes(std::slice::from_ref(own), width);
        let found = anomalies.iter().flat_map(|own| {
            match known.get(&(own.series.clone(), own.kind, own.window)) {
                Some(episode) => vec![episode.clone()],
                // Deleted meanwhile.
                None => alone(own),
            }
        });
        Ok(found.collect())
    }
}
