//! Holds the configurations of shippers, the dashboard and the unit in `deploy` to what is known of their
//! formats, as far as a machine without those programs can. Runs none of them: `tests/e2e` does.

use std::{fs, path::Path};

use yaml_rust2::{Yaml, YamlLoader};

fn deploy(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)).expect(name)
}

fn yaml(text: &str) -> Yaml {
    let mut documents = YamlLoader::load_from_str(text).unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

/// The keys of a map, none of which stands outside of `known`.
fn only(value: &Yaml, known: &[&str], place: &str) {
    for key in value.as_hash().unwrap_or_else(|| panic!("{place} is no map")).keys() {
        assert!(known.contains(&key.as_str().unwrap()), "{place}: {key:?}");
    }
}

fn list(value: &Yaml) -> Vec<&Yaml> {
    value.as_vec().expect("a list").iter().collect()
}

/// Holds a configuration of Fluent Bit to the parameters of its manual (4.2) for the plugins that are used,
/// and tells its inputs and outputs to be clean ones.
fn check_fluent_bit(config: &Yaml, root: &str) {
    only(config, &["service", "pipeline"], "the file");
    let service = ["flush", "log_level", "storage.path", "storage.backlog.mem_limit", "storage.max_chunks_up"];
    only(&config["service"], &service, "service");
    only(&config["pipeline"], &["inputs", "outputs"], "pipeline");
    let tail = [
        "name",
        "tag",
        "path",
        "exclude_path",
        "rotate_wait",
        "path_key",
        "db",
        "db.compare_filename",
        "read_from_head",
        "refresh_interval",
        "buffer_max_size",
        "skip_long_lines",
        "storage.type",
        "storage.pause_on_chunks_overlimit",
        "multiline.parser",
    ];
    for input in list(&config["pipeline"]["inputs"]) {
        assert_eq!(input["name"].as_str(), Some("tail"));
        only(input, &tail, "tail");
        let paths = input["path"].as_str().unwrap();
        assert!(paths.split(',').all(|path| path.starts_with(root)), "{paths}");
        assert_eq!(input["read_from_head"].as_bool(), Some(true), "it reads what was there before it");
        assert_eq!(input["skip_long_lines"].as_bool(), Some(true), "it does not leave a file for one long line");
        assert!(input["db"].as_str().is_some(), "it goes on where it was");
        assert_eq!(input["db.compare_filename"].as_bool(), Some(true), "inodes are used again");
        // The manual forbids patterns that match the names of rotated files: they would be read twice.
        let full = "*".to_owned() + "." + &"[0-9]".repeat(8);
        assert_eq!(input["exclude_path"].as_str(), Some(full.as_str()));
        // An input that has to wait waits, and what waits is on the disk.
        assert_eq!(input["storage.type"].as_str(), Some("filesystem"));
        assert_eq!(input["storage.pause_on_chunks_overlimit"].as_bool(), Some(true));
        assert!(config["service"]["storage.path"].as_str().is_some());
    }
    for output in list(&config["pipeline"]["outputs"]) {
        // Standard output would be a log that is read again.
        assert_eq!(output["name"].as_str(), Some("forward"));
        only(output, &["name", "match", "host", "port", "tls", "retry_limit"], "forward");
    }
}

#[test]
fn fluent_bit_reads_the_clean_tree_and_nothing_else() {
    check_fluent_bit(&yaml(&deploy("fluent-bit/fluent-bit.yaml")), "/var/lib/blackbar/clean/");
}

#[test]
fn the_shipper_of_the_node_agent_reads_the_clean_tree_and_nothing_else() {
    let manifest = YamlLoader::load_from_str(&deploy("kubernetes/node-agent.yaml")).unwrap();
    let map = manifest.iter().find(|one| one["kind"].as_str() == Some("ConfigMap")).expect("a ConfigMap");
    check_fluent_bit(&yaml(map["data"]["fluent-bit.yaml"].as_str().unwrap()), "/clean/");
}

#[test]
fn vector_reads_the_clean_tree_and_its_parts_fit_together() {
    let config = yaml(&deploy("vector/vector.yaml"));
    only(&config, &["data_dir", "sources", "sinks"], "the file");
    let clean = &config["sources"]["clean"];
    let fields = ["type", "include", "read_from", "file_key", "max_line_bytes", "fingerprint"];
    only(clean, &fields, "file");
    assert_eq!(clean["type"].as_str(), Some("file"));
    assert_eq!(clean["fingerprint"]["strategy"].as_str(), Some("checksum"), "inodes are used again");
    assert!(list(&clean["include"]).iter().all(|path| path.as_str().unwrap().starts_with("/var/lib/blackbar/clean/")));
    only(&config["sources"]["blackbar"], &["type", "endpoints", "scrape_interval_secs"], "prometheus_scrape");
    for (name, sink) in config["sinks"].as_hash().unwrap() {
        let known = ["type", "inputs", "address", "endpoint", "tls", "acknowledgements", "buffer"];
        only(sink, &known, name.as_str().unwrap());
        for input in list(&sink["inputs"]) {
            assert!(!config["sources"][input.as_str().unwrap()].is_badvalue(), "{input:?}");
        }
    }
    assert_eq!(config["sinks"]["collector"]["buffer"]["when_full"].as_str(), Some("block"), "nothing is dropped");
}

#[test]
fn the_dashboard_has_panels_with_queries_that_do_not_overlap() {
    let board: serde_json::Value = serde_json::from_str(&deploy("grafana/blackbar.json")).unwrap();
    let panels = board["panels"].as_array().unwrap();
    assert!(panels.len() > 5);
    let mut taken = std::collections::BTreeSet::new();
    let mut ids = std::collections::BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "an id stands twice");
        assert!(panel["title"].as_str().is_some() && panel["description"].as_str().is_some());
        let at = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24, "{panel}");
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "panels overlap at {x}, {y}");
            }
        }
        let targets = panel["targets"].as_array().unwrap();
        let names: std::collections::BTreeSet<_> = targets.iter().map(|one| one["refId"].as_str()).collect();
        assert_eq!(names.len(), targets.len());
        for target in targets {
            let query = target["expr"].as_str().unwrap();
            let count = |sign: char| query.matches(sign).count();
            assert!(count('(') == count(')') && count('{') == count('}') && count('[') == count(']'), "{query}");
            assert!(query.contains("instance=~\"$instance\""), "{query}");
        }
    }
}
