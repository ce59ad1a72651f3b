//! The JSON that commands print: the report of `verify`, findings, repairs, errors. Keys keep the documented order.

use std::ops::Range;
use std::path::Path;

use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::StorageError;
use crate::format::{Evidence, Finding, json};
use crate::index::{IndexState, SeenEnd};
use crate::inspect::{LogView, Survey, SurveyOptions, UnrecordedFrames};
use crate::repair::{ChangesInLog, Fix, PendingRepair, Plan, RecoveryOutcome, RepairRecord, RepairState};

use super::verdict::{finding_sentence, index_reason};
use super::{ExitStatus, describe_error, hint, safe_path_text};

/// A JSON value whose objects keep the order of their keys.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Number(u64),
    /// A fraction.
    Float(f64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object.
    Object(Vec<(&'static str, Json)>),
    /// A fix, in its serialized form.
    Fix(Box<Fix>),
    /// A plan, in the form of a plan file.
    Plan(Box<Plan>),
    /// A valid JSON text, printed with its tokens unchanged and without whitespace outside strings.
    Stored(String),
}

/// The result of `verify`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VerifyReport<'a> {
    /// The log and its index.
    pub(crate) view: &'a LogView,
    /// The result of the pass over the log.
    pub(crate) survey: &'a Survey,
    /// The options of the pass.
    pub(crate) options: &'a SurveyOptions,
    /// The log's size when the pass began, in bytes.
    pub(crate) bytes: u64,
    /// The first `MAX_FINDINGS` findings, each made by [`finding`].
    pub(crate) findings: &'a [Json],
    /// The repair that was interrupted; `None` if no repair is pending.
    pub(crate) pending: Option<&'a PendingRepair>,
    /// Valid frames that are not those that the index has recorded.
    pub(crate) unrecorded: &'a [UnrecordedFrames],
}

/// Returns a finding as an object, with its fix and, for a gap, the journal that contains its original bytes.
pub(crate) fn finding(finding: &Finding, fix: Option<&Fix>, journal: Option<&Path>) -> Json {
    Json::Object(vec![
        ("kind", finding.kind.name().into()),
        ("damage", Json::Bool(finding.kind.is_damage())),
        ("start", finding.start.into()),
        ("end", finding.end.into()),
        ("evidence", evidence(&finding.evidence, journal)),
        ("verdict", finding_sentence(finding).into()),
        ("fix", fix.map_or(Json::Null, |fix| Json::Fix(Box::new(fix.clone())))),
    ])
}

/// Returns the object that `verify --json` prints.
pub(crate) fn verify(report: &VerifyReport) -> Json {
    let VerifyReport { view, survey, options, bytes, findings, pending, unrecorded } = report;
    let in_flight = survey
        .in_flight
        .as_ref()
        .map(|range| Json::Object(vec![("start", range.start.into()), ("end", range.end.into())]));
    let mut keys = vec![
        ("report", Json::Number(1)),
        ("path", safe_path_text(view.path()).into()),
        ("bytes", (*bytes).into()),
        ("version", u64::from(view.log().version().number()).into()),
        ("created_at_ms", view.created_at_ms().into()),
        ("events", survey.events.into()),
        ("gaps", survey.gaps.into()),
        ("in_flight", in_flight.unwrap_or(Json::Null)),
        ("findings", Json::List(findings.to_vec())),
        ("findings_total", survey.findings_total.into()),
        ("unrecorded", Json::List(unrecorded.iter().map(unrecorded_frames).collect())),
        ("pending_repair", pending.map_or(Json::Null, pending_repair)),
        ("index", index(view)),
    ];
    // Keys for a partial verification appear only if the verification was partial.
    keys.extend(options.frames_only.then_some(("frames_only", Json::Bool(true))));
    keys.extend(options.from.map(|from| ("from", from.into())));
    keys.extend(options.until.map(|until| ("until", until.into())));
    Json::Object(keys)
}

/// Returns an entry of the repair history as the object that `undo --list --json` prints.
pub(crate) fn record(record: &RepairRecord) -> Json {
    let state = match (record.state, record.in_log) {
        (RepairState::Unfinished, _) => "unfinished",
        (RepairState::Pending, _) => "pending",
        (RepairState::Applied, ChangesInLog::All) => "applied",
        (RepairState::Applied, ChangesInLog::Some) => "partly_in_log",
        (RepairState::Applied, ChangesInLog::None) => "not_in_log",
        (RepairState::RolledBack, _) => "rolled_back",
        (RepairState::Purged, _) => "purged",
    };
    Json::Object(vec![
        ("number", u64::from(record.number).into()),
        ("begun_ms", record.begun_ms.into()),
        ("state", state.into()),
        ("undone_by", record.undone_by.map(u64::from).into()),
        ("journal", safe_path_text(&record.journal).into()),
        ("plan", Json::Plan(Box::new(record.plan.clone()))),
    ])
}

fn unrecorded_frames(frames: &UnrecordedFrames) -> Json {
    Json::Object(vec![
        ("start", frames.start.into()),
        ("end", frames.end.into()),
        ("frames", frames.frames.into()),
        ("missing_events", frames.missing_events.into()),
        ("missing_aggregates", (frames.missing_aggregates.len() as u64).into()),
    ])
}

fn pending_repair(pending: &PendingRepair) -> Json {
    Json::Object(vec![
        ("action", pending.action.as_str().into()),
        ("start", pending.start.into()),
        ("end", pending.end.into()),
        ("journal", safe_path_text(&pending.journal).into()),
    ])
}

/// Returns an index as an object: its state, its coverage if known, and the details of the state.
pub(crate) fn index(view: &LogView) -> Json {
    let state = view.index_state();
    let index_header =
        view.persisted_index().map(|index| index.header()).filter(|_| !matches!(state, IndexState::Corrupt { .. }));
    let bytes = match state {
        IndexState::Behind { bytes } | IndexState::Ahead { bytes } => Some(*bytes),
        _ => None,
    };
    let events = match view.segments() {
        Some(_) => view.index_coverage().map(|coverage| coverage.events),
        None => index_header.map(|header| header.events),
    };
    let mut keys = vec![
        ("state", state.name().into()),
        ("events", events.into()),
        ("log_end_offset", index_header.map(|header| header.log_end_offset).into()),
    ];
    keys.push(("seen_end", seen_end(view.seen_end())));
    keys.extend(bytes.map(|bytes| ("bytes", bytes.into())));
    keys.extend(index_reason(state).map(|reason| ("reason", reason.into())));
    if let IndexState::Unsupported { version } = state {
        keys.push(("version", u64::from(*version).into()));
    }
    Json::Object(keys)
}

/// Returns how far the log was seen as an object: the name of the answer, and its offset or reason.
fn seen_end(seen_end: &SeenEnd) -> Json {
    let mut keys = vec![("state", seen_end.name().into())];
    match seen_end {
        SeenEnd::Offset(end) => keys.push(("offset", (*end).into())),
        SeenEnd::Unknown { reason, .. } => keys.push(("reason", reason.as_str().into())),
        _ => {}
    }
    Json::Object(keys)
}

/// Returns the ranges that the index knows to be damaged.
pub(crate) fn known_damage(view: &LogView) -> Json {
    let range = |range: Range<u64>| Json::Object(vec![("start", range.start.into()), ("end", range.end.into())]);
    Json::List(view.known_damage().into_iter().map(range).collect())
}

/// Returns an error as the object printed to stderr, with the exit status of the command.
pub(crate) fn error(error: &StorageError, exit: ExitStatus) -> Json {
    let mut keys = vec![
        ("error", describe_error(error).into()),
        ("path", error.path().map(safe_path_text).into()),
        ("offset", error.offset().into()),
        ("corruption", Json::Bool(error.is_corruption())),
    ];
    if let StorageError::Damaged { finding: damage, .. } = error {
        keys.push(("finding", finding(damage, None, None)));
    }
    keys.push(("hint", hint(error).into()));
    keys.push(("exit", u64::from(exit.code()).into()));
    Json::Object(keys)
}

/// Returns the fields of the evidence that are set, with checksums as eight hexadecimal digits.
fn evidence(evidence: &Evidence, journal: Option<&Path>) -> Json {
    let checksum = |sum: Option<u32>| sum.map(|sum| format!("{sum:08x}"));
    let small = |number: Option<u32>| number.map(u64::from);
    let all: [(&'static str, Json); 24] = [
        ("stored", checksum(evidence.stored_checksum).into()),
        ("computed", checksum(evidence.computed_checksum).into()),
        ("length_found", small(evidence.length_found).into()),
        ("length_implied", small(evidence.length_implied).into()),
        ("resumes_at", evidence.resumes_at.into()),
        ("zero_share", evidence.zero_share.map_or(Json::Null, Json::Float)),
        ("bad_byte_at", evidence.bad_byte_offset.into()),
        ("reason", evidence.reason.clone().into()),
        ("bytes_missing", evidence.bytes_missing.into()),
        ("events_missing", evidence.events_missing.into()),
        ("aggregates_missing", evidence.aggregates_missing.into()),
        ("log_end_offset", evidence.log_end_offset.into()),
        ("second_header_at", evidence.second_header_at.into()),
        ("text_mode_bytes", evidence.text_mode_bytes.into()),
        ("copy_of", evidence.copy_of.into()),
        ("version_1", if evidence.is_version_1 { Json::Bool(true) } else { Json::Null }),
        ("time_ms", evidence.time_ms.into()),
        ("previous_time_ms", evidence.previous_time_ms.into()),
        ("content", evidence.content.clone().into()),
        ("given_up_at_ms", evidence.given_up_at_ms.into()),
        ("excess_bytes", evidence.excess_bytes.into()),
        ("header_found", evidence.header_found.clone().into()),
        ("header_expected", evidence.header_expected.clone().into()),
        ("kept_in", journal.map(safe_path_text).into()),
    ];
    Json::Object(all.into_iter().filter(|(_, value)| *value != Json::Null).collect())
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => serializer.serialize_u64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::List(values) => serializer.collect_seq(values),
            Self::Object(keys) => {
                let mut map = serializer.serialize_map(Some(keys.len()))?;
                for (key, value) in keys {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            Self::Fix(fix) => fix.serialize(serializer),
            Self::Plan(plan) => plan.serialize(serializer),
            Self::Stored(text) => {
                let mut compact = Vec::with_capacity(text.len());
                json::compact(text.as_bytes(), &mut compact);
                let text = String::from_utf8(compact).map_err(S::Error::custom)?;
                RawValue::from_string(text).map_err(S::Error::custom)?.serialize(serializer)
            }
        }
    }
}

impl std::fmt::Display for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = serde_json::to_string(self).map_err(|_| std::fmt::Error)?;
        f.write_str(&text)
    }
}

