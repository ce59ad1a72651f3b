//! [`ErasedPayloads`]: finds copies of erased events in the bytes that journals have saved, at whichever offset they are.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use crate::StorageError;
use crate::format::frame::{LENGTH_LEN, payload_length_at};
use crate::format::journal::JournalSection;
use crate::repair::journal::{JournalFolder, JournalReader, RepairRecord};

/// The payloads of erased events: their lengths, each with the SHA-256 of the payloads of this length.
#[derive(Debug, Default)]
pub(super) struct ErasedPayloads {
    hashes: HashMap<u32, HashSet<Vec<u8>>>,
    /// The numbers of the erasures whose journals cannot be read completely.
    pub(super) unread: Vec<u32>,
}

impl ErasedPayloads {
    /// Reads the payloads of all events of the erasures from their journals.
    pub(super) fn read(folder: &JournalFolder, erasures: &[&RepairRecord]) -> Self {
        let mut payloads = Self::default();
        for record in erasures {
            let journal = folder.open_journal(&record.journal).ok();
            if journal.is_none_or(|journal| payloads.add_all(&journal).is_err()) {
                payloads.unread.push(record.number);
            }
        }
        payloads
    }

    fn add_all(&mut self, journal: &JournalReader) -> Result<(), StorageError> {
        let checksum_len = journal.record.plan.log.format.version().checksum_len();
        for_each_window(journal, JournalSection::BeforeImage, &mut |bytes, _| {
            let mut at = 0;
            while let Some((length, payload)) = payload_at(bytes, at) {
                self.hashes.entry(length).or_default().insert(Sha256::digest(payload).to_vec());
                at += LENGTH_LEN + payload.len() + checksum_len;
            }
            at
        })
    }

    /// True when the journal has the whole payload of an erased event after its length, or bytes that no frame of the log shows:
    /// those after the end of a segment can be a part of any event.
    ///
    /// # Errors
    /// `Io`, `Changed` when the journal cannot be read.
    pub(super) fn are_in(&self, journal: &JournalReader) -> Result<bool, StorageError> {
        if journal.has_section(JournalSection::Excess) {
            return Ok(true);
        }
        let mut is_found = false;
        for section in [JournalSection::BeforeImage, JournalSection::AfterImage] {
            for_each_window(journal, section, &mut |bytes, window| {
                let mut at = 0;
                while !is_found && at < bytes.len() {
                    if let Some(known) = payload_length_at(bytes, at).and_then(|length| self.hashes.get(&length)) {
                        match payload_at(bytes, at) {
                            Some((_, payload)) => is_found = known.contains(Sha256::digest(payload).as_slice()),
                            None if window == Window::Continued => return at,
                            None => {}
                        }
                    } else if window == Window::Continued && bytes.len() - at < LENGTH_LEN {
                        return at;
                    }
                    at += 1;
                }
                bytes.len()
            })?;
        }
        Ok(is_found)
    }
}

/// Whether the bytes after a window are saved too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Window {
    /// More bytes may follow.
    Continued,
    /// The next byte is not saved.
    Last,
}

/// Calls `visit` with the saved bytes of a section, without runs of zeros. `visit` returns how many of the bytes it does not need
/// again; the others are the start of the next window.
fn for_each_window(
    journal: &JournalReader,
    section: JournalSection,
    visit: &mut dyn FnMut(&[u8], Window) -> usize,
) -> Result<(), StorageError> {
    let (mut buf, mut end) = (Vec::new(), 0);
    for saved in journal.read_stored_bytes(section) {
        let (offset, bytes) = saved?;
        if offset != end {
            visit(&buf, Window::Last);
            buf.clear();
        }
        end = offset.saturating_add(bytes.len() as u64);
        buf.extend_from_slice(&bytes);
        let done = visit(&buf, Window::Continued).min(buf.len());
        buf.drain(..done);
    }
    visit(&buf, Window::Last);
    Ok(())
}

/// Returns the length and the payload of the frame that starts at `at`; `None` when the bytes end before the payload does.
fn payload_at(bytes: &[u8], at: usize) -> Option<(u32, &[u8])> {
    let length = payload_length_at(bytes, at)?;
    let start = at + LENGTH_LEN;
    Some((length, bytes.get(start..start + length as usize)?))
}
