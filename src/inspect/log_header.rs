//! The header of a log: as it is in the file, and as it should be where it is damaged.

use super::LogView;
use super::zeros::find_last_nonzero;
use crate::StorageError;
use crate::file::{FRAME_SEARCH_LIMIT, HeaderState, ScanItem, Scanner};
use crate::format::byte_layout::u64_at;
use crate::format::header::{LogHeader, stored_log_id};
use crate::format::{
    DamageKind, EventView, Evidence, Finding, HeaderBytes, HeaderFault, LogId, NewLogFormat, Version, gap, hex,
};

/// The header that a log with a damaged header should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExpectedHeader {
    /// The bytes of the header.
    pub(crate) bytes: HeaderBytes,
    /// The source of the creation time in it.
    pub(crate) source: HeaderSource,
    /// True when the bytes are proven; false when they are likely.
    pub(crate) is_proven: bool,
}

/// A damaged header, and the header that should be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DamagedHeader {
    /// The bytes in the file.
    pub(crate) found: HeaderBytes,
    /// The header that should be there.
    pub(crate) expected: ExpectedHeader,
}

/// The source of the creation time in an expected header. Its other fields have only one valid value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderSource {
    /// The copy of the header in the index.
    Index,
    /// The creation time in the damaged header, which is not later than the first event.
    DamagedHeader,
    /// The damaged header with the bit corrected that its own checksum shows to be damaged.
    HeaderChecksum,
    /// The time of the first readable event.
    FirstEvent,
    /// The segments before and after it.
    OtherSegments,
}

impl LogView {
    /// Reads the header's bytes from the file; `None` in version 0, and when the file ends within the header.
    pub fn header_bytes(&self) -> Option<HeaderBytes> {
        let (bytes, range) = (self.log().read_header().ok()?, self.log().header_range());
        let is_complete = !range.is_empty() && bytes.len() as u64 == range.end - range.start;
        is_complete.then(|| HeaderBytes::from_start_of(&bytes))
    }

    /// Returns the header in the file when nothing shows that it is damaged; `None` in version 0.
    pub(crate) fn intact_header(&self) -> Option<HeaderBytes> {
        self.header_bytes().filter(|found| self.finding_about_header(*found).is_none())
    }

    /// Returns the creation time in the header, in milliseconds since the Unix epoch; `None` when there is no header.
    pub fn created_at_ms(&self) -> Option<u64> {
        self.header_bytes().and_then(|bytes| u64_at(&bytes, 8))
    }

    /// Returns the identity of the log that its intact header states; `None` before version 2.
    pub(crate) fn log_id(&self) -> Option<LogId> {
        let header = LogHeader::decode(&self.intact_header()?).ok()?;
        header.segment.map(|segment| segment.log_id)
    }

    /// Returns the index's copy of the header, when the copy is valid and the log has a frame of the index or only zeros.
    fn indexed_header(&self) -> Option<HeaderBytes> {
        if let Some(segments) = self.segments() {
            // Each segment has its own header and index.
            return self.segment_view(segments.base_from(0)?).ok()?.indexed_header();
        }
        let copy = self.identified_index().map(|index| index.header().log_header);
        copy.filter(|copy| LogHeader::decode(copy).is_ok() && (self.has_matching_frame() || self.has_only_zeros()))
    }

    /// True when the log is recognised although it has no byte that is not zero. Reads the end of a log that has one.
    fn has_only_zeros(&self) -> bool {
        let is_header_zero = self.header_bytes().is_some_and(|bytes| bytes.iter().all(|byte| *byte == 0));
        let last_nonzero = |end| find_last_nonzero(self.log(), &(0..end));
        is_header_zero && self.log().len().and_then(last_nonzero).is_ok_and(|last| last.is_none())
    }

    /// Returns the finding about the header, when it is damaged, or when the file ends within it and no index knows a later end.
    pub fn header_finding(&self) -> Option<Finding> {
        if matches!(self.log().header(), HeaderState::Truncated) {
            let header_len = self.log().first_frame_offset();
            let len = self.log().len().ok().filter(|len| *len < header_len)?;
            let evidence = Evidence {
                reason: Some(format!("the file ends after {len} of the {header_len} bytes of a header")),
                ..Evidence::default()
            };
            // With an index, the lost end of the log starts in the header.
            let is_end_known = self.seen_end().offset().is_some_and(|end| end > len);
            return (!is_end_known).then(|| Finding::new(DamageKind::Header, 0..len).with_evidence(evidence));
        }
        self.finding_about_header(self.header_bytes()?)
    }

