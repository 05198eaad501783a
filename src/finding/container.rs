//! Reads from a path which container of Kubernetes writes the file, and writes it down with the names of ECS.
//! Does not read files.
//!
//! The kubelet writes `/var/log/pods/NAMESPACE_POD_UID/CONTAINER/N.log`, and links to it from
//! `/var/log/containers/POD_NAMESPACE_CONTAINER-ID.log`
//! (<https://kubernetes.io/docs/concepts/cluster-administration/logging/>). No name of a namespace, pod or
//! container has an underscore in it.

use std::path::Path;

use serde::Serialize;

/// A container of a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    /// The namespace of the pod.
    pub namespace: String,
    /// The name of the pod.
    pub pod: String,
    /// What tells pods of one name apart.
    pub uid: Option<String>,
    /// The name of the container in the pod.
    pub name: String,
    /// What the runtime calls it.
    pub id: Option<String>,
}

impl Container {
    /// What a path tells.
    pub fn of(path: &Path) -> Option<Container> {
        let mut names = path.iter().rev().map(|name| name.to_str());
        let file = names.next()??.strip_suffix(".log").or_else(|| {
            // A rotated one: `0.log.20261120-231023`.
            path.file_name()?.to_str()?.split_once(".log.").map(|(name, _)| name)
        })?;
        Self::of_link(file).or_else(|| {
            let (container, pod) = (names.next()??, names.next()??);
            if file.is_empty() || !file.bytes().all(|byte| byte.is_ascii_digit()) || !is_name(container) {
                return None;
            }
            let mut parts = pod.split('_');
            let [namespace, pod, uid] = [parts.next()?, parts.next()?, parts.next()?];
            let whole = parts.next().is_none() && [namespace, pod, uid].into_iter().all(is_name);
            whole.then(|| Container {
                namespace: namespace.to_owned(),
                pod: pod.to_owned(),
                uid: Some(uid.to_owned()),
                name: container.to_owned(),
                id: None,
            })
        })
    }

    /// With what another path of the same container tells besides.
    pub fn with(mut self, other: &Container) -> Container {
        let of = |container: &Container| (container.namespace.clone(), container.pod.clone(), container.name.clone());
        if of(&self) == of(other) {
            self.uid = self.uid.or_else(|| other.uid.clone());
            self.id = self.id.or_else(|| other.id.clone());
        }
        self
    }

    fn of_link(file: &str) -> Option<Container> {
        let mut parts = file.split('_');
        let [pod, namespace, rest] = [parts.next()?, parts.next()?, parts.next()?];
        let (name, id) = rest.rsplit_once('-')?;
        let is_id = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let whole = parts.next().is_none() && is_id && [pod, namespace, name].into_iter().all(is_name);
        whole.then(|| Container {
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
            uid: None,
            name: name.to_owned(),
            id: Some(id.to_owned()),
        })
    }
}

/// Whether Kubernetes could have given this name.
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    !text.is_empty() && text.len() <= 253 && text.bytes().all(allowed)
}

/// The pod of a container, with the names that ECS has for it.
#[derive(Debug, Serialize)]
pub struct Orchestrator<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    namespace: &'a str,
    resource: Resource<'a>,
}

#[derive(Debug, Serialize)]
struct Resource<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

/// A container, with the names that ECS has for it.
#[derive(Debug, Serialize)]
pub struct Contained<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

impl Container {
    /// `orchestrator` of ECS.
    pub fn orchestrator(&self) -> Orchestrator<'_> {
        let resource = Resource { kind: "pod", name: &self.pod, id: self.uid.as_deref() };
        Orchestrator { kind: "kubernetes", namespace: &self.namespace, resource }
    }

    /// `container` of ECS.
    pub fn contained(&self) -> Contained<'_> {
        Contained { name: &self.name, id: self.id.as_deref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_pods_tell_their_containers() {
        let id = "0123456789abcdef".repeat(4);
        let pods = Container::of(Path::new("/var/log/pods/shop_web-5d4f_9f2c-11/app/0.log")).unwrap();
        assert_eq!((pods.namespace.as_str(), pods.pod.as_str(), pods.name.as_str()), ("shop", "web-5d4f", "app"));
        assert_eq!(pods.uid.as_deref(), Some("9f2c-11"));
        let rotated = Path::new("/var/log/pods/shop_web-5d4f_9f2c-11/app/0.log.20261120-231023");
        assert_eq!(Container::of(rotated), Some(pods));
        let link = format!("/var/log/containers/web-5d4f_shop_my-app-{id}.log");
        let link = Container::of(Path::new(&link)).unwrap();
        assert_eq!((link.namespace.as_str(), link.pod.as_str(), link.name.as_str()), ("shop", "web-5d4f", "my-app"));
        assert_eq!(link.id.as_ref(), Some(&id));
        let file = Container::of(Path::new("/var/log/pods/shop_web-5d4f_9f2c-11/my-app/0.log")).unwrap();
        let both = link.clone().with(&file);
        assert_eq!((both.uid.as_deref(), both.id), (Some("9f2c-11"), Some(id)));
        let of_another_pod = Container::of(Path::new("/var/log/pods/shop_api_9f2c-12/my-app/0.log")).unwrap();
        assert_eq!(link.clone().with(&of_another_pod), link);
    }

    #[test]
    fn other_paths_tell_none() {
        for path in
            ["app.log", "/a_b_c/d/x.log", "/a_b/c/0.log", "/a_B_c/d/0.log", "/a_b_c_d/e/0.log", "/", "a_b_c-1.log"]
        {
            assert_eq!(Container::of(Path::new(path)), None, "{path}");
        }
    }
}
