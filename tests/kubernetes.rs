//! Holds the manifests of `deploy/kubernetes` to the API's fields (`tests/data/kubernetes.toml`) and to
//! what they promise: a sidecar that starts first, and containers that may do nothing. Has no cluster.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use toml::Table;
use yaml_rust2::{Yaml, YamlLoader};

const MANIFESTS: &[&str] = &["sidecar.yaml", "sidecar-fifo.yaml", "node-agent.yaml"];

fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn documents(name: &str) -> Vec<Yaml> {
    let text = fs::read_to_string(root("deploy/kubernetes").join(name)).expect(name);
    YamlLoader::load_from_str(&text).expect(name)
}

fn schema() -> Table {
    toml::from_str(&fs::read_to_string(root("tests/data/kubernetes.toml")).unwrap()).unwrap()
}

/// What of `value` is not of the type, each with its place.
fn faults(schema: &Table, kind: &str, value: &Yaml, place: &str) -> Vec<String> {
    let wrong = |is_right: bool| if is_right { vec![] } else { vec![format!("{place}: not of the type {kind}")] };
    let text = value.as_str();
    let whole = value.as_i64();
    if let Some(item) = kind.strip_prefix("[]") {
        let Some(list) = value.as_vec() else { return wrong(false) };
        return list
            .iter()
            .enumerate()
            .flat_map(|(at, one)| faults(schema, item, one, &format!("{place}[{at}]")))
            .collect();
    }
    if let Some(item) = kind.strip_prefix("{}") {
        let Some(map) = value.as_hash() else { return wrong(false) };
        let each = map.iter().map(|(name, one)| (name.as_str().expect("a name"), one));
        return each.flat_map(|(name, one)| faults(schema, item, one, &format!("{place}.{name}"))).collect();
    }
    match kind {
        "string" => wrong(text.is_some()),
        "int" => wrong(whole.is_some_and(|number| number >= 0)),
        "bool" => wrong(value.as_bool().is_some()),
        "port" => wrong(whole.is_some_and(|port| (1..65536).contains(&port))),
        "port?" => wrong(whole.is_some_and(|port| (1..65536).contains(&port)) || text.is_some_and(is_name)),
        "name" => wrong(text.is_some_and(is_name)),
        "quantity" => wrong(text.is_some_and(is_quantity)),
        _ if kind.starts_with('=') => wrong(text == kind.strip_prefix('=')),
        _ if kind.contains('|') => wrong(text.is_some_and(|text| kind.split('|').any(|one| one == text))),
        _ => object_faults(schema, kind, value, place),
    }
}

fn object_faults(schema: &Table, kind: &str, value: &Yaml, place: &str) -> Vec<String> {
    let Some(fields) = schema.get(kind).and_then(|fields| fields.as_table()) else {
        return vec![format!("{place}: {kind} is not known here")];
    };
    let Some(map) = value.as_hash() else { return vec![format!("{place}: not of the type {kind}")] };
    let mut found = Vec::new();
    for (name, one) in map {
        let name = name.as_str().unwrap_or("?");
        match fields.get(name).or_else(|| fields.get(&format!("{name}!"))) {
            Some(kind) => found.extend(faults(schema, kind.as_str().unwrap(), one, &format!("{place}.{name}"))),
            None => found.push(format!("{place}.{name}: {kind} has no such field")),
        }
    }
    let missing = fields.keys().filter_map(|name| name.strip_suffix('!')).filter(|name| value[*name].is_badvalue());
    found.extend(missing.map(|name| format!("{place}.{name}: missing")));
    found
}

/// A label of DNS.
fn is_name(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(inside) && !text.starts_with('-') && !text.ends_with('-')
}

/// A whole number with one of the units that are used.
fn is_quantity(text: &str) -> bool {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[number.len()..];
    !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && ["", "m", "k", "M", "G", "Ki", "Mi", "Gi"].contains(&unit)
}

