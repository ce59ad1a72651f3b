//! [`S3Disk`]: objects as files that can only be read, and the prefixes of their keys as folders.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::block_cache::BlockCache;
use super::client::{ObjectState, S3Client};
use super::list::{ListDepth, list_objects};
use super::object::S3Object;
use crate::file::{EntryKind, FileIdentity, PathEntry, ReadOnlyContent, ReadOnlyStorage, Storage};
use crate::format::base_of_segment_file;
use crate::place::RemoteUrl;

/// How long the answer to a question about an object is used again. Opening a log asks about the same names more than once.
const STATE_VALIDITY: Duration = Duration::from_secs(10);
/// Largest number of such answers.
const MAX_STATES: usize = 4096;

/// What a name in object storage is.
#[derive(Debug, Clone)]
enum FoundName {
    Object(ObjectState),
    Folder,
    Nothing,
}

/// The buckets that were opened, and what is known of their objects.
#[derive(Debug, Default)]
pub(crate) struct S3Disk {
    clients: Mutex<HashMap<String, Arc<S3Client>>>,
    names: Mutex<HashMap<String, (Instant, FoundName)>>,
    cache: Arc<BlockCache>,
    hasher: std::hash::RandomState,
}

impl S3Disk {
    /// Opens an object for reading.
    ///
    /// # Errors
    /// `NotFound` when there is no such object; otherwise the error of the request.
    pub(crate) fn open(&self, url: &RemoteUrl) -> io::Result<Arc<dyn Storage>> {
        Ok(Arc::new(ReadOnlyStorage(self.object(url)?)))
    }

    /// Returns the identity of an object, which changes with its content, or of a folder.
    ///
    /// # Errors
    /// `NotFound` when there is neither; otherwise the error of the request.
    pub(crate) fn identity(&self, url: &RemoteUrl) -> io::Result<FileIdentity> {
        match self.find(url)? {
            FoundName::Object(state) => Ok(S3Object::identity_of(self.number(url, &state.etag))),
            FoundName::Folder => Ok(S3Object::identity_of(self.number(url, ""))),
            FoundName::Nothing => Err(ErrorKind::NotFound.into()),
        }
    }

    /// Returns whether a name is that of an object or of a folder.
    ///
    /// # Errors
    /// `NotFound` when it is neither; otherwise the error of the request.
    pub(crate) fn entry(&self, url: &RemoteUrl) -> io::Result<PathEntry> {
        let kind = match self.find(url)? {
            FoundName::Object(_) => EntryKind::File,
            FoundName::Folder => EntryKind::Folder,
            FoundName::Nothing => return Err(not_found()),
        };
        Ok(PathEntry { kind, ownership: None })
    }

    /// Lists the objects and folders directly below a folder, sorted.
    ///
    /// # Errors
    /// The error of the request.
    pub(crate) fn list(&self, url: &RemoteUrl) -> io::Result<Vec<PathBuf>> {
        let list = list_objects(self.client(url)?.as_ref(), &folder_prefix(url), ListDepth::Folder)?;
        let keys = list.objects.into_iter().map(|object| object.key).chain(list.folders);
        let mut paths: Vec<PathBuf> =
            keys.filter(|key| *key != folder_prefix(url)).map(|key| path_of_key(url, &key)).collect();
        paths.sort();
        Ok(paths)
    }

    /// Returns the logs below a prefix, at any depth, sorted: objects that are named as logs or have an index, and folders with a
    /// segment. What backups consist of is no log.
    ///
    /// # Errors
    /// The error of the request.
    pub(crate) fn logs_below(&self, url: &RemoteUrl) -> io::Result<Vec<PathBuf>> {
        let list = list_objects(self.client(url)?.as_ref(), &folder_prefix(url), ListDepth::All)?;
        let keys: BTreeSet<String> = list.objects.into_iter().map(|object| object.key).collect();
        let log_of = |key: &String| {
            let path = Path::new(key);
            if base_of_segment_file(path).is_some() {
                return path.parent().map(|folder| path_of_key(url, &folder.to_string_lossy()));
            }
            let is_named = path.extension().is_some_and(|extension| extension == "log");
            (is_named || keys.contains(&format!("{key}.idx"))).then(|| path_of_key(url, key))
        };
        let logs: BTreeSet<PathBuf> = keys.iter().filter_map(log_of).collect();
        Ok(logs.into_iter().collect())
    }

