//! Results of the calculator as text.

use std::io::{Result, Write};
use std::time::Duration;

use super::day::Window;
use crate::staffing::{Model, Profile, Staffing, meets_targets};

fn verdict(staffing: &Staffing, profile: &Profile) -> &'static str {
    let is_in_time = staffing.service_level + 1e-9 >= profile.target.fraction;
    match meets_targets(staffing, profile) {
        true => "meets the target",
        false if is_in_time && staffing.carry_over.is_some() => {
            "misses the target: the work left over grows"
        }
        false => "misses the target",
    }
}

/// `20 s`, `6 h`.
fn length(length: Duration) -> String {
    match length.as_secs() {
        seconds if seconds >= 3600 && seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        _ => format!("{} s", length.as_secs_f64()),
    }
}

/// Prints the results for one number of positions.
pub(super) fn one(staffing: &Staffing, profile: &Profile, out: &mut impl Write) -> Result<()> {
    let verdict = verdict(staffing, profile);
    let (positions, agents) = (staffing.positions, staffing.agents);
    let counted = |n: u32, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let (positions, agents) = (counted(positions, "position"), counted(agents, "agent"));
    writeln!(out, "{positions}, {agents} on the schedule: {verdict}")?;
    writeln!(out, "  offered load        {:>9.2} Erlang", staffing.offered_load)?;
    if let Some(offered) = staffing.offered_per_hour {
        writeln!(out, "  with redials        {offered:>9.1} contacts an hour")?;
    }
    let within = length(profile.target.within);
    let level = staffing.service_level * 100.0;
    if let Some(left) = staffing.carry_over {
        writeln!(out, "  done within {within:>6}  {level:>8.1} %")?;
        writeln!(out, "  left over           {left:>9.1} contacts")?;
        return writeln!(out, "  agents busy         {:>8.1} %", staffing.occupancy * 100.0);
    }
    writeln!(out, "  answered in {within:>6}   {level:>8.1} %")?;
    if staffing.asa_seconds.is_finite() {
        writeln!(out, "  average wait        {:>9.1} s", staffing.asa_seconds)?;
    } else {
        writeln!(out, "  average wait         unlimited: the load exceeds the positions")?;
    }
    writeln!(out, "  have to wait        {:>8.1} %", staffing.p_wait * 100.0)?;
    writeln!(out, "  hang up             {:>8.1} %", staffing.p_abandon * 100.0)?;
    writeln!(out, "  agents busy         {:>8.1} %", staffing.occupancy * 100.0)
}

/// Prints a row for each number of positions.
pub(super) fn table(rows: &[Staffing], profile: &Profile, out: &mut impl Write) -> Result<()> {
    let within = length(profile.target.within);
    if matches!(profile.model, Model::Deferred(_)) {
        writeln!(out, "positions  agents  done in {within}  left over     busy")?;
    } else {
        writeln!(out, "positions  agents  in {within:>6}  avg. wait  must wait  hang up     busy")?;
    }
    for row in rows {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let (level, busy) = (percent(row.service_level), percent(row.occupancy));
        write!(out, "{:>9}  {:>6}", row.positions, row.agents)?;
        if let Some(left) = row.carry_over {
            let width = 8 + within.len();
            write!(out, "  {level:>width$}  {left:>9.1}")?;
        } else {
            let wait = if row.asa_seconds.is_finite() {
                format!("{:.1} s", row.asa_seconds)
            } else {
                "unlimited".into()
            };
            let (must, gone) = (percent(row.p_wait), percent(row.p_abandon));
            write!(out, "  {level:>9}  {wait:>9}  {must:>9}  {gone:>7}")?;
        }
        writeln!(out, "  {busy:>7}  {}", verdict(row, profile))?;
    }
    Ok(())
}

/// Prints a row for each window of a day.
pub(super) fn day(windows: &[Window], out: &mut impl Write) -> Result<()> {
    let width = windows.iter().map(|window| window.start.len()).max().unwrap_or(0).max(5);
    writeln!(out, "{:<width$}  arrivals  positions  agents  service level  must wait", "start")?;
    for window in windows {
        writeln!(
            out,
            "{:<width$}  {:>8.1}  {:>9}  {:>6}  {:>11.1} %  {:>7.1} %",
            window.start,
            window.arrivals,
            window.positions,
            window.agents,
            window.service_level * 100.0,
            window.p_wait * 100.0
        )?;
    }
    writeln!(
        out,
        "Each row is for the largest load of its window. Contacts of the window before may be part of it."
    )
}