/// The pod of each workload, with the manifest's name.
fn pods() -> Vec<(String, Yaml)> {
    let mut pods = Vec::new();
    for name in MANIFESTS {
        for document in documents(name) {
            let pod = &document["spec"]["template"]["spec"];
            if !pod.is_badvalue() {
                pods.push(((*name).to_owned(), pod.clone()));
            }
        }
    }
    assert_eq!(pods.len(), MANIFESTS.len());
    pods
}

fn list(value: &Yaml) -> impl Iterator<Item = &Yaml> {
    value.as_vec().into_iter().flatten()
}

/// All containers of a pod, those that start first included.
fn containers(pod: &Yaml) -> impl Iterator<Item = &Yaml> {
    list(&pod["initContainers"]).chain(list(&pod["containers"]))
}

fn names(values: &Yaml) -> BTreeSet<&str> {
    list(values).filter_map(|value| value["name"].as_str()).collect()
}

#[test]
fn every_field_is_one_of_the_api() {
    let schema = schema();
    for name in MANIFESTS {
        for (at, document) in documents(name).iter().enumerate() {
            let kind = document["kind"].as_str().expect("a kind");
            let found = faults(&schema, kind, document, &format!("{name}[{at}]"));
            assert!(found.is_empty(), "{found:#?}");
        }
    }
}

#[test]
fn the_check_of_fields_notices_what_is_wrong() {
    let schema = schema();
    let found = |text: &str| {
        let pod = format!("containers: [{{name: a, image: b, {text}}}]");
        faults(&schema, "PodSpec", &YamlLoader::load_from_str(&pod).unwrap()[0], "pod").join("; ")
    };
    assert_eq!(found(""), "");
    assert_eq!(found("restartPolicy: Always"), "pod.containers[0].restartPolicy: Container has no such field");
    assert_eq!(
        found("resources: {limits: {cpu: 1}}"),
        "pod.containers[0].resources.limits.cpu: not of the type quantity"
    );
    assert_eq!(found("startupProbe: {periodSeconds: 1}"), "pod.containers[0].startupProbe.httpGet: missing");
    assert_eq!(
        found("volumeMounts: [{name: A_b, mountPath: /x}]"),
        "pod.containers[0].volumeMounts[0].name: not of the type name"
    );
    assert_eq!(found("securityContext: {capabilities: {drop: ALL}}").matches("[]string").count(), 1);
}

#[test]
fn what_is_named_within_a_manifest_is_there() {
    for name in MANIFESTS {
        let all = documents(name);
        for document in &all {
            let spec = &document["spec"];
            let labels = spec["template"]["metadata"]["labels"].as_hash();
            for (label, value) in spec["selector"]["matchLabels"].as_hash().into_iter().flatten() {
                assert_eq!(labels.and_then(|labels| labels.get(label)), Some(value), "{name}: the selector");
            }
            let pod = &spec["template"]["spec"];
            let volumes = names(&pod["volumes"]);
            let mut used = BTreeSet::new();
            for container in containers(pod) {
                let ports = names(&container["ports"]);
                for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
                    let port = &container[probe]["httpGet"]["port"];
                    assert!(port.is_badvalue() || ports.contains(port.as_str().unwrap()), "{name}: {probe}");
                }
                used.extend(names(&container["volumeMounts"]));
            }
            assert_eq!(used, volumes, "{name}: volumes");
            for volume in list(&pod["volumes"]) {
                if let Some(map) = volume["configMap"]["name"].as_str() {
                    let is_map = |one: &&Yaml| one["kind"].as_str() == Some("ConfigMap");
                    assert!(all.iter().filter(is_map).any(|one| one["metadata"]["name"].as_str() == Some(map)));
                }
            }
        }
    }
}

