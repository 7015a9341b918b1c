//! Prints JSON so that people can read it: what fits on a line stands on one, the rest is broken and indented.

use serde_json::Value;

/// The width that a value may take on one line.
const WIDTH: usize = 118;

/// The text of `value`, with a line feed at the end.
pub(super) fn pretty(value: &Value) -> String {
    let mut text = String::new();
    put(&mut text, value, 0, 0);
    text.push('\n');
    text
}

/// `used` is the width of what stands before the value on its line, `depth` the indentation in steps of two.
fn put(text: &mut String, value: &Value, depth: usize, used: usize) {
    let line = on_one_line(value);
    if line.len() + used < WIDTH && !is_operation(value) {
        text.push_str(&line);
        return;
    }
    let pad = "  ".repeat(depth + 1);
    match value {
        Value::Object(members) => {
            text.push('{');
            for (i, (key, member)) in members.iter().enumerate() {
                text.push_str(if i == 0 { "\n" } else { ",\n" });
                let head = format!("{pad}{}: ", Value::from(key.as_str()));
                text.push_str(&head);
                put(text, member, depth + 1, head.len());
            }
            text.push('\n');
            text.push_str(&"  ".repeat(depth));
            text.push('}');
        }
        Value::Array(items) if items.iter().all(|item| !item.is_object()) => fill(text, items, depth),
        Value::Array(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                text.push_str(if i == 0 { "\n" } else { ",\n" });
                text.push_str(&pad);
                put(text, item, depth + 1, pad.len());
            }
            text.push('\n');
            text.push_str(&"  ".repeat(depth));
            text.push(']');
        }
        _ => text.push_str(&line),
    }
}

/// Long lists of words are filled like a paragraph.
fn fill(text: &mut String, items: &[Value], depth: usize) {
    let pad = "  ".repeat(depth + 1);
    text.push_str("[\n");
    text.push_str(&pad);
    let mut used = pad.len();
    for (i, item) in items.iter().enumerate() {
        let comma = if i + 1 == items.len() { "" } else { "," };
        let word = format!("{}{comma}", on_one_line(item));
        if i > 0 && used + word.len() + 1 > WIDTH {
            text.push('\n');
            text.push_str(&pad);
            used = pad.len();
        } else if i > 0 {
            text.push(' ');
            used += 1;
        }
        text.push_str(&word);
        used += word.len();
    }
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
    text.push(']');
}

fn is_operation(value: &Value) -> bool {
    value.get("method").is_some() && value.get("path").is_some() || value.get("operations").is_some()
}

fn on_one_line(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let inner: Vec<String> =
                members.iter().map(|(k, v)| format!("{}: {}", Value::from(k.as_str()), on_one_line(v))).collect();
            format!("{{{}}}", inner.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(on_one_line).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}
