//! Compares the oldest Rust version that Cargo.toml claims to support with the versions that the locked dependencies
//! require.

use std::process::Command;

use serde_json::Value;

/// Parses `1.89` or `1.89.0` into numbers that can be compared.
fn version(text: &str) -> (u32, u32) {
    let mut parts = text.split('.').map(|part| part.parse().unwrap());
    (parts.next().unwrap(), parts.next().unwrap())
}

/// Returns the platform of the tests, as rustc names it. Packages of other platforms may not be on this machine.
fn host() -> String {
    let version = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

#[test]
fn locked_dependencies_need_no_newer_rust_than_claimed() {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--all-features", "--offline"])
        .args(["--filter-platform", &host()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let own = packages.iter().find(|package| package["name"] == env!("CARGO_PKG_NAME")).unwrap();
    let claimed = version(own["rust_version"].as_str().unwrap());
    // Dependencies of tests and benches are not part of the claim.
    let needed = reachable(&metadata, own["id"].as_str().unwrap());
    assert!(needed.len() > 30, "{} packages", needed.len());
    for package in packages.iter().filter(|package| needed.contains(&package["id"].as_str().unwrap())) {
        if let Some(required) = package["rust_version"].as_str() {
            assert!(version(required) <= claimed, "{} needs Rust {required}", package["name"]);
        }
    }
}

/// Returns the ids of all packages that are needed to build `root`, through normal and build dependencies.
fn reachable<'m>(metadata: &'m Value, root: &'m str) -> Vec<&'m str> {
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let (mut found, mut next) = (vec![root], 0);
    while next < found.len() {
        let node = nodes.iter().find(|node| node["id"] == found[next]).unwrap();
        for dependency in node["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            let id = dependency["pkg"].as_str().unwrap();
            if kinds.iter().any(|kind| kind["kind"] != "dev") && !found.contains(&id) {
                found.push(id);
            }
        }
        next += 1;
    }
    found
}
