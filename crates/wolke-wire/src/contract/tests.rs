//! Tests of the contract: what is embedded, and what its readers find.

use serde_json::{Value, json};

use super::files::FILES;
use super::load;
use super::overlay::{self, Change};
use super::raw::RawFile;
use super::tables::{Codes, DECISIONS, ERRORS, EXCEPTIONS};
use super::{Contract, OperationContract, error_answer, error_status};
use crate::{Dialect, ErrorCode, Kind};

fn operation(dialect: Dialect, id: &str) -> &'static OperationContract {
    Contract::of(dialect).operation(id).unwrap_or_else(|| panic!("{dialect} has no {id}"))
}

fn paths(violations: &[super::FieldViolation]) -> Vec<&str> {
    violations.iter().map(|v| v.path.as_str()).collect()
}

#[test]
fn every_file_compiles_for_every_dialect() {
    for dialect in Dialect::ALL {
        for file in FILES.iter().filter(|file| file.document == dialect.document()) {
            let operations = load::load(file, *dialect).unwrap_or_else(|e| panic!("{dialect} {}: {e}", file.segment));
            assert!(operations.len() >= file.ids.len(), "{dialect} {}", file.segment);
        }
    }
}

#[test]
fn counts_are_those_of_the_documents() {
    let count = |dialect| Contract::of(dialect).operations().count();
    assert_eq!(count(Dialect::D2018_04), 60);
    assert_eq!(count(Dialect::D2023_07), 144);
    assert_eq!(count(Dialect::D2026_02), 221);
    assert_eq!(count(Dialect::Compat), 222, "and the members of networks");
    assert_eq!(count(Dialect::Newest), 222);
}

#[test]
fn operations_are_found_by_id_and_by_path() {
    for dialect in Dialect::ALL {
        let contract = Contract::of(*dialect);
        assert_eq!(contract.dialect(), *dialect);
        for op in contract.operations() {
            assert!(std::ptr::eq(contract.operation(&op.id).unwrap(), op), "{}", op.id);
            assert!(std::ptr::eq(contract.find(&op.method, &op.path).unwrap(), op), "{}", op.path);
        }
    }
    assert_eq!(operation(Dialect::Compat, "list_network_members").path, "/networks/{id}/members");
    assert!(Contract::of(Dialect::D2026_02).operation("list_network_members").is_none());
    assert!(Contract::of(Dialect::D2018_04).operation("list_volumes").is_none());
    assert_eq!(Contract::of(Dialect::Compat).find("GET", "/zones/{zone}").unwrap().id, "get_zone");
}

#[test]
fn every_change_of_every_overlay_applies() {
    for (name, overlay) in overlay::overlays().unwrap() {
        for dialect in &overlay.dialects {
            for (index, change) in overlay.changes.iter().enumerate() {
                let applied = FILES.iter().filter(|f| f.document == dialect.document()).any(|embedded| {
                    let mut file: RawFile = serde_json::from_str(embedded.text).unwrap();
                    change.apply(&mut file, embedded.segment)
                });
                assert!(applied, "{name}: change {index} finds no place in {dialect}");
            }
        }
    }
}

#[test]
fn every_overlay_is_embedded() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contract/overlays");
    let mut files: Vec<String> =
        std::fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    let embedded: Vec<&str> = overlay::overlays().unwrap().iter().map(|(name, _)| *name).collect();
    assert_eq!(embedded, files, "run `cargo xtask contract`");
}

#[test]
fn violations_and_unknown_names_are_bounded() {
    let many: serde_json::Map<String, Value> = (0..500).map(|n| (format!("m{n}"), json!("\0"))).collect();
    let report = operation(Dialect::Compat, "update_server").check_request(&Value::Object(many));
    let expected = (super::MAX_VIOLATIONS, 500, super::MAX_UNKNOWN_NAMED);
    assert_eq!((report.violations.len(), report.unknown, report.unknown_names.len()), expected);
}

