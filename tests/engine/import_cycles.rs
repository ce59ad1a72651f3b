//! Tests that imports between source files form no cycles, except between a module and its own submodules.

use std::collections::BTreeSet;

use super::imports::{Graph, imports};
use super::source_text::source_files;

fn is_parent_and_child(one: &str, other: &str) -> bool {
    let below = |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with("::"));
    below(one, other) || below(other, one)
}

/// Returns the files of an import cycle through `start`, in order; `None` if there is no cycle.
fn cycle_through(graph: &Graph, start: &str) -> Option<Vec<String>> {
    let mut visited = BTreeSet::new();
    let mut stack = vec![vec![start.to_owned()]];
    while let Some(path) = stack.pop() {
        let last = path.last()?;
        for next in graph.get(last).into_iter().flatten().filter(|next| !is_parent_and_child(last, next)) {
            if next == start {
                return Some(path);
            }
            if visited.insert(next.clone()) {
                stack.push(path.iter().chain([next]).cloned().collect());
            }
        }
    }
    None
}

#[test]
fn files_form_no_import_cycles() {
    let graph = imports(&source_files());
    assert!(graph.values().map(BTreeSet::len).sum::<usize>() > 400, "too few imports were recognised");
    let cycles: Vec<String> = graph.keys().filter_map(|file| Some(cycle_through(&graph, file)?.join(" -> "))).collect();
    assert!(cycles.is_empty(), "import cycles:\n{}", cycles.join("\n"));
}

#[test]
fn a_cycle_is_found() {
    let edge = |from: &str, to: &[&str]| (from.to_owned(), to.iter().map(|to| (*to).to_owned()).collect());
    let graph: Graph =
        [edge("a::b", &["a::c"]), edge("a::c", &["a::d", "a"]), edge("a::d", &["a::b"]), edge("a", &["a::b"])].into();
    assert_eq!(cycle_through(&graph, "a::b").unwrap(), ["a::b", "a::c", "a::d"]);
    assert_eq!(cycle_through(&graph, "a"), None);
}
