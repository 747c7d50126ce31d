//! What became of a module's cases, and how it compares with the reference.

use std::collections::BTreeMap;

use super::record::Record;

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Case {
    Passed,
    Skipped(String),
    Failed(String),
    Crashed(String),
    Hung,
}

/// What became of a module.
#[derive(Default, Debug)]
pub struct Outcome {
    pub cases: BTreeMap<String, Case>,
    /// The module did not come to its cases, and why.
    pub cannot_start: Option<String>,
    pub module_skipped: Option<String>,
    /// Errors outside of cases: `setUpClass` and such, by name.
    pub fixtures: Vec<(String, String)>,
    /// The case that was begun last and has not ended.
    pub running: Option<String>,
    /// The driver came to its end.
    pub ended: bool,
    /// Crashes and hangs outside of cases.
    pub died_outside: Vec<Case>,
}

impl Outcome {
    /// Reads a driver's notes.
    pub fn parse(notes: &str) -> Outcome {
        let mut out = Outcome::default();
        for line in notes.lines() {
            let mut fields = line.split('\t');
            let mut field = || fields.next().unwrap_or_default().to_owned();
            let (what, name, reason) = (field(), field(), field());
            let case = match what.as_str() {
                "start" => {
                    out.running = Some(name);
                    continue;
                }
                "passed" => Case::Passed,
                "skipped" => Case::Skipped(reason),
                "failed" => Case::Failed(reason),
                "crashed" => Case::Crashed(reason),
                "hung" => Case::Hung,
                "cannot_start" => {
                    out.cannot_start = Some(reason);
                    continue;
                }
                "module_skipped" => {
                    out.module_skipped = Some(reason);
                    continue;
                }
                "fixture" => {
                    out.fixtures.push((name, reason));
                    continue;
                }
                "end" => {
                    out.ended = true;
                    continue;
                }
                _ => continue,
            };
            out.running = None;
            if name.is_empty() {
                out.died_outside.push(case);
            } else {
                out.cases.insert(name, case);
            }
        }
        out
    }

    /// Why a case that the reference has was not run.
    fn why_missing(&self, name: &str) -> String {
        // `setUpClass (test.test_x.Class)`
        let class = name.rsplit_once('.').map_or(name, |(class, _)| class);
        let own = self.fixtures.iter().find(|(fixture, _)| fixture.trim_end_matches(')').ends_with(class));
        match own.or(self.fixtures.first()) {
            Some((fixture, reason)) => format!("not run: {fixture}: {reason}"),
            None => "not run".to_owned(),
        }
    }
}

/// A module's outcome beside the reference's.
pub struct Compared {
    /// Cases that the reference passes.
    pub of: usize,
    /// Those of them that pass here.
    pub passed: usize,
    /// Those of them that do not, with the reason. Empty if the module cannot start.
    pub failures: BTreeMap<String, String>,
    pub cannot_start: Option<String>,
    pub crashed: usize,
    pub hung: usize,
    /// Crashes and hangs, for the list of faults.
    died: Vec<String>,
    passing: Vec<String>,
}

impl Compared {
    pub fn new(expected: &Outcome, found: &Outcome) -> Compared {
        let wanted = expected.cases.iter().filter(|(_, case)| **case == Case::Passed).map(|(name, _)| name);
        let wanted: Vec<&String> = wanted.collect();
        let mut out = Compared {
            of: wanted.len(),
            passed: 0,
            failures: BTreeMap::new(),
            cannot_start: found.cannot_start.clone(),
            crashed: 0,
            hung: 0,
            died: Vec::new(),
            passing: Vec::new(),
        };
        if out.cannot_start.is_none() && !wanted.is_empty() {
            out.cannot_start = found.module_skipped.as_ref().map(|reason| format!("skipped: {reason}"));
        }
        let outside = found.died_outside.iter().map(|case| ("outside of cases", case));
        for (name, case) in found.cases.iter().map(|(n, c)| (n.as_str(), c)).chain(outside) {
            match case {
                Case::Crashed(how) => {
                    out.crashed += 1;
                    out.died.push(format!("crash: {name}: {how}"));
                }
                Case::Hung => {
                    out.hung += 1;
                    out.died.push(format!("hang: {name}"));
                }
                _ => {}
            }
        }
        if out.cannot_start.is_some() {
            return out;
        }
        for name in wanted {
            let reason = match found.cases.get(name) {
                Some(Case::Passed) => {
                    out.passed += 1;
                    out.passing.push(name.clone());
                    continue;
                }
                Some(Case::Failed(reason)) => reason.clone(),
                Some(Case::Skipped(reason)) => format!("skipped: {reason}"),
                Some(Case::Crashed(how)) => format!("crash: {how}"),
                Some(Case::Hung) => "hang".to_owned(),
                None => found.why_missing(name),
            };
            out.failures.insert(name.clone(), reason);
        }
        out
    }

