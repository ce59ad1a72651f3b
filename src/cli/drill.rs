//! `drill`: plants one kind of damage in a copy of a log, and prints what was planted.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};

use super::command_paths::CommandPaths;
use super::failure::CommandResult;
use super::options::{ForceArgs, GlobalArgs};
use super::output::CommandOutput;
use super::overwrite::create_replacing;
use crate::StorageError;
use crate::file::{Disk, NewLogForm, OsDisk, RollPolicy, has_segments};
use crate::format::hex;
use crate::inspect::index_path;
use crate::report::json::Json;
use crate::report::{ExitStatus, safe_path_text};
use crate::sample::{self, ByteEdit, Drill, PlantedChange, PlantedDamage, SegmentPart};

/// Maximum number of changed bytes that are printed. Of a longer change, the output holds only the first bytes.
const MAX_BYTES_SHOWN: usize = 4096;

/// Plant one kind of damage in a copy of a log, and print what was planted as JSON.
///
/// For trying `verify` and `repair`: the printed kind and range are what they must report. The copy of a log in a folder is a
/// folder; two segments that are exchanged are two findings in the printed range.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronicle drill a.log -o bad.log --kind checksum && chronicle verify bad.log\n  chronicle drill accounts -o bad/ --kind missing_segment && chronicle repair bad/ --donor accounts"
)]
pub(super) struct DrillArgs {
    /// Log to copy; it is only read
    log: PathBuf,
    /// Copy to create and damage
    #[arg(short = 'o', long = "output", value_name = "COPY")]
    copy: PathBuf,
    /// Kind of damage
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(drill_values()))]
    kind: String,
    /// Seed of the random numbers; another seed damages another place
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    force: ForceArgs,
}

fn drill_values() -> impl Iterator<Item = PossibleValue> {
    Drill::ALL.iter().map(|spec| PossibleValue::new(spec.name).help(spec.description))
}

impl DrillArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let kind = Drill::from_name(&self.kind).unwrap_or(Drill::Checksum);
        let existing = self.force.existing_files();
        // The copy of a folder is a folder.
        let is_folder = OsDisk.resolve(&self.log).is_ok_and(|log| has_segments(&OsDisk, &log));
        let form = if is_folder { NewLogForm::Folder(RollPolicy::default()) } else { NewLogForm::File };
        CommandPaths::new(global)
            .reads_log("the log", &self.log)
            .writes_log("-o", &self.copy, existing, form)
            .check()?;
        fs::metadata(&self.log).map_err(|source| StorageError::Io {
            path: self.log.clone(),
            action: "open",
            offset: None,
            source,
        })?;
        let planted = create_replacing(&self.copy, existing, form, || {
            Ok(sample::plant_damage(&self.log, &self.copy, kind, self.seed)?)
        })?;
        out.set_effect(format!("{} is created", safe_path_text(&self.copy)));
        out.print_json(&self.planted_damage_json(&planted))?;
        Ok(ExitStatus::Done)
    }

    fn planted_damage_json(&self, planted: &PlantedDamage) -> Json {
        let PlantedDamage { drill, seed, kind, start, end, change } = planted;
        let is_file = !self.copy.is_dir();
        let index = (drill.needs_index() && is_file).then(|| safe_path_text(&index_path(&self.copy)));
        let edit = match change {
            PlantedChange::Bytes(edit) => edit_json(edit),
            _ => Json::Null,
        };
        let segments = segments_json(change).map(|segments| ("segments", segments));
        let keys = vec![
            ("drill", drill.name().into()),
            ("seed", (*seed).into()),
            ("log", safe_path_text(&self.log).into()),
            ("copy", safe_path_text(&self.copy).into()),
            ("index", index.into()),
            ("kind", kind.name().into()),
            ("damage", Json::Bool(kind.is_damage())),
            ("start", (*start).into()),
            ("end", (*end).into()),
            ("edit", edit),
        ];
        Json::Object(keys.into_iter().chain(segments).collect())
    }
}

fn edit_json(edit: &ByteEdit) -> Json {
    Json::Object(vec![
        ("offset", edit.at.into()),
        ("bytes_before", (edit.before.len() as u64).into()),
        ("bytes_after", (edit.after.len() as u64).into()),
        ("before", hex_prefix(&edit.before).into()),
        ("after", hex_prefix(&edit.after).into()),
    ])
}

/// Returns the segments that were changed, with the change; `None` when bytes were changed.
fn segments_json(change: &PlantedChange) -> Option<Json> {
    let segment = |part: &SegmentPart, change: &str, other: (&'static str, Json)| {
        Json::Object(vec![
            ("file", part.file.as_str().into()),
            ("base", part.base.into()),
            ("bytes", part.bytes.into()),
            ("change", change.into()),
            other,
        ])
    };
    let list = match change {
        PlantedChange::Bytes(_) => return None,
        PlantedChange::Removed(part) => vec![segment(part, "removed", ("bytes_after", Json::Null))],
        PlantedChange::Cut(part, kept) => vec![segment(part, "cut", ("bytes_after", (*kept).into()))],
        PlantedChange::Exchanged([one, other]) => vec![
            segment(one, "renamed", ("renamed_to", other.file.as_str().into())),
            segment(other, "renamed", ("renamed_to", one.file.as_str().into())),
        ],
    };
    Some(Json::List(list))
}

/// Returns the first [`MAX_BYTES_SHOWN`] bytes in hexadecimal.
fn hex_prefix(bytes: &[u8]) -> String {
    hex::encode(bytes.get(..MAX_BYTES_SHOWN).unwrap_or(bytes))
}
