//! The roster as it is sent and shown: rows of series or of teams, as JSON or CSV.

use std::collections::BTreeSet;
use std::fmt;

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Key, RosterChange, RosterWarning};
use crate::domain::{Name, SeriesKey, Timestamp, Zone, read_instant};
use crate::staffing::{Rules, Shift, TeamShift};

/// Maximum number of people in one row.
const AGENTS_MAX: u32 = 100_000;
/// Maximum number of wrong rows that an error names.
const ERRORS_MAX: usize = 20;
/// Maximum length of a shift. A longer one is a mistake in a date.
const SHIFT_SECONDS_MAX: u64 = 8 * 86_400;
const COLUMNS: [&str; 8] =
    ["team", "region", "service", "channel", "start", "end", "agents", "absent"];

/// People scheduled for a series (`region`, `service`, `channel`) or for a `team`.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct RosterRow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// RFC 3339, or civil time (`2026-11-20T08:00`) in the zone of the team or region.
    pub start: String,
    pub end: String,
    /// People on the schedule.
    pub agents: u32,
    /// How many of the agents are known to be absent; only for teams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<u32>,
}

/// Valid rows.
#[derive(Debug, Default, PartialEq)]
pub struct Roster {
    pub shifts: Vec<Shift>,
    pub team_shifts: Vec<TeamShift>,
    /// All rows in the order in which they were sent.
    pub rows: Vec<CheckedRow>,
    /// Whether the rows are from a CSV file.
    pub is_csv: bool,
}

/// A row as it was sent, or the error in it.
pub struct SentRow {
    /// The line of a CSV file, or the index of a JSON array.
    pub place: usize,
    pub row: Result<RosterRow, String>,
}

/// A valid row: its position, its team or series, its start and end, and their zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedRow {
    pub place: usize,
    pub owner: ShiftOwner,
    pub start: Timestamp,
    pub end: Timestamp,
    pub zone: Zone,
}

/// The team or the series that a shift belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShiftOwner {
    Series(SeriesKey),
    Team(Name),
}

impl fmt::Display for ShiftOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Series(series) => series.fmt(f),
            Self::Team(team) => team.fmt(f),
        }
    }
}

/// A team, or region, service and channel of a series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct RosterOwner {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

impl From<&ShiftOwner> for RosterOwner {
    fn from(owner: &ShiftOwner) -> Self {
        match owner {
            ShiftOwner::Team(team) => Self { team: Some(team.to_string()), ..Self::default() },
            ShiftOwner::Series(series) => {
                let Key { region, service, channel } = Key::from(series);
                let [region, service, channel] = [region, service, channel].map(Some);
                Self { team: None, region, service, channel }
            }
        }
    }
}

/// How many rows of each kind a roster has, and from when to when.
#[derive(Debug, Serialize, ToSchema)]
pub struct RosterSummary {
    /// Rows of series.
    pub shifts: usize,
    /// Rows of teams.
    pub team_shifts: usize,
    pub teams: Vec<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    /// The zone of the rows' teams and regions; null if they have several.
    pub time_zone: Option<String>,
    /// What storing it would change, by series and team.
    pub changes: Vec<RosterChange>,
    /// Rows that can have no effect, and how many further warnings are left out.
    pub warnings: Vec<RosterWarning>,
    pub more_warnings: usize,
}

impl From<&Shift> for RosterRow {
    fn from(shift: &Shift) -> Self {
        let Key { region, service, channel } = Key::from(&shift.series);
        Self {
            region: Some(region),
            service: Some(service),
            channel: Some(channel),
            start: shift.start.to_string(),
            end: shift.end.to_string(),
            agents: shift.agents,
            ..Self::default()
        }
    }
}

impl From<&TeamShift> for RosterRow {
    fn from(shift: &TeamShift) -> Self {
        Self {
            team: Some(shift.team.to_string()),
            start: shift.start.to_string(),
            end: shift.end.to_string(),
            agents: shift.agents,
            absent: shift.absent,
            ..Self::default()
        }
    }
}

impl From<&Roster> for RosterSummary {
    fn from(roster: &Roster) -> Self {
        let spans = roster.shifts.iter().map(|shift| (shift.start, shift.end));
        let team_spans = roster.team_shifts.iter().map(|shift| (shift.start, shift.end));
        let spans: Vec<_> = spans.chain(team_spans).collect();
        let teams: BTreeSet<String> =
            roster.team_shifts.iter().map(|shift| shift.team.to_string()).collect();
        let first = roster.rows.first().map(|row| row.zone);
        let zone = first.filter(|zone| roster.rows.iter().all(|row| row.zone == *zone));
        Self {
            shifts: roster.shifts.len(),
            team_shifts: roster.team_shifts.len(),
            teams: teams.into_iter().collect(),
            from: spans.iter().map(|span| span.0).min().map(|at| at.to_string()),
            to: spans.iter().map(|span| span.1).max().map(|at| at.to_string()),
            time_zone: zone.map(|zone| zone.to_string()),
            changes: Vec::new(),
            warnings: Vec::new(),
            more_warnings: 0,
        }
    }
}

