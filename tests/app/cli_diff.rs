//! `diff` of copies that have diverged: the first differences by name, the number of the others, and all of them as JSON lines.

use std::fs;

use super::shell::Shell;

#[test]
fn copies_that_have_diverged_are_summarised_and_ndjson_lists_every_difference() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 3000 --seed 1");
    shell.run_ok("generate b.log --events 3000 --seed 2");
    let second = shell.run_ok("cat a.log --limit 2").stdout.lines().last().unwrap().to_owned();
    let second: serde_json::Value = serde_json::from_str(&second).unwrap();
    let fork_at = second["offset"].as_u64().unwrap() as usize;
    let (a, b) = (fs::read(shell.path("a.log")).unwrap(), fs::read(shell.path("b.log")).unwrap());
    fs::write(shell.path("fork.log"), [&a[..fork_at], &b[16..]].concat()).unwrap();
    let report = shell.run("diff a.log fork.log --json").stdout_json();
    let (total, listed) =
        (report["differences_total"].as_u64().unwrap(), report["differences"].as_array().unwrap().len());
    assert_eq!((report["diverged_at"].as_u64(), report["identical"].as_bool()), (Some(fork_at as u64), Some(false)));
    // A thousand differences show that the copies have diverged; the rest of the longer one is always listed.
    assert!((1000..=1002).contains(&listed) && total > 5000, "{listed} of {total}");
    let text = shell.run("diff a.log fork.log");
    let lines: Vec<&str> = text.stdout.lines().collect();
    assert_eq!((text.exit_code, lines.len()), (3, listed + 2), "{:?}", lines.last());
    let unlisted: Vec<&&str> = lines.iter().filter(|line| line.contains("not_listed")).collect();
    assert_eq!(unlisted.len(), 1);
    let number = unlisted[0].split_once(" more differences; --ndjson lists all").unwrap().0;
    assert!(number.replace(' ', "").ends_with(&(total - listed as u64).to_string()), "{}", unlisted[0]);
    assert!(lines.last().unwrap().contains(&format!("from offset {fork_at} on, no event is the same")));
    let all = shell.run("diff a.log fork.log --ndjson").stdout;
    assert_eq!(all.lines().count() as u64, total);
    assert!(!all.contains("\"content\":\"frame\""), "every event is named");
}
