//! `--format text`: for planners.

use std::io::Write;

use super::Setting;
use super::evaluate::Evaluated;

/// # Errors
/// Where it cannot be written.
pub fn write(
    setting: &Setting,
    done: &[Evaluated<'_>],
    out: &mut impl Write,
) -> anyhow::Result<()> {
    writeln!(out, "{}", setting.input)?;
    for done in done {
        let s = done.board.overall().all.summary();
        writeln!(
            out,
            "{:<16} MASE {:.3} WAPE {:.4} (naive {:.4} floor {:.4}) WQL {:.4} cov {:.3} {:.3} pit {:.3} {:.3} fit {:.2} s predict {:.2} s unanswered {}",
            done.model,
            s.mase.unwrap_or(f64::NAN),
            s.figures.wape.unwrap_or(f64::NAN),
            s.figures.wape_naive.unwrap_or(f64::NAN),
            s.figures.wape_floor.unwrap_or(f64::NAN),
            s.figures.wql.unwrap_or(f64::NAN),
            s.figures.coverage80.unwrap_or(f64::NAN),
            s.figures.coverage95.unwrap_or(f64::NAN),
            s.pit80.unwrap_or(f64::NAN),
            s.pit95.unwrap_or(f64::NAN),
            done.fit_seconds,
            done.predict_seconds,
            done.board.unanswered(),
        )?;
    }
    Ok(())
}
