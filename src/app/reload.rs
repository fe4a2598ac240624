//! Reads secrets again: on SIGHUP, and when their files change.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use signal_hook::consts::SIGHUP;

use super::Tls;
use crate::api::Tokens;
use crate::config::SecretFile;
use crate::telemetry::Health;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The component of `/ready`.
const COMPONENT: &str = "secret files";

/// Something that was read from files.
pub struct Reloadable {
    /// Its key in the configuration.
    pub key: String,
    pub files: Vec<PathBuf>,
    /// Reads the files again. If that fails, the previous content stays in use.
    pub reload: Box<dyn Fn() -> Result<(), String> + Send>,
}

/// Everything in a configuration that can be read again.
pub fn reloadable(
    tokens: Option<&Tokens>,
    tls: Option<&Tls>,
    secrets: &[SecretFile],
) -> Vec<Reloadable> {
    let mut all = Vec::new();
    if let Some(tokens) = tokens.cloned() {
        let (key, files) = ("server.tokens_file".to_owned(), vec![tokens.file().to_owned()]);
        all.push(Reloadable { key, files, reload: Box::new(move || tokens.reload()) });
    }
    if let Some(tls) = tls.cloned() {
        let (key, files) = ("server.tls_cert_file and tls_key_file".to_owned(), tls.files().into());
        all.push(Reloadable { key, files, reload: Box::new(move || tls.reload()) });
    }
    for file in secrets.iter().filter(|file| file.secret.is_some()).cloned() {
        let (key, files) = (file.key.clone(), vec![file.path.clone()]);
        all.push(Reloadable { key, files, reload: Box::new(move || file.reload()) });
    }
    all
}

/// A flag that SIGHUP sets. From this call on the signal does not end the process.
///
/// # Errors If the signal handler cannot be installed.
pub(super) fn on_hang_up() -> std::io::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGHUP, flag.clone())?;
    Ok(flag)
}

/// Runs until `stop` is set.
pub(super) fn run(all: &[Reloadable], hung_up: &AtomicBool, stop: &AtomicBool, health: &Health) {
    let mut wrong: BTreeMap<&str, String> = BTreeMap::new();
    let mut seen: Vec<_> = all.iter().map(changed_at).collect();
    while !stop.load(Ordering::Relaxed) {
        std::thread::park_timeout(LOOK_EVERY);
        let asked = hung_up.swap(false, Ordering::Relaxed);
        if asked && all.is_empty() {
            tracing::info!(
                "config: SIGHUP has no effect: no tokens, certificates or secrets are read from files"
            );
        }
        for (one, seen) in all.iter().zip(&mut seen) {
            let now = changed_at(one);
            if now == *seen && !asked {
                continue;
            }
            *seen = now;
            match (one.reload)() {
                Ok(()) => {
                    wrong.remove(&*one.key);
                    tracing::info!("config: {} read again", one.key);
                }
                Err(error) => {
                    tracing::error!(
                        "config: {} cannot be read again ({error}), the previous content stays in use; correct the file",
                        one.key
                    );
                    wrong.insert(&one.key, error);
                }
            }
            show(&wrong, health);
        }
    }
}

/// Reports files whose newest content is not in use. For example, a token that was removed from such a file is still valid.
fn show(wrong: &BTreeMap<&str, String>, health: &Health) {
    if wrong.is_empty() {
        health.recovered(COMPONENT);
        return;
    }
    let each: Vec<String> = wrong.iter().map(|(key, error)| format!("{key}: {error}")).collect();
    let text = format!("{}; the previous content stays in use; correct the file", each.join("; "));
    health.degraded(COMPONENT, &text);
}

fn changed_at(one: &Reloadable) -> Vec<Option<SystemTime>> {
    let changed = |file: &PathBuf| file.metadata().and_then(|file| file.modified()).ok();
    one.files.iter().map(changed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_whose_new_content_is_not_in_use_is_shown() {
        let health = Health::default();
        let mut wrong = BTreeMap::new();
        show(&wrong, &health);
        assert_eq!(health.report().status, "ready");
        wrong.insert("server.tokens_file", "line 1: is no token".to_owned());
        show(&wrong, &health);
        let report = health.report();
        assert_eq!(report.status, "degraded");
        assert!(format!("{:?}", report.components).contains("server.tokens_file: line 1"));
        wrong.clear();
        show(&wrong, &health);
        assert_eq!(health.report().status, "ready");
    }
}
