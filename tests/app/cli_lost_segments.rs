//! Missing segments and the indexes of segments, as the commands report them.

use std::fs;
use std::path::Path;

use super::shell::Shell;

/// Creates a folder with the log `accounts` of 120 events in segments of four kibibytes, and its copy. Returns the segments.
fn shell_with_segments() -> (Shell, Vec<String>) {
    let shell = Shell::new();
    for name in ["accounts", "copy"] {
        shell.run_ok(&format!("generate {name} --events 120 --aggregates 5 --segment-size 4KiB"));
        shell.run_ok(&format!("index update {name}"));
    }
    let files = fs::read_dir(shell.path("accounts")).unwrap().map(|entry| entry.unwrap().path());
    let segments = files.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    let mut segments: Vec<String> =
        segments.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    segments.sort();
    (shell, segments)
}

fn copy_id(shell: &Shell) {
    // Both logs must be one: the copy has the files of the log.
    for entry in fs::read_dir(shell.path("accounts")).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_file() {
            fs::copy(&entry, shell.path("copy").join(entry.file_name().unwrap())).unwrap();
        }
    }
}

#[test]
fn a_range_that_is_given_up_is_told_by_every_command_and_brought_back_by_a_copy() {
    let (shell, segments) = shell_with_segments();
    copy_id(&shell);
    let file = shell.path("accounts").join(&segments[2]);
    let good = fs::read(&file).unwrap();
    let (start, end): (u64, u64) = (segments[2][..20].parse().unwrap(), segments[3][..20].parse().unwrap());
    fs::remove_file(&file).unwrap();
    assert_eq!(shell.run("verify accounts").exit_code, 3);
    let plan = shell.run("repair accounts --dry-run").stdout;
    assert!(plan.contains(&format!("{start}..{end} truncated: give_up:")) && plan.contains("log.json"), "{plan}");
    shell.run("repair accounts --yes");
    let verified = shell.run_ok("verify accounts --json").stdout_json();
    let finding = &verified["findings"][0];
    assert_eq!((finding["kind"].as_str(), finding["start"].as_u64()), (Some("lost"), Some(start)));
    assert!(finding["evidence"]["given_up_at_ms"].as_u64().is_some(), "{finding}");
    let text = shell.run_ok("verify accounts").stdout;
    assert!(text.contains("no segment has these") && text.contains("gave them up on "), "{text}");
    let info = shell.run_ok("info accounts").stdout;
    assert!(info.contains(&format!("lost        {start}..{end}")) && info.contains("given up on "), "{info}");
    assert_eq!(shell.run_ok("info accounts --json").stdout_json()["lost"][0]["end"].as_u64(), Some(end));
    let shown = shell.run_ok(&format!("show accounts {}", start + 100)).stdout;
    assert!(shown.contains(&format!("lost at {start}..{end}")) && !shown.contains("00 00 00"), "{shown}");
    assert!(shell.run_ok("cat accounts").stderr.contains("gave them up on "));
    shell.run_ok("index update accounts");
    shell.run_ok("index status accounts");
    shell.run_ok("repair accounts --donor copy --yes");
    assert_eq!(fs::read(&file).unwrap(), good);
    let verified = shell.run_ok("verify accounts").stdout;
    assert!(verified.contains("no damage") && !verified.contains("lost"), "{verified}");
}

#[test]
fn the_state_of_every_segments_index_is_counted_and_those_not_fresh_are_listed() {
    let (shell, segments) = shell_with_segments();
    let status = shell.run_ok("index status accounts");
    let total = segments.len();
    assert!(status.stdout.contains(&format!("indexes of {total} segments: {total} fresh")), "{status:?}");
    let index = |nth: usize| shell.path("accounts").join(format!("{}.idx", segments[nth]));
    fs::remove_file(index(1)).unwrap();
    let mut bytes = fs::read(index(2)).unwrap();
    // Only reading the whole index finds this damage.
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(index(2), bytes).unwrap();
    let status = shell.run("index status accounts");
    assert_eq!(status.exit_code, 5, "{status:?}");
    assert!(status.stdout.contains(&format!(": {} fresh, 1 missing, 1 corrupt", total - 2)), "{status:?}");
    let rows: Vec<&str> = status.stdout.lines().filter(|line| line.contains(".log.idx")).collect();
    assert_eq!(rows.len(), 2, "{status:?}");
    assert!(rows[0].contains(&segments[1]) && rows[1].contains(&segments[2]), "{status:?}");
    let json = shell.run("index status accounts --json").stdout_json();
    assert_eq!(json["segments"]["total"].as_u64(), Some(total as u64));
    assert_eq!(json["segments"]["counts"]["missing"].as_u64(), Some(1));
    assert_eq!(json["segments"]["not_fresh"].as_array().unwrap().len(), 2);
    assert_eq!(json["segments"]["not_fresh"][0]["state"], "missing");
    // The last segment's index is fresh, and the others are brought up to date.
    let updated = shell.run_ok("index update accounts").stdout;
    assert!(updated.contains(&format!("{total} segments: {total} fresh")), "{updated}");
    shell.run_ok("index status accounts");
    assert!(Path::new(&index(1)).is_file());
}
