//! [`FilePlace`]: the place to which a path leads, by which two paths of an operation are compared before it writes.

use std::path::{Path, PathBuf};

use super::file_identity::FileIdentity;
use super::storage::Disk;

/// The place to which a path leads: a file, or a name in a folder where there is no file yet.
///
/// Two paths lead to the same place when they differ by links, hard links, `..`, or the folder to which they are
/// relative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilePlace {
    /// The path with links resolved; for a file that does not exist, the resolved folder and the name.
    resolved: PathBuf,
    /// The identity of the file; `None` when there is no file.
    identity: Option<FileIdentity>,
}

impl FilePlace {
    /// Finds the place to which `path` leads now. Of a path that does not exist, the part that exists is resolved.
    pub(crate) fn of(disk: &dyn Disk, path: &Path) -> Self {
        match disk.resolve(path) {
            Ok(resolved) => Self { resolved, identity: disk.identity(path).ok() },
            Err(_) => Self { resolved: resolve_missing(disk, path), identity: None },
        }
    }

    /// True when the path leads to something inside `folder`, at any depth.
    pub(crate) fn is_inside(&self, folder: &Self) -> bool {
        self.resolved != folder.resolved && self.resolved.starts_with(&folder.resolved)
    }

    /// True when both paths lead to the same file, or to the same name of a file that does not exist.
    pub(crate) fn is_same_place(&self, other: &Self) -> bool {
        let identities = self.identity.zip(other.identity);
        let is_same_file = identities.and_then(|(found, other)| found.is_same_file(other));
        self.resolved == other.resolved || is_same_file == Some(true)
    }
}

/// Resolves the part of a path that exists, and adds the rest.
fn resolve_missing(disk: &dyn Disk, path: &Path) -> PathBuf {
    match (disk.resolve(path), path.file_name()) {
        (Ok(resolved), _) => resolved,
        (Err(_), Some(name)) => resolve_missing(disk, folder_of(path)).join(name),
        (Err(_), None) => path.to_owned(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::file::OsDisk;

    #[test]
    fn links_and_relative_parts_lead_to_the_same_place() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "x").unwrap();
        fs::write(at("other"), "x").unwrap();
        fs::create_dir(at("sub")).unwrap();
        symlink(at("file"), at("link")).unwrap();
        fs::hard_link(at("file"), at("hard")).unwrap();
        symlink(folder.path(), at("folder")).unwrap();
        let place = |path: &Path| FilePlace::of(&OsDisk, path);
        let same = |a: &str, b: &str| place(&at(a)).is_same_place(&place(&at(b)));
        for equal in ["file", "link", "hard", "sub/../file", "folder/file", "folder/link", "./file"] {
            assert!(same("file", equal) && same(equal, "file"), "{equal}");
        }
        for equal in ["new", "sub/../new", "folder/new", "./new"] {
            assert!(same("new", equal) && same(equal, "new"), "{equal}");
        }
        for different in ["other", "new", "sub", "sub/file", "missing/file", "."] {
            assert!(!same("file", different) && !same(different, "file"), "{different}");
        }
        let inside = |a: &str, b: &str| place(&at(a)).is_inside(&place(&at(b)));
        for within in ["sub/file", "sub/../file", "folder/file", "link", "sub/new"] {
            assert!(inside(within, "."), "{within}");
        }
        assert!(inside("no/new", "no") && inside("no/more/new", "folder/no/more") && !inside("no/new", "not"));
        assert!(!inside(".", ".") && !inside("sub", "sub/") && !inside("file", "sub") && !inside("subs", "sub"));
        assert!(place(Path::new("new-name")).is_same_place(&place(Path::new("./new-name"))));
        let here = std::env::current_dir().unwrap();
        assert!(place(Path::new("new-name")).is_same_place(&place(&here.join("new-name"))));
    }
}

/// Returns the folder that contains `path`: `.` for a path without a folder.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
