//! Which recommendations were taken, and what followed, by team and week or quarter of the year.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{Datelike, NaiveDate};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{DAY, Timestamp, Zone};
use crate::staffing::{Outcome, Recommendation, RecommendationState};
use crate::store::{Reader, StoreError};

/// Upper limit of the length of a period.
const LONGEST: Duration = Duration::from_secs(93 * DAY.as_secs());

/// A span by which recommendations are summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// An ISO week, from Monday on.
    Week,
    /// A quarter of the year.
    Quarter,
}

impl Period {
    /// How far back a list reaches: 12 weeks, or a year.
    pub fn reach(self) -> Duration {
        match self {
            Self::Week => Duration::from_secs(84 * DAY.as_secs()),
            Self::Quarter => Duration::from_secs(366 * DAY.as_secs()),
        }
    }

    /// The first day of the period of a day.
    fn first(self, day: NaiveDate) -> NaiveDate {
        let first = match self {
            Self::Week => {
                let back = u64::from(day.weekday().num_days_from_monday());
                day.checked_sub_days(chrono::Days::new(back))
            }
            Self::Quarter => NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1),
        };
        first.unwrap_or(day)
    }

    /// Its name, such as `2026-W46` or `2026-Q4`.
    fn name(self, first: NaiveDate) -> String {
        match self {
            Self::Week => {
                let week = first.iso_week();
                format!("{}-W{:02}", week.year(), week.week())
            }
            Self::Quarter => format!("{}-Q{}", first.year(), first.month0() / 3 + 1),
        }
    }
}

/// What became of the recommendations of a team that begin in one week or quarter of the year.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct AdviceTaken {
    /// `2026-W46` or `2026-Q4`, in the team's time zone.
    pub period: String,
    /// Its first day.
    pub first_day: String,
    /// The team, or `region/service/channel` of a series without a team. A move counts for the team that gets agents.
    pub team: String,
    /// Accepted or done.
    pub taken: u32,
    pub declined: u32,
    /// Their start passed without an answer.
    pub expired: u32,
    /// Withdrawn because the forecasts no longer called for them.
    pub withdrawn: u32,
    /// Nobody has answered yet.
    pub open: u32,
    /// Share of the recommendations taken among those that were taken, declined or expired.
    pub share_taken: Option<f64>,
    /// Agents × hours of the recommendations taken.
    pub agent_hours: f64,
    /// Cost of the recommendations taken, in the unit of `[recommendations]`; below 0 where they save.
    pub cost: f64,
    /// Recommendations taken that are over and were compared with the actual contacts. The fields below are about these.
    pub compared: u32,
    pub arrivals: f64,
    pub expected_arrivals: f64,
    /// Service level that the forecast expected, weighted by the expected contacts.
    pub expected_service_level_with: Option<f64>,
    pub expected_service_level_without: Option<f64>,
    /// Service level that the model gives for the actual contacts, weighted by them.
    pub service_level_with: Option<f64>,
    pub service_level_without: Option<f64>,
    /// Additional contacts answered in time; below 0 where people were sent home.
    pub answered_more: f64,
}

/// Sums of one row: weighted sums from which shares are computed.
#[derive(Default)]
struct Sums {
    row: AdviceTaken,
    expected: Mean,
    actual: Mean,
}

/// Two means with the same weights.
#[derive(Default)]
struct Mean {
    weight: f64,
    with: f64,
    without: f64,
}

impl Mean {
    fn add(&mut self, contacts: f64, with: f64, without: f64) {
        // One without contacts counts a little, so that it has a level.
        let weight = contacts + 1e-6;
        self.weight += weight;
        self.with += weight * with;
        self.without += weight * without;
    }

    fn levels(&self) -> (Option<f64>, Option<f64>) {
        let of = |sum: f64| (self.weight > 0.0).then(|| share(sum / self.weight));
        (of(self.with), of(self.without))
    }
}

impl Sums {
    fn add(&mut self, own: &Recommendation) {
        use RecommendationState::{Accepted, Declined, Done, Expired, Proposed, Withdrawn};
        let count = match own.state {
            Accepted | Done => &mut self.row.taken,
            Declined => &mut self.row.declined,
            Expired => &mut self.row.expired,
            Withdrawn => &mut self.row.withdrawn,
            Proposed => &mut self.row.open,
        };
        *count += 1;
        if !own.is_agreed() {
            return;
        }
        self.row.agent_hours += f64::from(own.agents) * own.hours();
        self.row.cost += own.cost;
        if let Some(outcome) = &own.outcome {
            self.follow(own, outcome);
        }
    }

