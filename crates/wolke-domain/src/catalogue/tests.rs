//! What the client suites rely on in the built-in catalogue (fact sheet §8), and the rules of what is shown when.

use wolke_wire::cloud::image::ImageType;
use wolke_wire::cloud::{Architecture, Deprecation};
use wolke_wire::{IdOrName, Timestamp};

use super::{Catalogue, CatalogueError, Document};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn today() -> Timestamp {
    at("2026-11-21T00:00:00Z")
}

fn builtin() -> &'static Catalogue {
    Catalogue::builtin()
}

fn json<W: serde::Serialize>(value: W) -> serde_json::Value {
    serde_json::to_value(value).unwrap()
}

#[test]
fn locations_and_datacenters() {
    let names: Vec<_> = builtin().locations.iter().map(|l| (l.id, l.name.as_str(), l.network_zone.as_str())).collect();
    assert_eq!(
        names,
        [
            (1, "fsn1", "eu-central"),
            (2, "nbg1", "eu-central"),
            (3, "hel1", "eu-central"),
            (4, "ash", "us-east"),
            (5, "hil", "us-west"),
            (6, "sin", "ap-southeast")
        ]
    );
    let centers: Vec<_> = builtin().datacenters.iter().map(|d| (d.id, d.name.as_str(), d.location)).collect();
    assert_eq!(
        centers,
        [
            (2, "nbg1-dc3", 2),
            (3, "hel1-dc2", 3),
            (4, "fsn1-dc14", 1),
            (5, "ash-dc1", 4),
            (6, "hil-dc1", 5),
            (7, "sin-dc1", 6)
        ]
    );
    assert_eq!(builtin().recommended_datacenter(today()).unwrap().id, 4);
    let fsn1 = builtin().datacenter_to_wire(builtin().datacenter_in(1).unwrap(), today()).server_types;
    assert!(fsn1.available.contains(&109) && !fsn1.supported.contains(&1) && !fsn1.available.contains(&1));
}

#[test]
fn server_types() {
    let listed: Vec<_> = builtin().listed_server_types(today()).map(|t| t.id).collect();
    assert_eq!(&listed[..2], [22, 23]);
    assert!(!listed.contains(&1));
    let cpx22 = builtin().server_type_by_id(109).unwrap();
    let wire = json(cpx22.to_wire(today()));
    assert_eq!(wire["locations"].as_array().unwrap().len(), 4);
    assert_eq!(wire["locations"][0]["name"], "fsn1");
    assert_eq!(wire["locations"][0]["deprecation"], serde_json::Value::Null);
    assert_eq!(wire["category"], "regular_purpose");
    assert_eq!(wire["memory"].to_string(), "4");
    assert_eq!(wire["included_traffic"], 0);
    assert_eq!(wire["prices"][0]["included_traffic"], 21_990_232_555_520_u64);
    assert_eq!(wire["prices"][0]["price_per_tb_traffic"]["gross"], "1.1900000000000000");
    for kind in &builtin().server_types {
        assert!(!kind.offers.is_empty(), "{}", kind.name);
        let wire = kind.to_wire(today());
        let located: Vec<_> = wire.locations.iter().map(|l| &l.name).collect();
        let priced: Vec<_> = wire.prices.iter().map(|p| &p.location).collect();
        assert_eq!(located, priced);
    }
}

#[test]
fn a_removed_type_stays_readable() {
    let cx11 = builtin().server_type(&IdOrName::from("cx11")).unwrap();
    let wire = json(cx11.to_wire(today()));
    let gone = serde_json::json!({
        "announced": "2024-06-06T08:00:00+00:00", "unavailable_after": "2024-09-06T00:00:00+00:00"
    });
    assert_eq!(wire["deprecation"], gone);
    assert_eq!(wire["deprecated"], true);
    assert_eq!((&wire["locations"][0]["id"], &wire["locations"][0]["deprecation"]), (&serde_json::json!(1), &gone));
    assert!(cx11.is_listed(at("2024-09-05T23:59:59Z")));
    assert!(!cx11.is_listed(at("2024-09-06T00:00:00Z")));
    assert!(!cx11.is_orderable_in(1, today()));
    assert_eq!(builtin().default_location(cx11, today()), None);
}

