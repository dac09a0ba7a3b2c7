//! What a container's configuration asks of the host that a VM of its own cannot give. Such a container is refused, as one that ran
//! without would be another than was asked for.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// The container's root in the bundle.
pub const ROOTFS: &str = "rootfs";

/// The first such thing of a bundle, in words.
pub fn obstacle(bundle: &Path) -> Result<Option<String>> {
    let path = bundle.join("config.json");
    let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let config: Value = serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", path.display()))?;
    Ok(obstacle_of(&config, bundle))
}

fn obstacle_of(config: &Value, bundle: &Path) -> Option<String> {
    let root = text(&config["root"], "path");
    if Path::new(root) != bundle.join(ROOTFS) && root != ROOTFS {
        return Some(format!("a root outside of the bundle: {root}"));
    }
    if let Some(hook) = config["hooks"].as_object().and_then(|hooks| hooks.keys().next()) {
        return Some(format!("hooks: {hook}"));
    }
    if let Some(mount) = list(&config["mounts"]).find(|mount| is_bind(mount)) {
        return Some(format!("a bind mount of the host's {}", text(mount, "source")));
    }
    let namespace = list(&config["linux"]["namespaces"]).find(|namespace| namespace["path"].is_string())?;
    Some(format!("a {} namespace of the host: {}", text(namespace, "type"), text(namespace, "path")))
}

fn is_bind(mount: &Value) -> bool {
    let is_word = |word: &str| matches!(word, "bind" | "rbind");
    is_word(text(mount, "type")) || list(&mount["options"]).filter_map(Value::as_str).any(is_word)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(part: Value) -> Option<String> {
        let mut config = json!({ "root": { "path": "rootfs" }, "mounts": [{ "type": "proc", "options": ["ro"] }],
            "linux": { "namespaces": [{ "type": "network" }] } });
        config.as_object_mut()?.extend(part.as_object()?.clone());
        obstacle_of(&config, Path::new("/b"))
    }

    #[test]
    fn what_a_vm_can_give_is_no_obstacle() {
        assert_eq!(told(json!({})), None);
        assert_eq!(told(json!({ "root": { "path": "/b/rootfs" } })), None);
    }

    #[test]
    fn each_obstacle_is_named() {
        let bind = json!({ "mounts": [{ "source": "/etc/hosts", "options": ["rbind", "ro"] }] });
        assert_eq!(told(bind).as_deref(), Some("a bind mount of the host's /etc/hosts"));
        let namespace = json!({ "linux": { "namespaces": [{ "type": "network", "path": "/proc/1/ns/net" }] } });
        assert_eq!(told(namespace).as_deref(), Some("a network namespace of the host: /proc/1/ns/net"));
        assert_eq!(told(json!({ "hooks": { "prestart": [] } })).as_deref(), Some("hooks: prestart"));
        assert_eq!(told(json!({ "root": { "path": "/r" } })).as_deref(), Some("a root outside of the bundle: /r"));
    }
}
