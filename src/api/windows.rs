//! GET: counts of windows.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;

use super::params::{self, LIMIT_MAX, Params, SpanQuery};
use super::problem::Problem;
use super::read::{read, span};
use super::state::ApiState;
use crate::domain::{SeriesKey, Timestamp};
use crate::store::{Reader, StoreError};
use crate::views;

/// Where a page ended: series, start of its last window, windows of that series so far.
#[derive(Clone, Debug, PartialEq)]
struct Cursor {
    series: SeriesKey,
    start: Timestamp,
    taken: usize,
}

impl Cursor {
    fn text(&self) -> String {
        format!("{}~{}~{}", self.start.millis(), self.taken, self.series)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '~');
        let start = Timestamp::from_millis(parts.next()?.parse().ok()?);
        let taken = parts.next()?.parse().ok()?;
        Some(Self { series: SeriesKey::parse(parts.next()?).ok()?, start, taken })
    }
}

/// A stretch of windows, and where to go on.
struct Span {
    from: Timestamp,
    to: Timestamp,
    /// Windows of each series.
    most: usize,
    after: Option<Cursor>,
}

impl Span {
    /// The windows of a series, at most `room`, and whether there are more.
    fn windows(
        &self,
        reader: &Reader,
        series: &SeriesKey,
        room: usize,
    ) -> Result<(Vec<views::Window>, Option<Cursor>), StoreError> {
        let after = self.after.as_ref().filter(|after| after.series == *series);
        let taken = after.map_or(0, |after| after.taken);
        let from = after.map_or(self.from, |after| after.start + Duration::from_millis(1));
        let rows = reader.series_windows(series, from, self.to)?;
        let wanted = rows.len().min(self.most.saturating_sub(taken));
        let windows: Vec<_> = rows.iter().take(wanted.min(room)).map(views::Window::from).collect();
        let is_cut = windows.len() < wanted;
        let start = rows.get(windows.len().wrapping_sub(1)).map(|row| row.start);
        let start = start.unwrap_or(from - Duration::from_millis(1));
        let cursor = Cursor { series: series.clone(), start, taken: taken + windows.len() };
        Ok((windows, is_cut.then_some(cursor)))
    }
}

/// Counts of windows, settled and open
///
/// At most 1,000 windows of all series together; a `Link` leads to the next ones.
#[utoipa::path(get, path = "/windows", params(SpanQuery), responses((status = 200, body = Vec<views::Window>), (status = 400, body = Problem)))]
pub async fn windows(
    State(state): State<ApiState>,
    Params(query): Params<SpanQuery>,
) -> Result<Response, Problem> {
    let filter =
        params::filter(query.region.as_ref(), query.service.as_ref(), query.channel.as_ref())?;
    let (mut from, to) = span(&query, state.clock.now())?;
    let after = query.after.as_deref().and_then(Cursor::parse);
    if after.is_none()
        && let Some(after) = params::instant("after", query.after.as_ref())?
    {
        from = from.max(after + Duration::from_millis(1));
    }
    let most = query.limit.map_or(Ok(usize::MAX), |limit| params::limit(Some(limit)))?;
    let span = Span { from, to, most, after };
    if let Some(series) = filter.one() {
        let found = read(&state, move |reader| span.windows(reader, &series, LIMIT_MAX));
        let (windows, next) = found.await?;
        return Ok(params::cut(windows, next.map(|next| next.text())));
    }
    let found = read(&state, move |reader| {
        let (mut all, mut room) = (Vec::new(), LIMIT_MAX);
        let reached = |series: &SeriesKey| {
            filter.admits_series(series) && span.after.as_ref().is_none_or(|a| *series >= a.series)
        };
        for series in reader.series_keys()?.into_iter().filter(reached) {
            let (windows, next) = span.windows(reader, &series, room)?;
            room -= windows.len();
            let is_empty = windows.is_empty() && next.is_some();
            if !is_empty {
                all.push(views::SeriesWindows { key: views::Key::from(&series), windows });
            }
            // A series without windows in the span has a row too: the number of rows is bounded as well.
            if next.is_some() || all.len() >= LIMIT_MAX {
                let end = Cursor { series, start: to, taken: 0 };
                return Ok((all, Some(next.unwrap_or(end))));
            }
        }
        Ok((all, None))
    });
    let (all, next) = found.await?;
    Ok(params::cut(all, next.map(|next| next.text())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back() {
        let series = SeriesKey::parse("north ~ 1/tv/phone").expect("a series");
        let cursor = Cursor { series, start: Timestamp::from_millis(1_774_692_000_000), taken: 7 };
        assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        for text in ["", "2026-03-28T10:00:00Z", "1~2", "1~x~a/b/c", "1~2~a/b"] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