    /// Returns the finding about a header with the bytes `found`, which a caller has read once for all its decisions.
    fn finding_about_header(&self, found: HeaderBytes) -> Option<Finding> {
        let expected = self.indexed_header();
        let fault = LogHeader::decode(&found).err();
        if fault.is_none() && expected.is_none_or(|expected| expected == found) {
            return None;
        }
        let is_indexed = expected.is_some();
        let expected = expected.or_else(|| self.reconstruct_header(found).ok().flatten().map(|(bytes, _)| bytes));
        let mut reason = match fault {
            Some(HeaderFault::Magic(_)) => "the magic is wrong",
            Some(HeaderFault::Version(_)) if is_indexed => "the version differs from the index's copy",
            Some(HeaderFault::Version(_)) => "the version is wrong",
            Some(HeaderFault::Flags(_)) if is_indexed => "the flags differ from the index's copy",
            Some(HeaderFault::Flags(_)) => "the flags are wrong",
            Some(HeaderFault::Checksum { .. }) => "its checksum is wrong",
            Some(HeaderFault::TooShort(_)) | None => "it differs from the index's copy, and the frames match",
        }
        .to_owned();
        // The other segments of a log have its id too.
        if !is_indexed && self.log().storage().segments().is_none() && self.has_lost_log_id(&found) {
            reason.push_str(", and the id of the log is lost: a rebuilt header has another one");
        }
        let evidence = Evidence {
            header_found: Some(hex::encode(&found)),
            header_expected: expected.map(|expected| hex::encode(&expected)),
            reason: Some(reason),
            ..Evidence::default()
        };
        Some(Finding::new(DamageKind::Header, self.log().header_range()).with_evidence(evidence))
    }

    /// True when the frames of a log of version 2 show that its damaged header does not have the id of the log.
    fn has_lost_log_id(&self, found: &[u8]) -> bool {
        let format = self.log().format();
        format.version() == Version::V2
            && LogHeader::correct_bit(found).is_none()
            && stored_log_id(found).is_none_or(|id| !format.is_of_log(id))
    }

    /// Returns the header that a log with a damaged header should have; `None` when the header is not damaged, and when
    /// neither an index nor an event shows what it was.
    ///
    /// It is the index's copy, or else it is reconstructed with the creation time that was found. It is proven when a valid
    /// frame that is not a gap follows the header, and the creation time was not changed, and when only the index recognises
    /// a log of zeros.
    ///
    /// # Errors
    /// `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
    pub(crate) fn expected_header(&self) -> Result<Option<ExpectedHeader>, StorageError> {
        self.header_bytes().map_or(Ok(None), |found| self.expected_instead_of(found))
    }

    /// Returns the header that a log should have whose header has the bytes `found`.
    fn expected_instead_of(&self, found: HeaderBytes) -> Result<Option<ExpectedHeader>, StorageError> {
        if self.finding_about_header(found).is_none() {
            return Ok(None);
        }
        let (bytes, source) = match self.indexed_header() {
            Some(bytes) => (bytes, HeaderSource::Index),
            None => match self.reconstruct_header(found)? {
                Some(reconstructed) => reconstructed,
                None => return Ok(None),
            },
        };
        // A gap directly after the header shows that the damage continued after the header.
        let mut buf = Vec::new();
        let is_first_frame_intact = self
            .log()
            .read_frame_at(self.log().first_frame_offset(), &mut buf)?
            .is_some_and(|frame| !gap::is_gap(frame.payload()));
        Ok(Some(ExpectedHeader {
            bytes,
            source,
            is_proven: match source {
                HeaderSource::HeaderChecksum => true,
                HeaderSource::Index => is_first_frame_intact || self.has_only_zeros(),
                HeaderSource::DamagedHeader => is_first_frame_intact,
                HeaderSource::FirstEvent | HeaderSource::OtherSegments => false,
            },
        }))
    }

