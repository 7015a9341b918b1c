//! Outside opinions about the contract: the `jsonschema` crate, and the examples of the reference documents.
//!
//! The schemas for `jsonschema` are translated here from the files of `contract/`, on a way of their own: nothing of
//! the reader under test is used for it.

#![allow(clippy::unwrap_used, reason = "a test that fails to read its input fails")]

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use wolke_wire::Dialect;
use wolke_wire::contract::{Contract, OperationContract};

/// The dialects that are their document and nothing else.
const PLAIN: [(Dialect, &str); 2] = [(Dialect::D2023_07, "2023-07"), (Dialect::D2026_02, "2026-02")];

/// A documented answer: operation, status, and its schema in both forms.
struct Answer {
    operation: &'static OperationContract,
    status: u16,
    schema: Value,
    definitions: Value,
    validator: jsonschema::Validator,
}

/// Every answer with a body. Lists of 2023 are left out: paging is added to them when they are loaded.
fn answers() -> Vec<Answer> {
    let mut answers = Vec::new();
    for (dialect, label) in PLAIN {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contract").join(label);
        for entry in std::fs::read_dir(directory).unwrap() {
            let file: Value = serde_json::from_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap()).unwrap();
            for operation in file["operations"].as_array().unwrap() {
                let id = operation["id"].as_str().unwrap();
                if dialect == Dialect::D2023_07 && id.starts_with("list_") {
                    continue;
                }
                for (status, schema) in operation["responses"].as_object().unwrap().iter().filter(|(_, s)| !s.is_null())
                {
                    let mut whole = translate(schema);
                    whole["definitions"] = file["definitions"]
                        .as_object()
                        .unwrap()
                        .iter()
                        .map(|(name, definition)| (name.clone(), translate(definition)))
                        .collect::<Map<_, _>>()
                        .into();
                    answers.push(Answer {
                        operation: Contract::of(dialect).operation(id).unwrap(),
                        status: status.parse().unwrap(),
                        schema: schema.clone(),
                        definitions: file["definitions"].clone(),
                        validator: jsonschema::options().should_validate_formats(false).build(&whole).unwrap(),
                    });
                }
            }
        }
    }
    answers
}

/// Our format as JSON Schema: null beside the type, closed objects, references into one table.
fn translate(schema: &Value) -> Value {
    let mut out = schema.as_object().unwrap().clone();
    let nullable = out.shift_remove("nullable").is_some();
    if let Some(name) = out.shift_remove("$ref") {
        let reference = json!({"$ref": format!("#/definitions/{}", name.as_str().unwrap())});
        return if nullable { json!({"anyOf": [reference, {"type": "null"}]}) } else { reference };
    }
    if let Some(items) = out.get_mut("items") {
        *items = translate(items);
    }
    if let Some(properties) = out.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(|property| *property = translate(property));
    }
    match out.get("additionalProperties").cloned() {
        Some(values @ Value::Object(_)) => drop(out.insert("additionalProperties".into(), translate(&values))),
        None if out.contains_key("properties") => drop(out.insert("additionalProperties".into(), json!(false))),
        _ => {}
    }
    if nullable {
        return json!({"anyOf": [out, {"type": "null"}]});
    }
    Value::Object(out)
}

/// A valid value: everything that is documented when `full`, else only what is required.
fn instance(schema: &Value, definitions: &Value, full: bool) -> Value {
    if let Some(name) = schema.get("$ref") {
        return instance(&definitions[name.as_str().unwrap()], definitions, full);
    }
    if let Some(values) = schema["enum"].as_array() {
        return values[0].clone();
    }
    let kind = schema["type"].as_str().or(schema["type"][0].as_str()).unwrap();
    match kind {
        "string" if schema["format"] == "date-time" => json!("2026-01-01T00:00:00+00:00"),
        "string" if schema["format"] == "decimal" => json!("1.50"),
        "string" => json!("a1"),
        "integer" => schema.get("minimum").map_or(json!(1), |m| json!(m.as_f64().unwrap() as i64)),
        "number" => json!(1.5),
        "boolean" => json!(true),
        "array" => {
            json!([instance(&schema["items"], definitions, full), instance(&schema["items"], definitions, full)])
        }
        _ => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let mut out: Map<String, Value> = schema["properties"]
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(name, _)| full || required.contains(&json!(name)))
                .map(|(name, property)| (name.clone(), instance(property, definitions, full)))
                .collect();
            if let values @ Value::Object(_) = &schema["additionalProperties"] {
                out.insert("a_key".into(), instance(values, definitions, full));
            }
            Value::Object(out)
        }
    }
}

/// Changes the `nth` place of the value (counted in depth first order) in one of several ways.
fn mutate(value: &mut Value, nth: &mut usize, how: usize) -> bool {
    if *nth == 0 {
        match (how, &mut *value) {
            (0, _) => *value = Value::Null,
            (1, Value::Object(members)) => drop(members.insert("undocumented".into(), json!(1))),
            (2, Value::Object(members)) => {
                let last = members.keys().next_back().cloned();
                last.and_then(|name| members.shift_remove(&name));
            }
            (3, _) => *value = json!("-no value of any enumeration-"),
            (4, _) => *value = json!(-1),
            (5, _) => *value = json!(2.5),
            (6, _) => *value = json!([]),
            (7, _) => *value = json!({}),
            (8, Value::String(text)) => text.push('_'),
            (_, _) => *value = json!(false),
        }
        return true;
    }
    *nth -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| mutate(item, nth, how)),
        Value::Object(members) => members.values_mut().any(|member| mutate(member, nth, how)),
        _ => false,
    }
}

