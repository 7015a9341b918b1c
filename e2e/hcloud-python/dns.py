"""Flows with DNS zones: records, zone files, protection, secondary zones. Part of flow.py."""

from hcloud.zones import Zone, ZonePrimaryNameserver, ZoneRecord, ZoneRRSet

from support import refused

ASSIGNED = ["hydrogen.ns.hetzner.com.", "oxygen.ns.hetzner.com.", "helium.ns.hetzner.de."]


def values(rrset):
    return [record.value for record in rrset.records]


def zones(client):
    made = client.zones.create(name="example.com", mode="primary", ttl=10800, labels={"key": "value"})
    made.action.wait_until_finished()
    zone = made.zone
    assert (zone.ttl, zone.status, zone.registrar, zone.record_count) == (10800, "ok", "other", 4), zone.record_count
    nameservers = zone.authoritative_nameservers
    assert nameservers.assigned == ASSIGNED and nameservers.delegated == [], nameservers.assigned
    assert nameservers.delegation_last_check is None and nameservers.delegation_status == "unknown"
    with refused("uniqueness_error"):
        client.zones.create(name="example.com", mode="primary")
    assert client.zones.get("example.com").id == client.zones.get(zone.id).id == zone.id
    assert [one.name for one in client.zones.get_all(mode="primary", label_selector="key")] == ["example.com"]
    zone = zone.update(labels={"other": ""})
    zone.change_ttl(3600).wait_until_finished()
    zone.change_protection(delete=True).wait_until_finished()
    with refused("protected"):
        zone.delete()
    zone.change_protection(delete=False).wait_until_finished()
    zone = client.zones.get(zone.id)
    assert (zone.ttl, zone.labels, zone.protection) == (3600, {"other": ""}, {"delete": False})

    records(zone)
    files(zone)
    assert "import_zonefile" in [action.command for action in zone.get_actions()]
    zone.delete().action.wait_until_finished()
    with refused("not_found"):
        client.zones.get("example.com")
    secondary(client)


def records(zone):
    made = zone.create_rrset(
        name="www",
        type="A",
        ttl=300,
        labels={"key": "value"},
        records=[ZoneRecord(value="201.118.10.11", comment="web server 1"), ZoneRecord(value="201.118.10.12")],
    )
    made.action.wait_until_finished()
    rrset = made.rrset
    assert (rrset.id, rrset.ttl, rrset.labels) == ("www/A", 300, {"key": "value"}), rrset.id
    assert values(rrset) == ["201.118.10.11", "201.118.10.12"] and rrset.records[0].comment == "web server 1"
    with refused("invalid_input"):
        zone.create_rrset(name="www", type="CNAME", records=[ZoneRecord(value="example.com.")])
    with refused("invalid_input"):
        zone.create_rrset(name="text", type="TXT", records=[ZoneRecord(value="not quoted")])
    rrset.add_rrset_records([ZoneRecord(value="201.118.10.13")]).wait_until_finished()
    rrset.remove_rrset_records([ZoneRecord(value="201.118.10.11")]).wait_until_finished()
    rrset.update_rrset_records([ZoneRecord(value="201.118.10.13", comment="third")]).wait_until_finished()
    rrset.change_rrset_ttl(None).wait_until_finished()
    rrset = rrset.update_rrset(labels={})
    assert values(rrset) == ["201.118.10.12", "201.118.10.13"] and rrset.records[1].comment == "third", values(rrset)
    assert rrset.ttl is None and rrset.labels == {}
    rrset.set_rrset_records([ZoneRecord(value="201.118.10.14")]).wait_until_finished()
    rrset.change_rrset_protection(change=True).wait_until_finished()
    with refused("protected") as caught:
        rrset.delete_rrset()
    assert caught[0].message == "RRSet(s) is/are change protected", caught[0].message
    with refused("protected"):
        zone.delete()
    rrset.change_rrset_protection(change=False).wait_until_finished()
    assert [one.id for one in zone.get_rrset_all(sort=["name:desc"])][0] == "www/A"
    assert [one.id for one in zone.get_rrset_all(type=["SOA", "A"])] == ["@/SOA", "www/A"]
    zone.add_rrset_records(ZoneRRSet(zone=zone, name="made", type="A"), [ZoneRecord(value="201.118.10.15")]).wait_until_finished()
    made = zone.get_rrset("made", "A")
    zone.remove_rrset_records(made, made.records).wait_until_finished()
    with refused("not_found"):
        zone.get_rrset("made", "A")


def files(zone):
    zonefile = zone.export_zonefile().zonefile
    assert f"$ORIGIN\t{zone.name}.\n" in zonefile, zonefile
    zone.import_zonefile(zonefile + "\nfoobar\tIN\tA\t192.168.0.2\n").wait_until_finished()
    assert values(zone.get_rrset("foobar", "A")) == ["192.168.0.2"]
    assert values(zone.get_rrset("www", "A")) == ["201.118.10.14"]
    with refused("invalid_input"):
        zone.import_zonefile("foobar IN A nowhere")


def secondary(client):
    first = [ZonePrimaryNameserver(address="203.0.113.1"), ZonePrimaryNameserver(address="203.0.113.2", port=5353)]
    made = client.zones.create(name="example.net", mode="secondary", primary_nameservers=first)
    made.action.wait_until_finished()
    zone = made.zone
    assert [(one.address, one.port) for one in zone.primary_nameservers] == [("203.0.113.1", 53), ("203.0.113.2", 5353)]
    signed = ZonePrimaryNameserver(address="203.0.113.9", tsig_algorithm="hmac-sha256", tsig_key="c2VjcmV0")
    client.zones.change_primary_nameservers(Zone(id=zone.id), [signed]).wait_until_finished()
    zone = client.zones.get(zone.id)
    assert [(one.address, one.tsig_key) for one in zone.primary_nameservers] == [("203.0.113.9", "c2VjcmV0")]
    with refused("incorrect_zone_mode"):
        zone.export_zonefile()
    zone.delete().action.wait_until_finished()
