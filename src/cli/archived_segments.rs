//! `retain --only-archived`: leaves the segments that no backup holds.

use std::path::Path;

use super::backup_store::{damage_of_backup, no_backup, open_store};
use super::failure::CommandFailure;
use crate::backup::{find_archived_end, latest_manifest};
use crate::repair::{RetentionLimit, RetentionPlan};
use crate::report::json::Json;
use crate::report::safe_path_text;
use crate::report::units::{format_count, format_number};
use crate::{EventLog, StorageError};

/// The segments that the limits would remove, and that stay because no backup holds the first of them.
pub(super) struct UnarchivedSegments {
    place: String,
    base: u64,
    count: u64,
    reason: String,
}

impl UnarchivedSegments {
    /// Describes the segments.
    pub(super) fn line(&self) -> String {
        let Self { place, base, count, reason } = self;
        format!(
            "{} over the limit stay, from the one at {} on: {reason} ({place}); `chronicle backup LOG {place}` copies them",
            format_count(*count, "segment"),
            format_number(*base)
        )
    }

    /// Returns the segments as an object.
    pub(super) fn json(&self) -> Json {
        Json::Object(vec![
            ("base", self.base.into()),
            ("segments", self.count.into()),
            ("reason", self.reason.as_str().into()),
        ])
    }
}

/// Plans a retention that removes only segments which the newest backup at `place` holds. `plan` makes a plan for limits.
///
/// # Errors
/// `Usage` when there is no backup; `Refused` when the backups are of another log; the errors of `plan`, [`open_store`] and
/// [`find_archived_end`].
pub(super) fn plan_archived(
    log: &EventLog,
    limits: &[RetentionLimit],
    place: &Path,
    plan: &mut dyn FnMut(&[RetentionLimit]) -> Result<RetentionPlan, StorageError>,
) -> Result<(RetentionPlan, Option<UnarchivedSegments>), CommandFailure> {
    let store = open_store(place, None)?;
    let manifest = latest_manifest(store.as_ref()).map_err(damage_of_backup)?.ok_or_else(|| no_backup(place))?;
    let wanted = plan(limits)?;
    if manifest.log.log_id != Some(wanted.log_id.to_string()) {
        return Err(CommandFailure::Refused {
            message: format!("{}: it has backups of another log, `{}`", safe_path_text(place), manifest.log.name),
            hint: "Name the destination of the backups of this log".into(),
        });
    }
    let found = find_archived_end(log.view(), &wanted, store.as_ref(), &manifest).map_err(damage_of_backup)?;
    let Some((base, reason)) = found else { return Ok((wanted, None)) };
    let count = wanted.segments.iter().filter(|segment| segment.base >= base).count() as u64;
    // Only segments at the front are removed, so all from the first one without a copy on stay.
    let archived = plan(&[RetentionLimit::BeforeOffset(base)])?;
    Ok((archived, Some(UnarchivedSegments { place: safe_path_text(place), base, count, reason })))
}
