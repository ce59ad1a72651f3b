//! The settings and the state of a stream, in the words of this program.

use std::time::Duration;

/// How a new stream is created.
#[derive(Debug, Clone)]
pub(crate) struct NewStream {
    /// The start of all subjects.
    pub(crate) prefix: String,
    /// The number of servers that store each message.
    pub(crate) replicas: usize,
}

/// What a server says about a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one setting of the server")]
pub(crate) struct StreamState {
    /// The number of messages.
    pub(crate) messages: u64,
    /// The sequence number of the first message that is there.
    pub(crate) first_sequence: u64,
    /// The last sequence number that was given to a message.
    pub(crate) last_sequence: u64,
    /// The subjects that the stream takes.
    pub(crate) subjects: Vec<String>,
    /// The number of servers that store each message.
    pub(crate) replicas: usize,
    /// The age at which the stream deletes messages; `None` for never.
    pub(crate) max_age: Option<Duration>,
    /// The size at which the stream deletes or refuses messages, in bytes; `None` for no limit.
    pub(crate) max_bytes: Option<u64>,
    /// The number of messages at which the stream deletes or refuses messages; `None` for no limit.
    pub(crate) max_messages: Option<u64>,
    /// The number of messages of one subject at which the stream deletes older ones; `None` for no limit.
    pub(crate) max_messages_per_subject: Option<u64>,
    /// True when the stream deletes its oldest messages at its limits.
    pub(crate) discards_old: bool,
    /// True when messages are deleted that a consumer has acknowledged.
    pub(crate) deletes_consumed: bool,
    /// True when messages are acknowledged before they are written.
    pub(crate) is_asynchronous: bool,
    /// True when messages are kept in memory only.
    pub(crate) is_in_memory: bool,
    /// True when a batch of messages can be stored as a whole or not at all.
    pub(crate) takes_batches: bool,
    /// The largest message that the server and the stream take, with its headers, in bytes.
    pub(crate) max_message_len: u64,
}

impl StreamState {
    /// Returns the prefix with which the stream takes every subject: that of its only subject `PREFIX.>`; `None` when it has other
    /// subjects.
    pub(crate) fn prefix(&self) -> Option<&str> {
        match self.subjects.as_slice() {
            [subject] => subject.strip_suffix(".>").filter(|prefix| super::subject::is_valid_prefix(prefix)),
            _ => None,
        }
    }

    /// Returns a sentence for each setting with which the stream can lose events.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.replicas < 2 {
            warnings.push("the stream has one replica: when the disk of its server is lost, so is the stream".into());
        }
        if self.is_in_memory {
            warnings.push("the stream is kept in memory: it is empty after a restart of its servers".into());
        }
        if let Some(age) = self.max_age {
            warnings.push(format!("the stream deletes messages after {} s (max_age)", age.as_secs()));
        }
        let limits = [
            (self.max_bytes, "bytes (max_bytes)"),
            (self.max_messages, "messages (max_msgs)"),
            (self.max_messages_per_subject, "messages of one subject (max_msgs_per_subject)"),
        ];
        for (limit, unit) in limits {
            if let Some(limit) = limit {
                let effect = if self.discards_old { "deletes its oldest messages" } else { "refuses messages" };
                warnings.push(format!("the stream {effect} when it has {limit} {unit}"));
            }
        }
        if self.deletes_consumed {
            warnings.push("the stream deletes messages that were consumed (retention is not \"limits\")".into());
        }
        if self.is_asynchronous {
            warnings.push("the stream acknowledges messages before they are written (persist_mode async)".into());
        }
        if !self.takes_batches {
            warnings.push(
                "the stream takes no atomic batches, so events are sent one by one; a server from 2.12 on allows them with \
                 allow_atomic"
                    .into(),
            );
        }
        warnings
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn safe_stream() -> StreamState {
        StreamState {
            messages: 0,
            first_sequence: 0,
            last_sequence: 0,
            subjects: vec!["A.>".into()],
            replicas: 3,
            max_age: None,
            max_bytes: None,
            max_messages: None,
            max_messages_per_subject: None,
            discards_old: false,
            deletes_consumed: false,
            is_asynchronous: false,
            is_in_memory: false,
            takes_batches: true,
            max_message_len: 1 << 20,
        }
    }

    #[test]
    fn each_setting_that_can_lose_events_is_a_warning() {
        let safe = safe_stream();
        assert_eq!(safe.warnings(), Vec::<String>::new());
        for (unsafe_stream, word) in [
            (StreamState { replicas: 1, ..safe.clone() }, "one replica"),
            (StreamState { is_in_memory: true, ..safe.clone() }, "in memory"),
            (StreamState { max_age: Some(Duration::from_secs(60)), ..safe.clone() }, "60 s (max_age)"),
            (StreamState { max_bytes: Some(9), ..safe.clone() }, "refuses messages when it has 9 bytes"),
            (StreamState { max_messages: Some(9), discards_old: true, ..safe.clone() }, "deletes its oldest"),
            (StreamState { max_messages_per_subject: Some(1), ..safe.clone() }, "of one subject"),
            (StreamState { deletes_consumed: true, ..safe.clone() }, "consumed"),
            (StreamState { is_asynchronous: true, ..safe.clone() }, "before they are written"),
            (StreamState { takes_batches: false, ..safe.clone() }, "one by one"),
        ] {
            let warnings = unsafe_stream.warnings();
            assert!(warnings.len() == 1 && warnings[0].contains(word), "{warnings:?}");
        }
    }

    #[test]
    fn the_prefix_is_that_of_the_only_subject() {
        let with = |subjects: &[&str]| StreamState {
            subjects: subjects.iter().map(|subject| (*subject).to_owned()).collect(),
            ..safe_stream()
        };
        assert_eq!(with(&["a.b.>"]).prefix(), Some("a.b"));
        for subjects in [&["a.*"][..], &["a"], &["a.>", "b.>"], &["*.>"], &[">"], &[]] {
            assert_eq!(with(subjects).prefix(), None, "{subjects:?}");
        }
    }
}
