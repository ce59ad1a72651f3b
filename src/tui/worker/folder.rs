//! Lists the names in a folder, to complete a path that is being typed.

use std::fs::{self, DirEntry};
use std::path::Path;

use crate::report::sanitize;
use crate::tui::home_folder::expand_home;
use crate::tui::message::Response;
use crate::tui::model::{FolderEntry, FolderEntryKind, FolderListing};

/// Largest number of names that are listed.
const MAX_ENTRIES: usize = 10_000;

/// Lists a folder, given as it was typed. A folder that cannot be read has no names: the path may still be typed, and
/// opening it reports the reason.
pub(super) fn list_folder(folder: String) -> Response {
    let path = if folder.is_empty() { ".".into() } else { expand_home(Path::new(&folder), std::env::home_dir()) };
    let found = fs::read_dir(path).into_iter().flatten().flatten().take(MAX_ENTRIES);
    let mut entries: Vec<FolderEntry> = found.filter_map(|entry| to_entry(&entry)).collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Response::FolderListing(FolderListing { folder, entries })
}

/// Returns the entry for a name; `None` for one that cannot be typed, because it is not UTF-8 or has hostile characters.
fn to_entry(entry: &DirEntry) -> Option<FolderEntry> {
    let name = entry.file_name().into_string().ok().filter(|name| sanitize(name) == name.as_str())?;
    let is_folder = fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir());
    Some(FolderEntry { name, kind: if is_folder { FolderEntryKind::Folder } else { FolderEntryKind::File } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_can_be_typed_are_listed_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.log", "a.log", "\u{1b}[31m.log"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::create_dir(folder.path().join("c")).unwrap();
        let typed = format!("{}/", folder.path().display());
        let Response::FolderListing(listing) = list_folder(typed.clone()) else { panic!("no listing") };
        let names: Vec<_> = listing.entries.iter().map(|entry| (entry.name.as_str(), entry.kind)).collect();
        let (file, folder) = (FolderEntryKind::File, FolderEntryKind::Folder);
        assert_eq!(names, [("a.log", file), ("b.log", file), ("c", folder)]);
        assert_eq!(listing.folder, typed);
        let Response::FolderListing(none) = list_folder("/no such folder/".into()) else { panic!("no listing") };
        assert_eq!(none.entries, []);
    }
}
