//! The end of a log that is opened for append: an unfinished end is set aside, unless another program still writes it.

use std::path::Path;
use std::time::Duration;

use super::OpenOptions;
use crate::StorageError;
use crate::file::{LogWriter, spans_before};
use crate::inspect::{LogView, LogWalk, WalkItem, WriterCheck};
use crate::repair::{TailBackup, set_aside_tail};

/// The largest number of bytes that opening for append reads after the last frame in the index.
const MAX_FORWARD_SCAN: u64 = 64 << 20;

/// Time after which an end that another program writes to is examined again.
const TAIL_RETRY_INTERVAL: Duration = Duration::from_millis(250);

/// The outcome of examining the end of a log that is opened for append.
#[expect(clippy::large_enum_variant, reason = "one value exists at a time, and it is matched at once")]
enum TailRecovery {
    /// Events can be appended after the end, from which this tail was set aside.
    Done(Option<TailBackup>),
    /// Another program is seen that writes to the end. The error describes it.
    WriterSeen(StorageError),
}

/// Examines the end of the log under the writer's lock. Sets a damaged tail aside when `docs/format.md` allows it.
///
/// While another program is seen that writes to the end, waits for it up to [`OpenOptions::lock_timeout`].
///
/// # Errors
/// `Changed`, or the refusal that names the program, when the program still writes; `Io`, and the errors of setting the
/// tail aside.
pub(super) fn recover_tail(
    view: &mut LogView,
    writer: &mut LogWriter,
    options: &OpenOptions,
) -> Result<Option<TailBackup>, StorageError> {
    let mut waited = Duration::ZERO;
    loop {
        match try_recover_tail(view, writer, options)? {
            TailRecovery::Done(tail) => return Ok(tail),
            TailRecovery::WriterSeen(refusal) if waited >= options.lock_timeout => return Err(refusal),
            TailRecovery::WriterSeen(_) => {}
        }
        view.log().storage().wait(TAIL_RETRY_INTERVAL);
        // Observing the end takes as long as the interval.
        waited += 2 * TAIL_RETRY_INTERVAL;
        refresh_end(view, writer)?;
    }
}

/// Reads the end of the log again, and compares the index with it.
fn refresh_end(view: &mut LogView, writer: &mut LogWriter) -> Result<(), StorageError> {
    writer.refresh_end()?;
    view.refresh_index_state()
}

/// Examines the end of the log once, and sets it aside unless another program is seen that writes to it.
fn try_recover_tail(
    view: &mut LogView,
    writer: &mut LogWriter,
    options: &OpenOptions,
) -> Result<TailRecovery, StorageError> {
    let log = view.log().clone();
    let Some(start) = last_span_start(view, writer.end())? else {
        return Ok(TailRecovery::Done(None));
    };
    let mut walk = LogWalk::new(view, start..writer.end(), writer.end()).with_writer_check(WriterCheck::HoldsLock);
    let mut last_piece = None;
    while let Some(item) = walk.next_before(u64::MAX)? {
        match item {
            WalkItem::Damage(finding) if finding.kind.is_damage() => last_piece = Some(finding),
            WalkItem::Frame(..) | WalkItem::Damage(_) => last_piece = None,
            WalkItem::DamagedRange(_) | WalkItem::InFlight(_) => {}
        }
    }
    if walk.has_moving_end() {
        return Ok(TailRecovery::WriterSeen(moving_end_error(log.path())));
    }
    let Some(last_piece) = last_piece else {
        return Ok(TailRecovery::Done(None));
    };
    // The program may be in the middle of this frame.
    if last_piece.kind.can_set_aside()
        && let Err(refusal) = writer.ensure_only_writer()
    {
        return Ok(TailRecovery::WriterSeen(refusal));
    }
    let tail = set_aside_tail(&options.log_paths_at(view.path()), &log, &last_piece, view.seen_end())?;
    if tail.is_some() {
        refresh_end(view, writer)?;
    } else if log.len()? != writer.end() {
        return Ok(TailRecovery::WriterSeen(moving_end_error(log.path())));
    }
    Ok(TailRecovery::Done(tail))
}

/// Finds an offset near `end`, the end of the log, from which the tail can be examined: the last frame in the index
/// when it is near the end, and otherwise the start of the last frame or damaged range. `None` for a log without
/// frames.
fn last_span_start(view: &LogView, end: u64) -> Result<Option<u64>, StorageError> {
    let log = view.log();
    let index_header = view.identified_index().map(|index| index.header()).filter(|header| header.frames > 0);
    let indexed =
        index_header.map(|header| header.last_offset).filter(|last| *last < end && end - *last < MAX_FORWARD_SCAN);
    if let Some(last) = indexed
        && log.read_frame_at(last, &mut Vec::new())?.is_some()
    {
        return Ok(Some(last));
    }
    Ok(spans_before(log, end, 1)?.pop().map(|span| span.range().start))
}

fn moving_end_error(path: &Path) -> StorageError {
    StorageError::Changed {
        path: path.to_owned(),
        expected: "an end that does not change while the writer's lock is held".into(),
        found: "an end that changes: a program writes without the lock".into(),
    }
}
