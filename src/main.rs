use std::process::ExitCode;

fn main() -> ExitCode {
    surgecast::commands::cli::main()
}

/// The memory allocator of the whole program, including Kafka's client and SQLite.
#[cfg(target_os = "linux")]
mod memory {
    #[global_allocator]
    static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

    /// Two heaps. A background thread returns freed memory to the system within seconds, such as after an alarm storm.
    #[allow(unsafe_code, reason = "the allocator looks for its settings under this name")]
    #[unsafe(export_name = "malloc_conf")]
    static SETTINGS: &[u8; 70] =
        b"narenas:2,background_thread:true,dirty_decay_ms:2000,muzzy_decay_ms:0\0";
}
