use std::process::ExitCode;

fn main() -> ExitCode {
    surgecast::commands::cli::main()
}

/// Of the whole program, Kafka's client and SQLite included.
#[cfg(target_os = "linux")]
mod memory {
    #[global_allocator]
    static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

    /// Few heaps, and what a storm took is given back within seconds, by a thread of the allocator's own.
    #[allow(unsafe_code, reason = "the allocator looks for its settings under this name")]
    #[unsafe(export_name = "malloc_conf")]
    static SETTINGS: &[u8; 70] =
        b"narenas:2,background_thread:true,dirty_decay_ms:2000,muzzy_decay_ms:0\0";
}
