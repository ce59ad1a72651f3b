//! [`RoutingDisk`]: opens URLs of servers by the client of their scheme, and all other paths on the local file systems.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::nats::StreamDisk;
use super::s3::S3Disk;
use crate::file::{Disk, FileIdentity, OpenMode, OsDisk, PathEntry, Storage};
use crate::place::{Place, RemoteScheme, RemoteUrl};

/// The local file systems, and the servers whose URLs can be read as files.
#[derive(Debug, Default)]
pub(crate) struct RoutingDisk {
    s3: S3Disk,
    streams: StreamDisk,
}

/// Returns the disk of this process.
pub(crate) fn routing_disk() -> Arc<RoutingDisk> {
    static DISK: OnceLock<Arc<RoutingDisk>> = OnceLock::new();
    DISK.get_or_init(Arc::default).clone()
}

impl RoutingDisk {
    /// Returns the logs below the URL of a prefix, sorted: objects that are named as logs or have an index, and folders of segments.
    ///
    /// # Errors
    /// `InvalidInput` for another path; the errors of the list.
    pub(crate) fn logs_below(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        match remote_url(path)? {
            Some(url) if url.scheme() == RemoteScheme::S3 => self.s3.logs_below(&url),
            _ => Err(ErrorKind::InvalidInput.into()),
        }
    }

    /// Reads the start of a log and of its index into the cache, so that it is opened sooner. Errors are left to the opening.
    pub(crate) fn read_ahead(&self, path: &Path) {
        if let Ok(Some(url)) = remote_url(path)
            && url.scheme() == RemoteScheme::S3
        {
            self.s3.read_ahead(&url);
        }
    }
}

/// Returns the URL in a path; `None` for a local path.
fn remote_url(path: &Path) -> io::Result<Option<RemoteUrl>> {
    match Place::parse(path.as_os_str()) {
        Ok(Place::Local(_)) => Ok(None),
        Ok(Place::Remote(url)) => Ok(Some(url)),
        Err(error) => Err(io::Error::new(ErrorKind::InvalidInput, error.to_string())),
    }
}

/// Returns the local path, or the error of writing to a server.
fn local(path: &Path) -> io::Result<&Path> {
    match remote_url(path)? {
        None => Ok(path),
        Some(url) => {
            let reason = match url.scheme() {
                RemoteScheme::S3 => "a log on a server can only be read".to_owned(),
                RemoteScheme::Nats => {
                    format!("{url} is only read here; write the log to a file with `chronicle restore`")
                }
            };
            Err(io::Error::new(ErrorKind::ReadOnlyFilesystem, reason))
        }
    }
}

impl Disk for RoutingDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        match (remote_url(path)?, mode) {
            (None, OpenMode::CreateSidecar { permissions_from }) if remote_url(permissions_from)?.is_some() => {
                // An object has no owner and no mode that a file could get.
                OsDisk.open(path, OpenMode::Create)
            }
            (None, _) => OsDisk.open(path, mode),
            (Some(url), _) if url.scheme() == RemoteScheme::Nats => self.streams.open(&url, mode),
            (Some(url), OpenMode::Read | OpenMode::ReadSidecar) => self.s3.open(&url),
            (Some(_), _) => OsDisk.open(local(path)?, mode),
        }
    }

    fn create_anonymous_file(&self, folder: Option<&Path>) -> io::Result<Arc<dyn Storage>> {
        OsDisk.create_anonymous_file(folder.filter(|folder| local(folder).is_ok()))
    }

    fn identity(&self, path: &Path) -> io::Result<FileIdentity> {
        match remote_url(path)? {
            None => OsDisk.identity(path),
            Some(url) if url.scheme() == RemoteScheme::Nats => self.streams.identity(&url),
            Some(url) => self.s3.identity(&url),
        }
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        match remote_url(path)? {
            None => OsDisk.resolve(path),
            Some(url) if url.scheme() == RemoteScheme::Nats => self.streams.entry(&url).map(|_| path.to_owned()),
            Some(url) => {
                self.s3.entry(&url)?;
                Ok(PathBuf::from(url.to_string().trim_end_matches('/')))
            }
        }
    }

    fn entry(&self, path: &Path) -> io::Result<PathEntry> {
        match remote_url(path)? {
            None => OsDisk.entry(path),
            Some(url) if url.scheme() == RemoteScheme::Nats => self.streams.entry(&url),
            Some(url) => self.s3.entry(&url),
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
        match remote_url(folder)? {
            None => OsDisk.list(folder),
            Some(url) if url.scheme() == RemoteScheme::Nats => self.streams.list(&url),
            Some(url) => self.s3.list(&url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_to_a_server_and_local_paths_are_those_of_the_system() {
        let disk = RoutingDisk::default();
        let folder = tempfile::tempdir().unwrap();
        let (local, remote) = (folder.path().join("a.log"), Path::new("s3://bucket/a.log"));
        std::fs::write(&local, b"log").unwrap();
        assert_eq!(disk.open(&local, OpenMode::Read).unwrap().len().unwrap(), 3);
        assert_eq!(disk.resolve(&local).unwrap(), OsDisk.resolve(&local).unwrap());
        for refused in [
            disk.open(remote, OpenMode::Append).map(drop),
            disk.open(remote, OpenMode::Repair).map(drop),
            disk.open(remote, OpenMode::Create).map(drop),
            disk.open(remote, OpenMode::AppendSidecar).map(drop),
            disk.rename(&local, remote),
            disk.rename_no_replace(remote, &local),
            disk.remove(remote),
            disk.create_folder(remote, &local),
            disk.create_log_folder(remote),
            disk.remove_folder(remote),
            disk.sync_folder(remote),
        ] {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::ReadOnlyFilesystem);
        }
        assert!(local.exists() && disk.available_space(remote).is_none());
        assert!(disk.create_anonymous_file(Some(remote)).is_ok());
    }
}
