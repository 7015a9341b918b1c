//! Overlays: what they change, add and remove, and how they are refused.

use super::{Catalogue, CatalogueError, Document};
use wolke_wire::cloud::image::ImageType;
use wolke_wire::{IdOrName, Kind, Timestamp};

fn laid(overlay: &str) -> Result<Catalogue, CatalogueError> {
    let mut document = Document::builtin();
    document.lay(&Document::parse(overlay)?)?;
    document.catalogue()
}

fn now() -> Timestamp {
    Timestamp::parse("2026-11-21T00:00:00Z").unwrap()
}

#[test]
fn single_members_change() {
    let catalogue = laid(
        r#"
        [pricing]
        currency = "USD"
        [[server_type]]
        name = "cpx22"
        memory = 6.0
        offers = [{ at = ["nbg1"], hourly = "0.5" }, { at = ["sin"], remove = true }]
        [[location]]
        id = 3
        description = "North"
        "#,
    )
    .unwrap();
    assert_eq!(catalogue.currency, "USD");
    let cpx22 = catalogue.server_type(&IdOrName::from("cpx22")).unwrap();
    assert_eq!((cpx22.id, cpx22.memory.to_string(), cpx22.disk), (109, "6".to_owned(), 80));
    let places: Vec<_> = cpx22.offers.iter().map(|o| (o.location_name.as_str(), o.hourly.net())).collect();
    assert_eq!(places[0], ("fsn1", "0.0262000000".to_owned()));
    assert_eq!(places[1], ("nbg1", "0.5000000000".to_owned()));
    assert_eq!(places.len(), 3);
    assert_eq!(catalogue.location_by_id(3).unwrap().description, "North");
    assert_eq!(catalogue.location_by_id(3).unwrap().name, "hel1");
}

#[test]
fn entries_come_and_go() {
    let catalogue = laid(
        r#"
        [[iso]]
        id = 8637
        remove = true
        [[iso]]
        id = 5000
        name = "own.iso"
        description = "Own"
        [[image]]
        type = "app"
        name = "own-app"
        description = "Own app"
        os_flavor = "debian"
        os_version = "13"
        disk_size = 20
        created = "2026-01-01T00:00:00Z"
        ids = { arm = 77 }
        [[server_type]]
        name = "cx11"
        deprecation = false
        offers = [{ at = ["fsn1"], deprecation = false, available = true }]
        "#,
    )
    .unwrap();
    assert!(catalogue.isos.iter().all(|iso| iso.id != 8637) && catalogue.iso(&IdOrName::Id(8637)).is_none());
    assert_eq!(catalogue.iso_by_id(8637), Catalogue::builtin().iso_by_id(8637), "what shows it needs it");
    assert_eq!(catalogue.iso(&IdOrName::from("own.iso")).unwrap().architecture, None);
    let app = catalogue.image_by_id(77).unwrap();
    assert_eq!((app.kind, app.name.as_str()), (ImageType::App, "own-app"));
    assert!(catalogue.server_type_by_id(1).unwrap().is_orderable_in(1, now()));
}

#[test]
fn what_is_wrong_is_said_with_its_entry() {
    let text = |overlay| laid(overlay).unwrap_err().to_string();
    assert!(text("[[iso]\n").contains("line 1"));
    assert!(text("[[server_typ]]\nname = \"x\"").contains("'server_typ' is no table of a catalogue"));
    assert!(text("[iso]\nname = \"x\"").contains("'iso' is no table"));
    assert!(text("[[server_type]]\nmemory = 1.0").contains("an entry needs an id or a name"));
    assert!(text("[[iso]]\nid = 4\nremove = true").contains("iso 4: there is no such entry to remove"));
    assert!(text("[[iso]]\nid = 4\nremove = 1").contains("remove must be true or false"));
    let text = text("[[server_type]]\nname = \"cpx99\"\ncores = 2");
    assert!(text.contains("server_type 'cpx99'") && text.contains("missing field"), "{text}");
    let text = laid("[[server_type]]\nname = \"cpx22\"\ncolour = 2").unwrap_err().to_string();
    assert!(text.contains("server_type 'cpx22'") && text.contains("colour"), "{text}");
    let duplicate = laid("[[iso]]\nid = 8637\nname = \"proxmox-ve_9.0-1.iso\"").unwrap_err();
    assert!(matches!(duplicate, CatalogueError::Duplicate { what: "iso", .. }));
    let snapshot = "[[image]]\nname = \"debian-12\"\ntype = \"snapshot\"";
    assert!(laid(snapshot).unwrap_err().to_string().contains("image 'debian-12': type must be system or app"));
    assert!(laid("[[image]]\nname = \"debian-12\"\nids = { x86 = 1000000000 }").is_err());
    let long = format!("# {}", "x".repeat(super::DOCUMENT_BYTES_MAX));
    assert!(matches!(Document::parse(&long), Err(CatalogueError::Syntax(_))));
}

