//! Entry point of the `chronicle` program: runs the command line and returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    chronicle::internal::run_command_line()
}
