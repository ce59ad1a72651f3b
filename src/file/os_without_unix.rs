//! The calls of [`OsDisk`](super::OsDisk) on platforms other than Unix: files have neither owners nor identities.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::{FileIdentity, OpenMode};

pub(super) fn read_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut handle = file.try_clone()?;
    handle.seek(SeekFrom::Start(offset))?;
    handle.read(buf)
}

pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    let mut handle = file.try_clone()?;
    handle.seek(SeekFrom::Start(offset))?;
    handle.write(bytes)
}

pub(super) fn open(options: &mut OpenOptions, path: &Path, _mode: OpenMode) -> io::Result<File> {
    options.open(path)
}

pub(super) fn create(path: &Path, mode: OpenMode) -> io::Result<File> {
    let mut options = OpenOptions::new();
    match mode {
        OpenMode::CreateSidecar { .. } => options.read(true).write(true).create_new(true).open(path),
        _ => options.read(true).append(true).create_new(true).open(path),
    }
}

pub(super) fn identity(_metadata: &Metadata) -> FileIdentity {
    FileIdentity::UNKNOWN
}

pub(super) fn copy_ownership(_file: &File, _permissions_from: &Metadata) {}

pub(super) fn create_folder(path: &Path, _permissions_from: &Metadata) -> io::Result<()> {
    fs::create_dir(path)
}

pub(super) fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) fn drop_cache(_file: &File) {}

pub(super) fn available_space(_path: &Path) -> Option<u64> {
    None
}

pub(super) fn rename_no_replace(from: &Path, to: &Path) -> io::Result<()> {
    match fs::symlink_metadata(to) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::rename(from, to),
        Err(error) => Err(error),
    }
}