#[test]
fn images() {
    let by_name = |name: &str, architecture| builtin().image_for(&IdOrName::from(name), architecture).map(|i| i.id);
    assert_eq!(by_name("ubuntu-24.04", Architecture::X86), Some(161_547_269));
    assert_eq!(by_name("ubuntu-24.04", Architecture::Arm), Some(161_547_270));
    assert_eq!(by_name("debian-12", Architecture::X86), Some(114_690_387));
    assert_eq!(by_name("debian-12", Architecture::Arm), Some(114_690_389));
    assert_eq!(by_name("ubuntu-20.04", Architecture::X86), Some(67_794_396));
    assert!(by_name("debian-13", Architecture::X86).is_some());
    // An id is an id, also as text, whatever the architecture.
    assert_eq!(by_name("161547269", Architecture::Arm), Some(161_547_269));
    assert_eq!(by_name("nonsense", Architecture::X86), None);
    assert_eq!(builtin().image_by_id(12_345), None);
    for image in &builtin().images {
        let first = builtin().images.iter().find(|other| other.name == image.name).unwrap();
        assert_eq!(first.architecture, Architecture::X86, "{}", image.name);
    }
    let wire = json(builtin().image_by_id(161_547_269).unwrap().to_wire(today()));
    assert_eq!(wire["description"], "Ubuntu 24.04");
    assert_eq!((wire["type"].as_str(), wire["status"].as_str()), (Some("system"), Some("available")));
    assert_eq!((wire["rapid_deploy"].as_bool(), wire["disk_size"].to_string().as_str()), (Some(true), "5"));
}

#[test]
fn deprecated_images_fade() {
    let image = builtin().images.iter().find(|image| image.deprecation.is_some()).unwrap();
    let deprecation = image.deprecation.unwrap();
    let shown = |now: Timestamp| (image.is_listed(now, false), image.is_listed(now, true), image.is_usable(now));
    assert_eq!(shown(deprecation.announced.plus_ms(-1)), (true, true, true));
    assert_eq!(shown(deprecation.announced), (false, true, true));
    assert_eq!(shown(deprecation.announced.plus_ms(90 * 86_400_000 - 1)), (false, true, true));
    assert_eq!(shown(deprecation.announced.plus_ms(90 * 86_400_000)), (false, false, false));
    let listed = |include| builtin().listed_images(deprecation.announced, include).any(|i| i.id == image.id);
    assert_eq!((listed(false), listed(true)), (false, true));
}

#[test]
fn servers_without_a_place_go_to_europe() {
    for name in ["cpx11", "cpx22", "cax11", "cx23", "ccx13"] {
        let kind = builtin().server_type(&IdOrName::from(name)).unwrap();
        assert_eq!(builtin().default_location(kind, today()).unwrap().network_zone, "eu-central", "{name}");
    }
    let mut overseas = builtin().server_type(&IdOrName::Id(22)).unwrap().clone();
    overseas.offers.retain(|offer| offer.location > 3);
    assert_eq!(builtin().default_location(&overseas, today()).unwrap().name, "ash");
    overseas.offers[0].available = false;
    assert_eq!(builtin().default_location(&overseas, today()).unwrap().name, "hil");
}

#[test]
fn numeric_text_is_an_id_first() {
    assert_eq!(builtin().location(&IdOrName::from("3")).unwrap().name, "hel1");
    assert_eq!(builtin().location(&IdOrName::Id(3)).unwrap().name, "hel1");
    assert_eq!(builtin().location(&IdOrName::from("hel1")).unwrap().id, 3);
    assert_eq!(builtin().location(&IdOrName::from("99")), None);
}

