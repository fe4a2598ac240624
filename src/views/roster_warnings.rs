//! Rows of a roster that can have no effect.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use super::roster::{CheckedRow, Roster, RosterOwner, ShiftOwner};
use crate::domain::{DAY, MINUTE, Name, SeriesKey, Timestamp};
use crate::staffing::{Rules, Team};
use crate::store::{Reader, StoreError};
use crate::text::{Texts, args};

/// Maximum number of warnings of one answer, and of rows that one warning names.
const WARNINGS_MAX: usize = 100;
const ROWS_MAX: usize = 20;

/// Why rows can have no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RosterWarningReason {
    /// No ticket of the series is known.
    UnknownSeries,
    /// A team with shifts of its own serves the series.
    TeamHasShifts,
    /// The team is closed.
    OutsideHours,
    /// The shifts ended more than a day ago.
    Past,
}

/// Rows of one series or team that can have no effect, all for the same reason. They are stored.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RosterWarning {
    /// `unknown_series`, `team_has_shifts`, `outside_hours` or `past`.
    #[schema(value_type = String)]
    pub reason: RosterWarningReason,
    #[serde(flatten)]
    pub owner: RosterOwner,
    /// Number of rows, and where the first 20 of them are: the line of a CSV file, or the index of a JSON array.
    pub n: usize,
    pub rows: Vec<usize>,
    /// The warning as a sentence.
    pub text: String,
}

/// The data with which a roster is compared.
struct Known<'a> {
    rules: &'a Rules,
    series: BTreeSet<SeriesKey>,
    /// Teams with shifts of their own, stored or in this roster.
    teams: BTreeSet<Name>,
    now: Timestamp,
}

/// The rows that can have no effect, by reason, series and team: at most 100 warnings, and how many there are beyond these.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn roster_warnings(
    reader: &Reader,
    roster: &Roster,
    rules: &Rules,
    now: Timestamp,
    texts: &Texts,
) -> Result<(Vec<RosterWarning>, usize), StoreError> {
    let stored = reader.team_shifts(now - DAY, Timestamp::MAX)?.into_iter();
    let new = roster.team_shifts.iter().map(|shift| shift.team.clone());
    let teams = stored.map(|shift| shift.team).chain(new).collect();
    let known = Known { rules, series: reader.series_keys()?, teams, now };
    let mut found: BTreeMap<(RosterWarningReason, &ShiftOwner), Vec<&CheckedRow>> = BTreeMap::new();
    for row in &roster.rows {
        if let Some(reason) = known.reason(row) {
            found.entry((reason, &row.owner)).or_default().push(row);
        }
    }
    let more = found.len().saturating_sub(WARNINGS_MAX);
    let all = found.into_iter().take(WARNINGS_MAX);
    let all = all.map(|((reason, owner), rows)| RosterWarning {
        reason,
        owner: owner.into(),
        n: rows.len(),
        rows: rows.iter().take(ROWS_MAX).map(|row| row.place).collect(),
        text: known.text(reason, owner, &rows, roster.is_csv, texts),
    });
    Ok((all.collect(), more))
}

