//! [`CommandPaths`]: all paths that a command reads and writes. They are checked against each other before the command
//! reads or writes anything.

use std::path::{Path, PathBuf};

use super::failure::CommandFailure;
use super::options::GlobalArgs;
use super::overwrite::check_replaceable;
use crate::StorageError;
use crate::file::{Disk, ExistingFile, FilePlace, NewLogForm, OsDisk, folder_of, has_segments};
use crate::index::ensure_index_target;
use crate::inspect::index_path;
use crate::repair::journal_folder;
use crate::report::safe_path_text;

/// The paths of one command. [`CommandPaths::check`] refuses an output that would replace an input, a side file of an
/// input, another output, or a file of another kind.
pub(super) struct CommandPaths<'a> {
    global: &'a GlobalArgs,
    inputs: Vec<NamedPath>,
    journal_folders: Vec<FilePlace>,
    /// The folders with the segments of the logs that the command reads.
    log_folders: Vec<NamedPath>,
    outputs: Vec<Output<'a>>,
}

/// A path with the words that name it in a message, such as `the donor`.
struct NamedPath {
    name: String,
    path: PathBuf,
    place: FilePlace,
}

impl NamedPath {
    fn new(name: impl Into<String>, path: &Path) -> Self {
        Self { name: name.into(), path: path.to_owned(), place: FilePlace::of(&OsDisk, path) }
    }
}

struct Output<'a> {
    file: NamedPath,
    kind: OutputKind<'a>,
}

/// What a command writes to a path, which decides what it may replace.
#[derive(Clone, Copy)]
enum OutputKind<'a> {
    /// The index of this log: it replaces only an index.
    IndexOf(&'a Path),
    /// A new log, whose index is removed with it when it is one file.
    Log(ExistingFile, NewLogForm),
    /// The index of a new log, which the check of the log includes.
    IndexOfNewLog,
    /// A plan or a map.
    File(ExistingFile),
}

impl<'a> CommandPaths<'a> {
    /// Starts a list of paths, for a command with these global options.
    pub(super) const fn new(global: &'a GlobalArgs) -> Self {
        Self { global, inputs: Vec::new(), journal_folders: Vec::new(), log_folders: Vec::new(), outputs: Vec::new() }
    }

    /// Adds a log that the command reads, with its side files next to it.
    pub(super) fn reads_log(mut self, name: &'static str, path: &Path) -> Self {
        self.inputs.push(NamedPath::new(name, path));
        // The side files of a log that a link names are next to the log itself.
        let path = OsDisk.resolve(path).unwrap_or_else(|_| path.to_owned());
        self.inputs.push(NamedPath::new(format!("the index of {name}"), &index_path(&path)));
        // The log is a folder of segments, or one segment in such a folder.
        let folder = [path.as_path(), folder_of(&path)].into_iter().find(|folder| has_segments(&OsDisk, folder));
        self.log_folders.extend(folder.map(|folder| NamedPath::new(format!("the folder of {name}"), folder)));
        self.add_journal_folder(&journal_folder(&path));
        self
    }

    /// Adds logs that the command reads, one for each time that the option is given.
    pub(super) fn reads_logs(self, name: &'static str, paths: &[PathBuf]) -> Self {
        paths.iter().fold(self, |paths, path| paths.reads_log(name, path))
    }

    /// Adds a file that is not a log, and that the command reads when the option is given.
    pub(super) fn reads_optional_file(mut self, name: &'static str, path: Option<&Path>) -> Self {
        self.inputs.extend(path.map(|path| NamedPath::new(name, path)));
        self
    }

    /// Adds the side files that the global options name, which the command reads.
    pub(super) fn reads_side_files(mut self) -> Self {
        let global = self.global;
        self.inputs.extend(global.index.as_deref().map(|path| NamedPath::new("--index", path)));
        if let Some(folder) = &global.journal {
            self.add_journal_folder(folder);
        }
        self
    }

    /// Adds the index of `log`, which the command saves, and the journal folder of the global options.
    pub(super) fn saves_index_of(mut self, log: &'a Path) -> Self {
        let global = self.global;
        if let Some(folder) = &global.journal {
            self.add_journal_folder(folder);
        }
        let resolved = OsDisk.resolve(log).unwrap_or_else(|_| log.to_owned());
        let default = index_path(&resolved);
        let file = match &global.index {
            Some(path) => NamedPath::new("--index", path),
            None => NamedPath::new("the index of the log", &default),
        };
        let default_place = FilePlace::of(&OsDisk, &default);
        if file.place.is_same_place(&default_place) {
            self.inputs.retain(|input| !input.place.is_same_place(&default_place));
            self.outputs.retain(|output| !matches!(output.kind, OutputKind::IndexOfNewLog));
        }
        self.outputs.insert(0, Output { file, kind: OutputKind::IndexOf(log) });
        self
    }

