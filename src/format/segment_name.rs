//! The names of a segment's files in the folder of its log: the segment's base in 20 digits, followed by `.log`, and that name
//! followed by `.idx` for its index.

use std::path::{Path, PathBuf};

/// Number of digits in the name. Every offset fits.
const DIGITS: usize = 20;
/// The end of the name.
const SUFFIX: &str = ".log";
/// What follows that name in the name of the index.
const INDEX_SUFFIX: &str = ".idx";

/// Returns the file name of the segment that starts at the offset `base` of its log.
pub(crate) fn segment_file_name(base: u64) -> String {
    format!("{base:0DIGITS$}{SUFFIX}")
}

/// Returns the default path of the index of the log or segment at `path`: `<log>.idx`.
pub fn index_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(INDEX_SUFFIX);
    path.with_file_name(name)
}

/// Returns the base in the file name of a segment; `None` for any other name.
pub(crate) fn base_of_segment_file(path: &Path) -> Option<u64> {
    base_of_name(path.file_name()?.to_str()?)
}

/// Returns the base of the segment in the file name of its index; `None` for any other name.
pub(crate) fn base_of_index_file(path: &Path) -> Option<u64> {
    base_of_name(path.file_name()?.to_str()?.strip_suffix(INDEX_SUFFIX)?)
}

fn base_of_name(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let is_name = digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|_| is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_follows_from_the_name_and_from_no_other_name() {
        for base in [0, 268_435_512, u64::MAX] {
            assert_eq!(base_of_segment_file(&Path::new("a.log").join(segment_file_name(base))), Some(base));
        }
        assert_eq!(segment_file_name(268_435_512), "00000000000268435512.log");
        for other in
            ["", "1.log", "00000000000000000000.log.idx", "+0000000000000000001.log", "99999999999999999999.log"]
        {
            assert_eq!(base_of_segment_file(Path::new(other)), None, "{other}");
        }
        assert_eq!(base_of_index_file(Path::new("accounts/00000000000268435512.log.idx")), Some(268_435_512));
        for other in ["00000000000268435512.log", "00000000000268435512.idx", "1.log.idx", ".idx"] {
            assert_eq!(base_of_index_file(Path::new(other)), None, "{other}");
        }
    }
}
