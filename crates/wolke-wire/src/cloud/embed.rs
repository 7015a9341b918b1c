//! Places where an object stands inside another one.
//!
//! An object is rendered and cached on its own; where it embeds another one it holds a marker, and the renderer puts
//! the other object's own rendering there (design §4). The marker is the JSON string `"\u0000kind:id"`. Data cannot
//! look like it, because U+0000 is refused at the edge.

use serde::{Serialize, Serializer};

use crate::{Id, Kind};

/// How a marker begins in rendered JSON: the opening quote and the escaped U+0000.
const MARKER: &[u8] = b"\"\\u0000";

/// The object that stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Embed(pub Kind, pub Id);

impl Serialize for Embed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("\0{}:{}", self.0.singular(), self.1))
    }
}

/// A piece of rendered JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'a> {
    /// Bytes that are final.
    Json(&'a [u8]),
    /// Another object's rendering goes here.
    Embed(Embed),
}

/// Cuts rendered JSON at its markers. Joined again, with renderings for the markers, the segments are the answer.
#[must_use]
pub fn segments(json: &[u8]) -> Segments<'_> {
    Segments { rest: json, next: None }
}

/// The iterator of [`segments`].
#[derive(Clone, Debug)]
pub struct Segments<'a> {
    rest: &'a [u8],
    next: Option<Embed>,
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        if let Some(embed) = self.next.take() {
            return Some(Segment::Embed(embed));
        }
        if self.rest.is_empty() {
            return None;
        }
        let mut from = 0;
        while let Some(at) = find(self.rest, from) {
            let (json, marked) = self.rest.split_at(at);
            if let Some((embed, length)) = parse(marked) {
                self.rest = marked.get(length..).unwrap_or_default();
                if json.is_empty() {
                    return Some(Segment::Embed(embed));
                }
                self.next = Some(embed);
                return Some(Segment::Json(json));
            }
            // Cannot come from `Embed`; then it is data and stays as it is.
            from = at + MARKER.len();
        }
        Some(Segment::Json(std::mem::take(&mut self.rest)))
    }
}

/// The next place where a marker begins. Looks for backslashes, which are rare in JSON, so that the scan is cheap.
fn find(json: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += json.get(at..)?.iter().position(|byte| *byte == b'\\')?;
        let start = at.checked_sub(1);
        at += 1;
        if let Some(start) = start.filter(|start| json.get(*start..).is_some_and(|tail| tail.starts_with(MARKER))) {
            return Some(start);
        }
    }
}

/// Reads the marker at the start of `json`; also says how long it is.
fn parse(json: &[u8]) -> Option<(Embed, usize)> {
    let body = json.get(MARKER.len()..)?;
    let end = body.iter().position(|byte| *byte == b'"')?;
    let text = std::str::from_utf8(body.get(..end)?).ok()?;
    let (kind, id) = text.split_once(':')?;
    Some((Embed(Kind::from_singular(kind)?, id.parse().ok()?), MARKER.len() + end + 1))
}

#[cfg(test)]
mod tests {
    use super::{Embed, Segment, segments};
    use crate::Kind;

    #[derive(serde::Serialize)]
    struct Sample {
        name: &'static str,
        image: Option<Embed>,
        types: Vec<Embed>,
    }

    fn splice(json: &str) -> String {
        let mut text = String::new();
        for segment in segments(json.as_bytes()) {
            match segment {
                Segment::Json(bytes) => text.push_str(std::str::from_utf8(bytes).unwrap()),
                Segment::Embed(Embed(kind, id)) => text.push_str(&format!("{{\"{kind}\":{id}}}")),
            }
        }
        text
    }

    #[test]
    fn markers_are_found_and_nothing_else() {
        // The literal characters backslash, u, 0, 0, 0, 0 are harmless: JSON escapes the backslash.
        let sample = Sample {
            name: "\\u0000server:1 \"\\u0000server:1\"",
            image: Some(Embed(Kind::Image, 7)),
            types: vec![Embed(Kind::ServerType, 1), Embed(Kind::ServerType, 22)],
        };
        let json = serde_json::to_string(&sample).unwrap();
        assert!(json.contains(r#""image":"\u0000image:7""#), "{json}");
        assert_eq!(segments(json.as_bytes()).filter(|s| matches!(s, Segment::Embed(_))).count(), 3);
        let spliced: serde_json::Value = serde_json::from_str(&splice(&json)).unwrap();
        assert_eq!(spliced["name"], sample.name);
        assert_eq!(spliced["image"], serde_json::json!({"image": 7}));
        assert_eq!(spliced["types"], serde_json::json!([{"server_type": 1}, {"server_type": 22}]));
    }

    #[test]
    fn edges() {
        assert_eq!(segments(b"").count(), 0);
        assert_eq!(splice("{}"), "{}");
        assert_eq!(splice("\"\\u0000image:7\""), "{\"image\":7}");
        assert_eq!(splice("\"\\u0000nonsense:7\" \"\\u0000image:8\""), "\"\\u0000nonsense:7\" {\"image\":8}");
    }
}