    /// Adds a log that the command creates; with a log in one file, also the index that it removes.
    pub(super) fn writes_log(
        mut self,
        name: &'static str,
        path: &Path,
        existing: ExistingFile,
        form: NewLogForm,
    ) -> Self {
        self.outputs.push(Output { file: NamedPath::new(name, path), kind: OutputKind::Log(existing, form) });
        if form == NewLogForm::File {
            let index = NamedPath::new("the index of the new log", &index_path(path));
            self.outputs.push(Output { file: index, kind: OutputKind::IndexOfNewLog });
        }
        self
    }

    /// Adds a plan or a map that the command creates when the option is given.
    pub(super) fn writes_optional_file(
        mut self,
        name: &'static str,
        path: Option<&Path>,
        existing: ExistingFile,
    ) -> Self {
        let kind = OutputKind::File(existing);
        self.outputs.extend(path.map(|path| Output { file: NamedPath::new(name, path), kind }));
        self
    }

    /// Checks every output against every input and every other output, and then what is at its path.
    ///
    /// # Errors
    /// `Refused` for two paths that lead to the same place, also with `--force`, and for an index that would replace
    /// another kind of file; `AlreadyExists` for a file that only `--force` replaces; the errors of
    /// [`check_replaceable`].
    pub(super) fn check(&self) -> Result<(), CommandFailure> {
        let mut taken: Vec<&NamedPath> = self.inputs.iter().collect();
        for output @ Output { file, .. } in &self.outputs {
            if let Some(other) = taken.iter().find(|other| other.place.is_same_place(&file.place)) {
                return Err(collision(file, &format!("{} ({})", other.name, safe_path_text(&other.path))));
            }
            self.check_journals(file)?;
            self.check_log_folders(output)?;
            taken.push(file);
        }
        self.outputs.iter().try_for_each(Output::check_existing)
    }

    /// Refuses an output that would replace a repair journal.
    fn check_journals(&self, file: &NamedPath) -> Result<(), CommandFailure> {
        let is_journal = file.path.extension().is_some_and(|extension| extension == "journal");
        let folder = FilePlace::of(&OsDisk, folder_of(&file.path));
        if is_journal && self.journal_folders.iter().any(|journals| journals.is_same_place(&folder)) {
            return Err(collision(file, "a repair journal"));
        }
        Ok(())
    }

    /// Refuses a new file or log inside the folder of a log that is read, where all files are those of this log, and a new log that
    /// would contain an input.
    fn check_log_folders(&self, output: &Output) -> Result<(), CommandFailure> {
        let (file, is_folder) = match (&output.file, output.kind) {
            (file, OutputKind::Log(_, form)) => (file, form != NewLogForm::File),
            (file, OutputKind::File(_)) => (file, false),
            (_, OutputKind::IndexOf(_) | OutputKind::IndexOfNewLog) => return Ok(()),
        };
        let refused = |relation: &str, other: &NamedPath| {
            let other = format!("{} ({})", other.name, safe_path_text(&other.path));
            Err(CommandFailure::Refused {
                message: format!("{}: {} would {relation} {other}", safe_path_text(&file.path), file.name),
                hint: "Name another place; --force does not allow this".into(),
            })
        };
        if let Some(folder) = self.log_folders.iter().find(|folder| file.place.is_inside(&folder.place)) {
            return refused("be inside", folder);
        }
        match self.inputs.iter().find(|input| is_folder && input.place.is_inside(&file.place)) {
            Some(input) => refused("contain", input),
            None => Ok(()),
        }
    }

    fn add_journal_folder(&mut self, folder: &Path) {
        self.inputs.push(NamedPath::new("a journal folder", folder));
        self.journal_folders.push(FilePlace::of(&OsDisk, folder));
    }
}

impl Output<'_> {
    /// Checks that the file at the path of this output, if there is one, may be replaced.
    fn check_existing(&self) -> Result<(), CommandFailure> {
        let path = &self.file.path;
        match self.kind {
            OutputKind::IndexOf(log) => Ok(ensure_index_target(&OsDisk, path, Some(log))?),
            OutputKind::Log(existing, form) => check_replaceable(path, existing, form),
            OutputKind::File(ExistingFile::Keep) if std::fs::symlink_metadata(path).is_ok() => {
                Err(StorageError::AlreadyExists { path: path.clone() }.into())
            }
            OutputKind::IndexOfNewLog | OutputKind::File(_) => Ok(()),
        }
    }
}

fn collision(file: &NamedPath, other: &str) -> CommandFailure {
    CommandFailure::Refused {
        message: format!("{}: {} would replace {other}", safe_path_text(&file.path), file.name),
        hint: "Name another file; --force does not allow this".into(),
    }
}
