"""Flows with the official Python library against a server under test: one function per noun.

    flow.py [NAME...]    the flows of those names, or all of them

HCLOUD_TOKEN and HCLOUD_ENDPOINT name the project and the server. Each flow leaves the project empty, as it found it. What is
not as it should be ends the program with a traceback.
"""

import os
import sys
from datetime import datetime, timedelta, timezone

from hcloud import Client
from hcloud.actions import ActionFailedException
from hcloud.images import Image
from hcloud.isos import Iso
from hcloud.locations import Location
from hcloud.server_types import ServerType
from hcloud.servers import ServerCreatePublicNetwork

from attached import firewalls, floating_ips, networks, primary_ips, volumes
from balancers import load_balancers
from certificates import certificates
from dns import zones
from storage import storage_boxes
from support import IMAGE, create, refused, remove

# The library's own default is a second; here nothing takes that long.
POLL_SECONDS = 0.05
# A request that takes longer has hung.
TIMEOUT_SECONDS = 60
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIECEyYmOjnizBckgGLpuy2w/OBjo9IjyVd1dqWEMx/yC e2e@wolke"


def catalogue(client):
    locations = client.locations.get_all()
    assert [location.name for location in locations] == ["fsn1", "nbg1", "hel1", "ash", "hil", "sin"]
    assert client.locations.get_by_name("atlantis") is None
    for kind in client.server_types.get_all():
        assert kind.architecture in ("x86", "arm") and kind.cpu_type in ("shared", "dedicated"), kind.name
        assert kind.locations and all(entry.location.name for entry in kind.locations), kind.name
        assert all(float(price["price_monthly"]["gross"]) > 0 for price in kind.prices), kind.prices
    old = client.server_types.get_by_id(1)
    assert old.name == "cx11" and {entry.deprecation.unavailable_after.year for entry in old.locations} == {2024}
    assert [kind.name for kind in client.load_balancer_types.get_all()] == ["lb11", "lb21", "lb31"]
    for architecture in ("x86", "arm"):
        image = client.images.get_by_name_and_architecture(IMAGE, architecture)
        assert image.architecture == architecture and image.os_flavor == "ubuntu" and image.created.tzinfo
        isos = client.isos.get_all(architecture=architecture)
        assert isos and client.isos.get_by_name(isos[0].name).id == isos[0].id
    with refused("not_found"):
        client.isos.get_by_id(1)
    with refused("not_found"):
        client.images.get_by_id(1)


def ssh_keys(client):
    key = client.ssh_keys.create(name="laptop", public_key=PUBLIC_KEY, labels={"team": "a"})
    assert client.ssh_keys.get_by_fingerprint(key.fingerprint).id == key.id
    with refused("uniqueness_error"):
        client.ssh_keys.create(name="other", public_key=PUBLIC_KEY)
    key = key.update(name="desk", labels={"team": "b"})
    assert client.ssh_keys.get_by_name("desk").labels == {"team": "b"}
    server, password = create(client, "with-key", ssh_keys=[key])
    assert password is None, "a server with a key has no password"
    remove(client, server)
    assert key.delete() is True
    assert client.ssh_keys.get_by_name("desk") is None


def servers(client):
    server, password = create(client, "web", labels={"env": "prod"}, location=Location(name="hel1"))
    assert server.status == "running" and server.location.name == "hel1" and password
    assert server.public_net.ipv4.ip and server.public_net.ipv6.network_mask == "64"
    assert server.primary_disk_size == 80 and server.created.tzinfo
    for verb, status in [
        (server.power_off, "off"),
        (server.power_on, "running"),
        (server.reboot, "running"),
        (server.reset, "running"),
        (server.shutdown, "off"),
    ]:
        verb().wait_until_finished()
        server.reload()
        assert server.status == status, (verb, server.status)
    server = server.update(name="api", labels={"env": "test"})
    assert [found.name for found in client.servers.get_all(label_selector="env=test", status=["off"])] == ["api"]
    server.change_protection(delete=True, rebuild=True).wait_until_finished()
    with refused("protected"):
        server.delete()
    server.change_protection(delete=False, rebuild=False).wait_until_finished()
    with refused("invalid_input"):
        server.change_protection(delete=True, rebuild=False)
    with refused("uniqueness_error"):
        create(client, "api")
    with refused("invalid_input") as caught:
        create(client, "not a name!")
    assert [field["name"] for field in caught[0].details["fields"]] == ["name"], caught
    commands = {action.command for action in server.get_actions()}
    assert {"create_server", "stop_server", "change_protection"} <= commands, commands
    remove(client, server)


