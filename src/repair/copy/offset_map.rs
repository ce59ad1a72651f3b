//! The map from old offsets to new ones: one line for each event, and one for each omitted range.

use std::io::Write as _;
use std::path::Path;

/// The format of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OffsetMapFormat {
    Csv,
    Ndjson,
}

impl OffsetMapFormat {
    /// Returns NDJSON for the extensions `.ndjson` and `.jsonl`, and CSV for all others.
    pub(super) fn from_path(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("ndjson" | "jsonl") => Self::Ndjson,
            _ => Self::Csv,
        }
    }

    /// Returns the header of the map: the column names in CSV, and an empty text in NDJSON.
    pub(super) const fn header_line(self) -> &'static str {
        match self {
            Self::Csv => "old,new,how\n",
            Self::Ndjson => "",
        }
    }

    /// Appends a line. `how` is one of Chronicle's fixed words, so it is not escaped.
    pub(super) fn write_line(self, old: u64, new: Option<u64>, how: &str, out: &mut Vec<u8>) {
        let written = match (self, new) {
            (Self::Csv, Some(new)) => writeln!(out, "{old},{new},{how}"),
            (Self::Csv, None) => writeln!(out, "{old},,{how}"),
            (Self::Ndjson, Some(new)) => writeln!(out, "{{\"old\":{old},\"new\":{new},\"how\":\"{how}\"}}"),
            (Self::Ndjson, None) => writeln!(out, "{{\"old\":{old},\"new\":null,\"how\":\"{how}\"}}"),
        };
        debug_assert!(written.is_ok(), "writing to a Vec does not fail");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_selects_the_format_of_the_lines() {
        let lines = |name: &str| {
            let format = OffsetMapFormat::from_path(Path::new(name));
            let mut out = format.header_line().as_bytes().to_vec();
            format.write_line(16, Some(20), "kept", &mut out);
            format.write_line(90, None, "checksum", &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(lines("a.csv"), "old,new,how\n16,20,kept\n90,,checksum\n");
        let ndjson = "{\"old\":16,\"new\":20,\"how\":\"kept\"}\n{\"old\":90,\"new\":null,\"how\":\"checksum\"}\n";
        assert_eq!((lines("a.ndjson").as_str(), lines("a.jsonl").as_str()), (ndjson, ndjson));
    }
}
