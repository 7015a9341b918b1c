//! What the client suites rely on in the built-in catalogue (fact sheet §8), and the rules of what is shown when.

use wolke_wire::cloud::{self, Architecture};
use wolke_wire::{IdOrName, Timestamp};

use super::{Catalogue, CatalogueError};

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
    assert_eq!(builtin().recommended_datacenter().unwrap().id, 4);
    let fsn1 = builtin().datacenter_in(1).unwrap();
    assert!(fsn1.available.contains(&109) && !fsn1.supported.contains(&1) && !fsn1.available.contains(&1));
}

#[test]
fn server_types() {
    let listed: Vec<_> = builtin().listed_server_types(today()).map(|t| t.id).collect();
    assert_eq!(&listed[..2], [22, 23]);
    assert!(!listed.contains(&1));
    let cpx22 = builtin().server_type_by_id(109).unwrap();
    let wire = json(cloud::server_type::ServerType::from(cpx22));
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
        let wire = cloud::server_type::ServerType::from(kind);
        let located: Vec<_> = wire.locations.iter().map(|l| &l.name).collect();
        let priced: Vec<_> = wire.prices.iter().map(|p| &p.location).collect();
        assert_eq!(located, priced);
    }
}

#[test]
fn a_removed_type_stays_readable() {
    let cx11 = builtin().server_type(&IdOrName::from("cx11")).unwrap();
    let wire = json(cloud::server_type::ServerType::from(cx11));
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
    let wire = json(cloud::image::Image::from(builtin().image_by_id(161_547_269).unwrap()));
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
fn broken_catalogues_are_refused() {
    let text = include_str!("../catalogue.toml");
    let broken = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Catalogue::parse(&text.replacen(from, to, 1)).unwrap_err()
    };
    assert!(matches!(broken("id = 2\n", "id = 1\n"), CatalogueError::Duplicate { what: "location id", .. }));
    assert!(matches!(broken("name = \"cpx21\"", "name = \"cpx11\""), CatalogueError::Duplicate { .. }));
    assert!(matches!(broken("\"fsn1\", \"nbg1\"", "\"fsn1\", \"fsn1\""), CatalogueError::Duplicate { .. }));
    assert!(matches!(broken("location = \"hel1\"", "location = \"hel9\""), CatalogueError::UnknownLocation { .. }));
    assert!(matches!(broken("monthly = \"", "monthly = \"x"), CatalogueError::Price { .. }));
    assert!(matches!(broken("cores = ", "kernels = "), CatalogueError::Syntax(_)));
}
