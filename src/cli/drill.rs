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
use crate::file::NewLogForm;
use crate::format::hex;
use crate::inspect::index_path;
use crate::report::json::Json;
use crate::report::{ExitStatus, safe_path_text};
use crate::sample::{self, Drill, PlantedDamage};

/// Maximum number of changed bytes that are printed. Of a longer change, the output holds only the first bytes.
const MAX_BYTES_SHOWN: usize = 4096;

/// Plant one kind of damage in a copy of a log, and print what was planted as JSON.
///
/// For trying `verify` and `repair`: the printed kind and range are what they must report.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  chronicle drill a.log -o bad.log --kind checksum && chronicle verify bad.log")]
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
        CommandPaths::new(global)
            .reads_log("the log", &self.log)
            .writes_log("-o", &self.copy, existing, NewLogForm::File)
            .check()?;
        fs::metadata(&self.log).map_err(|source| StorageError::Io {
            path: self.log.clone(),
            action: "open",
            offset: None,
            source,
        })?;
        let planted = create_replacing(&self.copy, existing, NewLogForm::File, || {
            Ok(sample::plant_damage(&self.log, &self.copy, kind, self.seed)?)
        })?;
        out.set_effect(format!("{} is created", safe_path_text(&self.copy)));
        out.print_json(&self.planted_damage_json(&planted))?;
        Ok(ExitStatus::Done)
    }

    fn planted_damage_json(&self, planted: &PlantedDamage) -> Json {
        let PlantedDamage { drill, seed, kind, start, end, edit } = planted;
        let index = drill.needs_index().then(|| safe_path_text(&index_path(&self.copy)));
        Json::Object(vec![
            ("drill", drill.name().into()),
            ("seed", (*seed).into()),
            ("log", safe_path_text(&self.log).into()),
            ("copy", safe_path_text(&self.copy).into()),
            ("index", index.into()),
            ("kind", kind.name().into()),
            ("damage", Json::Bool(kind.is_damage())),
            ("start", (*start).into()),
            ("end", (*end).into()),
            (
                "edit",
                Json::Object(vec![
                    ("offset", edit.at.into()),
                    ("bytes_before", (edit.before.len() as u64).into()),
                    ("bytes_after", (edit.after.len() as u64).into()),
                    ("before", hex_prefix(&edit.before).into()),
                    ("after", hex_prefix(&edit.after).into()),
                ]),
            ),
        ])
    }
}

/// Returns the first [`MAX_BYTES_SHOWN`] bytes in hexadecimal.
fn hex_prefix(bytes: &[u8]) -> String {
    hex::encode(bytes.get(..MAX_BYTES_SHOWN).unwrap_or(bytes))
}