impl Known<'_> {
    fn reason(&self, row: &CheckedRow) -> Option<RosterWarningReason> {
        if row.end + DAY <= self.now {
            return Some(RosterWarningReason::Past);
        }
        if let ShiftOwner::Series(series) = &row.owner {
            // Before the first ticket, no series is known.
            if !self.series.is_empty() && !self.series.contains(series) {
                return Some(RosterWarningReason::UnknownSeries);
            }
            if self.team(&row.owner).is_some_and(|team| self.teams.contains(&team.name)) {
                return Some(RosterWarningReason::TeamHasShifts);
            }
        }
        let is_closed = self.team(&row.owner).is_some_and(|team| is_closed(team, row));
        is_closed.then_some(RosterWarningReason::OutsideHours)
    }

    /// The team of the row, or the one that serves its series.
    fn team(&self, owner: &ShiftOwner) -> Option<&Team> {
        match owner {
            ShiftOwner::Team(name) => self.rules.team(name.as_str()),
            ShiftOwner::Series(series) => self.rules.team_of(series),
        }
    }

    fn text(
        &self,
        reason: RosterWarningReason,
        owner: &ShiftOwner,
        rows: &[&CheckedRow],
        is_csv: bool,
        texts: &Texts,
    ) -> String {
        let shown = rows.iter().take(ROWS_MAX).map(|row| row.place.to_string());
        let id = match (is_csv, rows.len()) {
            (true, 1) => "roster-line",
            (true, _) => "roster-lines",
            (false, 1) => "roster-shift",
            (false, _) => "roster-shifts",
        };
        let mut places = texts.text(id, args!["rows" => texts.list(shown)]);
        let more = rows.len().saturating_sub(ROWS_MAX);
        if more > 0 {
            places = texts.text("roster-rows-more", args!["rows" => places, "more" => more]);
        }
        let team = self.team(owner);
        let hours = team.and_then(|team| team.hours.as_ref()).map(ToString::to_string);
        let args = args![
            "rows" => places,
            "owner" => owner.to_string(),
            "team" => team.map(|team| team.name.to_string()).unwrap_or_default(),
            "hours" => hours.unwrap_or_default(),
            "zone" => team.map(|team| team.zone.to_string()).unwrap_or_default(),
        ];
        let id = match reason {
            RosterWarningReason::UnknownSeries => "roster-unknown-series",
            RosterWarningReason::TeamHasShifts => "roster-team-has-shifts",
            RosterWarningReason::OutsideHours => "roster-outside-hours",
            RosterWarningReason::Past => "roster-past",
        };
        texts.text(id, args)
    }
}

