//! [`S3Store`]: backups in object storage.

use std::io;
use std::path::PathBuf;

use super::client::S3Client;
use super::list::{ListDepth, list_objects};
use crate::StorageError;
use crate::backup::{ObjectStore, StoredObject};
use crate::place::RemoteUrl;

/// The objects of a bucket below a prefix.
#[derive(Debug)]
pub(crate) struct S3Store {
    client: S3Client,
    /// The prefix of the keys: empty, or with a `/` at its end.
    prefix: String,
    /// The URL of the bucket and the prefix, without a `/` at its end.
    url: String,
}

impl S3Store {
    /// Creates the store at a URL. Sends nothing.
    ///
    /// # Errors
    /// `Io` when the endpoint or the credentials are malformed.
    pub(crate) fn open(url: &RemoteUrl) -> Result<Self, StorageError> {
        let client = S3Client::of_bucket(url.host())
            .map_err(|error| StorageError::io(&PathBuf::from(url.to_string()), "open", error))?;
        let name = url.name().trim_end_matches('/');
        let prefix = if name.is_empty() { String::new() } else { format!("{name}/") };
        Ok(Self { client, prefix, url: url.to_string().trim_end_matches('/').to_owned() })
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn error(&self, key: &str, action: &'static str) -> impl FnOnce(io::Error) -> StorageError {
        let path = self.path_of(key);
        move |error| StorageError::io(&path, action, error)
    }
}

impl ObjectStore for S3Store {
    fn path_of(&self, key: &str) -> PathBuf {
        let url = &self.url;
        PathBuf::from(if key.is_empty() { url.clone() } else { format!("{url}/{key}") })
    }

    fn list(&self, folder: &str) -> Result<Vec<StoredObject>, StorageError> {
        let prefix = format!("{}/", self.key(folder));
        let list = list_objects(&self.client, &prefix, ListDepth::All).map_err(self.error(folder, "list"))?;
        let stored = list.objects.into_iter().map(|object| {
            let name = object.key.rsplit('/').next().unwrap_or_default().to_owned();
            StoredObject { name, bytes: object.bytes }
        });
        Ok(stored.collect())
    }

    fn read(&self, key: &str, max_bytes: u64) -> Result<Vec<u8>, StorageError> {
        self.client.read(&self.key(key), max_bytes).map_err(self.error(key, "read"))
    }

    fn write(&self, key: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.client.write(&self.key(key), bytes, false).map_err(self.error(key, "write"))
    }

    fn write_new(&self, key: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.client.write(&self.key(key), bytes, true).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => StorageError::AlreadyExists { path: self.path_of(key) },
            _ => self.error(key, "write")(error),
        })
    }
}
