//! [`RoutingDisk`]: the local file systems, with the URLs of servers as further paths, which are only read.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::nats::StreamDisk;
use crate::file::storage::{Disk, OpenMode, Storage};
use crate::file::{FileIdentity, OsDisk, PathEntry};
use crate::place::{Place, RemoteScheme, RemoteUrl};

/// A disk that opens paths and URLs.
#[derive(Debug, Default)]
pub(crate) struct RoutingDisk {
    streams: StreamDisk,
}

/// Returns the URL that a path is; `None` for a path of the local file systems.
fn url_of(path: &Path) -> Option<RemoteUrl> {
    match Place::parse(path.as_os_str()) {
        Ok(Place::Remote(url)) if url.scheme() == RemoteScheme::Nats => Some(url),
        _ => None,
    }
}

/// Returns the local path, or the error of writing to a server.
fn local(path: &Path) -> io::Result<&Path> {
    match url_of(path) {
        None => Ok(path),
        Some(url) => Err(io::Error::new(
            io::ErrorKind::ReadOnlyFilesystem,
            format!("{url} is only read here; write the log to a file with `chronicle restore`"),
        )),
    }
}

impl Disk for RoutingDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        match url_of(path) {
            Some(url) => self.streams.open(&url, mode),
            None => OsDisk.open(path, mode),
        }
    }

    fn create_anonymous_file(&self, folder: Option<&Path>) -> io::Result<Arc<dyn Storage>> {
        OsDisk.create_anonymous_file(folder)
    }

    fn identity(&self, path: &Path) -> io::Result<FileIdentity> {
        match url_of(path) {
            Some(url) => self.streams.identity(&url),
            None => OsDisk.identity(path),
        }
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        match url_of(path) {
            Some(url) => self.streams.entry(&url).map(|_| path.to_owned()),
            None => OsDisk.resolve(path),
        }
    }

    fn entry(&self, path: &Path) -> io::Result<PathEntry> {
        match url_of(path) {
            Some(url) => self.streams.entry(&url),
            None => OsDisk.entry(path),
        }
    }

    fn user(&self) -> Option<u32> {
        OsDisk.user()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        OsDisk.rename(local(from)?, local(to)?)
    }

    fn rename_no_replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        OsDisk.rename_no_replace(local(from)?, local(to)?)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        OsDisk.remove(local(path)?)
    }

    fn create_folder(&self, path: &Path, permissions_from: &Path) -> io::Result<()> {
        OsDisk.create_folder(local(path)?, permissions_from)
    }

    fn create_log_folder(&self, path: &Path) -> io::Result<()> {
        OsDisk.create_log_folder(local(path)?)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        OsDisk.remove_folder(local(path)?)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        OsDisk.sync_folder(local(path)?)
    }

    fn available_space(&self, path: &Path) -> Option<u64> {
        local(path).ok().and_then(|path| OsDisk.available_space(path))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        match url_of(folder) {
            Some(url) => self.streams.list(&url),
            None => OsDisk.list(folder),
        }
    }
}
