//! A run: one list of transitions, each predicted, done and compared.

use crate::model::Model;
use crate::step::{Step, What};
use crate::system::System;
use crate::{recall, view, world};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use wolke_domain::{Error, Result};
use wolke_wire::ErrorCode;

/// How often each outcome was seen.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report(BTreeMap<String, usize>);

impl Report {
    pub fn add(&mut self, other: Self) {
        other.0.into_iter().for_each(|(outcome, n)| *self.0.entry(outcome).or_default() += n);
    }

    pub fn has(&self, outcome: &str) -> bool {
        self.0.contains_key(outcome)
    }

    fn note(&mut self, outcome: &str) {
        *self.0.entry(outcome.to_owned()).or_default() += 1;
    }
}

/// A list that fails.
pub struct Failure {
    pub reason: String,
    /// The transitions that were done, with what came of them.
    pub log: String,
    /// How many transitions were done.
    pub at: usize,
}

/// Runs a list and lets everything come to rest.
pub fn run(steps: &[Step]) -> Result<Report, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (mut system, mut model) = System::new().await;
        let (mut report, mut log) = (Report::default(), String::new());
        let last = Step { by: 0, what: What::World(world::Step::Rest), lost: false };
        for (number, step) in steps.iter().chain([&last]).enumerate() {
            let step = step.resolved(&model);
            _ = write!(log, "{:>3}. {step:?}", number + 1);
            match transition(&step, &mut model, &mut system).await {
                Ok(outcome) => {
                    _ = writeln!(log, ": {outcome}");
                    report.note(&format!("{} {outcome}", step.noun()));
                }
                Err(error) => {
                    let reason = error.to_string();
                    _ = writeln!(log, ": WRONG, {reason}");
                    return Err(Failure { reason, log, at: number + 1 });
                }
            }
        }
        Ok(report)
    })
}

async fn transition(step: &Step, model: &mut Model, system: &mut System) -> Result<&'static str> {
    let mut next = model.clone();
    let predicted = step.predict(&mut next);
    let done = match step.perform(model, system).await {
        Err(error @ (Error::Internal { .. } | Error::Unavailable { .. })) => return Err(error),
        done => done,
    };
    let done = match done {
        Ok(_) if step.lost => {
            system.restart().await;
            Ok(recall::answer(step, model, system).await?)
        }
        done => done,
    };
    let outcome = match (&predicted, done) {
        (Ok(()), Ok(answer)) => {
            step.learn(&mut next, &answer);
            *model = next;
            "ok"
        }
        (Err(code), Err(error)) if *code == error.code() => code.as_str(),
        (predicted, done) => return Err(surprise(predicted, done)),
    };
    view::look(model, system, matches!(step.what, What::World(_))).await?;
    if matches!(step.what, What::World(world::Step::Rest)) {
        view::at_rest(model, system).await?;
    }
    view::check(model, system).await?;
    Ok(outcome)
}

fn surprise(predicted: &Result<(), ErrorCode>, done: Result<serde_json::Value>) -> Error {
    let predicted = match predicted {
        Ok(()) => "to be accepted".to_owned(),
        Err(code) => format!("{code}"),
    };
    let done = match done {
        Ok(answer) => format!("was accepted: {answer}"),
        Err(error) => format!("was refused: {error}"),
    };
    Error::internal(format!("predicted {predicted}, it {done}"))
}
