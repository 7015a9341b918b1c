//! What is kept of health checks that take time, and who wakes whoever keeps it.

use crate::common::Engine;
use crate::{networks, sample};
use wolke_domain::load_balancer::verdict::{Pace, Verdict, Watch};
use wolke_domain::load_balancer::{Aim, Target};
use wolke_domain::server::Status;
use wolke_store::load_balancer_health::{self as kept, Checked, Watches};
use wolke_store::strand::{self, NEVER, NewStrand};
use wolke_store::{Race, Tx, invariant, load_balancer, network, resource, server};
use wolke_wire::cloud::load_balancer::{HealthCheck, HealthCheckProtocol, HealthStatus};
use wolke_wire::{Id, Kind, Timestamp};

crate::on_both_engines!(World: a_life, whatever_touches_wakes, one_after_the_other, broken_rows_are_found);

const HEALTHY: Verdict = Verdict { status: HealthStatus::Healthy, detail: None, http_status_code: None };

fn watch() -> Watch {
    let check =
        HealthCheck { protocol: HealthCheckProtocol::Tcp, port: 80, interval: 15, timeout: 10, retries: 3, http: None };
    Watch::new(Timestamp(5), HEALTHY, &Pace::of(&check))
}

/// A load balancer, and a server that it names.
fn made(engine: &Engine, project: Id, name: &'static str) -> (Id, Id) {
    engine.write(move |tx| {
        let mut target = sample::server(tx, project, name, &[])?;
        target.status = Status::Off;
        server::insert(tx, &target)?;
        let mut new = sample::load_balancer(tx, project, name)?;
        new.details.targets = vec![Aim { to: Target::Server(target.id), use_private_ip: false }];
        load_balancer::insert(tx, &new)?;
        Ok((new.id, target.id))
    })
}

/// Gives a load balancer a calendar that nobody wakes by himself.
fn begun(tx: &mut dyn Tx, project: Id, id: Id) -> wolke_domain::Result<Id> {
    let calendar = NewStrand {
        kind: "load_balancer_calendar",
        project,
        scope: vec![Race::Project(project)],
        step: "keep",
        frame: "{}".into(),
        action: None,
        locks: Vec::new(),
        always: false,
    };
    let strand = strand::insert_asleep(tx, &calendar, NEVER)?;
    kept::begin(tx, id, strand)?;
    Ok(strand)
}

fn a_life(engine: &Engine) {
    let project = engine.write(sample::project);
    let (id, server) = made(engine, project, "one");
    let calendar = move |tx: &mut dyn Tx| kept::calendar(tx, id);
    assert_eq!(engine.read(calendar), None);
    assert!(!engine.write(move |tx| kept::end(tx, id)), "there was nothing");
    let first = engine.write(move |tx| begun(tx, project, id));
    assert_eq!(engine.read(calendar), Some(first));
    let second = engine.write(move |tx| begun(tx, project, id));
    assert_eq!(engine.read(calendar), Some(second), "it took over");
    engine.write(move |tx| strand::dismiss(tx, first));
    let of = |server: Id, ip: &str| Checked { server, ip: ip.into(), private: server > 0 };
    let (named, at) = (of(server, ""), of(0, "203.0.113.7"));
    let keep = |target: &Checked, watches: Watches| {
        let target = target.clone();
        engine.write(move |tx| kept::put(tx, id, &target, &watches));
    };
    keep(&named, Watches::new());
    keep(&named, Watches::from([(80, watch()), (443, watch())]));
    keep(&at, Watches::from([(80, watch())]));
    let all = engine.read(move |tx| kept::of(tx, id));
    assert_eq!(all.keys().collect::<Vec<_>>(), [&at, &named]);
    assert_eq!(all[&named], Watches::from([(80, watch()), (443, watch())]));
    engine.read(invariant::check);
    engine.write(move |tx| kept::forget(tx, id, &at));
    assert_eq!(engine.read(move |tx| kept::of(tx, id)).into_keys().collect::<Vec<_>>(), [named]);
    engine.write(move |tx| {
        let old = load_balancer::expect(tx, project, id)?;
        sample::remove_load_balancer(tx, &old.value)
    });
    assert!(engine.read(move |tx| kept::of(tx, id)).is_empty());
    assert_eq!(engine.read(calendar), None);
    assert!(engine.read(move |tx| strand::get(tx, second)).is_none(), "the calendar goes with it");
    engine.read(invariant::check);
}

