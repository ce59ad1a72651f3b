//! The program that `watch --exec` runs for each line.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use super::failure::CommandFailure;
use super::output::CommandOutput;
use crate::report::json::Json;
use crate::report::safe_path_text;

/// Checks that a program exists before the watch starts, because its first run would be at the first damage.
///
/// # Errors
/// `Usage` when no executable file has this path, or this name in a folder of PATH.
pub(super) fn require_program(program: &Path) -> Result<(), CommandFailure> {
    // A name without a folder is looked up as the system does when it starts the program.
    let is_name = program.components().count() == 1;
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let is_found = if is_name {
        std::env::split_paths(&folders).any(|folder| is_executable(&folder.join(program)))
    } else {
        is_executable(program)
    };
    if is_found {
        return Ok(());
    }
    Err(CommandFailure::Usage {
        message: format!(
            "--exec: expected a program, found no executable file {}{}",
            safe_path_text(program),
            if is_name { " in the folders of PATH" } else { "" }
        ),
        hint: "Name one program; a script can give it arguments".into(),
    })
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Elsewhere the name of a program can lack an ending, so that only its start shows whether it exists.
#[cfg(not(unix))]
fn is_executable(_path: &Path) -> bool {
    true
}

/// Runs a program to its end, with nothing on stdin and its output on stderr. A failure of the program is reported, and the
/// watch continues.
pub(super) fn run_program(program: &Path, facts: Vec<(&str, OsString)>, out: &mut CommandOutput) {
    let mut command = Command::new(program);
    command.envs(facts).stdin(Stdio::null()).stdout(Stdio::from(std::io::stderr()));
    let failure = match command.status() {
        Ok(status) if status.success() => return,
        Ok(status) => status.to_string(),
        Err(error) => format!("it cannot be started: {error}"),
    };
    let notice = format!("--exec {}: {failure}", safe_path_text(program));
    out.print_notice(&notice, &Json::Object(vec![("notice", notice.as_str().into())]));
}
