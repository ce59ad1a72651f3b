//! Completion of a path in a prompt, from the names in the folder that was typed.

use super::palette_command::{PathUse, path_word};
use super::suggestion::Suggestion;
use super::{Prompt, PromptPurpose};

/// Largest number of suggestions for a path.
const MAX_SUGGESTIONS: usize = 500;

/// The names in a folder, as far as they can be typed in a prompt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FolderListing {
    /// The folder as it was typed, with the separator at its end; empty for the working folder.
    pub(crate) folder: String,
    /// The entries, by ascending name.
    pub(crate) entries: Vec<FolderEntry>,
}

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FolderEntry {
    /// The name.
    pub(crate) name: String,
    /// Whether the name leads to a file or a folder.
    pub(crate) kind: FolderEntryKind,
}

/// What a name in a folder leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FolderEntryKind {
    /// A folder.
    Folder,
    /// Anything else.
    File,
}

/// A path that is being typed, and the text of the prompt before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TypedPath<'a> {
    /// The text of the prompt before the path.
    before: &'a str,
    /// The folder, with the separator at its end; empty for the working folder.
    pub(crate) folder: &'a str,
    /// The start of the name in the folder.
    name: &'a str,
    path_use: PathUse,
}

impl TypedPath<'_> {
    /// Returns whether no path was typed yet.
    pub(crate) const fn is_empty(&self) -> bool {
        self.folder.is_empty() && self.name.is_empty()
    }

    /// Returns whether Enter takes the marked file or folder: in the path of an existing file, once a character was typed.
    pub(crate) fn takes_marked(&self) -> bool {
        self.path_use == PathUse::ExistingFile && !self.is_empty()
    }
}

impl Prompt {
    /// Returns the path that is being typed, when the text of the prompt is one or ends with one.
    pub(crate) fn typed_path(&self) -> Option<TypedPath<'_>> {
        let text = self.input.text();
        let (before, path, path_use) = match self.purpose {
            PromptPurpose::ExportPath => ("", text, PathUse::NewFile),
            PromptPurpose::Palette => {
                let path_use = path_word(text)?;
                let word_end = text.len() - text.trim_start().len() + text.trim_start().find(' ')?;
                let path = text.get(word_end..)?.trim_start();
                (text.get(..text.len() - path.len())?, path, path_use)
            }
            PromptPurpose::Search | PromptPurpose::Filter | PromptPurpose::AggregateId => return None,
        };
        let (folder, name) = path.split_at(path.rfind('/').map_or(0, |at| at + 1));
        Some(TypedPath { before, folder, name, path_use })
    }
}

/// Returns the paths that complete a typed one; none when `listing` is of another folder.
pub(super) fn suggest_paths(typed: &TypedPath, listing: Option<&FolderListing>) -> Vec<Suggestion> {
    let Some(listing) = listing.filter(|listing| listing.folder == typed.folder) else { return Vec::new() };
    let is_hidden = |name: &str| name.starts_with('.') && !typed.name.starts_with('.');
    let is_offered = |entry: &&FolderEntry| {
        let is_wanted = typed.path_use == PathUse::ExistingFile || entry.kind == FolderEntryKind::Folder;
        is_wanted && entry.name.starts_with(typed.name) && !is_hidden(&entry.name)
    };
    let suggestion = |entry: &FolderEntry| {
        let (separator, help) = match entry.kind {
            FolderEntryKind::Folder => ("/", "folder"),
            FolderEntryKind::File => ("", ""),
        };
        let name = format!("{}{separator}", entry.name);
        Suggestion {
            text: format!("{}{}{name}", typed.before, typed.folder),
            label: name,
            help: help.into(),
            action: None,
        }
    };
    listing.entries.iter().filter(is_offered).take(MAX_SUGGESTIONS).map(suggestion).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(folder: &str) -> FolderListing {
        let entry = |(name, kind): (&str, FolderEntryKind)| FolderEntry { name: name.to_owned(), kind };
        let entries = [
            (".hidden", FolderEntryKind::File),
            ("a.log", FolderEntryKind::File),
            ("archive", FolderEntryKind::Folder),
            ("b.log", FolderEntryKind::File),
        ];
        FolderListing { folder: folder.to_owned(), entries: entries.map(entry).to_vec() }
    }

    fn texts(prompt: &Prompt, listing: &FolderListing) -> Vec<String> {
        let typed = prompt.typed_path().unwrap();
        suggest_paths(&typed, Some(listing)).into_iter().map(|suggestion| suggestion.text).collect()
    }

    #[test]
    fn names_of_the_typed_folder_complete_a_path() {
        let prompt = |text: &str| Prompt::new(PromptPurpose::Palette, text);
        assert_eq!(texts(&prompt("compare a"), &listing("")), ["compare a.log", "compare archive/"]);
        assert_eq!(texts(&prompt(" compare  ../x/"), &listing("../x/")).last().unwrap(), " compare  ../x/b.log");
        let of_folder = ["compare x/a.log", "compare x/archive/", "compare x/b.log"];
        assert_eq!(texts(&prompt("compare x/"), &listing("x/")), of_folder, "without hidden files");
        assert_eq!(texts(&prompt("compare .h"), &listing("")), ["compare .hidden"]);
        assert_eq!(texts(&prompt("compare x/a"), &listing("")), [""; 0], "the listing is of another folder");
        assert_eq!(texts(&prompt("screenshot a"), &listing("")), ["screenshot archive/"], "a new file");
        assert_eq!(texts(&Prompt::new(PromptPurpose::ExportPath, "a"), &listing("")), ["archive/"]);
        for text in ["compare", "theme a", "50%"] {
            assert_eq!(prompt(text).typed_path(), None, "{text}");
        }
        assert_eq!(Prompt::new(PromptPurpose::Search, "a/b").typed_path(), None);
    }
}