#[test]
fn load_balancer_types() {
    let facts: Vec<_> = builtin()
        .load_balancer_types
        .iter()
        .map(|t| (t.id, t.name.as_str(), t.max_connections, t.max_services, t.max_targets, t.max_assigned_certificates))
        .collect();
    assert_eq!(
        facts,
        [(1, "lb11", 10_000, 5, 25, 10), (2, "lb21", 20_000, 15, 75, 25), (3, "lb31", 40_000, 30, 150, 50)]
    );
    let lb11 = json(builtin().load_balancer_type(&IdOrName::from("lb11")).unwrap().to_wire(today()));
    assert_eq!((&lb11["description"], &lb11["deprecated"]), (&serde_json::json!("LB11"), &serde_json::Value::Null));
    let hel1 = lb11["prices"].as_array().unwrap().iter().find(|price| price["location"] == "hel1").unwrap();
    assert_eq!(hel1["included_traffic"], 21_990_232_555_520_u64);
}

#[test]
fn storage_box_types() {
    let tib = |n: i64| n << 40;
    let facts: Vec<_> = builtin().storage_box_types.iter().map(|t| (t.id, t.name.as_str(), t.size)).collect();
    let expected = [(1333, "bx11", tib(1)), (1334, "bx21", tib(5)), (1335, "bx31", tib(10)), (1336, "bx41", tib(20))];
    assert_eq!(facts, expected);
    let bx11 = builtin().storage_box_type(&IdOrName::from("bx11")).unwrap();
    assert!(bx11.is_orderable_in(3, today()) && !bx11.is_orderable_in(4, today()));
    let bx11 = json(bx11.to_wire(today()));
    let limits = (&bx11["snapshot_limit"], &bx11["automatic_snapshot_limit"], &bx11["subaccounts_limit"]);
    assert_eq!(limits, (&10.into(), &10.into(), &100.into()));
    assert_eq!((&bx11["description"], &bx11["deprecation"]), (&"BX11".into(), &serde_json::Value::Null));
    let price = &bx11["prices"][0];
    assert_eq!((&price["location"], &price["setup_fee"]["net"]), (&"fsn1".into(), &"0.0000000000".into()));
    assert_eq!(price["price_monthly"]["gross"], "3.8080000000000000");
}

#[test]
fn limits_of_storage_boxes_are_bounded() {
    let with = |change: &str| {
        let mut document = Document::builtin();
        let overlay = format!("[[storage_box_type]]\nname = \"bx11\"\n{change}\n");
        document.lay(&Document::parse(&overlay).unwrap()).unwrap();
        document.catalogue()
    };
    assert!(with("snapshot_limit = 1000").is_ok());
    for wrong in ["snapshot_limit = 1001", "automatic_snapshot_limit = -1", "subaccounts_limit = 1001", "size = 0"] {
        assert!(matches!(with(wrong), Err(CatalogueError::Entry { .. })), "{wrong}");
    }
}