/// Compares the verdicts. Formats are for the oracle alone: this validator is told not to look at them.
fn agree(answer: &Answer, body: &Value) -> Result<(), String> {
    let mut ours = answer.operation.check_response(answer.status, body);
    ours.retain(|v| !(v.message.ends_with("has a wrong format or length") && has_format(&v.path)));
    if ours.is_empty() == answer.validator.is_valid(body) {
        return Ok(());
    }
    let theirs = answer.validator.iter_errors(body).map(|e| e.to_string()).collect::<Vec<_>>();
    Err(format!("{} {}: ours {ours:?}, theirs {theirs:?}\n{body}", answer.operation.dialect, answer.operation.id))
}

/// Whether the member is a time stamp or a decimal in any document, by its name.
fn has_format(path: &str) -> bool {
    const NAMES: [&str; 14] = [
        "created",
        "started",
        "finished",
        "deprecated",
        "announced",
        "unavailable_after",
        "not_valid_before",
        "not_valid_after",
        "delegation_last_check",
        "start",
        "net",
        "gross",
        "percentage",
        "vat_rate",
    ];
    NAMES.contains(&path.rsplit('.').next().unwrap_or(path))
}

#[test]
fn valid_answers_pass_both() {
    let answers = answers();
    assert_eq!(answers.len(), 320, "the documents hold that many answers with a body");
    for answer in &answers {
        for full in [true, false] {
            let body = instance(&answer.schema, &answer.definitions, full);
            assert!(answer.validator.is_valid(&body), "{}: {body}", answer.operation.id);
            agree(answer, &body).unwrap();
            let mut pruned = body.clone();
            answer.operation.response(answer.status).unwrap().prune(&mut pruned);
            assert_eq!(pruned, body, "{}: pruning must not touch what is documented", answer.operation.id);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn verdicts_agree_on_mutated_answers(which: usize, full: bool, places in prop::collection::vec((0usize..300, 0usize..10), 1..3)) {
        thread_local!(static ANSWERS: Vec<Answer> = answers());
        ANSWERS.with(|answers| {
            let answer = &answers[which % answers.len()];
            let mut body = instance(&answer.schema, &answer.definitions, full);
            for (nth, how) in places {
                mutate(&mut body, &mut { nth }, how);
            }
            agree(answer, &body).map_err(TestCaseError::fail)
        })?;
    }
}

/// Members in which examples of the documents break the schema beside them.
const BROKEN_EXAMPLES: [&str; 13] = [
    "2023-07 update_image 200 image.build_id",
    "2023-07 create_load_balancer 201 load_balancer.targets[0].targets[0].label_selector",
    "2023-07 update_load_balancer 200 load_balancer.targets[0].targets[0].label_selector",
    "2023-07 create_server 201 server.image.architecture",
    "2026-02 create_storage_box 201 action.error",
    "2026-02 create_storage_box 201 storage_box.stats",
    "2026-02 create_storage_box 201 storage_box.storage_box_type.deprecation",
    "2026-02 create_storage_box 201 storage_box.username",
    "2026-02 list_storage_box_snapshots 200 snapshots[0].labels.just-a-key",
    "2026-02 list_storage_box_snapshots 200 snapshots[1].created",
    "2026-02 list_storage_box_snapshots 200 snapshots[1].labels.just-a-key",
    "2026-02 list_storage_box_subaccounts 200 subaccounts[0].created",
    "2026-02 list_storage_box_subaccounts 200 subaccounts[0].labels.just-a-key",
];

/// The examples stand in the reference documents, which are not part of this repository: without them there is
/// nothing to check here, and `cargo xtask contract --check` says so.
#[test]
fn examples_of_the_documents_pass() {
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference");
    let (mut checked, mut failures) = (0, Vec::new());
    for (dialect, name) in
        [(Dialect::D2023_07, "cloud-openapi-2023.json"), (Dialect::D2026_02, "cloud-openapi-2026-02.json")]
    {
        let Ok(text) = std::fs::read_to_string(reference.join(name)) else { return };
        let document: Value = serde_json::from_str(&text).unwrap();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap().iter().filter(|(_, o)| o.get("responses").is_some())
            {
                let contract = Contract::of(dialect).find(&method.to_uppercase(), path).unwrap();
                for (status, response) in operation["responses"].as_object().unwrap() {
                    let Ok(status) = status.parse::<u16>() else { continue };
                    for example in examples(response) {
                        checked += 1;
                        let found = contract.check_response(status, example);
                        failures.extend(
                            found.into_iter().map(|v| format!("{dialect} {} {status} {}", contract.id, v.path)),
                        );
                    }
                }
                for example in examples(&operation["requestBody"]) {
                    checked += 1;
                    let found = contract.check_request(example).violations;
                    failures.extend(found.into_iter().map(|v| format!("{dialect} {} request {}", contract.id, v.path)));
                }
            }
        }
    }
    assert!(checked > 200, "{checked}");
    assert_eq!(failures, BROKEN_EXAMPLES);
}

fn examples(holder: &Value) -> Vec<&Value> {
    let content = &holder["content"]["application/json"];
    let several = content["examples"].as_object().into_iter().flatten().map(|(_, example)| &example["value"]);
    content.get("example").into_iter().chain(several).collect()
}