    fn follow(&mut self, own: &Recommendation, outcome: &Outcome) {
        self.row.compared += 1;
        self.row.arrivals += outcome.arrivals;
        self.row.expected_arrivals += outcome.expected_arrivals;
        self.row.answered_more += outcome.arrivals * (outcome.level_with - outcome.level_without);
        self.expected.add(outcome.expected_arrivals, own.level_with, own.level_without);
        self.actual.add(outcome.arrivals, outcome.level_with, outcome.level_without);
    }

    fn done(self) -> AdviceTaken {
        let mut row = self.row;
        let answered = row.taken + row.declined + row.expired;
        row.share_taken = (answered > 0).then(|| share(f64::from(row.taken) / f64::from(answered)));
        (row.expected_service_level_with, row.expected_service_level_without) =
            self.expected.levels();
        (row.service_level_with, row.service_level_without) = self.actual.levels();
        for value in [
            &mut row.agent_hours,
            &mut row.cost,
            &mut row.arrivals,
            &mut row.expected_arrivals,
            &mut row.answered_more,
        ] {
            *value = hundredths(*value);
        }
        row
    }
}

/// Rounds like the levels of recommendations.
fn share(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

fn hundredths(value: f64) -> f64 {
    // Without a sign where it is 0.
    (value * 100.0).round() / 100.0 + 0.0
}

/// The instant at which a day begins.
fn midnight(zone: Zone, day: NaiveDate) -> Timestamp {
    zone.instant(day.and_time(chrono::NaiveTime::MIN))
}

/// Rows of the periods that begin within a span.
struct Rows {
    period: Period,
    span: (Timestamp, Timestamp),
    rows: BTreeMap<(Reverse<NaiveDate>, String), Sums>,
}

impl Rows {
    fn add(&mut self, own: &Recommendation) {
        let first = self.period.first(own.zone.local(own.from).date());
        let begins = midnight(own.zone, first);
        if self.span.0 <= begins && begins < self.span.1 {
            self.rows.entry((Reverse(first), own.team.clone())).or_default().add(own);
        }
    }

    /// The rows, newest first, then by team.
    fn done(self) -> Vec<AdviceTaken> {
        let rows = self.rows.into_iter().map(|((Reverse(first), team), sums)| AdviceTaken {
            period: self.period.name(first),
            first_day: first.to_string(),
            team,
            ..sums.done()
        });
        rows.collect()
    }
}

/// What became of recommendations in the periods that begin within a span, newest first, then by team.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn advice_taken(
    reader: &Reader,
    period: Period,
    team: Option<&str>,
    span: (Timestamp, Timestamp),
) -> Result<Vec<AdviceTaken>, StoreError> {
    let mut rows = Rows { period, span, rows: BTreeMap::new() };
    reader.each_recommendation(team, (span.0, span.1 + LONGEST), |own| rows.add(&own))?;
    Ok(rows.done())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staffing::{AdviceReason, Kind};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    /// Four agents for two hours from a time on, at a cost of 40.
    fn own(team: &str, from: &str, state: RecommendationState) -> Recommendation {
        let from = at(from);
        Recommendation {
            id: format!("move.mobile.{team}.{from}"),
            kind: Kind::Move,
            state,
            team: team.into(),
            source: Some("mobile".into()),
            series: Vec::new(),
            zone: "Asia/Shanghai".parse().expect("a zone"),
            from,
            to: from + crate::domain::HOUR * 2,
            agents: 4,
            confidence: 0.9,
            level_with: 0.9,
            level_without: 0.6,
            cost: 40.0,
            deflection: None,
            arrivals: 100.0,
            why: AdviceReason::Short { at: from, needed: 14, scheduled: 10 },
            issued_at: from,
            updated_at: from,
            changed_at: from,
            changes: 0,
            grew: true,
            idle_since: None,
            differs_since: None,
            answered_by: None,
            answered_at: None,
            in_roster: false,
            in_source_roster: false,
            outcome: None,
        }
    }

    fn followed(team: &str, from: &str, arrivals: f64, levels: (f64, f64)) -> Recommendation {
        let outcome = Outcome {
            arrivals,
            expected_arrivals: 100.0,
            level_with: levels.0,
            level_without: levels.1,
            deflected: None,
        };
        Recommendation { outcome: Some(outcome), ..own(team, from, RecommendationState::Done) }
    }

    fn rows(period: Period, span: (&str, &str), all: &[Recommendation]) -> Vec<AdviceTaken> {
        let span = (at(span.0), at(span.1));
        let mut rows = Rows { period, span, rows: BTreeMap::new() };
        all.iter().for_each(|own| rows.add(own));
        rows.done()
    }

    #[test]
    fn accepted_recommendations_are_compared_with_actual_contacts() {
        use RecommendationState::{Accepted, Declined, Expired, Proposed, Withdrawn};
        let day = "2026-11-18T06:00:00Z";
        let mut all = vec![
            followed("calls", day, 300.0, (0.8, 0.4)),
            followed("calls", day, 100.0, (0.6, 0.6)),
        ];
        for state in [Accepted, Declined, Expired, Withdrawn, Proposed] {
            all.push(own("calls", day, state));
        }
        all.push(own("chats", day, Withdrawn));
        let span = ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z");
        let found = rows(Period::Week, span, &all);
        let calls = AdviceTaken {
            period: "2026-W47".into(),
            first_day: "2026-11-16".into(),
            team: "calls".into(),
            taken: 3,
            declined: 1,
            expired: 1,
            withdrawn: 1,
            open: 1,
            share_taken: Some(0.6),
            agent_hours: 24.0,
            cost: 120.0,
            compared: 2,
            arrivals: 400.0,
            expected_arrivals: 200.0,
            expected_service_level_with: Some(0.9),
            expected_service_level_without: Some(0.6),
            service_level_with: Some(0.75),
            service_level_without: Some(0.45),
            answered_more: 120.0,
        };
        assert_eq!(found[0], calls);
        let chats = &found[1];
        assert_eq!((&*chats.team, chats.withdrawn, chats.share_taken), ("chats", 1, None));
        assert_eq!((chats.compared, chats.service_level_with), (0, None), "nothing to compare");
    }

    #[test]
    fn only_whole_periods_are_listed_newest_first() {
        let taken = |from| own("calls", from, RecommendationState::Done);
        // Monday, 16 November begins in Shanghai at 16:00 UTC of Sunday.
        let all =
            ["2026-11-15T15:59:00Z", "2026-11-15T16:00:00Z", "2026-11-22T16:00:00Z"].map(taken);
        let weeks = |from, to| -> Vec<String> {
            let found = rows(Period::Week, (from, to), &all);
            found.into_iter().map(|row| row.period).collect()
        };
        let after = "2026-12-01T00:00:00Z";
        assert_eq!(weeks("2026-11-01T00:00:00Z", after), ["2026-W48", "2026-W47", "2026-W46"]);
        assert_eq!(weeks("2026-11-15T16:00:00Z", after), ["2026-W48", "2026-W47"]);
        assert_eq!(weeks("2026-11-15T16:00:01Z", after), ["2026-W48"], "no part of a week");
        assert_eq!(weeks("2026-11-01T00:00:00Z", "2026-11-22T16:00:00Z"), ["2026-W47", "2026-W46"]);
        let quarters = rows(Period::Quarter, ("2026-01-01T00:00:00Z", after), &all);
        assert_eq!((quarters.len(), &*quarters[0].period, quarters[0].taken), (1, "2026-Q4", 3));
    }

    #[test]
    fn weeks_and_quarters_have_names_and_first_days() {
        for (day, week, monday, quarter, first) in [
            ("2026-01-05", "2026-W02", "2026-01-05", "2026-Q1", "2026-01-01"),
            ("2026-01-01", "2026-W01", "2025-12-29", "2026-Q1", "2026-01-01"),
            ("2027-01-03", "2026-W53", "2026-12-28", "2027-Q1", "2027-01-01"),
            ("2026-06-30", "2026-W27", "2026-06-29", "2026-Q2", "2026-04-01"),
            ("2026-12-31", "2026-W53", "2026-12-28", "2026-Q4", "2026-10-01"),
        ] {
            let day: NaiveDate = day.parse().expect("a day");
            for (period, name, first) in
                [(Period::Week, week, monday), (Period::Quarter, quarter, first)]
            {
                let found = period.first(day);
                assert_eq!((period.name(found), found.to_string()), (name.into(), first.into()));
            }
        }
    }
}
