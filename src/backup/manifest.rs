//! [`BackupManifest`]: the object that makes parts a backup. Its first line is a JSON object, and its second line has the SHA-256 of
//! the first one.

use std::io::{Error, ErrorKind};

use serde::{Deserialize, Serialize};

use super::parts::{PART_LEN, PartHash};
use super::store::ObjectStore;
use crate::StorageError;
use crate::format::{SETTINGS_FILE, base_of_segment_file};
use crate::inspect::LogView;

/// The version of the manifest's format.
const FORMAT: u32 = 1;
/// The folder of the manifests in a store.
const FOLDER: &str = "manifests";
/// Largest size of a manifest, in bytes: that of about ten tebibytes in parts.
const MAX_BYTES: u64 = 64 << 20;
/// Number of digits in the name of a manifest.
const DIGITS: usize = 8;
/// The end of the name of a manifest.
const SUFFIX: &str = ".json";

/// One backup of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BackupManifest {
    chronicle_backup: u32,
    /// The number of the backup, the same as in its name.
    pub(crate) number: u32,
    /// When the backup was made, in milliseconds since the Unix epoch.
    pub(crate) created_at_ms: u64,
    /// The log.
    pub(crate) log: BackedUpLog,
    /// The first offset of the log.
    pub(crate) start: u64,
    /// The end of the backup, as an offset of the log.
    pub(crate) end: u64,
    /// The number of events.
    pub(crate) events: u64,
    /// The number of damaged ranges, whose bytes were copied as they were.
    pub(crate) damaged_ranges: u64,
    /// The files of the log.
    pub(crate) files: Vec<BackedUpFile>,
}

/// The log of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BackedUpLog {
    /// The name of its file or folder.
    pub(crate) name: String,
    /// True for a folder of segments.
    pub(crate) is_folder: bool,
    /// The version of its format.
    pub(crate) version: u16,
    /// Its identity, in version 2.
    pub(crate) log_id: Option<String>,
    /// When it was created, in milliseconds since the Unix epoch; `None` without a header.
    pub(crate) created_at_ms: Option<u64>,
}

/// One file of the log of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BackedUpFile {
    /// Its name in the folder of the log; the name of the log for a log in one file.
    pub(crate) name: String,
    /// Its parts, one after another.
    pub(super) parts: Vec<BackedUpPart>,
}

/// One part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BackedUpPart {
    /// The SHA-256 of its bytes, in hexadecimal digits.
    pub(super) sha256: String,
    /// Its size.
    pub(super) bytes: u64,
}

impl BackedUpPart {
    /// Returns the hash; `None` when it is malformed, which a valid manifest never has.
    pub(super) fn hash(&self) -> Option<PartHash> {
        PartHash::parse(&self.sha256)
    }
}

impl BackedUpFile {
    /// Returns the size of the file, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).fold(0, u64::saturating_add)
    }
}

impl BackedUpLog {
    /// Describes an open log.
    pub(super) fn of(view: &LogView) -> Self {
        let name = view.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self {
            name,
            is_folder: view.segments().is_some(),
            version: view.log().version().number(),
            log_id: view.log_id().map(|id| id.to_string()),
            created_at_ms: view.created_at_ms(),
        }
    }

    /// True when both can be the same log. What one of them does not know, because the header is damaged, is not compared.
    pub(crate) fn can_be(&self, other: &Self) -> bool {
        let differs = |known: Option<bool>| known == Some(false);
        let same_id = self.log_id.as_ref().zip(other.log_id.as_ref()).map(|(id, other)| id == other);
        let same_time = self.created_at_ms.zip(other.created_at_ms).map(|(ms, other)| ms == other);
        // Retention gives the first segment another creation time, and the identity stays.
        let is_other_time = same_id.is_none() && differs(same_time);
        self.version == other.version && self.is_folder == other.is_folder && !differs(same_id) && !is_other_time
    }
}

impl BackupManifest {
    /// Creates a manifest.
    pub(super) fn new(
        number: u32,
        created_at_ms: u64,
        log: BackedUpLog,
        range: std::ops::Range<u64>,
        files: Vec<BackedUpFile>,
    ) -> Self {
        let (start, end) = (range.start, range.end);
        Self { chronicle_backup: FORMAT, number, created_at_ms, log, start, end, events: 0, damaged_ranges: 0, files }
    }

