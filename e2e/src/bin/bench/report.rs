//! The table and the JSON file of a run: every figure beside its floor and its target.

use serde_json::{Value, json};
use std::path::Path;

/// What a figure must keep.
#[derive(Clone, Copy)]
pub enum Target {
    /// Nothing: the figure informs.
    None,
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
}

/// One figure.
pub struct Row {
    /// What was measured.
    pub name: String,
    /// The figure.
    pub value: f64,
    /// Unit of figure, floor and target.
    pub unit: &'static str,
    /// The same of the floor, measured in the same run.
    pub floor: Option<f64>,
    /// What the figure must keep, already computed from the floor.
    pub target: Target,
    /// More figures for the JSON file.
    pub details: Value,
}

impl Row {
    /// A figure with its unit, without floor, target or details.
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Row { name: name.into(), value, unit, floor: None, target: Target::None, details: Value::Null }
    }

    /// With the floor's figure.
    pub fn floor(mut self, floor: f64) -> Self {
        self.floor = Some(floor);
        self
    }

    /// With a target.
    pub fn target(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// With details for the JSON file.
    pub fn details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// Whether the target is kept; `None` without one.
    fn kept(&self) -> Option<bool> {
        match self.target {
            Target::None => None,
            Target::AtMost(limit) => Some(self.value <= limit),
            Target::AtLeast(limit) => Some(self.value >= limit),
        }
    }

    fn cells(&self) -> [String; 5] {
        let target = match self.target {
            Target::None => String::new(),
            Target::AtMost(limit) => format!("≤ {}", figure(limit)),
            Target::AtLeast(limit) => format!("≥ {}", figure(limit)),
        };
        let verdict = match self.kept() {
            None => "",
            Some(true) => "yes",
            Some(false) => "NO",
        };
        let floor = self.floor.map(figure).unwrap_or_default();
        [self.name.clone(), format!("{} {}", figure(self.value), self.unit), floor, target, verdict.to_owned()]
    }

    fn json(&self) -> Value {
        let (at_least, at_most) = match self.target {
            Target::None => (None, None),
            Target::AtMost(limit) => (None, Some(limit)),
            Target::AtLeast(limit) => (Some(limit), None),
        };
        json!({
            "name": self.name, "value": self.value, "unit": self.unit, "floor": self.floor,
            "at_least": at_least, "at_most": at_most, "kept": self.kept(), "details": self.details,
        })
    }
}

/// Three significant digits for small figures, whole numbers for large ones.
fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// The rows as a Markdown table, columns aligned for a terminal.
pub fn table(rows: &[Row]) -> String {
    let head = ["figure", "measured", "floor", "target", "kept"].map(str::to_owned);
    let cells: Vec<[String; 5]> = std::iter::once(head).chain(rows.iter().map(Row::cells)).collect();
    let widths: [usize; 5] =
        std::array::from_fn(|column| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let mut text = String::new();
    for (number, row) in cells.iter().enumerate() {
        let padded: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(&format!("| {} |\n", padded.join(" | ")));
        if number == 0 {
            let dashes: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            text.push_str(&format!("| {} |\n", dashes.join(" | ")));
        }
    }
    text
}

/// Writes the rows and what they were measured on.
pub fn write(path: &Path, rows: &[Row], machine: Value) -> std::io::Result<()> {
    let report = json!({"machine": machine, "rows": rows.iter().map(Row::json).collect::<Vec<_>>()});
    std::fs::write(path, serde_json::to_string_pretty(&report)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_whether_it_keeps_its_target() {
        let row = Row::new("list", 59.9, "req/s").floor(100.0).target(Target::AtLeast(60.0));
        assert_eq!(row.kept(), Some(false));
        assert!(table(&[row]).ends_with("| list   | 59.9 req/s | 100   | ≥ 60.0 | NO   |\n"));
        assert_eq!(Row::new("x", 1.0, "s").target(Target::AtMost(1.0)).kept(), Some(true));
        assert_eq!(Row::new("x", 1.0, "s").kept(), None);
    }
}
