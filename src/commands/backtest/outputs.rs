//! Output files: each must differ from all input files and other output files.

use std::path::{Path, PathBuf};

use super::args::BacktestArgs;
use crate::commands::usage::UsageError;

/// Path of a model's forecasts: with several models, `out.csv` becomes `out.MODEL.csv`.
pub fn forecasts_of(path: &Path, model: &str, is_one_of_several: bool) -> PathBuf {
    if !is_one_of_several {
        return path.to_owned();
    }
    let extension =
        path.extension().map_or_else(String::new, |e| format!(".{}", e.to_string_lossy()));
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}.{model}{extension}"))
}

/// Checks that no output file is an input file or another output file.
///
/// # Errors
/// [`UsageError`] with both flags.
pub fn check(args: &BacktestArgs, models: &[String]) -> Result<(), UsageError> {
    let read = [
        ("--input", Some(&args.input)),
        ("--calendar", args.calendar.as_ref()),
        ("--alarms", args.alarms.as_ref()),
        ("--maintenance", args.maintenance.as_ref()),
        ("--origins-at", args.origins_at.as_ref()),
    ];
    let read = read.into_iter().filter_map(|(flag, path)| Some((flag, place(path?))));
    let of_model = |path: &PathBuf| {
        let of = |model: &String| ("--forecasts", forecasts_of(path, model, models.len() > 1));
        models.iter().map(of).collect::<Vec<_>>()
    };
    let forecasts = args.forecasts.iter().flat_map(of_model);
    let report = args.report.iter().map(|path| ("--report", path.clone()));
    let mut known: Vec<(&str, PathBuf)> = read.collect();
    for (flag, path) in forecasts.chain(report) {
        let shown = path.display();
        if path.as_os_str() == "-" {
            return Err(UsageError(format!("{flag} -: name a file")));
        }
        let place = place(&path);
        if let Some((other, _)) = known.iter().find(|(_, known)| *known == place) {
            let text = format!("{flag} {shown} is the file of {other}: name another one");
            return Err(UsageError(text));
        }
        known.push((flag, place));
    }
    Ok(())
}

/// A canonical path, also of a file that does not exist yet.
fn place(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let missing = || {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        folder.join(path.file_name().unwrap_or_default())
    };
    path.canonicalize().unwrap_or_else(|_| missing())
}