impl From<u64> for Json {
    fn from(value: u64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Returns the notice that an interrupted repair was completed or rolled back.
pub(crate) fn recovery(recovered: &RecoveryOutcome) -> Json {
    Json::Object(vec![
        ("recovered", u64::from(recovered.number).into()),
        ("completed", Json::Bool(recovered.completed)),
        ("journal", safe_path_text(&recovered.journal).into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::DamageKind;
    use crate::repair::{ByteChange, Candidate, Certainty, RepairAction};

    #[test]
    fn a_finding_has_its_keys_in_order_and_only_evidence_that_is_set() {
        let evidence = Evidence {
            stored_checksum: Some(0xAB),
            zero_share: Some(0.25),
            resumes_at: Some(30),
            ..Evidence::default()
        };
        let found = Finding::new(DamageKind::Checksum, 16..30).with_evidence(evidence);
        let sentence = finding_sentence(&found);
        assert_eq!(
            finding(&found, None, None).to_string(),
            format!(
                r#"{{"kind":"checksum","damage":true,"start":16,"end":30,"evidence":{{"stored":"000000ab","resumes_at":30,"zero_share":0.25}},"verdict":"{sentence}","fix":null}}"#
            )
        );
        let gap = finding(&Finding::new(DamageKind::Gap, 0..9), None, Some(Path::new("a.repairs/1\u{1b}"))).to_string();
        assert!(
            gap.contains(r#""damage":false,"start":0,"end":9,"evidence":{"kept_in":"$'a.repairs/1\\033'"}"#),
            "{gap}"
        );
    }

    #[test]
    fn a_fix_has_action_certainty_and_bytes_in_hexadecimal() {
        let changes = vec![ByteChange { offset: 20, before: vec![0x6f], after: vec![0x0e] }];
        let candidates = vec![Candidate { expected_false_positives: 0.5, changes }];
        let certainty = Some(Certainty::Choice);
        let mut fix = Fix { action: RepairAction::CorrectBits, certainty, candidates, unsearched: None, choice: None };
        let json = |fix: &Fix| finding(&Finding::new(DamageKind::Checksum, 16..30), Some(fix), None).to_string();
        let expected = r#""fix":{"action":"correct_bits","certainty":"choice","candidates":[{"expected":0.5,"changes":[{"offset":20,"before":"6f","after":"0e"}]}]}}"#;
        assert!(json(&fix).ends_with(expected), "{}", json(&fix));
        (fix.action, fix.certainty, fix.candidates) = (RepairAction::Gap, None, Vec::new());
        fix.unsearched = Some("long patterns".into());
        let expected = r#""fix":{"action":"gap","certainty":null,"candidates":[],"unsearched":"long patterns"}}"#;
        assert!(json(&fix).ends_with(expected), "{}", json(&fix));
    }

    #[test]
    fn an_error_has_its_offset_and_hint() {
        let path = std::path::PathBuf::from("a.log");
        let failure = StorageError::InsideFrame { path, offset: 20, start: 16, end: 300 };
        assert_eq!(
            error(&failure, ExitStatus::Usage).to_string(),
            r#"{"error":"a.log: offset 20 is inside the frame at 16..300","path":"a.log","offset":20,"corruption":false,"hint":"Start at 16 for that frame or at 300 for the next one","exit":2}"#
        );
    }
}
