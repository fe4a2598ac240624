//! Tokens with the fewest rights: one that may only write to the bucket, for surgecast, and one that may only read it, for the boards.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde_json::json;

use super::client::SetupProblem;
use super::mapping::Target;

/// What each token may do, and its file.
const TOKENS: [(&str, &str); 2] =
    [("write", "influxdb-write.token"), ("read", "influxdb-read.token")];
/// Only the owner reads the files.
const PRIVATE: u32 = 0o600;

impl Target<'_> {
    /// Creates both tokens, each in a file of the folder. A file that is there stays, and no token is created for it. Returns what was
    /// done, without the tokens.
    ///
    /// # Errors
    /// [`SetupProblem`] if InfluxDB creates no token, or a file cannot be written.
    pub(super) fn tokens(&self, folder: &Path) -> Result<String, SetupProblem> {
        let mut done = Vec::new();
        for (action, name) in TOKENS {
            let path = folder.join(name);
            let shown = path.display();
            let opened = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(&path);
            let mut file = match opened {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    done.push(format!("{shown} is there already: no token was created for it"));
                    continue;
                }
                Err(error) => return Err(SetupProblem(format!("cannot write {shown}: {error}"))),
            };
            let written = self.token_that_may(action).and_then(|token| {
                let failed = |error| SetupProblem(format!("cannot write {shown}: {error}"));
                file.write_all(token.as_bytes()).map_err(failed)
            });
            if let Err(problem) = written {
                // An empty file would keep the next run from creating the token. If it stays, the next run names it.
                let _ = std::fs::remove_file(&path);
                return Err(problem);
            }
            let bucket = &self.settings.bucket;
            done.push(format!("{shown} has a token that may only {action} bucket {bucket}"));
        }
        Ok(done.join("\n"))
    }

    /// Creates a token that may do one thing with the bucket.
    fn token_that_may(&self, action: &str) -> Result<String, SetupProblem> {
        let bucket = &self.settings.bucket;
        let body = json!({
            "orgID": self.org_id,
            "description": format!("surgecast: {action} bucket {bucket}"),
            "permissions": [{
                "action": action,
                "resource": { "type": "buckets", "id": self.bucket_id, "orgID": self.org_id },
            }],
        });
        let request = self.http.post(format!("{}/api/v2/authorizations", self.settings.url));
        let request = request.header("content-type", "application/json");
        let (status, answer) = self.ask(request.body(body.to_string()))?;
        match answer["token"].as_str().filter(|_| status.is_success()) {
            Some(token) => Ok(token.to_owned()),
            None => Err(SetupProblem(format!(
                "InfluxDB at {} creates no token that may {action} bucket {bucket}: it answered {status} ({}); use a token that may \
                 create tokens, such as the operator's",
                self.settings.url,
                answer["message"].as_str().unwrap_or_default()
            ))),
        }
    }
}
