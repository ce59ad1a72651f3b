//! Compares the frames that a repair or an undo has changed with the messages that were sent before.

use std::ops::Range;

use super::error::NatsError;
use super::message::LogFrame;
use super::replication_error::ReplicationError;
use super::sequence_search::find_message;
use super::shipper::Shipper;
use crate::repair::{LogPaths, RepairState, read_repair_history};

/// The most differences that are returned.
const MAX_DIFFERENCES: usize = 100;
/// The most messages that are read.
const MAX_COMPARED: usize = 10_000;

/// A frame of the stream that the log does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangedFrame {
    /// Offset of the frame in the log.
    pub(crate) offset: u64,
    /// The sequence number of the message.
    pub(crate) sequence: u64,
    /// What the log has there.
    pub(crate) in_log: &'static str,
}

impl Shipper {
    /// Returns the frames in the stream that differ from the log, in the ranges that repairs and undos have changed. Compares at
    /// most 10 000 messages, and returns at most 100.
    ///
    /// # Errors
    /// Those of the server, and of reading the log and its journals.
    pub(crate) fn find_changed_frames(&self, paths: &LogPaths) -> Result<Vec<ChangedFrame>, ReplicationError> {
        let mut changed = Vec::new();
        let records = read_repair_history(paths)?.records;
        let applied =
            records.iter().filter(|record| matches!(record.state, RepairState::Applied | RepairState::Purged));
        let mut ranges: Vec<Range<u64>> = applied
            .flat_map(|record| record.plan.steps.iter().map(|step| step.start..step.end.max(step.new_end)))
            .collect();
        ranges.sort_unstable_by_key(|range| (range.start, range.end));
        ranges.dedup();
        let mut left = MAX_COMPARED;
        for range in ranges {
            self.compare_range(range, &mut left, &mut changed)?;
        }
        changed.dedup();
        changed.truncate(MAX_DIFFERENCES);
        Ok(changed)
    }

    fn compare_range(
        &self,
        range: Range<u64>,
        left: &mut usize,
        changed: &mut Vec<ChangedFrame>,
    ) -> Result<(), ReplicationError> {
        let (first, last) = (self.stream().first_sequence, self.status().sequence);
        if range.start >= self.status().position || self.stream().messages == 0 {
            return Ok(());
        }
        let found = find_message(self.connection(), range.start, (first, last))?;
        let mut sequence = found.map_or(first, |message| message.sequence);
        let mut buf = Vec::new();
        while *left > 0 && changed.len() < MAX_DIFFERENCES && sequence <= last {
            *left -= 1;
            let Some(message) = self.connection().message_from(sequence)? else { break };
            sequence = message.sequence + 1;
            let frame = LogFrame::of_message(&message).map_err(|fault| {
                NatsError::Answer(format!("the message with sequence number {}: {fault}", message.sequence))
            })?;
            if frame.offset >= range.end {
                break;
            }
            if frame.end() <= range.start {
                continue;
            }
            let in_log = self.view().log().read_frame_at(frame.offset, &mut buf)?;
            let in_log = match in_log {
                Some(found) if found.bytes() == frame.bytes() => continue,
                Some(found) if crate::format::gap::is_gap(found.payload()) => "a gap",
                Some(_) => "another event",
                None => "no valid frame",
            };
            changed.push(ChangedFrame { offset: frame.offset, sequence: message.sequence, in_log });
        }
        Ok(())
    }
}
