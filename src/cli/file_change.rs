//! The words for a change of a log's file, as text and as JSON.

use std::path::Path;

use crate::inspect::FileChange;
use crate::report::json::Json;
use crate::report::safe_path_text;
use crate::report::units::format_number;

/// Returns the name of a change, for programs.
pub(super) const fn change_name(change: FileChange) -> &'static str {
    match change {
        FileChange::Unchanged => "unchanged",
        FileChange::Grown => "grown",
        FileChange::Truncated { .. } => "truncated",
        FileChange::Written => "written",
        FileChange::Overwritten => "overwritten",
        FileChange::Replaced => "replaced",
        FileChange::Missing => "missing",
    }
}

/// Returns the sentence about a change, with the next step.
pub(super) fn change_sentence(change: FileChange) -> String {
    match change {
        FileChange::Unchanged => "the file is unchanged".into(),
        FileChange::Grown => "the file has grown".into(),
        FileChange::Truncated { before, now } => format!(
            "the file was cut from {} to {} bytes; `chronicle verify` shows what is lost",
            format_number(before),
            format_number(now)
        ),
        FileChange::Written => {
            "the file was written without becoming longer, as a repair does; `chronicle undo --list` shows repairs"
                .into()
        }
        FileChange::Overwritten => "other bytes replaced those of the log; `chronicle verify` reads it again".into(),
        FileChange::Replaced => "another file has this name now; earlier offsets do not apply to it".into(),
        FileChange::Missing => "the file was removed or renamed".into(),
    }
}

/// Returns the line about a change of the file at `path`.
pub(super) fn change_line(path: &Path, change: FileChange) -> String {
    format!("{}: {}: {}", safe_path_text(path), change_name(change), change_sentence(change))
}

/// Returns the object about a change of the file at `path`.
pub(super) fn change_json(path: &Path, change: FileChange) -> Json {
    Json::Object(vec![
        ("event", change_name(change).into()),
        ("path", Json::Text(safe_path_text(path))),
        ("message", change_sentence(change).into()),
    ])
}
