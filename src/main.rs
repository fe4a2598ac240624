use std::process::ExitCode;

fn main() -> ExitCode {
    surgecast::app::cli::main()
}