#[test]
fn the_version_moves_with_dates_and_epochs() {
    let catalogue = laid(
        "[[server_type]]\nname = \"cpx22\"\noffers = [{ at = [\"hel1\"], deprecation = \
         { announced = \"2026-12-01T00:00:00Z\", unavailable_after = \"2027-01-01T00:00:00Z\" } }]",
    )
    .unwrap();
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let versions: Vec<i64> =
        ["2026-11-30T23:59:59Z", "2026-12-01T00:00:00Z", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"]
            .map(|time| catalogue.version(at(time)))
            .to_vec();
    assert!(versions[0] < versions[1] && versions[1] == versions[2] && versions[2] < versions[3]);
    let cpx22 = catalogue.server_type_by_id(109).unwrap();
    let hel1 = |time| cpx22.to_wire(at(time)).locations.into_iter().find(|l| l.name == "hel1").unwrap();
    assert!(hel1("2026-11-30T23:59:59Z").deprecation.is_none());
    assert!(hel1("2026-12-01T00:00:00Z").deprecation.is_some() && hel1("2026-12-01T00:00:00Z").available);
    assert!(!hel1("2027-01-01T00:00:00Z").available);
    let later = catalogue.at_epoch((1, 1), [(109, 1)]);
    assert!(later.version(at("2020-01-01T00:00:00Z")) > catalogue.version(at("2030-01-01T00:00:00Z")));
    assert!(!later.server_type_by_id(109).unwrap().is_orderable_in(1, now()));
    assert_eq!(later.default_location(later.server_type_by_id(109).unwrap(), now()).unwrap().name, "nbg1");
}

#[test]
fn changes_at_run_time_are_entries() {
    let overlay = Document::parse("[[iso]]\nname = \"a.iso\"\nid = 4\n[[image]]\nname = \"b\"\n").unwrap();
    let entries = overlay.entries().unwrap();
    assert_eq!(
        entries.iter().map(|(k, n, _)| (*k, n.as_str())).collect::<Vec<_>>(),
        [(Kind::Image, "b"), (Kind::Iso, "a.iso")]
    );
    let mut document = Document::builtin();
    document.lay(&Document::entry(Kind::Iso, r#"{"name": "a.iso", "id": 4, "description": "A"}"#).unwrap()).unwrap();
    assert_eq!(document.catalogue().unwrap().iso_by_id(4).unwrap().name, "a.iso");
    assert!(Document::parse("[pricing]\ncurrency = \"X\"").unwrap().entries().is_err());
    assert!(Document::parse("[[iso]]\nid = 4").unwrap().entries().is_err());
    assert!(Document::entry(Kind::Iso, "{\"name\": null}").is_err());
}

#[test]
fn the_example_of_2018_fits() {
    let catalogue = laid(include_str!("../../../../../docs/examples/catalogue-2018.toml")).unwrap();
    let cx11 = catalogue.server_type_by_id(1).unwrap();
    assert!(cx11.is_orderable_in(1, now()) && cx11.disk == 25);
    assert!(catalogue.image_for(&IdOrName::from("ubuntu-16.04"), cx11.architecture).is_some());
    assert!(catalogue.iso_by_id(4711).unwrap().is_usable(now()));
    assert_eq!(catalogue.datacenter(&IdOrName::from("fsn1-dc8")).unwrap().id, 1);
}

const ISO: &str = "[[iso]]\nid = 5000\nname = \"own.iso\"\ndescription = \"Own\"\n";

#[test]
fn what_is_removed_stays_readable_by_id() {
    // One that no other document knows, by all of its members.
    let catalogue = laid(&format!("{ISO}remove = true")).unwrap();
    assert!(catalogue.iso_by_id(5000).is_some() && catalogue.iso(&IdOrName::from("own.iso")).is_none());
    // Another one has the name now.
    let was = "[[iso]]\nid = 5001\nname = \"own.iso\"\ndescription = \"New\"\nwas = [{ id = 5000, name = \"own.iso\", description = \"Old\" }]";
    let catalogue = laid(was).unwrap();
    assert_eq!(catalogue.iso(&IdOrName::from("own.iso")).unwrap().id, 5001);
    assert_eq!(catalogue.iso_by_id(5000).unwrap().description, "Old");
    assert_eq!(Catalogue::builtin().forgotten(&catalogue), Some((Kind::Iso, 5001)));
    assert_eq!(catalogue.forgotten(Catalogue::builtin()), None);
    // What is there again is not gone.
    let mut document = Document::builtin();
    for overlay in [ISO, "[[iso]]\nname = \"own.iso\"\nremove = true", ISO] {
        document.lay(&Document::parse(overlay).unwrap()).unwrap();
    }
    let catalogue = document.catalogue().unwrap();
    assert!(catalogue.gone.isos.is_empty() && catalogue.iso(&IdOrName::from("own.iso")).is_some());
    // Types are sold nowhere, images are unavailable.
    let gone = "[[server_type]]\nname = \"cpx22\"\nremove = true\n[[image]]\nname = \"debian-12\"\nremove = true";
    let catalogue = laid(gone).unwrap();
    assert!(catalogue.server_type_by_id(109).unwrap().to_wire(now()).locations.iter().all(|place| !place.available));
    assert!(catalogue.gone.images.iter().all(|image| image.removed) && catalogue.gone.images.len() == 2);
    assert!(laid("[[iso]]\nname = \"x\"\nid = 1\nwas = 5").unwrap_err().to_string().contains("was must be a list"));
}

#[test]
fn a_location_has_a_data_center() {
    let place = "[[location]]\nid = 90\nname = \"lab1\"\ndescription = \"Lab\"\ncountry = \"DE\"\ncity = \"Lab\"\nlatitude = 1.0\n\
                 longitude = 1.0\nnetwork_zone = \"eu-central\"\nincluded_traffic = 20.0\nprice_per_tb_traffic = \"1.00\"\n";
    assert!(laid(place).unwrap_err().to_string().contains("location 'lab1' has no data center"));
    let center = "[[datacenter]]\nid = 90\nname = \"lab1-dc1\"\ndescription = \"Lab 1\"\nlocation = \"lab1\"\n";
    assert_eq!(laid(&format!("{place}{center}")).unwrap().datacenter_in(90).unwrap().id, 90);
    assert!(laid(&format!("{place}{center}remove = true")).is_err());
    let gone = laid(&format!("{place}remove = true\n{center}remove = true")).unwrap();
    assert_eq!(gone.datacenter_by_id(90).unwrap().location, gone.location_by_id(90).unwrap().id);
    assert!(gone.locations.iter().all(|location| location.id != 90));
}
