//! The command line that writes a report, which the page prints at its end.

use std::path::Path;

use crate::report::shell_path;

/// Returns the command line that writes the report about `log` to `output`, as a shell reads it. `index` and `journal` are
/// side files that are not at their usual places.
pub(crate) fn report_command(log: &Path, output: &Path, index: Option<&Path>, journal: Option<&Path>) -> String {
    let mut line = format!("chronicle report {} -o {}", shell_path(log), shell_path(output));
    for (option, path) in [("--index", index), ("--journal", journal)] {
        if let Some(path) = path {
            line.extend([" ", option, " ", &shell_path(path)]);
        }
    }
    line
}
