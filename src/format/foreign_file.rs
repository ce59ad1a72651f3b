//! Recognises files that are not logs by their first bytes, so that an error can name what the file is.

use super::{index, journal};

/// Number of bytes at the start of a file from which its kind is recognised.
pub(crate) const RECOGNISED_PREFIX: usize = 512;

/// A kind of file that is not a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForeignFile {
    /// A file that gzip compressed.
    Gzip,
    /// A file that zstd compressed.
    Zstd,
    /// A file that xz compressed.
    Xz,
    /// A file that bzip2 compressed.
    Bzip2,
    /// A ZIP archive.
    Zip,
    /// A database of `SQLite`.
    Sqlite,
    /// An index of a Chronicle log.
    Index,
    /// The journal of a repair of a Chronicle log.
    Journal,
    /// The settings of a Chronicle log that is a folder.
    Settings,
    /// The record of a removal of segments from a Chronicle log.
    Removal,
    /// Text in UTF-16.
    Utf16,
    /// JSON values, such as events one per line.
    Json,
}

/// The first bytes of a kind of file.
struct Signature {
    file: ForeignFile,
    first: &'static [u8],
}

/// The kinds that are recognised by fixed bytes, each of them too long to be the start of a damaged log by chance.
const SIGNATURES: [Signature; 10] = [
    Signature { file: ForeignFile::Gzip, first: &[0x1F, 0x8B, 0x08] },
    Signature { file: ForeignFile::Zstd, first: &[0x28, 0xB5, 0x2F, 0xFD] },
    Signature { file: ForeignFile::Xz, first: &[0xFD, b'7', b'z', b'X', b'Z', 0x00] },
    Signature { file: ForeignFile::Bzip2, first: b"BZh" },
    Signature { file: ForeignFile::Zip, first: &[b'P', b'K', 0x03, 0x04] },
    Signature { file: ForeignFile::Sqlite, first: b"SQLite format 3\0" },
    Signature { file: ForeignFile::Index, first: &index::MAGIC },
    Signature { file: ForeignFile::Journal, first: &journal::MAGIC },
    Signature { file: ForeignFile::Settings, first: b"{\"settings\":{\"log_id\":" },
    Signature { file: ForeignFile::Removal, first: b"{\"removal\":{" },
];

/// The byte order marks of UTF-16.
const UTF16_MARKS: [[u8; 2]; 2] = [[0xFF, 0xFE], [0xFE, 0xFF]];
/// The byte order mark of UTF-8, with which some programs start JSON.
const UTF8_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

impl ForeignFile {
    /// Recognises a file by its first [`RECOGNISED_PREFIX`] bytes, which do not start with the magic of a log.
    pub(crate) fn recognise(first: &[u8]) -> Option<Self> {
        let by_signature = SIGNATURES.iter().find(|signature| first.starts_with(signature.first));
        by_signature.map(|signature| signature.file).or_else(|| {
            let text = first.strip_prefix(UTF8_MARK).unwrap_or(first).trim_ascii_start();
            let is_json = matches!(text.first(), Some(b'{' | b'[')) && !first.contains(&0);
            if is_utf16(first) { Some(Self::Utf16) } else { is_json.then_some(Self::Json) }
        })
    }

    /// True for a kind that is recognised by a signature. Such a file is not a log, although it can contain valid frames.
    pub(crate) fn has_signature(self) -> bool {
        SIGNATURES.iter().any(|signature| signature.file == self)
    }

    /// The description of the file, with its article.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Gzip => "a gzip file",
            Self::Zstd => "a zstd file",
            Self::Xz => "an xz file",
            Self::Bzip2 => "a bzip2 file",
            Self::Zip => "a ZIP archive",
            Self::Sqlite => "an SQLite database",
            Self::Index => "the index of a Chronicle log",
            Self::Journal => "the journal of a repair",
            Self::Settings => "the settings of a log in a folder",
            Self::Removal => "the record of a removal of segments",
            Self::Utf16 => "text in UTF-16",
            Self::Json => "JSON text",
        }
    }
}

/// True when the bytes start with a byte order mark of UTF-16, or are mostly ASCII text in UTF-16 without one.
fn is_utf16(first: &[u8]) -> bool {
    let is_ascii_pair = |pair: &&[u8]| matches!(pair, [b'\t' | b'\n' | b'\r' | b' '..=b'~', 0]);
    let ascii_pairs = first.chunks_exact(2).filter(is_ascii_pair).count();
    let has_mark = UTF16_MARKS.iter().any(|mark| first.starts_with(mark));
    has_mark || ascii_pairs >= 2 && ascii_pairs * 8 >= first.len() * 3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{LogHeader, LogId, LogSettings, frame};

    #[test]
    fn each_kind_is_recognised_by_its_first_bytes() {
        let settings = LogSettings {
            log_id: LogId::from_bytes([7; 16]),
            segment_size: 1 << 20,
            segment_age_ms: None,
            first_offset: 0,
            lost: Vec::new(),
        };
        let settings = settings.encode();
        let cases: [(&[u8], ForeignFile); 15] = [
            (&[0x1F, 0x8B, 0x08, 0, 0, 0], ForeignFile::Gzip),
            (&[0x28, 0xB5, 0x2F, 0xFD, 4], ForeignFile::Zstd),
            (b"\xFD7zXZ\0\0", ForeignFile::Xz),
            (b"BZh91AY", ForeignFile::Bzip2),
            (b"PK\x03\x04\x14", ForeignFile::Zip),
            (b"SQLite format 3\0\x10", ForeignFile::Sqlite),
            (b"CHIX\0\x02", ForeignFile::Index),
            (b"CHRJ\0\x02", ForeignFile::Journal),
            (settings.as_bytes(), ForeignFile::Settings),
            (b"{\"removal\":{\"log_id\":", ForeignFile::Removal),
            (b"\xFF\xFEC\0H\0", ForeignFile::Utf16),
            (b"\xFE\xFF\0C\0H", ForeignFile::Utf16),
            (b"{\0\"\0a\0", ForeignFile::Utf16),
            (b"{\"offset\":16,\"event\":{}}\n", ForeignFile::Json),
            (b"\xEF\xBB\xBF\n [1]", ForeignFile::Json),
        ];
        for (first, expected) in cases {
            assert_eq!(ForeignFile::recognise(first), Some(expected), "{first:?}");
        }
    }

    #[test]
    fn a_log_zeros_and_other_bytes_are_not_recognised() {
        let log = LogHeader::new(1_700_000_000_000).encode();
        let mut version_0 = Vec::new();
        frame::encode(b"{\"a\":1}", &mut version_0);
        for first in [&log[..], &version_0, &[0; 64], b"", b"{\0x", b"root:x:0:0", &[0xFF; 16]] {
            assert_eq!(ForeignFile::recognise(first), None, "{first:?}");
        }
    }
}
