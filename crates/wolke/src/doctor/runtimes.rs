//! What this machine can run real servers with: containers, virtual machines. Of no matter where all servers are simulated.

use super::{Check, Patient, one_line};
use crate::command::image;
use std::collections::BTreeSet;
use wolke_host::Runtime;
use wolke_linux::doctor::{self, Finding};

/// What is said where no package helps.
const NO_PACKAGE: &str =
    "run `wolke doctor` and `wolke serve --host linux` as root, on a machine or in a container that allows it";

pub(super) fn check(patient: &Patient<'_>) -> Vec<Check> {
    let wanted: BTreeSet<Runtime> = patient.settings.linux.iter().flat_map(|linux| runtimes(&linux.choice)).collect();
    let layout = image::layout(patient.settings);
    let of = |(name, runtime)| judge(name, wanted.contains(&runtime), &doctor::check(runtime, &layout));
    [("containers", Runtime::Container), ("virtual machines", Runtime::Machine)].map(of).into()
}

/// The runtimes that servers get.
fn runtimes(choice: &wolke_host::RuntimeChoice) -> impl Iterator<Item = Runtime> {
    [choice.shared, choice.dedicated].into_iter().chain(choice.types.values().copied())
}

/// What is not wanted cannot keep a server from working.
fn judge(name: &'static str, wanted: bool, finding: &Finding) -> Check {
    if finding.is_usable() {
        let remark = finding.remark.as_ref().map(|remark| format!(": {remark}")).unwrap_or_default();
        return Check::ok(name, one_line(&format!("this machine can run servers as {name}{remark}")));
    }
    let fix = finding.install().unwrap_or_else(|| NO_PACKAGE.to_owned());
    let reasons = one_line(&finding.reasons());
    match wanted {
        true => Check::fail(name, format!("servers shall be {name}, and this machine cannot run them: {reasons}"), fix),
        false => Check::warning(name, format!("servers can be simulated here, but not be {name}: {reasons}"), fix),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Grade;
    use super::judge;
    use wolke_host::Runtime;
    use wolke_linux::doctor::{Finding, Problem};

    #[test]
    fn what_nobody_wants_does_not_fail() {
        let mut finding = Finding { runtime: Runtime::Container, problems: Vec::new(), remark: Some("slow".into()) };
        let check = judge("containers", true, &finding);
        assert_eq!(
            (check.status, check.message.as_str()),
            (Grade::Ok, "this machine can run servers as containers: slow")
        );
        finding.problems.push(Problem { what: "no program lxc-start".into(), package: Some("lxc") });
        let (fail, warning) = (judge("containers", true, &finding), judge("containers", false, &finding));
        assert_eq!((fail.status, warning.status), (Grade::Fail, Grade::Warning));
        assert!(fail.message.ends_with("cannot run them: no program lxc-start"), "{fail:?}");
        assert_eq!(fail.fix.as_deref(), Some("apt-get install --no-install-recommends lxc"));
        finding.problems = vec![Problem { what: "it takes root".into(), package: None }];
        assert!(judge("containers", true, &finding).fix.unwrap().contains("as root"));
    }
}