def server_actions(client):
    server, _ = create(client, "worked-on")
    rebuilt = server.rebuild(Image(name="debian-12"), user_data="#cloud-config\n")
    rebuilt.action.wait_until_finished()
    server.reload()
    assert server.image.name == "debian-12" and rebuilt.root_password
    rescue = server.enable_rescue(type="linux64")
    rescue.action.wait_until_finished()
    server.reload()
    assert server.rescue_enabled and rescue.root_password
    server.disable_rescue().wait_until_finished()
    server.reload()
    assert not server.rescue_enabled
    reset = server.reset_password()
    reset.action.wait_until_finished()
    assert reset.root_password != rebuilt.root_password
    console = server.request_console()
    assert console.wss_url.startswith("ws") and console.password
    discs(client, server)
    names(client, server)
    types(client, server)
    remove(client, server)


def discs(client, server):
    iso = client.isos.get_all(architecture="x86")[0]
    server.attach_iso(Iso(name=iso.name)).wait_until_finished()
    server.reload()
    assert server.iso.id == iso.id and server.iso.architecture == "x86"
    server.detach_iso().wait_until_finished()
    server.reload()
    assert server.iso is None


def names(client, server):
    address = server.public_net.ipv4.ip
    default = server.public_net.ipv4.dns_ptr
    server.change_dns_ptr(address, "mail.example.com").wait_until_finished()
    server.reload()
    assert server.public_net.ipv4.dns_ptr == "mail.example.com"
    server.change_dns_ptr(address, None).wait_until_finished()
    server.reload()
    assert server.public_net.ipv4.dns_ptr == default
    with refused("invalid_input"):
        server.change_dns_ptr("not an address", "mail.example.com")


def types(client, server):
    with refused("server_not_stopped"):
        server.change_type(ServerType(name="cpx32"), upgrade_disk=False)
    server.power_off().wait_until_finished()
    server.change_type(ServerType(name="cpx32"), upgrade_disk=False).wait_until_finished()
    server.reload()
    assert server.server_type.name == "cpx32" and server.primary_disk_size == 80 and server.status == "running"
    server.power_off().wait_until_finished()
    with refused("invalid_server_type"):
        server.change_type(ServerType(name="cax21"), upgrade_disk=False)


def metrics(client):
    server, _ = create(client, "busy")
    end = datetime.now(timezone.utc)
    seen = server.get_metrics(type=["cpu", "disk", "network"], start=end - timedelta(hours=1), end=end, step=60).metrics
    assert len(seen.time_series) == 9 and seen.step == 60, seen.time_series.keys()
    for values in seen.time_series.values():
        # They begin with the server, which was made just now.
        assert len(values["values"]) <= 2, values
        assert all(isinstance(value, str) and float(value) >= 0 for _, value in values["values"])
        assert all(at + seen.step >= server.created.timestamp() for at, _ in values["values"]), (server.created, values)
    remove(client, server)