/// A change, by the project, the load balancer, and its target.
type Change<'a> = &'a dyn Fn(&Engine, Id, Id, Id);

fn whatever_touches_wakes(engine: &Engine) {
    let project = engine.write(sample::project);
    let (id, server) = made(engine, project, "one");
    let (other, _) = made(engine, project, "two");
    let calendars = engine.write(move |tx| Ok([begun(tx, project, id)?, begun(tx, project, other)?]));
    let net = engine.write(move |tx| {
        let new = networks::sample(tx, project, "net", &[])?;
        network::insert(tx, &new)?;
        let member = wolke_domain::action::Target::new(Kind::LoadBalancer, id);
        network::attach(tx, member, networks::seat(new.id, 1, "10.0.1.1", &[]))?;
        Ok(new.id)
    });
    let is_awake = |strand: Id| engine.read(move |tx| strand::get(tx, strand)).unwrap().wake_at < NEVER;
    let rev = || engine.read(move |tx| load_balancer::expect(tx, project, id)).rev;
    let changes: [(&str, Change); 5] = [
        ("touch", &|engine, _, id, _| engine.write(move |tx| resource::touch(tx, Kind::LoadBalancer, id))),
        ("update", &|engine, project, id, _| {
            engine.write(move |tx| {
                let old = load_balancer::expect(tx, project, id)?;
                let mut new = old.value.clone();
                new.details.public_interface = !new.details.public_interface;
                load_balancer::update(tx, &old, &new)
            });
        }),
        ("its server is touched", &|engine, _, _, server| {
            engine.write(move |tx| resource::touch(tx, Kind::Server, server));
        }),
        ("its server starts", &|engine, _, _, server| {
            engine.write(move |tx| server::set_status(tx, server, Status::Running, None));
        }),
        ("its network changes", &|engine, _, _, _| engine.write(move |tx| network::touch_balancers(tx, net))),
    ];
    for (what, change) in changes {
        engine.write(move |tx| {
            calendars.iter().try_for_each(|strand| strand::reschedule(tx, *strand, NEVER).map(|_| ()))
        });
        let before = rev();
        change(engine, project, id, server);
        assert!(rev() > before, "{what}");
        assert_eq!(calendars.map(is_awake), [true, false], "{what}");
    }
    engine.write(move |tx| strand::reschedule(tx, calendars[0], NEVER));
    let before = rev();
    engine.write(move |tx| kept::show(tx, id));
    assert_eq!((rev(), is_awake(calendars[0])), (before + 1, false), "its own verdicts are no news to it");
}

fn one_after_the_other(engine: &Engine) {
    let project = engine.write(sample::project);
    let ids = ["a", "b", "c", "d"].map(|name| made(engine, project, name).0);
    engine.write(move |tx| begun(tx, project, ids[1]));
    engine.write(move |tx| begun(tx, project, ids[3]));
    let of_pace = |takes_time: bool, behind: Id, limit: i64| -> Vec<(Id, Id)> {
        engine.read(move |tx| kept::of_pace(tx, takes_time, behind, limit))
    };
    assert_eq!(of_pace(true, 0, 9), [(ids[1], project), (ids[3], project)]);
    assert_eq!(of_pace(true, ids[1], 9), [(ids[3], project)]);
    assert_eq!(of_pace(false, 0, 1), [(ids[0], project)]);
    assert_eq!(of_pace(false, ids[0], 9), [(ids[2], project)]);
}

fn broken_rows_are_found(engine: &Engine) {
    let project = engine.write(sample::project);
    let (id, server) = made(engine, project, "one");
    let is_found = |what: &str, error: wolke_domain::Error| assert!(error.to_string().contains(what), "{error}");
    let target = Checked { server, ip: String::new(), private: false };
    let found = engine.try_write(move |tx| {
        kept::put(tx, id, &target, &Watches::new())?;
        invariant::check(tx)
    });
    is_found("HEALTH_WITHOUT_CHECKER", found.unwrap_err());
    let found = engine.try_write(move |tx| {
        kept::begin(tx, id, 4711)?;
        invariant::check(tx)
    });
    is_found("CHECKER_WITHOUT_CALENDAR", found.unwrap_err());
    let found = engine.try_write(move |tx| {
        begun(tx, project, id)?;
        begun(tx, project, id)?;
        invariant::check(tx)
    });
    is_found("SLEEPS_FOR_EVER", found.unwrap_err());
}