    /// Returns the size of all files, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(BackedUpFile::bytes).fold(0, u64::saturating_add)
    }

    /// Returns the number of parts of all files.
    pub(crate) fn part_count(&self) -> u64 {
        self.files.iter().map(|file| file.parts.len() as u64).sum()
    }

    /// Returns the file with this name.
    pub(crate) fn file(&self, name: &str) -> Option<&BackedUpFile> {
        self.files.iter().find(|file| file.name == name)
    }

    /// Writes the manifest into a store, unless one has its number.
    ///
    /// # Errors
    /// `AlreadyExists` when one has; `Io` when it cannot be written, or is too large.
    pub(super) fn write(&self, store: &dyn ObjectStore) -> Result<(), StorageError> {
        let key = manifest_key(self.number);
        let io = |error| StorageError::io(&store.path_of(&key), "write", error);
        let mut bytes = serde_json::to_vec(self).map_err(|error| io(Error::other(error)))?;
        let hash = PartHash::of(&bytes);
        bytes.extend_from_slice(format!("\n{{\"sha256\":\"{hash}\"}}\n").as_bytes());
        if bytes.len() as u64 > MAX_BYTES {
            let reason = format!("the manifest has {} bytes, and at most {MAX_BYTES} are supported", bytes.len());
            return Err(io(Error::other(reason)));
        }
        store.write_new(&key, &bytes)
    }

    /// Parses a manifest that is stored under `number`.
    fn decode(bytes: &[u8], number: u32) -> Result<Self, String> {
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or("expected two lines, found one")?;
        let (line, rest) = bytes.split_at(end);
        let expected = format!("\n{{\"sha256\":\"{}\"}}\n", PartHash::of(line));
        if rest != expected.as_bytes() {
            return Err("the first line does not have the SHA-256 in the second line".into());
        }
        let manifest: Self = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        if manifest.chronicle_backup != FORMAT {
            return Err(format!("expected the format {FORMAT}, found {}", manifest.chronicle_backup));
        }
        if manifest.number != number {
            return Err(format!("expected the number {number}, found {}", manifest.number));
        }
        manifest.check_files()?;
        Ok(manifest)
    }

    /// Checks the names, sizes and hashes of the files.
    fn check_files(&self) -> Result<(), String> {
        if !self.log.is_folder && self.files.len() != 1 {
            return Err(format!("expected one file, found {}", self.files.len()));
        }
        let mut names: Vec<&str> = self.files.iter().map(|file| file.name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err("two files have the same name".into());
        }
        for file in &self.files {
            let name = std::path::Path::new(&file.name);
            let is_segment = base_of_segment_file(name).is_some() && !file.name.contains(['/', '\\']);
            if self.log.is_folder && !is_segment && file.name != SETTINGS_FILE {
                return Err(format!("`{}` is not the name of a segment", file.name.escape_debug()));
            }
            for part in &file.parts {
                if part.bytes == 0 || part.bytes > PART_LEN || part.hash().is_none() {
                    return Err("a part has a malformed size or hash".into());
                }
            }
        }
        Ok(())
    }
}

/// A manifest of a store: its number, and its content or why it cannot be used.
#[derive(Debug)]
pub(crate) struct ManifestEntry {
    /// The number in its name.
    pub(crate) number: u32,
    /// The manifest.
    pub(crate) manifest: Result<BackupManifest, StorageError>,
}

fn manifest_key(number: u32) -> String {
    format!("{FOLDER}/{number:0DIGITS$}{SUFFIX}")
}

fn number_of_name(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(SUFFIX)?;
    let is_name = digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|number| is_name && *number > 0)
}