impl RosterRow {
    /// Rows of a CSV file: a header with `team` or `region,service,channel`, then `start,end,agents`, and `absent` for teams.
    ///
    /// # Errors
    /// A header that cannot be used, or none; a file without rows.
    pub fn of_csv(text: &str) -> Result<Vec<SentRow>, String> {
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| error.to_string())?.clone();
        let header: Vec<&str> = header.iter().map(|n| n.trim_start_matches('\u{feff}')).collect();
        if let Some(unknown) = header.iter().find(|name| !COLUMNS.contains(name)) {
            return Err(format!(
                "line 1: unknown column `{unknown}`: use {}, with commas between them",
                COLUMNS.join(", ")
            ));
        }
        if let Some(missing) = ["start", "end", "agents"].iter().find(|c| !header.contains(c)) {
            return Err(format!(
                "line 1: there is no column {missing}: use team,start,end,agents,absent"
            ));
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| error.to_string())?;
            let place = record.position().map_or(0, |at| at.line() as usize);
            rows.push(SentRow { place, row: Self::of_record(&header, &record) });
        }
        if rows.is_empty() {
            return Err("there are no rows: use one line for each shift".into());
        }
        Ok(rows)
    }

    fn of_record(header: &[&str], record: &csv::StringRecord) -> Result<Self, String> {
        if record.len() != header.len() {
            let (n, columns) = (record.len(), header.len());
            return Err(format!("{n} values for {columns} columns"));
        }
        let cell = |name: &str| {
            let at = header.iter().position(|own| *own == name)?;
            record.get(at).filter(|cell| !cell.is_empty()).map(ToOwned::to_owned)
        };
        let people = |name: &str| match cell(name) {
            None => Ok(None),
            Some(text) => text
                .parse::<u32>()
                .map(Some)
                .map_err(|_| format!("{name}: `{text}` is not a whole number from 0 up")),
        };
        let needed = |name: &str| cell(name).ok_or(format!("{name} is empty"));
        Ok(Self {
            team: cell("team"),
            region: cell("region"),
            service: cell("service"),
            channel: cell("channel"),
            start: needed("start")?,
            end: needed("end")?,
            agents: people("agents")?.ok_or("agents is empty")?,
            absent: people("absent")?,
        })
    }
}

impl Roster {
    /// Checks rows. `zone_of` is a region's zone.
    ///
    /// Rows may overlap: an early and a late shift add up. The same row twice is an error.
    ///
    /// # Errors
    /// The rows that are wrong, one a line, and what is allowed; at most 20 of them.
    pub fn checked(
        rows: &[SentRow],
        is_csv: bool,
        rules: &Rules,
        zone_of: &dyn Fn(&Name) -> Zone,
    ) -> Result<Self, String> {
        let word = if is_csv { "line" } else { "shift" };
        let mut roster = Self { is_csv, ..Self::default() };
        let mut seen: BTreeSet<(String, Timestamp, Timestamp)> = BTreeSet::new();
        let mut wrong = Vec::new();
        for SentRow { place, row } in rows {
            let added = row
                .as_ref()
                .map_err(Clone::clone)
                .and_then(|row| roster.add(*place, row, rules, zone_of));
            let own = match added {
                Ok(own) => own,
                Err(error) => {
                    wrong.push(format!("{word} {place}: {error}"));
                    continue;
                }
            };
            let key = (own.owner.to_string(), own.start, own.end);
            if matches!(own.owner, ShiftOwner::Team(_)) && !seen.insert(key) {
                let [start, end] = [own.start, own.end].map(|at| civil(at, own.zone));
                wrong.push(format!(
                    "{word} {place}: an earlier row has the same team, start and end ({}, {start} to {end}, {}): send each row once",
                    own.owner, own.zone
                ));
            }
        }
        if wrong.is_empty() {
            return Ok(roster);
        }
        let more = wrong.len().saturating_sub(ERRORS_MAX);
        wrong.truncate(ERRORS_MAX);
        if more > 0 {
            wrong.push(format!("and {more} more wrong rows"));
        }
        Err(wrong.join("\n"))
    }