def images(client):
    server, _ = create(client, "source")
    made = server.create_image(description="first", type="snapshot", labels={"a": "b"})
    made.action.wait_until_finished()
    image = client.images.get_by_id(made.image.id)
    assert image.status == "available" and image.image_size > 0 and image.disk_size == 80
    assert image.created_from.id == server.id and image.bound_to is None and image.name is None
    image = image.update(description="second", labels={"c": "d"})
    assert [found.id for found in client.images.get_all(label_selector="c=d")] == [image.id]
    image.change_protection(delete=True).wait_until_finished()
    with refused("protected"):
        image.delete()
    image.change_protection(delete=False).wait_until_finished()
    copy, _ = create(client, "copy", image=image)
    assert copy.image.id == image.id
    remove(client, copy)
    assert image.delete() is True

    with refused("invalid_input"):
        server.create_image(type="backup")
    server.enable_backup().wait_until_finished()
    made = server.create_image(type="backup")
    made.action.wait_until_finished()
    [backup] = client.images.get_all(bound_to=[str(server.id)])
    assert backup.type == "backup" and backup.bound_to.id == server.id
    kept = backup.update(type="snapshot")
    assert kept.type == "snapshot" and kept.bound_to is None
    server.disable_backup().wait_until_finished()
    remove(client, server)
    assert kept.delete() is True
    with refused("unsupported_error"):
        client.images.get_by_name_and_architecture(IMAGE, "x86").delete()


def placement_groups(client):
    made = client.placement_groups.create(name="apart", type="spread", labels={"a": "b"})
    assert made.action is None
    group = made.placement_group
    with refused("uniqueness_error"):
        client.placement_groups.create(name="apart", type="spread")
    server, _ = create(client, "member", placement_group=group)
    assert server.placement_group.id == group.id
    with refused("resource_in_use"):
        group.delete()
    server.remove_from_placement_group().wait_until_finished()
    with refused("server_not_stopped"):
        server.add_to_placement_group(group)
    server.power_off().wait_until_finished()
    server.add_to_placement_group(group).wait_until_finished()
    group.reload()
    assert group.servers == [server.id]
    remove(client, server)
    group = group.update(name="far", labels={})
    assert client.placement_groups.get_by_name("far").servers == []
    assert group.delete() is True


def failing_action(client):
    """An action that fails is an exception with the action's own words."""
    net = ServerCreatePublicNetwork(enable_ipv4=False, enable_ipv6=False)
    server, _ = create(client, "bare", public_net=net, start_after_create=False)
    try:
        server.power_on().wait_until_finished()
        raise AssertionError("started without an interface")
    except ActionFailedException as error:
        assert error.action.error["code"] == "action_failed" and error.action.error["message"], error
    remove(client, server)


FLOWS = [
    catalogue,
    ssh_keys,
    servers,
    server_actions,
    metrics,
    images,
    placement_groups,
    networks,
    volumes,
    firewalls,
    primary_ips,
    floating_ips,
    zones,
    certificates,
    load_balancers,
    storage_boxes,
    failing_action,
]


# Everything that a project can hold, and what of it is its own.
NOUNS = {
    "servers": {},
    "ssh_keys": {},
    "primary_ips": {},
    "floating_ips": {},
    "placement_groups": {},
    "networks": {},
    "firewalls": {},
    "volumes": {},
    "load_balancers": {},
    "certificates": {},
    "zones": {},
    "storage_boxes": {},
    "images": {"type": ["snapshot", "backup"]},
}


def left_over(client):
    found = {noun: getattr(client, noun).get_all(**own) for noun, own in NOUNS.items()}
    return {noun: left for noun, left in found.items() if left}


def main(wanted):
    known = {flow.__name__ for flow in FLOWS}
    assert known.issuperset(wanted), f"unknown flow among {wanted}"
    client = Client(
        token=os.environ["HCLOUD_TOKEN"],
        api_endpoint=os.environ["HCLOUD_ENDPOINT"],
        api_endpoint_hetzner=os.environ["HCLOUD_ENDPOINT"],
        poll_interval=POLL_SECONDS,
        timeout=TIMEOUT_SECONDS,
    )
    for flow in FLOWS:
        if not wanted or flow.__name__ in wanted:
            flow(client)
            assert not left_over(client), (flow.__name__, left_over(client))
            print(f"{flow.__name__}: the project is empty")


if __name__ == "__main__":
    main(sys.argv[1:])