/// Returns the numbers of the manifests in a store, ascending.
///
/// # Errors
/// Those of [`ObjectStore::list`].
pub(super) fn manifest_numbers(store: &dyn ObjectStore) -> Result<Vec<u32>, StorageError> {
    let mut numbers: Vec<u32> = store.list(FOLDER)?.iter().filter_map(|object| number_of_name(&object.name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads the manifest with this number.
///
/// # Errors
/// Those of [`ObjectStore::read`]; `Io` of the kind `InvalidData` when it is malformed or its hash is wrong.
pub(crate) fn read_manifest(store: &dyn ObjectStore, number: u32) -> Result<BackupManifest, StorageError> {
    let key = manifest_key(number);
    let bytes = store.read(&key, MAX_BYTES)?;
    let invalid = |reason| StorageError::io(&store.path_of(&key), "use", Error::new(ErrorKind::InvalidData, reason));
    BackupManifest::decode(&bytes, number).map_err(invalid)
}

/// Reads the manifest with the highest number; `None` when the store has none.
///
/// # Errors
/// Those of [`ObjectStore::list`] and [`read_manifest`].
pub(crate) fn latest_manifest(store: &dyn ObjectStore) -> Result<Option<BackupManifest>, StorageError> {
    manifest_numbers(store)?.last().map(|number| read_manifest(store, *number)).transpose()
}

/// Reads all manifests of a store, ascending.
///
/// # Errors
/// Those of [`ObjectStore::list`]. A manifest that cannot be used is an entry with its error.
pub(crate) fn list_manifests(store: &dyn ObjectStore) -> Result<Vec<ManifestEntry>, StorageError> {
    let numbers = manifest_numbers(store)?.into_iter();
    Ok(numbers.map(|number| ManifestEntry { number, manifest: read_manifest(store, number) }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> BackupManifest {
        let part = BackedUpPart { sha256: PartHash::of(b"a").to_string(), bytes: 1 };
        let file = BackedUpFile { name: "00000000000000000000.log".into(), parts: vec![part] };
        let log = BackedUpLog { name: "a".into(), is_folder: true, version: 2, log_id: None, created_at_ms: Some(1) };
        BackupManifest::new(1, 5, log, 0..1, vec![file])
    }

    fn encode(manifest: &BackupManifest) -> Vec<u8> {
        let line = serde_json::to_string(manifest).unwrap();
        format!("{line}\n{{\"sha256\":\"{}\"}}\n", PartHash::of(line.as_bytes())).into_bytes()
    }

    #[test]
    fn every_changed_byte_of_a_manifest_is_found() {
        let bytes = encode(&manifest());
        assert_eq!(BackupManifest::decode(&bytes, 1), Ok(manifest()));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(BackupManifest::decode(&changed, 1).is_err(), "byte {at}");
            assert!(BackupManifest::decode(&bytes[..at], 1).is_err(), "{at} bytes");
        }
        assert!(BackupManifest::decode(&bytes, 2).is_err(), "another number");
    }

    #[test]
    fn a_manifest_with_a_hostile_name_or_size_is_refused() {
        let change = |change: &dyn Fn(&mut BackupManifest)| {
            let mut changed = manifest();
            change(&mut changed);
            BackupManifest::decode(&encode(&changed), 1)
        };
        assert!(change(&|_| ()).is_ok());
        for name in ["../a.log", "/etc/passwd", "lock", "x/00000000000000000000.log", "00000000000000000000.log.idx"] {
            assert!(change(&|manifest| manifest.files[0].name = name.into()).is_err(), "{name}");
        }
        for bytes in [0, PART_LEN + 1, u64::MAX] {
            assert!(change(&|manifest| manifest.files[0].parts[0].bytes = bytes).is_err(), "{bytes}");
        }
        assert!(change(&|manifest| manifest.files[0].parts[0].sha256 = "../../x".into()).is_err());
        assert!(change(&|manifest| manifest.files.push(manifest.files[0].clone())).is_err());
        assert!(change(&|manifest| manifest.chronicle_backup = 2).is_err());
        assert!(change(&|manifest| (manifest.log.is_folder, manifest.files) = (false, Vec::new())).is_err());
    }

    #[test]
    fn logs_differ_by_what_both_know() {
        let log = |id: Option<&str>, created_at_ms| BackedUpLog {
            name: String::new(),
            is_folder: false,
            version: 1,
            log_id: id.map(str::to_owned),
            created_at_ms,
        };
        assert!(
            log(None, Some(1)).can_be(&log(None, None)) && log(Some("a"), Some(1)).can_be(&log(Some("a"), Some(2)))
        );
        assert!(!log(None, Some(1)).can_be(&log(None, Some(2))) && !log(Some("a"), None).can_be(&log(Some("b"), None)));
    }
}