    fn add(
        &mut self,
        place: usize,
        row: &RosterRow,
        rules: &Rules,
        zone_of: &dyn Fn(&Name) -> Zone,
    ) -> Result<CheckedRow, String> {
        if row.agents > AGENTS_MAX {
            return Err(format!("agents: {}: use up to {AGENTS_MAX}", row.agents));
        }
        let agents = row.agents;
        let checked = if let Some(team) = &row.team {
            if row.region.is_some() || row.service.is_some() || row.channel.is_some() {
                return Err("use a team, or region, service and channel, not both".into());
            }
            let found = rules.team(team).ok_or_else(|| unknown(team, rules))?;
            let (start, end) = span(row, found.zone)?;
            if let Some(absent) = row.absent.filter(|absent| *absent > agents) {
                return Err(format!("absent: {absent} of {agents} agents: use at most {agents}"));
            }
            let (team, absent) = (found.name.clone(), row.absent);
            self.team_shifts.push(TeamShift { team: team.clone(), start, end, agents, absent });
            CheckedRow { place, owner: ShiftOwner::Team(team), start, end, zone: found.zone }
        } else {
            if row.absent.is_some() {
                return Err("absent: is for teams: use the column team".into());
            }
            let series = series(row)?;
            let zone = zone_of(&series.region);
            let (start, end) = span(row, zone)?;
            self.shifts.push(Shift { series: series.clone(), start, end, agents });
            CheckedRow { place, owner: ShiftOwner::Series(series), start, end, zone }
        };
        self.rows.push(checked.clone());
        Ok(checked)
    }
}

fn series(row: &RosterRow) -> Result<SeriesKey, String> {
    let part = |name: &str, value: &Option<String>| {
        value
            .clone()
            .ok_or(format!("{name}: is missing: use a team, or region, service and channel"))
    };
    let key = Key {
        region: part("region", &row.region)?,
        service: part("service", &row.service)?,
        channel: part("channel", &row.channel)?,
    };
    key.series()
}

/// A time in the format of files.
fn civil(at: Timestamp, zone: Zone) -> String {
    zone.local(at).format("%Y-%m-%dT%H:%M").to_string()
}

fn unknown(team: &str, rules: &Rules) -> String {
    let known: Vec<&str> = rules.teams().iter().map(|team| team.name.as_str()).collect();
    if known.is_empty() {
        let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let key = if team.chars().all(is_bare) { team.to_owned() } else { format!("{team:?}") };
        return format!("team: there is no team `{team}`: add [teams.{key}] to the config");
    }
    format!("team: there is no team `{team}`: use one of {}", known.join(", "))
}

fn span(row: &RosterRow, zone: Zone) -> Result<(Timestamp, Timestamp), String> {
    let (start, end) = (instant("start", &row.start, zone)?, instant("end", &row.end, zone)?);
    if start >= end {
        return Err(
            "end: has to come after start; a shift over midnight ends on the next day".into()
        );
    }
    if end.since(start).as_secs() > SHIFT_SECONDS_MAX {
        return Err("end: at most 8 days after start".into());
    }
    Ok((start, end))
}

