use std::process::ExitCode;

fn main() -> ExitCode {
    keep_little();
    surgecast::app::cli::main()
}

/// Has glibc give back what a storm took: else each thread keeps a heap of its own, and large blocks stay in them.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "libc has no safe form of mallopt")]
fn keep_little() {
    // SAFETY: no other thread runs yet. Where it is refused, memory is kept as before.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 8 << 20);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn keep_little() {}
