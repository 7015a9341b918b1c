//! The ids of operations: one rule for all documents, from method and path alone.
//!
//! Nouns are the literal segments; a noun that is followed by a parameter stands in the singular. A collection is
//! `list_` or `create_`, a single thing `get_`, `update_` or `delete_`, and a verb under `actions` follows its noun:
//! `list_servers`, `create_server`, `get_server`, `list_server_actions`, `server_poweron`, `get_servers_action`.

/// Segments that are one thing and not a collection of things.
const SINGLETONS: [&str; 3] = ["pricing", "metrics", "zonefile"];

/// The id of the operation.
pub(super) fn operation_id(method: &str, path: &str) -> String {
    let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    let is_parameter = |i: usize| segments.get(i).is_some_and(|s| s.starts_with('{'));
    let mut nouns: Vec<String> = Vec::new();
    for (i, segment) in segments.iter().enumerate().filter(|(i, _)| !is_parameter(*i)) {
        nouns.push(if is_parameter(i + 1) { singular(segment) } else { (*segment).to_owned() });
    }
    let last = segments.len().saturating_sub(1);
    if last > 0 && segments.get(last - 1) == Some(&"actions") && !is_parameter(last) {
        nouns.retain(|noun| noun != "actions");
        return nouns.join("_");
    }
    let collection = !is_parameter(last) && !SINGLETONS.contains(segments.get(last).unwrap_or(&""));
    let verb = match (method, collection) {
        ("GET", true) => "list",
        ("POST", true) => "create",
        ("GET", false) => "get",
        ("PUT", _) => "update",
        ("DELETE", _) => "delete",
        (other, _) => return format!("{}_{}", other.to_lowercase(), nouns.join("_")),
    };
    if let (true, Some(noun)) = (verb == "create", nouns.last_mut()) {
        *noun = singular(noun);
    }
    format!("{verb}_{}", nouns.join("_"))
}

/// The singular of a plural noun of the contract.
pub(super) fn singular(plural: &str) -> String {
    match plural.strip_suffix("boxes") {
        Some(stem) => format!("{stem}box"),
        None if plural.ends_with("us") => plural.to_owned(),
        None => plural.strip_suffix('s').unwrap_or(plural).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::operation_id;

    #[test]
    fn follows_the_rule() {
        for (method, path, id) in [
            ("GET", "/servers", "list_servers"),
            ("POST", "/servers", "create_server"),
            ("GET", "/servers/{id}", "get_server"),
            ("PUT", "/servers/{id}", "update_server"),
            ("DELETE", "/storage_boxes/{id}", "delete_storage_box"),
            ("GET", "/servers/{id}/actions", "list_server_actions"),
            ("GET", "/servers/{id}/actions/{action_id}", "get_server_action"),
            ("POST", "/servers/{id}/actions/poweron", "server_poweron"),
            ("GET", "/servers/actions", "list_servers_actions"),
            ("GET", "/servers/actions/{id}", "get_servers_action"),
            ("GET", "/servers/{id}/metrics", "get_server_metrics"),
            ("GET", "/pricing", "get_pricing"),
            ("GET", "/actions", "list_actions"),
            ("DELETE", "/zones/{z}/rrsets/{name}/{type}", "delete_zone_rrset"),
            ("POST", "/zones/{z}/rrsets/{name}/{type}/actions/set_records", "zone_rrset_set_records"),
        ] {
            assert_eq!(operation_id(method, path), id, "{method} {path}");
        }
    }
}
