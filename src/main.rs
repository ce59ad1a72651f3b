//! The program: parse, run, exit code; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    chronicle::internal::run_command_line()
}
