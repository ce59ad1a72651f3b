//! [`StreamFrames`]: checks that the messages of a stream are one log without a hole, from its start or from a known place on.

use super::identity::StreamLogIdentity;
use super::message::{LogFrame, StoredMessage};
use super::replication_error::ReplicationError;
use crate::format::LostRange;

/// What is done about a stream that cannot be used.
const CHECK_STREAM: &str =
    "Look at the message with `nats stream get`, and send the log to a new stream with `chronicle replicate`";
/// The most ranges that a log can have lost.
const MAX_LOST: usize = crate::format::MAX_LOST_RANGES;

/// The frames that were accepted so far.
#[derive(Debug)]
pub(super) struct StreamFrames {
    /// The log of the first frame.
    identity: Option<StreamLogIdentity>,
    /// The end of the last frame; `None` before the first one.
    end: Option<u64>,
    segment: Option<u64>,
    /// The sequence number of the last message.
    sequence: u64,
    /// The ranges that the log itself has not, by the messages after them.
    pub(super) lost: Vec<LostRange>,
}

impl StreamFrames {
    /// Starts before the first message of a log.
    pub(super) const fn at_start() -> Self {
        Self { identity: None, end: None, segment: None, sequence: 0, lost: Vec::new() }
    }

    /// Starts after a frame, which is that of the message with this sequence number.
    pub(super) const fn after(frame: &LogFrame, end: u64, sequence: u64) -> Self {
        Self { identity: Some(frame.identity), end: Some(end), segment: frame.segment, sequence, lost: Vec::new() }
    }

    /// The sequence number of the last message that was accepted.
    pub(super) const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The end of the last frame that was accepted.
    pub(super) fn end(&self) -> u64 {
        self.end.unwrap_or_default()
    }

    /// Returns the frame of the next message, when it continues the log.
    ///
    /// # Errors
    /// `Refused`, with the sequence number and the offset, for a message that is not valid, is of another log, or does not follow.
    pub(super) fn accept(&mut self, message: &StoredMessage) -> Result<LogFrame, ReplicationError> {
        let sequence = message.sequence;
        let refused = |reason: String| Err(ReplicationError::refused(reason, CHECK_STREAM));
        let place = self.end.map_or(String::new(), |end| format!(", expected to hold offset {end}"));
        let frame = match LogFrame::of_message(message) {
            Ok(frame) => frame,
            Err(fault) => {
                return refused(format!("the message with sequence number {sequence}{place}, is damaged: {fault}"));
            }
        };
        if let Some(expected) = self.identity.filter(|expected| *expected != frame.identity) {
            return refused(format!(
                "the message with sequence number {sequence} is of log \"{}\", and those before it are of log \"{expected}\"",
                frame.identity
            ));
        }
        match self.end {
            None if frame.header.is_empty() && frame.offset > 0 => {
                return refused(format!(
                    "the stream lacks the start of the log: its first message, sequence number {sequence}, has offset {}",
                    frame.offset
                ));
            }
            None => {}
            Some(end) if frame.start() == end && frame.after.is_none() => {}
            Some(end) if frame.after == Some(end) => {
                if self.lost.len() >= MAX_LOST {
                    return refused(format!("the log has more than {MAX_LOST} lost ranges"));
                }
                self.lost.push(LostRange { start: end, end: frame.start(), given_up_at_ms: 0 });
            }
            Some(end) => {
                let (before, start) = (self.sequence, frame.start());
                return refused(format!(
                    "the message with sequence number {sequence} has offset {start}, and the one before it, {before}, ends at \
                     offset {end}: messages between them are missing or out of order"
                ));
            }
        }
        let is_in_segment = frame.segment == self.segment || !frame.header.is_empty() || self.end.is_none();
        if !is_in_segment {
            return refused(format!(
                "the message with sequence number {sequence} is of another segment than those before it"
            ));
        }
        (self.identity, self.end, self.segment) = (Some(frame.identity), Some(frame.end()), frame.segment);
        self.sequence = sequence;
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{LogHeader, LogId, SegmentHeader};

    /// Returns the message of a frame with this payload at `offset`, in the segment at `base`.
    fn message(sequence: u64, offset: u64, base: u64, after: Option<u64>) -> StoredMessage {
        let id = LogId::from_bytes([3; 16]);
        let identity = StreamLogIdentity::V2(id);
        let segment = SegmentHeader { base, number: u32::from(base > 0), ..LogHeader::of_log(id, 1).segment.unwrap() };
        let is_first = offset == base + 64;
        let header = LogHeader { segment: Some(segment), ..LogHeader::of_log(id, 1) }.encode().to_vec();
        let covered = [&2u32.to_be_bytes()[..], b"{}"].concat();
        let frame = LogFrame {
            identity,
            offset,
            payload: b"{}".to_vec(),
            checksum: identity.format().checksum(offset, &covered),
            segment: Some(base),
            header: if is_first { header } else { Vec::new() },
            after,
        };
        let headers = frame.headers().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        StoredMessage { sequence, headers, body: frame.payload }
    }

    fn accept(messages: &[StoredMessage]) -> Result<(u64, usize), String> {
        let mut chain = StreamFrames::at_start();
        for message in messages {
            chain.accept(message).map_err(|error| error.to_string())?;
        }
        Ok((chain.end(), chain.lost.len()))
    }

    #[test]
    fn frames_follow_each_other_also_over_segments_and_ranges_that_the_log_has_lost() {
        let (first, second) = (message(1, 64, 0, None), message(2, 74, 0, None));
        let (next, after_hole) = (message(3, 148, 84, None), message(3, 1064, 1000, Some(84)));
        assert_eq!(accept(&[first.clone(), second.clone()]), Ok((84, 0)));
        assert_eq!(accept(&[first.clone(), second.clone(), next]), Ok((158, 0)));
        assert_eq!(accept(&[first, second, after_hole]), Ok((1074, 1)));
    }

    #[test]
    fn a_hole_a_repetition_and_a_missing_start_are_named_with_sequence_and_offset() {
        let (first, second, third) = (message(1, 64, 0, None), message(2, 74, 0, None), message(3, 84, 0, None));
        let hole = accept(&[first.clone(), third.clone()]).unwrap_err();
        assert!(hole.contains("sequence number 3 has offset 84") && hole.contains("1, ends at offset 74"), "{hole}");
        let repeated = accept(&[first.clone(), second.clone(), second.clone()]).unwrap_err();
        assert!(repeated.contains("sequence number 2 has offset 74"), "{repeated}");
        let undeclared = accept(&[first.clone(), message(2, 1064, 1000, None)]).unwrap_err();
        assert!(undeclared.contains("has offset 1000"), "{undeclared}");
        let other_end = accept(&[first.clone(), message(2, 1064, 1000, Some(70))]).unwrap_err();
        assert!(other_end.contains("has offset 1000"), "{other_end}");
        let no_start = accept(&[second]).unwrap_err();
        assert!(no_start.contains("lacks the start of the log"), "{no_start}");
        let mut damaged = third;
        damaged.body = b"[]".to_vec();
        let damaged = accept(&[first, damaged]).unwrap_err();
        assert!(damaged.contains("sequence number 3, expected to hold offset 74, is damaged"), "{damaged}");
    }
}