    /// The counts, for the line of progress.
    pub fn line(&self) -> String {
        match &self.cannot_start {
            Some(reason) => format!("   0 of {:4}, cannot start: {reason}", self.of),
            None => {
                let mut line = format!("{:4} of {:4}", self.passed, self.of);
                for (count, what) in [(self.crashed, "crashed"), (self.hung, "hung")] {
                    if count > 0 {
                        line += &format!(", {count} {what}");
                    }
                }
                line
            }
        }
    }

    /// Prints failures that are not known, or all.
    pub fn tell(&self, module: &str, known: Option<&Record>, all: bool) {
        for (name, reason) in &self.failures {
            let is_known = known.is_none_or(|k| k.failures.contains_key(name) || k.cannot_start.is_some());
            if all || !is_known {
                println!("      {module}: {name}: {reason}");
            }
        }
        if let Some(known) = known {
            let mended = self.passing.iter().filter(|name| known.failures.contains_key(*name)).count();
            if mended > 0 {
                println!("      {module}: {mended} known failures pass now");
            }
        }
    }

    /// Regressions, crashes and hangs.
    pub fn faults(&self, module: &str, known: Option<&Record>) -> Vec<String> {
        let mut wrong: Vec<String> = self.died.iter().map(|d| format!("{d} ({module})")).collect();
        let Some(known) = known else { return wrong };
        if known.cannot_start.is_none() {
            if let Some(reason) = &self.cannot_start {
                wrong.push(format!("regression: {module} cannot start: {reason}"));
            }
            let new = self.failures.iter().filter(|(name, _)| !known.failures.contains_key(*name));
            wrong.extend(new.map(|(name, reason)| format!("regression: {module}: {name}: {reason}")));
        }
        wrong
    }

    /// What is committed about it, with what was noted by hand before.
    pub fn record(&self, before: Option<&Record>) -> Record {
        Record {
            of: self.of,
            passed: self.passed,
            cannot_start: self.cannot_start.clone(),
            why: before.and_then(|b| b.why.clone()),
            failures: self.failures.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERENCE: &str =
        "start\tA.a\t\npassed\tA.a\t\nstart\tA.b\t\npassed\tA.b\t\nstart\tA.c\t\nskipped\tA.c\tno\nend\t\t\n";

    #[test]
    fn a_case_that_did_not_run_is_a_failure() {
        let found =
            Outcome::parse("start\tA.a\t\npassed\tA.a\t\nfixture\tsetUpClass (test.t.A)\tE: x\nend\t\t\n");
        let compared = Compared::new(&Outcome::parse(REFERENCE), &found);
        assert_eq!((compared.of, compared.passed), (2, 1));
        assert_eq!(compared.failures["A.b"], "not run: setUpClass (test.t.A): E: x");
        assert_eq!(compared.faults("t", Some(&Record::default())).len(), 1);
        assert!(compared.faults("t", Some(&compared.record(None))).is_empty());
    }

    #[test]
    fn a_crash_is_a_fault_even_where_it_is_known() {
        let found = Outcome::parse(
            "start\tA.a\t\ncrashed\tA.a\tsignal 11\nstart\tA.b\t\nhung\tA.b\t\nhung\t\t\nend\t\t\n",
        );
        let compared = Compared::new(&Outcome::parse(REFERENCE), &found);
        assert_eq!((compared.crashed, compared.hung), (1, 2));
        assert_eq!(compared.faults("t", Some(&compared.record(None))).len(), 3);
    }

    #[test]
    fn what_was_running_is_known() {
        let found = Outcome::parse("start\tA.a\t\npassed\tA.a\t\nstart\tA.b\t\n");
        assert_eq!(found.running.as_deref(), Some("A.b"));
        assert!(!found.ended);
    }
}