#[test]
fn patterns_match_what_their_expressions_match() {
    use super::schema::Pattern;
    for (pattern, good, bad) in [
        (Pattern::LabelValue, &["", "a", "a.b_c-d"][..], &["-", "a-", ".a", "a b", "ä"][..]),
        (Pattern::PlaceName, &["a", "eu-central", "fsn1-dc14", "a--b-"], &["", "-a", "A", "a_b"]),
        (Pattern::Directory, &["a/b c", "-", "."], &["", "ä", "a:b"]),
    ] {
        assert!(good.iter().all(|text| pattern.matches(text)), "{pattern:?}");
        assert!(!bad.iter().any(|text| pattern.matches(text)), "{pattern:?}");
    }
    assert!(Pattern::LabelValue.matches(&"a".repeat(63)) && !Pattern::LabelValue.matches(&"a".repeat(64)));
}

#[test]
fn overlays_reach_through_references() {
    let public_net = |dialect| {
        let lb = Contract::of(dialect).resource(Kind::LoadBalancer).unwrap();
        let ipv4 = lb.member("public_net").and_then(|s| s.member("ipv4")).unwrap();
        ipv4.member_names().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(public_net(Dialect::D2026_02), "dns_ptr ip");
    assert_eq!(public_net(Dialect::Compat), "blocked dns_ptr id ip");
    let answer = operation(Dialect::Compat, "delete_load_balancer");
    assert_eq!((answer.success_status(), answer.success().is_some_and(|s| s.requires("action"))), (201, true));
}

#[test]
fn every_decision_exception_and_error_names_something() {
    let known = |dialect: Dialect, id: &str| Contract::of(dialect).operation(id).is_some();
    let decisions = DECISIONS.as_ref().unwrap();
    let elsewhere = decisions.query_checked_elsewhere.iter().chain(&decisions.query_comma_separated);
    for place in decisions.id_or_name.iter().chain(elsewhere) {
        let (id, _) = place.split_once('/').unwrap();
        assert!(known(Dialect::Compat, id), "{place}");
    }
    let errors = ERRORS.as_ref().unwrap();
    for (dialect, listed) in &errors.documents {
        for id in listed.keys() {
            assert!(known(*dialect, id), "{dialect} {id}");
        }
    }
    for id in errors.beyond.keys() {
        assert!(known(Dialect::Compat, id), "{id}");
    }
    for exception in EXCEPTIONS.as_ref().unwrap() {
        assert!(!exception.reason.is_empty() && !exception.dialects.is_empty());
        assert!(!matches!(exception.change, Change::AddOperation { .. }), "an exception only loosens");
    }
}

/// Each code of an operation is listed by a document, or said to be beyond them: nothing comes in unnoticed.
#[test]
fn every_code_of_an_operation_has_a_source() {
    let errors = ERRORS.as_ref().unwrap();
    let lists = |codes: &Codes, id: &str, code: &str| codes.get(id).is_some_and(|codes| codes.contains(code));
    for (id, codes) in &errors.operations {
        for code in codes.keys() {
            let is_listed = errors.documents.values().any(|listed| lists(listed, id, code));
            assert_ne!(is_listed, lists(&errors.beyond, id, code), "{id}: {code}");
        }
    }
    for (id, codes) in errors.documents.values().chain([&errors.beyond]).flatten() {
        for code in codes {
            assert!(errors.operations.get(id).is_some_and(|known| known.contains_key(code)), "{id}: {code}");
            assert!(ErrorCode::parse(code).is_some(), "{code}");
        }
    }
}

/// No dialect that is a document says a word that the document does not know, whatever an operation means.
#[test]
fn a_document_says_its_own_codes() {
    let errors = ERRORS.as_ref().unwrap();
    for (dialect, listed) in &errors.documents {
        let words: Vec<_> = listed.values().flatten().map(String::as_str).collect();
        for operation in Contract::of(*dialect).operations() {
            for code in ErrorCode::ALL {
                let (told, status) = error_answer(&operation.id, *code, *dialect);
                let is_general = error_status("", told, *dialect) == Some(status);
                assert!(is_general || words.contains(&told.as_str()), "{dialect} {}: {code} {told}", operation.id);
                let has_it = error_status(&operation.id, *code, *dialect).is_some();
                assert_eq!(told == *code, has_it || *code == ErrorCode::ServiceError, "{dialect} {}", operation.id);
            }
        }
    }
}

#[test]
fn what_stands_for_a_code_is_an_older_one() {
    let errors = ERRORS.as_ref().unwrap();
    for (code, instead) in &errors.instead {
        for code in [code, instead] {
            assert!(ErrorCode::parse(code).is_some(), "{code}");
        }
        // One step leads to what all dialects have, or all that have the operation.
        assert!(!errors.instead.contains_key(instead), "{code}");
    }
    let of = |id, code| error_answer(id, code, Dialect::D2023_07);
    assert_eq!(of("volume_attach", ErrorCode::VolumeAlreadyAttached), (ErrorCode::ServiceError, 422));
    assert_eq!(of("volume_attach", ErrorCode::LimitExceededError), (ErrorCode::ResourceLimitExceeded, 403));
    assert_eq!(of("create_network", ErrorCode::VswitchIdAlreadyUsed), (ErrorCode::ServiceError, 422));
    assert_eq!(of("delete_primary_ip", ErrorCode::MustBeUnassigned), (ErrorCode::ServiceError, 422));
    let guarded = "firewall_apply_to_resources";
    assert_eq!(of(guarded, ErrorCode::PrivateNetOnlyServer), (ErrorCode::IncompatibleNetworkType, 422));
    // What the document knows from elsewhere is said beyond it.
    assert_eq!(of("create_server", ErrorCode::NetworksOverlap), (ErrorCode::NetworksOverlap, 422));
    assert_eq!(of("firewall_remove_from_resources", ErrorCode::FirewallResourceNotFound).1, 404);
}

#[test]
fn every_envelope_code_has_a_status_somewhere() {
    let errors = ERRORS.as_ref().unwrap();
    // `action_failed` is a code of actions, not of the envelope.
    for code in ErrorCode::ALL.iter().filter(|code| **code != ErrorCode::ActionFailed) {
        let has = |dialect: &Dialect| {
            let mut ids = Contract::of(*dialect).operations().map(|o| o.id.as_str());
            ids.any(|id| errors.status(id, code.as_str(), *dialect).is_some())
        };
        assert!(Dialect::ALL.iter().any(has), "{code}");
    }
}

#[test]
fn id_or_name_takes_numbers_numeric_strings_and_names() {
    let create = operation(Dialect::Compat, "create_server");
    for value in [json!(1), json!("1"), json!("cpx11")] {
        let body = json!({"name": "a", "image": value, "server_type": value, "location": value, "ssh_keys": [value]});
        assert_eq!(create.check_request(&body).violations, [], "{value}");
    }
    for value in [json!(1.0), json!(0), json!(-3), json!(true), json!(""), json!({}), json!(9_007_199_254_740_992_i64)]
    {
        let body = json!({"name": "a", "image": value, "server_type": "x", "ssh_keys": ["a", value]});
        assert_eq!(paths(&create.check_request(&body).violations), ["image", "ssh_keys[1]"], "{value}");
    }
}

#[test]
fn the_walker_reports_every_wrong_field() {
    let body = json!({
        "name": 7, "image": true, "start_after_create": "yes", "volumes": [1, "two"],
        "public_net": {"enable_ipv4": 1}, "labels": {"a": "-"}, "colour": "red"
    });
    let report = operation(Dialect::D2026_02, "create_server").check_request(&body);
    let expected =
        ["name", "image", "start_after_create", "volumes[1]", "public_net.enable_ipv4", "labels.a", "server_type"];
    assert_eq!(paths(&report.violations), expected);
    assert_eq!(report.violations.last().unwrap().message, "is required");
    assert_eq!((report.unknown, report.unknown_names), (1, vec!["colour".to_owned()]));
}

#[test]
fn numbers_enumerations_and_lengths_are_checked() {
    let check = |id, body: Value| {
        let report = operation(Dialect::Compat, id).check_request(&body);
        report.violations.into_iter().map(|v| format!("{} {}", v.path, v.message)).collect::<Vec<_>>()
    };
    assert_eq!(check("create_volume", json!({"name": "v", "size": 10.0})), ["size must be an integer"]);
    assert_eq!(
        check("server_attach_to_network", json!({"network": 0})),
        ["network must be an id from 1 to 9007199254740991"]
    );
    let create = json!({"name": "a", "type": "ipv5"});
    assert_eq!(check("create_primary_ip", create), ["type must be one of 'ipv4', 'ipv6'"]);
    assert_eq!(
        check("create_zone", json!({"name": "a.de", "mode": "primary", "ttl": 59})),
        ["ttl must be at least 60"]
    );
    assert_eq!(check("server_poweron", json!(null)), Vec::<String>::new());
    assert_eq!(check("create_ssh_key", json!([])), [" must be an object"]);
    assert_eq!(check("create_ssh_key", Value::Null), ["name is required", "public_key is required"]);
    assert_eq!(
        check("create_ssh_key", json!({"name": "a\0", "public_key": "k"})),
        ["name must not contain the character U+0000"]
    );
    assert_eq!(check("create_ssh_key", json!({"name": "a", "public_key": "k", "x": {"y": ["\0"]}})).len(), 1);
}

#[test]
fn null_is_absence_only_for_optional_members() {
    let create = operation(Dialect::Compat, "create_server");
    let body =
        json!({"name": "a", "image": "i", "server_type": "t", "labels": null, "user_data": null, "ssh_keys": null});
    assert_eq!(create.check_request(&body).violations, []);
    let body = json!({"name": null, "image": "i", "server_type": "t", "ssh_keys": [null]});
    assert_eq!(paths(&create.check_request(&body).violations), ["name", "ssh_keys[0]"]);
    let dns = operation(Dialect::Compat, "server_change_dns_ptr");
    assert_eq!(dns.check_request(&json!({"ip": "1.2.3.4", "dns_ptr": null})).violations, []);
}

#[test]
fn closed_objects_refuse_unknown_members() {
    let body = json!({"listen_port": 80, "health_check": {"colour": "red"}});
    let report = operation(Dialect::Compat, "load_balancer_update_service").check_request(&body);
    assert_eq!(paths(&report.violations), ["health_check.colour"]);
    assert_eq!(report.unknown, 0);
}

#[test]
fn requests_of_compat_are_the_union() {
    let body = json!({"name": "a", "image": "i", "server_type": "t", "datacenter": "fsn1-dc14", "location": 1});
    assert_eq!(operation(Dialect::Compat, "create_server").check_request(&body).unknown, 0);
    assert_eq!(operation(Dialect::Newest, "create_server").check_request(&body).unknown, 1);
    let ip = json!({"name": "a", "type": "ipv4"});
    assert!(operation(Dialect::Compat, "create_primary_ip").check_request(&ip).is_ok());
    assert!(!operation(Dialect::D2026_02, "create_primary_ip").check_request(&ip).is_ok());
}

#[test]
fn older_dialects_know_their_own_members() {
    let backup = json!({"backup_window": "22-02"});
    assert_eq!(operation(Dialect::D2018_04, "server_enable_backup").check_request(&backup).violations, []);
    let wrong = json!({"backup_window": "23-03"});
    assert_eq!(
        paths(&operation(Dialect::D2018_04, "server_enable_backup").check_request(&wrong).violations),
        ["backup_window"]
    );
    let rescue = json!({"type": "freebsd64"});
    assert!(operation(Dialect::D2018_04, "server_enable_rescue").check_request(&rescue).is_ok());
    assert!(!operation(Dialect::D2023_07, "server_enable_rescue").check_request(&rescue).is_ok());
}

#[test]
fn queries_are_checked() {
    let check = |dialect, id, pairs: &[(&str, &str)]| {
        let pairs: Vec<(String, String)> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        operation(dialect, id).check_query(&pairs).into_iter().map(|v| v.path).collect::<Vec<_>>()
    };
    for dialect in [Dialect::D2018_04, Dialect::D2023_07, Dialect::Compat] {
        assert_eq!(check(dialect, "list_servers", &[("page", "2"), ("per_page", "50"), ("what", "ever")]), [""; 0]);
        assert_eq!(
            check(dialect, "list_servers", &[("page", "0"), ("per_page", "51")]),
            ["page", "per_page"],
            "{dialect}"
        );
    }
    // The one list with longer pages.
    assert_eq!(check(Dialect::Compat, "list_zone_rrsets", &[("per_page", "100"), ("type", "A")]), [""; 0]);
    assert_eq!(check(Dialect::Compat, "list_zone_rrsets", &[("per_page", "101")]), ["per_page"]);
    assert_eq!(check(Dialect::Compat, "list_servers", &[("sort", "name:asc"), ("sort", "colour")]), ["sort"]);
    assert_eq!(check(Dialect::Compat, "list_servers", &[("status", "running"), ("status", "off")]), [""; 0]);
    assert_eq!(check(Dialect::D2018_04, "list_servers", &[("sort", "colour")]), [""; 0], "2018 cannot sort servers");
    assert_eq!(check(Dialect::Compat, "list_actions", &[]), [""; 0]);
    assert_eq!(check(Dialect::Compat, "list_actions", &[("id", "x")]), ["id"]);
    assert_eq!(check(Dialect::D2023_07, "list_actions", &[("sort", "progress:desc")]), [""; 0]);
    assert_eq!(check(Dialect::Compat, "list_server_actions", &[("sort", "progress:desc")]), ["sort"]);
    assert_eq!(check(Dialect::Compat, "get_server_metrics", &[("type", "cpu,disk"), ("start", "a")]), ["end"]);
    assert_eq!(check(Dialect::Compat, "list_images", &[("include_deprecated", "yes")]), ["include_deprecated"]);
    assert!(operation(Dialect::D2023_07, "list_servers").query.iter().find(|q| q.name == "sort").unwrap().repeatable);
}

#[test]
fn every_kind_is_a_resource_where_its_document_has_it() {
    for kind in Kind::ALL {
        assert!(Contract::of(Dialect::Compat).resource(*kind).is_some_and(|s| s.requires("id")), "{kind}");
    }
    let in_2018 = Kind::ALL.iter().filter(|kind| Contract::of(Dialect::D2018_04).resource(**kind).is_some());
    assert_eq!(in_2018.count(), 9);
    assert!(Contract::of(Dialect::D2023_07).resource(Kind::Zone).is_none());
}

/// A server with members of all times.
fn superset() -> Value {
    json!({
        "id": 1, "name": "a", "labels": {"env": "x"}, "volumes": [4], "placement_group": null, "primary_disk_size": 20,
        "datacenter": {"id": 4, "location": {"id": 1, "network_zone": "eu-central"}, "server_types": {"available_for_migration": [1], "available": []}},
        "location": {"id": 1, "name": "fsn1"},
        "public_net": {"ipv4": {"id": 3, "ip": "1.2.3.4"}, "ipv6": null, "firewalls": [], "floating_ips": [7]},
        "image": {"id": 9, "architecture": "x86", "deprecated": null, "deprecation": null},
        "server_type": {"id": 22, "architecture": "x86", "locations": [{"id": 1, "available": true, "deprecation": null}]},
        "surplus": true
    })
}

#[test]
fn pruning_leaves_what_the_dialect_has() {
    let pruned = |dialect| {
        let mut server = superset();
        Contract::of(dialect).resource(Kind::Server).unwrap().prune(&mut server);
        server
    };
    assert_eq!(
        pruned(Dialect::D2018_04),
        json!({
            "id": 1, "name": "a",
            "datacenter": {"id": 4, "location": {"id": 1}, "server_types": {"available": []}},
            "public_net": {"ipv4": {"ip": "1.2.3.4"}, "ipv6": null, "floating_ips": [7]},
            "image": {"id": 9, "deprecated": null}, "server_type": {"id": 22}
        })
    );
    let keys = |dialect| pruned(dialect).as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let has = |dialect, key: &str| keys(dialect).iter().any(|k| k == key);
    for (dialect, datacenter, location) in [
        (Dialect::D2023_07, true, false),
        (Dialect::D2026_02, true, true),
        (Dialect::Compat, true, true),
        (Dialect::Newest, false, true),
    ] {
        assert_eq!((has(dialect, "datacenter"), has(dialect, "location")), (datacenter, location), "{dialect}");
        assert_eq!(pruned(dialect)["labels"], json!({"env": "x"}));
        assert!(!has(dialect, "surplus"));
    }
    assert_eq!(pruned(Dialect::D2026_02)["server_type"]["locations"], json!([{"id": 1, "deprecation": null}]));
    assert_eq!(pruned(Dialect::Compat)["server_type"]["locations"][0]["available"], true);
    let image = |dialect| pruned(dialect)["image"].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(image(Dialect::D2026_02), "id architecture deprecated");
    assert_eq!(image(Dialect::Compat), "id architecture deprecated deprecation");
    assert_eq!(image(Dialect::Newest), "id architecture deprecation");
}

#[test]
fn the_oracle_is_strict() {
    let get = operation(Dialect::Compat, "get_ssh_key");
    let mut body = json!({"ssh_key": {"id": 1, "name": "k", "fingerprint": "f", "public_key": "p", "labels": {}, "created": "2026-01-01T00:00:00+00:00"}});
    assert_eq!(get.check_response(200, &body), []);
    body["ssh_key"]["extra"] = json!(1);
    body["ssh_key"]["created"] = json!("yesterday");
    body["ssh_key"]["name"] = Value::Null;
    body["ssh_key"].as_object_mut().unwrap().shift_remove("labels");
    let found = get.check_response(200, &body);
    assert_eq!(paths(&found), ["ssh_key.name", "ssh_key.created", "ssh_key.extra", "ssh_key.labels"]);
    assert_eq!(get.check_response(201, &body).len(), 1, "an undocumented status");
    assert_eq!(operation(Dialect::Compat, "delete_ssh_key").check_response(204, &Value::Null), []);
    assert_eq!(operation(Dialect::Compat, "delete_ssh_key").check_response(204, &json!({})).len(), 1);
}

#[test]
fn the_oracle_knows_the_codes() {
    let error = |code: &str, details: Value| json!({"error": {"code": code, "message": "m", "details": details}});
    let assign = operation(Dialect::Compat, "primary_ip_assign");
    assert_eq!(assign.check_response(404, &error("not_found", Value::Null)), []);
    assert_eq!(assign.check_response(422, &error("server_not_stopped", Value::Null)), []);
    assert_eq!(paths(&assign.check_response(409, &error("server_not_stopped", Value::Null))), ["error.code"]);
    assert_eq!(paths(&assign.check_response(422, &error("placement_error", Value::Null))), ["error.code"]);
    let fields = json!({"fields": [{"name": "a", "messages": ["is required"]}]});
    assert_eq!(assign.check_response(422, &error("invalid_input", fields)), []);
    let fields = json!({"fields": [{"name": "a"}]});
    assert_eq!(paths(&assign.check_response(422, &error("invalid_input", fields))), ["error.details.fields[0]"]);
    assert_eq!(assign.check_response(500, &json!("oops")).len(), 1);
    let rescue = |dialect| {
        operation(dialect, "server_enable_rescue").check_response(422, &error("rescue_already_enabled", Value::Null))
    };
    assert_eq!((rescue(Dialect::D2018_04).len(), rescue(Dialect::Compat).len()), (0, 1));
    let conflict = |dialect| operation(dialect, "update_server").check_response(409, &error("conflict", Value::Null));
    assert_eq!((conflict(Dialect::D2018_04).len(), conflict(Dialect::Compat).len()), (1, 0));
    let gone = operation(Dialect::Newest, "list_datacenters");
    assert_eq!(gone.ended.map(|e| e.status), Some(410));
    assert_eq!(gone.check_response(200, &json!({})).len(), 1);
}
