//! What `surgecast --version` prints: version, commit, and what is built in.

use std::sync::LazyLock;

/// The commit that the program was built from; `unknown` for sources without a repository.
pub const COMMIT: &str = env!("SURGECAST_COMMIT");

/// The memory allocator, see `main.rs`.
const ALLOCATOR: &str = if cfg!(target_os = "linux") { "jemalloc" } else { "of the system" };

static LONG: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{}\ncommit     {COMMIT}\nbuild      {}, {}\nallocator  {ALLOCATOR}\nkafka      {}\nstore      SQLite {}",
        env!("CARGO_PKG_VERSION"),
        env!("SURGECAST_TARGET"),
        env!("SURGECAST_PROFILE"),
        crate::kafka::client_version(),
        crate::store::sqlite_version(),
    )
});

/// Version, commit and features.
pub fn long() -> &'static str {
    &LONG
}
