//! Sums what many test binaries said into one closing line.
//!
//! cargo prints one `test result:` line per binary; whoever reads the end of a run wants one line for all of them.

/// What a run of several test binaries came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Tests that ran and passed.
    pub passed: i64,
    /// Tests that failed, or binaries that ended without a result.
    pub failed: i64,
    /// Binaries that said how they ended.
    pub results: i64,
    /// Tests that did not run: ignored, or their prerequisite was missing.
    pub skipped: i64,
}

impl Summary {
    /// Takes one line of output into account.
    ///
    /// A test whose prerequisite is missing writes `SKIPPED name: reason` and returns, which its runner counts as
    /// passed; here it counts as skipped.
    pub fn read(&mut self, line: &str) {
        if let Some(counts) = line.trim_start().strip_prefix("test result:") {
            self.results += 1;
            self.passed += count(counts, "passed");
            self.failed += count(counts, "failed");
            self.skipped += count(counts, "ignored");
        } else if line.trim_start().starts_with("SKIPPED ") {
            self.skipped += 1;
            self.passed -= 1; // may be negative until the result line of its binary is read
        }
    }

    /// The sum of two runs.
    pub fn plus(self, other: Self) -> Self {
        let Self { passed, failed, results, skipped } = other;
        Self {
            passed: self.passed + passed,
            failed: self.failed + failed,
            results: self.results + results,
            skipped: self.skipped + skipped,
        }
    }

    /// True when something ran and nothing failed.
    pub fn good(self) -> bool {
        self.failed == 0 && self.passed > 0
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// The number before `word` in a line such as ` ok. 12 passed; 0 failed; 3 ignored;`.
fn count(line: &str, word: &str) -> i64 {
    let mut previous = "";
    for token in line.split([' ', ';']).filter(|token| !token.is_empty()) {
        if token == word {
            return previous.parse().unwrap_or(0);
        }
        previous = token;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_results_and_skips() {
        let mut summary = Summary::default();
        // Standard error is not in step with standard output: a skip may be read before its binary's result.
        summary.read("SKIPPED kill: no server");
        summary.read("test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.01s");
        summary.read("SKIPPED two_processes: no PostgreSQL");
        summary.read("test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        summary.read("test something ... ok");
        assert_eq!(summary.to_string(), "11 passed, 2 failed, 5 skipped");
        assert!(!summary.good());
    }

    #[test]
    fn nothing_ran_is_not_good() {
        assert!(!Summary::default().good());
    }
}
