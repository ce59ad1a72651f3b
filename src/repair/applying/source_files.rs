//! The files from which the steps of a plan copy bytes: donors, or the journal of the repair that the plan undoes.

use std::sync::Arc;

use crate::StorageError;
use crate::file::{HeaderState, LogFile, OpenMode, open_log};
use crate::format::FrameFormat;
use crate::format::journal::JournalSection;
use crate::repair::journal::{JournalFolder, JournalReader};
use crate::repair::planning::{ByteSource, DonorSections, StepOutput};
use crate::repair::types::{ChunkVisitor, LogPaths, Plan, RepairStep, StepWrite};

/// The open files that a plan copies bytes from.
#[derive(Debug, Default)]
pub(super) struct SourceFiles {
    /// The other copies of the log.
    donors: Vec<Arc<LogFile>>,
    undone_journal: Option<JournalReader>,
    /// The format of the log.
    format: FrameFormat,
}

impl SourceFiles {
    /// Opens every file that the plan copies from.
    pub(super) fn open(paths: &LogPaths, log: &LogFile, plan: &Plan) -> Result<Self, StorageError> {
        if plan.undoes.is_some() {
            let undone_journal = open_undone_journal(paths, log, plan)?;
            return Ok(Self { donors: Vec::new(), undone_journal, format: log.format() });
        }
        let sections = plan.steps.iter().flat_map(RepairStep::copied_sections);
        let mut donor_paths: Vec<_> = sections.filter_map(|section| section.from).collect();
        donor_paths.sort_unstable();
        donor_paths.dedup();
        let open = |path| -> Result<Arc<LogFile>, StorageError> {
            let storage =
                open_log(&paths.disk, path, OpenMode::Read).map_err(|error| StorageError::io(path, "open", error))?;
            Ok(Arc::new(LogFile::with_header(storage, path, log.format(), HeaderState::Absent)))
        };
        let donors = donor_paths.into_iter().map(open).collect::<Result<_, _>>()?;
        Ok(Self { donors, undone_journal: None, format: log.format() })
    }

    /// Returns the bytes of the step's range after `step`, computed from these files.
    pub(super) fn output_of<'a>(&'a self, step: &'a RepairStep) -> StepOutput<'a> {
        let source: Box<dyn ByteSource + 'a> = match &self.undone_journal {
            Some(journal) => Box::new(journal.section_source(JournalSection::BeforeImage)),
            None => Box::new(DonorSections { step, files: &self.donors }),
        };
        StepOutput::new(self.format, step, Some(source))
    }

    /// Calls `visit` with the excess bytes that a step cuts off or writes: those of the log, or of the journal that the plan
    /// undoes. Does nothing for another step.
    ///
    /// # Errors
    /// `Io`, `Changed` when they cannot be read; the errors of `visit`.
    pub(super) fn for_each_excess_chunk(
        &self,
        log: &LogFile,
        step: &RepairStep,
        visit: &mut ChunkVisitor,
    ) -> Result<(), StorageError> {
        match (&step.write, &self.undone_journal) {
            (StepWrite::CutExcess(excess), _) => excess.for_each_chunk(log, step.start, visit),
            (StepWrite::WriteExcess(_), Some(journal)) => {
                for saved in journal.read_excess(step.start) {
                    let (offset, bytes) = saved?;
                    visit(offset, &bytes)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Returns the journal of the repair that the plan undoes; `None` when the plan is not an undo.
    pub(super) const fn undone_journal(&self) -> Option<&JournalReader> {
        self.undone_journal.as_ref()
    }

    /// True when the plan restores an index that the undone repair saved.
    pub(super) fn has_saved_index(&self) -> bool {
        self.undone_journal.as_ref().is_some_and(|journal| journal.has_section(JournalSection::IndexBeforeImage))
    }
}

/// Returns the output of a step of a journaled plan. The bytes that the step copies are read from the journal.
pub(super) fn journaled_output<'a>(journal: &'a JournalReader, step: &'a RepairStep) -> StepOutput<'a> {
    let format = journal.record.plan.log.format;
    StepOutput::new(format, step, Some(Box::new(journal.section_source(JournalSection::AfterImage))))
}

/// Opens the journal of the repair that a plan undoes; `None` when the plan is not an undo.
///
/// # Errors
/// `Refused` when there is no such journal, or it is not trusted; `Changed` when it contradicts its own plan; `Io` when
/// it cannot be read.
pub(super) fn open_undone_journal(
    paths: &LogPaths,
    log: &LogFile,
    plan: &Plan,
) -> Result<Option<JournalReader>, StorageError> {
    let Some(number) = plan.undoes else { return Ok(None) };
    let folder = JournalFolder::open(paths, log)?;
    let path = folder.find(number)?;
    let journal = folder.open_journal(path).map_err(|fault| fault.into_error(path))?;
    journal.check_saved_bytes(log.len()?)?;
    Ok(Some(journal))
}