/// Whether a team is closed during the whole row. The row is checked in steps that are not longer than a window.
fn is_closed(team: &Team, row: &CheckedRow) -> bool {
    let mut at = row.start;
    while at < row.end {
        if team.is_open(at) {
            return false;
        }
        at = at + MINUTE * 5;
    }
    true
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::super::roster::RosterRow;
    use super::*;
    use crate::domain::{WindowWidth, Zone};
    use crate::staffing::Profile;
    use crate::store::{Store, WindowRecord};
    use crate::text::Language;
    use crate::window::{AggregationKey, Counts};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    /// A store with tickets of one series, or without any.
    fn reader(folder: &TempDir, series: Option<&str>) -> Reader {
        let mut store = Store::open(folder.path(), WindowWidth::HOUR).expect("a store");
        let mut tx = store.begin().expect("begins");
        if let Some(series) = series {
            let counts = Counts { tickets: 3, ..Counts::default() };
            let record = WindowRecord { counts, settled: true, ..WindowRecord::default() };
            let key = AggregationKey::Tickets(SeriesKey::parse(series).expect("a series"));
            tx.put_windows(&[(key, at("2026-07-01T00:00:00Z"), record)]).expect("puts");
        }
        tx.commit().expect("commits");
        store.reader().expect("a reader")
    }

    fn rules() -> Rules {
        let team = Team {
            name: Name::new("calls").expect("a name"),
            series: vec![SeriesKey::parse("north/_all/phone").expect("series")],
            skills: Vec::new(),
            profile: Profile::default_of("phone").expect("a default"),
            hours: Some("Mo-Su 08:00-22:00".parse().expect("hours")),
            zone: "Asia/Shanghai".parse().expect("a zone"),
            minimum: 0,
        };
        Rules::new(BTreeMap::new(), vec![team])
    }

    /// Reasons, rows and sentences of a CSV file.
    fn warned(reader: &Reader, csv: &str, language: Language) -> Vec<RosterWarning> {
        let (rules, now) = (rules(), at("2026-07-01T12:00:00Z"));
        let rows = RosterRow::of_csv(csv).expect("rows");
        let zone = |_: &Name| Zone::UTC;
        let roster = Roster::checked(&rows, true, &rules, &zone).expect("valid");
        let found = roster_warnings(reader, &roster, &rules, now, &Texts::new(language));
        found.expect("reads").0
    }

    const SERIES: &str = "region,service,channel,start,end,agents\n";
    const TEAM: &str = "team,start,end,agents\n";

    #[test]
    fn rows_without_effect_are_named_with_their_lines() {
        let folder = TempDir::new().expect("a folder");
        let reader = reader(&folder, Some("south/tv/phone"));
        let known = "south,tv,phone,2026-07-02T08:00,2026-07-02T16:00,3\n";
        let cases = [
            (format!("{SERIES}{known}"), None),
            (
                format!("{SERIES}{known}nowhere,tv,phone,2026-07-02T08:00,2026-07-02T16:00,3\n"),
                Some((
                    "unknown_series",
                    vec![3],
                    "Line 3: there are no tickets of nowhere/tv/phone. Check the names.",
                )),
            ),
            (
                format!(
                    "{TEAM}calls,2026-07-02T08:00,2026-07-02T23:00,3\ncalls,2026-07-02T22:00,2026-07-03T08:00,3\n"
                ),
                Some((
                    "outside_hours",
                    vec![3],
                    "Line 3: calls is closed at this time. Hours: Mo-Su 08:00-22:00 (Asia/Shanghai).",
                )),
            ),
            (
                format!(
                    "{SERIES}{known}south,tv,phone,2025-07-02T08:00,2025-07-02T16:00,3\nsouth,tv,phone,2025-07-03T08:00,2025-07-03T16:00,3\n"
                ),
                Some((
                    "past",
                    vec![3, 4],
                    "Lines 3, 4: these shifts of south/tv/phone ended more than a day ago.",
                )),
            ),
            // This morning's shift is over, and belongs to a roster of the day.
            (format!("{SERIES}south,tv,phone,2026-07-01T00:00,2026-07-01T06:00,3\n"), None),
        ];
        for (csv, expected) in cases {
            let found = warned(&reader, &csv, Language::En);
            let found = found.iter().map(|own| {
                let reason = serde_json::to_value(own.reason).expect("JSON");
                (reason.as_str().expect("text").to_owned(), own.rows.clone(), own.text.clone())
            });
            let expected = expected.map(|(reason, rows, text)| (reason.into(), rows, text.into()));
            assert_eq!(found.collect::<Vec<_>>(), Vec::from_iter(expected), "{csv}");
        }
    }

    #[test]
    fn shifts_of_a_series_give_way_to_those_of_its_team() {
        let folder = TempDir::new().expect("a folder");
        let reader = reader(&folder, Some("north/tv/phone"));
        let row = ",north,tv,phone,2026-07-02T08:00,2026-07-02T16:00,3\n";
        let header = "team,region,service,channel,start,end,agents\n";
        assert_eq!(warned(&reader, &format!("{header}{row}"), Language::En), []);
        let both = format!("{header}{row}calls,,,,2026-07-02T08:00,2026-07-02T16:00,3\n");
        let found = warned(&reader, &both, Language::Zh);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].reason, RosterWarningReason::TeamHasShifts);
        assert_eq!(
            found[0].text,
            "第 2 行：north/tv/phone 由团队 calls 负责，该团队有自己的班次，因此不采用这一序列的班次。"
        );
    }

    /// A roster may come before the first ticket. Many rows are counted, and the first 20 named.
    #[test]
    fn nothing_is_unknown_before_the_first_ticket() {
        let folder = TempDir::new().expect("a folder");
        let row = "nowhere,tv,phone,2026-07-02T08:00,2026-07-02T16:00,3\n";
        assert_eq!(warned(&reader(&folder, None), &format!("{SERIES}{row}"), Language::En), []);
        let folder = TempDir::new().expect("a folder");
        let reader = reader(&folder, Some("south/tv/phone"));
        let found = warned(&reader, &format!("{SERIES}{}", row.repeat(25)), Language::En);
        assert_eq!((found.len(), found[0].n, found[0].rows.len()), (1, 25, 20));
        assert!(found[0].text.contains("20, 21 and 5 more: there are no"), "{}", found[0].text);
    }
}