    /// Reads the start of an object into the cache, and asks for its index.
    pub(crate) fn read_ahead(&self, url: &RemoteUrl) {
        if let Ok(object) = self.object(url) {
            // The thread that opens the object reports an error.
            let _ = object.read_at(&mut [0], 0);
            if let Ok(index) = url.with_suffix(".idx") {
                let _ = self.find_object(&index);
            }
        }
    }

    fn object(&self, url: &RemoteUrl) -> io::Result<S3Object> {
        let FoundName::Object(state) = self.find_object(url)? else { return Err(not_found()) };
        let (client, cache) = (self.client(url)?, self.cache.clone());
        let number = self.number(url, &state.etag);
        Ok(S3Object { client, cache, key: url.name().into(), state, number })
    }

    /// Finds out what a name is: an object, or a folder when the keys of objects start with it.
    fn find(&self, url: &RemoteUrl) -> io::Result<FoundName> {
        if let FoundName::Object(state) = self.find_object(url)? {
            return Ok(FoundName::Object(state));
        }
        self.remembered(&format!("{}/", url.to_string().trim_end_matches('/')), || {
            let list = list_objects(self.client(url)?.as_ref(), &folder_prefix(url), ListDepth::First)?;
            Ok(if list.objects.is_empty() && list.folders.is_empty() { FoundName::Nothing } else { FoundName::Folder })
        })
    }

    fn find_object(&self, url: &RemoteUrl) -> io::Result<FoundName> {
        if url.name().is_empty() || url.name().ends_with('/') {
            return Ok(FoundName::Nothing);
        }
        self.remembered(&url.to_string(), || match self.client(url)?.head(url.name()) {
            Ok(state) => Ok(FoundName::Object(state)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(FoundName::Nothing),
            Err(error) => Err(error),
        })
    }

    /// Returns a recent answer, or the one of `ask`.
    fn remembered(&self, name: &str, ask: impl FnOnce() -> io::Result<FoundName>) -> io::Result<FoundName> {
        let lock = || self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, found)) = lock().get(name)
            && at.elapsed() < STATE_VALIDITY
        {
            return Ok(found.clone());
        }
        let found = ask()?;
        let mut names = lock();
        if names.len() >= MAX_STATES {
            names.clear();
        }
        names.insert(name.to_owned(), (Instant::now(), found.clone()));
        Ok(found)
    }

    fn client(&self, url: &RemoteUrl) -> io::Result<Arc<S3Client>> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(url.host()) {
            return Ok(client.clone());
        }
        let client = Arc::new(S3Client::of_bucket(url.host())?);
        clients.insert(url.host().to_owned(), client.clone());
        Ok(client)
    }

    /// Returns the number that identifies an object and its tag in this process.
    fn number(&self, url: &RemoteUrl, etag: &str) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(url.to_string().trim_end_matches('/').as_bytes());
        hasher.write(&[0]);
        hasher.write(etag.as_bytes());
        hasher.finish()
    }
}

/// Returns the prefix of the keys in a folder: empty for the whole bucket.
fn folder_prefix(url: &RemoteUrl) -> String {
    match url.name().trim_end_matches('/') {
        "" => String::new(),
        name => format!("{name}/"),
    }
}

fn path_of_key(url: &RemoteUrl, key: &str) -> PathBuf {
    PathBuf::from(format!("{}{}/{}", url.scheme().prefix(), url.host(), key.trim_end_matches('/')))
}

fn not_found() -> io::Error {
    io::Error::new(ErrorKind::NotFound, "the server has no such object")
}