    /// Returns the expected header when it is proven.
    pub(super) fn proven_header(&self) -> Option<HeaderBytes> {
        let expected = self.expected_header().ok().flatten();
        expected.filter(|expected| expected.is_proven).map(|expected| expected.bytes)
    }

    /// Returns the header that the log should have; `None` in version 0, and when no valid header is known.
    ///
    /// It is the header in the log when that is intact, the expected header when it is damaged, and the index's copy when the
    /// file ends within the header.
    ///
    /// # Errors
    /// See [`LogView::expected_header`].
    pub(crate) fn effective_header(&self) -> Result<Option<HeaderBytes>, StorageError> {
        let effective = match self.header_bytes() {
            Some(found) => Some(self.expected_instead_of(found)?.map_or(found, |expected| expected.bytes)),
            None => self.identified_index().map(|index| index.header().log_header),
        };
        Ok(effective.filter(|header| LogHeader::decode(header).is_ok()))
    }

    /// Reconstructs a damaged header: from its own checksum, or from its creation time, or from the time of the first readable
    /// event when that is earlier; `None` when no event can be read in the part of the log that is searched.
    ///
    /// In version 2, the log id in the damaged header is kept when frames have it in their checksums. Otherwise the header gets
    /// another id that results in the same checksums, because the frames do not show the id itself.
    fn reconstruct_header(&self, found: HeaderBytes) -> Result<Option<(HeaderBytes, HeaderSource)>, StorageError> {
        if let Some(corrected) = LogHeader::correct_bit(&found) {
            return Ok(Some((corrected.encode(), HeaderSource::HeaderChecksum)));
        }
        let format = self.log().format();
        let stored_id = stored_log_id(&found).filter(|id| format.is_of_log(*id));
        let Some(created) = self.find_creation_time(&found)? else { return Ok(None) };
        let new_format = match format.id_checksum() {
            None => NewLogFormat::V1,
            Some(checksum) => NewLogFormat::V2(stored_id.unwrap_or_else(|| LogId::with_checksum(checksum))),
        };
        let has_known_id = format.version() == Version::V1 || stored_id.is_some();
        let is_kept = u64_at(&found, 8) == Some(created);
        let source = if is_kept && has_known_id { HeaderSource::DamagedHeader } else { HeaderSource::FirstEvent };
        Ok(Some((new_format.header(created).encode(), source)))
    }

    /// Returns the creation time in a damaged header, or the time of the first readable event when that is earlier; `None` when
    /// no event can be read in the part of the log that is searched.
    ///
    /// # Errors
    /// `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
    pub(super) fn find_creation_time(&self, found: &[u8]) -> Result<Option<u64>, StorageError> {
        let stored_time = u64_at(found, 8).unwrap_or_default();
        let first = self.log().first_frame_offset();
        let searched = self.log().len()?.min(self.log().header_range().start.saturating_add(FRAME_SEARCH_LIMIT));
        let mut scanner = Scanner::new(self.log().clone(), first..searched.max(first));
        while let Some(item) = scanner.next_item()? {
            if let ScanItem::Frame(_, frame) = item
                && let Ok(event) = EventView::parse(frame.payload(), self.log().version())
            {
                let first = event.write_timestamp_ms();
                // A creation time of zero is not plausible: the field was overwritten with the rest of the header.
                return Ok(Some(if (1..=first).contains(&stored_time) { stored_time } else { first }));
            }
        }
        Ok(None)
    }

    /// True when the device cannot read the header.
    pub(crate) fn has_unreadable_header(&self) -> bool {
        matches!(self.log().header(), HeaderState::Unreadable)
    }

    /// Extends an `unreadable` range that follows the header over the header, when the device cannot read that either.
    pub(crate) fn include_unreadable_header(&self, finding: &mut Finding) {
        let follows_header = finding.kind == DamageKind::Unreadable && finding.start == self.log().first_frame_offset();
        if follows_header && self.has_unreadable_header() {
            finding.start = 0;
        }
    }

    /// Returns the flags that forbid writing to the log, unless the index shows that they are damage.
    pub(crate) fn write_blocking_flags(&self) -> Option<u16> {
        let header = LogHeader::decode(&self.intact_header()?).ok()?;
        (!header.is_writable()).then_some(header.flags)
    }
}