/// An instant, or a civil time of a zone.
fn instant(key: &str, text: &str, zone: Zone) -> Result<Timestamp, String> {
    let text = text.trim();
    let plain = text.replacen(' ', "T", 1);
    let civil = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(&plain, form).ok());
    let Some(civil) = civil else {
        return read_instant(text).map_err(|error| format!("{key}: {error}"));
    };
    let (first, last) = zone.instants(civil);
    if first != last {
        return Err(format!(
            "{key}: {text} comes twice in {zone} (clocks go back): write it with its offset, such as {first}"
        ));
    }
    if zone.local(first) != civil {
        return Err(format!("{key}: {text} does not exist in {zone} (clocks go forward)"));
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::staffing::{Profile, Team};

    fn rules() -> Rules {
        let team = Team {
            name: Name::new("calls").expect("a name"),
            series: vec![SeriesKey::parse("north/_all/phone").expect("series")],
            skills: Vec::new(),
            profile: Profile::default_of("phone").expect("a default"),
            hours: None,
            zone: "Europe/London".parse().expect("a zone"),
            minimum: 0,
        };
        Rules::new(BTreeMap::new(), vec![team])
    }

    fn read(csv: &str) -> Result<Roster, String> {
        let rows = RosterRow::of_csv(csv)?;
        Roster::checked(&rows, true, &rules(), &|_| Zone::UTC)
    }

    #[test]
    fn rows_of_teams_and_series_are_read() {
        let roster = read(
            "team,start,end,agents,absent\n\
             calls,2026-07-01T22:00,2026-07-02T06:00,20,2\n\
             calls,2026-07-02 06:00,2026-07-02 06:15,0,\n\
             calls,2026-10-25T00:30:00+01:00,2026-10-25T02:00:00Z,5,\n",
        )
        .expect("valid");
        let [night, empty, autumn] = &roster.team_shifts[..] else { panic!("three rows") };
        assert_eq!(night.start.to_string(), "2026-07-01T21:00:00Z", "summer time");
        assert_eq!((night.agents, night.absent), (20, Some(2)));
        assert_eq!((empty.agents, empty.absent), (0, None));
        assert_eq!(autumn.end.since(autumn.start).as_secs(), 9000, "an hour more");
        let summary = RosterSummary::from(&roster);
        assert_eq!((summary.team_shifts, summary.teams), (3, vec!["calls".to_owned()]));
        let series = read(
            "region,service,channel,start,end,agents\nn,s,phone,2026-07-01T08:00,2026-07-01T09:00:00Z,3\n",
        );
        assert_eq!(series.expect("valid").shifts[0].agents, 3);
    }

    #[test]
    fn wrong_rows_are_named() {
        for (csv, error) in [
            ("team,start,agents\n", "line 1: there is no column end"),
            ("team,start,end,agents,x\n", "line 1: unknown column `x`"),
            (
                "team,start,end,agents\nchats,2026-07-01T08:00,2026-07-01T09:00,3\n",
                "line 2: team: there is no team `chats`: use one of calls",
            ),
            (
                "team,start,end,agents\ncalls,2026-07-01T22:00,2026-07-01T06:00,3\n",
                "line 2: end: has to come after start; a shift over midnight ends on the next day",
            ),
            (
                "team,start,end,agents\ncalls,2026-03-29T01:30,2026-03-29T03:00,3\n",
                "line 2: start: 2026-03-29T01:30 does not exist in Europe/London",
            ),
            (
                "team,start,end,agents\ncalls,2026-10-25T01:30,2026-10-25T03:00,3\n",
                "line 2: start: 2026-10-25T01:30 comes twice in Europe/London",
            ),
            (
                "team,start,end,agents,absent\ncalls,2026-07-01T08:00,2026-07-01T09:00,3,4\n",
                "line 2: absent: 4 of 3 agents",
            ),
            (
                "team,start,end,agents\ncalls,2026-07-01T08:00,2026-07-01T09:00,-1\n",
                "line 2: agents: `-1` is not a whole number",
            ),
            (
                "team,start,end,agents\ncalls,2026-07-01T08:00,2026-07-01T09:00,3\ncalls,2026-07-01T08:00,2026-07-01T09:00,3\n",
                "line 3: an earlier row has the same team, start and end (calls, 2026-07-01T08:00 to \
                 2026-07-01T09:00, Europe/London): send each row once",
            ),
            ("team,start,end,agents\n", "there are no rows: use one line for each shift"),
            (
                "team;start;end;agents\n",
                "line 1: unknown column `team;start;end;agents`: use team, ",
            ),
            ("team,start,end,agents\ncalls,2026-07-01T08:00\n", "line 2: 2 values for 4 columns"),
            (
                "team,start,end,agents\n,2026-07-01T08:00,2026-07-01T09:00,3\n",
                "line 2: region: is missing",
            ),
            ("team,start,end,agents\ncalls,monday,2026-07-01T09:00,3\n", "line 2: start: "),
        ] {
            let found = read(csv).expect_err(csv);
            assert!(found.starts_with(error), "{csv}: {found}");
        }
    }

    /// Reports all wrong lines at once: lines that cannot be read, and lines with invalid values; at most 20.
    #[test]
    fn all_wrong_lines_are_named() {
        let found = read(
            "team,start,end,agents\n\
             calls,monday,2026-07-01T09:00,3\n\
             calls,2026-07-01T08:00,2026-07-01T09:00,3\n\
             calls,2026-07-01T08:00,2026-07-01T09:00,three\n\
             chats,2026-07-01T08:00,2026-07-01T09:00,3\n",
        );
        let found = found.expect_err("three are wrong");
        let lines: Vec<&str> = found.lines().map(|line| &line[..7]).collect();
        assert_eq!(lines, ["line 2:", "line 4:", "line 5:"], "{found}");
        let many = "x,2026-07-01T08:00,2026-07-01T09:00,3\n".repeat(25);
        let found = read(&format!("team,start,end,agents\n{many}")).expect_err("all are wrong");
        assert_eq!(found.lines().count(), 21, "{found}");
        assert!(found.ends_with("\nand 5 more wrong rows"), "{found}");
    }
}