#[test]
fn isos() {
    let of = |id| builtin().iso_by_id(id).unwrap();
    assert_eq!(of(8637).description, "Windows Server 2022 English");
    assert_eq!(of(8638).name, "SW_DVD9_Win_Server_STD_CORE_2022__64Bit_German_DC_STD_MLF_X22-74292.iso");
    let rescue = json(of(122_898).to_wire(today()));
    let shown = (rescue["name"].as_str(), rescue["type"].as_str(), rescue["architecture"].as_str());
    assert_eq!(shown, (Some("systemrescue-12.02-amd64.iso"), Some("public"), Some("x86")));
    assert_eq!(rescue["deprecation"], serde_json::Value::Null);
    let listed: Vec<_> = builtin().isos.iter().filter(|iso| iso.is_usable(today())).collect();
    assert!(listed.iter().all(|iso| iso.architecture.is_some() && !iso.name.is_empty()));
    assert!(listed.iter().filter(|iso| iso.architecture == Some(Architecture::Arm)).count() > 2);
    let old = of(4711);
    assert!(!old.is_usable(today()) && old.is_usable(at("2021-10-31T23:59:59Z")));
    let before = json(old.to_wire(at("2018-02-26T07:59:59Z")));
    let after = json(old.to_wire(at("2018-02-26T08:00:00Z")));
    assert_eq!((&before["deprecation"], &before["deprecated"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    assert_eq!(after["deprecated"], "2021-11-01T00:00:00+00:00");
}

#[test]
fn app_images() {
    let apps: Vec<_> = builtin().images.iter().filter(|image| image.kind == ImageType::App).collect();
    for name in ["docker-ce", "wordpress"] {
        assert!(apps.iter().any(|image| image.name == name), "{name}");
    }
    assert_eq!(json(apps[0].to_wire(today()))["type"], "app");
}

#[test]
fn prices() {
    let prices = json(builtin().pricing_to_wire(today()));
    assert_eq!((&prices["currency"], &prices["vat_rate"]), (&serde_json::json!("EUR"), &serde_json::json!("19.00")));
    assert_eq!(prices["server_backup"]["percentage"], "20.00");
    assert_eq!(prices["traffic"]["price_per_tb"]["net"], "0.0000000000");
    assert_eq!(prices["volume"]["price_per_gb_month"]["gross"], "0.0523600000000000");
    for (member, types) in [("floating_ips", 2), ("primary_ips", 2)] {
        assert_eq!(prices[member].as_array().unwrap().len(), types);
        assert_eq!(prices[member][0]["prices"].as_array().unwrap().len(), builtin().locations.len());
    }
    let listed: Vec<_> = builtin().listed_server_types(today()).map(|kind| kind.id).collect();
    let priced: Vec<_> = prices["server_types"].as_array().unwrap().iter().map(|t| t["id"].as_i64().unwrap()).collect();
    assert_eq!(priced, listed);
}

#[test]
fn a_type_that_ends_everywhere_ends() {
    let mut kind = builtin().server_type_by_id(109).unwrap().clone();
    let ends = |day: &str| {
        let announced = at("2026-01-01T00:00:00Z");
        Some(Deprecation { announced, unavailable_after: at(day) })
    };
    kind.offers[0].deprecation = ends("2026-12-01T00:00:00Z");
    assert_eq!(kind.shown_deprecation(today()), None);
    kind.offers.iter_mut().for_each(|offer| offer.deprecation = ends("2026-12-01T00:00:00Z"));
    kind.offers[1].deprecation = ends("2027-01-01T00:00:00Z");
    assert_eq!(kind.shown_deprecation(today()), ends("2027-01-01T00:00:00Z"));
    assert!(kind.is_listed(at("2026-12-31T00:00:00Z")) && !kind.is_listed(at("2027-01-01T00:00:00Z")));
}

#[test]
fn broken_catalogues_are_refused() {
    let text = include_str!("../catalogue.toml");
    let broken = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Catalogue::parse(&text.replacen(from, to, 1)).map(|_| ()).unwrap_err()
    };
    assert!(matches!(broken("id = 2\n", "id = 1\n"), CatalogueError::Duplicate { what: "location id", .. }));
    assert!(matches!(broken("name = \"cpx21\"", "name = \"cpx11\""), CatalogueError::Duplicate { .. }));
    assert!(matches!(broken("\"fsn1\", \"nbg1\"", "\"fsn1\", \"fsn1\""), CatalogueError::Duplicate { .. }));
    assert!(matches!(broken("location = \"hel1\"", "location = \"hel9\""), CatalogueError::UnknownLocation { .. }));
    assert!(matches!(broken("monthly = \"", "monthly = \"x"), CatalogueError::Price { .. }));
    assert!(matches!(broken("cores = ", "kernels = "), CatalogueError::Entry { .. }));
}