#[test]
fn blackbar_is_a_sidecar_that_starts_before_what_logs_and_is_asked_whether_it_masks() {
    for (name, pod) in pods() {
        let sidecar = &pod["initContainers"][0];
        assert_eq!(sidecar["name"].as_str(), Some("blackbar"), "{name}");
        assert_eq!(sidecar["restartPolicy"].as_str(), Some("Always"), "{name}");
        for (probe, path) in [("startupProbe", "/startupz"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")]
        {
            assert_eq!(sidecar[probe]["httpGet"]["path"].as_str(), Some(path), "{name}");
        }
        let drain =
            list(&sidecar["args"]).filter_map(Yaml::as_str).find_map(|arg| arg.strip_prefix("--drain-timeout="));
        let grace = pod["terminationGracePeriodSeconds"].as_i64().unwrap();
        assert!(drain.unwrap().parse::<i64>().unwrap() < grace, "{name}: it drains before it is killed");
    }
}

#[cfg(unix)]
#[test]
fn blackbar_knows_the_options_that_it_is_given() {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_blackbar")).args(["tail", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for (name, pod) in pods() {
        let args: Vec<_> = list(&pod["initContainers"][0]["args"]).filter_map(Yaml::as_str).collect();
        assert_eq!(args[0], "tail", "{name}");
        for option in args.iter().filter(|arg| arg.starts_with("--")) {
            let (option, _) = option.split_once('=').expect("a value");
            assert!(help.contains(&format!("{option} <")), "{name}: {option}");
        }
        // A pipe is followed only where it is named itself.
        assert_eq!(args.contains(&"/logs/app"), name == "sidecar-fifo.yaml", "{name}");
    }
}

#[test]
fn every_container_may_do_nothing_that_it_need_not() {
    for (name, pod) in pods() {
        let context = &pod["securityContext"];
        assert_eq!(context["runAsNonRoot"].as_bool(), Some(true), "{name}");
        assert!(context["runAsUser"].as_i64().is_some_and(|user| user > 0), "{name}");
        assert_eq!(context["seccompProfile"]["type"].as_str(), Some("RuntimeDefault"), "{name}");
        assert_eq!(pod["automountServiceAccountToken"].as_bool(), Some(false), "{name}");
        for container in containers(&pod) {
            let context = &container["securityContext"];
            assert_eq!(context["readOnlyRootFilesystem"].as_bool(), Some(true), "{name}");
            assert_eq!(context["allowPrivilegeEscalation"].as_bool(), Some(false), "{name}");
            let dropped: Vec<_> = list(&context["capabilities"]["drop"]).filter_map(Yaml::as_str).collect();
            assert_eq!((dropped, context["capabilities"]["add"].is_badvalue()), (vec!["ALL"], true), "{name}");
            for limit in ["cpu", "memory"] {
                assert!(container["resources"]["limits"][limit].as_str().is_some(), "{name}: {limit}");
            }
        }
        for volume in list(&pod["volumes"]) {
            let bounded = volume["emptyDir"].is_badvalue() || volume["emptyDir"]["sizeLimit"].as_str().is_some();
            assert!(bounded, "{name}: a folder without a bound");
        }
    }
}

#[test]
fn raw_text_stays_in_memory_beside_an_application_and_is_read_only_on_a_node() {
    for (name, pod) in pods() {
        let volume = |wanted: &str| list(&pod["volumes"]).find(|one| one["name"].as_str() == Some(wanted)).cloned();
        let mount = |wanted: &str| {
            list(&pod["initContainers"][0]["volumeMounts"]).find(|one| one["name"].as_str() == Some(wanted)).cloned()
        };
        let raw = if name == "node-agent.yaml" { "pods" } else { "logs" };
        if raw == "logs" {
            assert_eq!(volume(raw).unwrap()["emptyDir"]["medium"].as_str(), Some("Memory"), "{name}");
        }
        assert_eq!(mount(raw).unwrap()["readOnly"].as_bool(), Some(true), "{name}");
    }
}
