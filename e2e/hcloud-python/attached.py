"""Flows with what hangs on servers: networks, volumes, firewalls, addresses. Part of flow.py."""

from hcloud.firewalls import FirewallResource, FirewallResourceLabelSelector, FirewallRule
from hcloud.locations import Location
from hcloud.networks import NetworkRoute, NetworkSubnet
from hcloud.servers import ServerCreatePublicNetwork

from support import create, refused, remove


def networks(client):
    net = client.networks.create(
        name="net",
        ip_range="10.0.0.0/24",
        subnets=[NetworkSubnet(type="cloud", network_zone="eu-central", ip_range="10.0.0.0/25")],
        labels={"a": "b"},
    )
    with refused("uniqueness_error"):
        client.networks.create(name="net", ip_range="10.0.0.0/16")
    net.change_ip_range("10.0.0.0/16").wait_until_finished()
    subnet = NetworkSubnet(type="cloud", network_zone="eu-central", ip_range="10.0.1.0/24")
    net.add_subnet(subnet).wait_until_finished()
    route = NetworkRoute(destination="10.100.0.0/16", gateway="10.0.1.7")
    net.add_route(route).wait_until_finished()
    net.reload()
    assert [part.ip_range for part in net.subnets] == ["10.0.0.0/25", "10.0.1.0/24"], net.subnets
    assert all(part.gateway == "10.0.0.1" for part in net.subnets) and net.routes[0].gateway == "10.0.1.7"
    net.delete_route(route).wait_until_finished()

    born, _ = create(client, "born", networks=[net])
    assert born.private_net[0].ip == "10.0.0.2" and born.private_net[0].network.id == net.id
    joins, _ = create(client, "joins")
    joins.attach_to_network(net, ip="10.0.1.7", alias_ips=["10.0.1.20", "10.0.1.10"]).wait_until_finished()
    with refused("server_already_attached"):
        joins.attach_to_network(net)
    with refused("service_error"):
        net.delete_subnet(subnet)
    joins.reload()
    assert (joins.private_net[0].ip, joins.private_net[0].alias_ips) == ("10.0.1.7", ["10.0.1.20", "10.0.1.10"])
    joins.change_alias_ips(net, []).wait_until_finished()
    joins.detach_from_network(net).wait_until_finished()
    net.delete_subnet(subnet).wait_until_finished()
    net.reload()
    assert [server.id for server in net.servers] == [born.id]

    net.change_protection(delete=True).wait_until_finished()
    with refused("protected"):
        net.delete()
    net.change_protection(delete=False).wait_until_finished()
    net = net.update(name="far", labels={}, expose_routes_to_vswitch=True)
    assert net.expose_routes_to_vswitch and client.networks.get_by_name("far").labels == {}
    remove(client, joins)
    assert net.delete() is True
    born.reload()
    assert born.private_net == []
    remove(client, born)


def volumes(client):
    home = Location(name="fsn1")
    made = client.volumes.create(name="data", size=10, location=home, format="ext4", labels={"a": "b"})
    made.action.wait_until_finished()
    data = client.volumes.get_by_name("data")
    assert (data.size, data.status, data.format, data.server) == (10, "available", "ext4", None), data.status
    assert data.linux_device == f"/dev/disk/by-id/scsi-0HC_Volume_{data.id}", data.linux_device
    with refused("uniqueness_error"):
        client.volumes.create(name="data", size=10, location=home)
    with refused("invalid_input") as caught:
        client.volumes.create(name="tiny", size=9, location=home)
    assert [field["name"] for field in caught[0].details["fields"]] == ["size"], caught[0].details

    server, _ = create(client, "web", location=home, volumes=[data], automount=True)
    assert [volume.id for volume in server.volumes] == [data.id]
    with refused("volume_already_attached"):
        data.attach(server)
    made = client.volumes.create(name="logs", size=10, server=server, format="xfs", automount=True)
    for action in [made.action, *made.next_actions]:
        action.wait_until_finished()
    assert [action.command for action in made.next_actions] == ["attach_volume"], made.next_actions
    logs = client.volumes.get_by_id(made.volume.id)
    assert logs.server.id == server.id and logs.location.name == "fsn1"
    logs.resize(20).wait_until_finished()
    with refused("invalid_input"):
        logs.resize(15)
    logs.detach().wait_until_finished()
    logs.reload()
    assert logs.size == 20 and logs.server is None
    logs.attach(server, automount=True).wait_until_finished()
    logs.change_protection(delete=True).wait_until_finished()
    with refused("protected"):
        logs.delete()
    logs.change_protection(delete=False).wait_until_finished()
    logs = logs.update(name="journal", labels={"kept": ""})
    assert [volume.name for volume in client.volumes.get_all(label_selector="kept")] == ["journal"]
    assert {"create_volume", "resize_volume", "detach_volume"} <= {action.command for action in logs.get_actions()}
    # A server that goes leaves its volumes.
    remove(client, server)
    for volume in client.volumes.get_all(status=["available"]):
        assert volume.server is None and volume.delete() is True


def firewalls(client):
    web = FirewallRule(direction="in", protocol="tcp", port="443", source_ips=["0.0.0.0/0", "::/0"], description="web")
    by_label = FirewallResource(type="label_selector", label_selector=FirewallResourceLabelSelector(selector="role=web"))
    made = client.firewalls.create(name="wall", rules=[web], resources=[by_label], labels={"a": "b"})
    for action in made.actions:
        action.wait_until_finished()
    wall = made.firewall
    with refused("invalid_input") as caught:
        rules = [FirewallRule(direction="in", protocol="icmp", port="1", source_ips=["10.0.0.1/8"])]
        client.firewalls.create(name="bad", rules=rules)
    assert all(field["name"].startswith("rules") for field in caught[0].details["fields"]), caught[0].details
    server, _ = create(client, "web", labels={"role": "web"})
    [status] = server.public_net.firewalls
    assert (status.firewall.id, status.status) == (wall.id, "applied")
    wall.reload()
    [selector] = wall.applied_to
    assert [found.server.id for found in selector.applied_to_resources] == [server.id]
    with refused("resource_in_use"):
        wall.delete()
    with refused("firewall_managed_by_label_selector"):
        wall.remove_from_resources([FirewallResource(type="server", server=server)])

    ping = FirewallRule(direction="out", protocol="icmp", destination_ips=["192.0.2.0/24"])
    assert [action.command for action in wall.set_rules([ping])][0] == "set_firewall_rules"
    wall.reload()
    assert [(rule.protocol, rule.port, rule.destination_ips) for rule in wall.rules] == [("icmp", None, ["192.0.2.0/24"])]
    server = server.update(labels={})
    server.reload()
    assert server.public_net.firewalls == []
    for action in wall.apply_to_resources([FirewallResource(type="server", server=server)]):
        action.wait_until_finished()
    for action in wall.remove_from_resources([by_label]):
        action.wait_until_finished()
    wall = wall.update(name="fence", labels={})
    assert [found.type for found in client.firewalls.get_by_name("fence").applied_to] == ["server"]
    assert {"set_firewall_rules", "apply_firewall"} <= {action.command for action in wall.get_actions()}
    remove(client, server)
    assert wall.delete() is True


def primary_ips(client):
    made = client.primary_ips.create(type="ipv4", name="front", location=Location(name="fsn1"), labels={"a": "b"})
    ip = made.primary_ip
    assert made.action is None and ip.assignee_id is None and ip.location.name == "fsn1"
    ip.change_dns_ptr(ip.ip, "front.example.com").wait_until_finished()
    ip.reload()
    assert ip.dns_ptr == [{"ip": ip.ip, "dns_ptr": "front.example.com"}]
    ip.change_protection(delete=True).wait_until_finished()
    with refused("protected"):
        ip.delete()
    ip.change_protection(delete=False).wait_until_finished()
    ip = ip.update(name="door", auto_delete=False)

    server, _ = create(client, "web", location=Location(name="fsn1"))
    with refused("server_not_stopped"):
        ip.assign(server.id, "server")
    server.power_off().wait_until_finished()
    with refused("server_has_ipv4"):
        ip.assign(server.id, "server")
    own = client.primary_ips.get_by_id(server.public_net.primary_ipv4.id)
    own.unassign().wait_until_finished()
    assert own.delete() is True
    ip.assign(server.id, "server").wait_until_finished()
    with refused("must_be_unassigned"):
        ip.delete()
    server.power_on().wait_until_finished()
    server.reload()
    assert server.public_net.ipv4.ip == ip.ip
    remove(client, server)

    net = ServerCreatePublicNetwork(ipv4=ip, enable_ipv4=True, enable_ipv6=False)
    server, _ = create(client, "web", location=Location(name="fsn1"), public_net=net)
    assert server.public_net.ipv4.ip == ip.ip and server.public_net.ipv6 is None
    with refused("primary_ip_assigned"):
        create(client, "thief", location=Location(name="fsn1"), public_net=net)
    remove(client, server)
    assert ip.delete() is True


def floating_ips(client):
    made = client.floating_ips.create(type="ipv6", name="six", home_location=Location(name="fsn1"), description="first")
    assert made.action is None and made.floating_ip.server is None
    six = made.floating_ip
    assert six.ip.endswith("::/64") and six.home_location.name == "fsn1" and six.dns_ptr == [], six.ip
    server, _ = create(client, "web")
    made = client.floating_ips.create(type="ipv4", server=server)
    made.action.wait_until_finished()
    four = client.floating_ips.get_by_id(made.floating_ip.id)
    assert four.server.id == server.id and four.dns_ptr[0]["ip"] == four.ip and four.name
    with refused("uniqueness_error"):
        client.floating_ips.create(type="ipv4", name="six", home_location=Location(name="hel1"))
    six.assign(server).wait_until_finished()
    server.reload()
    assert [ip.id for ip in server.public_net.floating_ips] == [six.id, four.id]
    first = six.ip.removesuffix("/64") + "1"
    six.change_dns_ptr(first, "six.example.com").wait_until_finished()
    six.reload()
    assert six.dns_ptr == [{"ip": first, "dns_ptr": "six.example.com"}], six.dns_ptr
    six.change_protection(delete=True).wait_until_finished()
    six.unassign().wait_until_finished()
    with refused("protected") as caught:
        six.delete()
    assert caught[0].message == "Floating IP deletion is protected", caught[0].message
    six.change_protection(delete=False).wait_until_finished()
    six = six.update(description="second", labels={"a": "b"}, name="sechs")
    assert [ip.description for ip in client.floating_ips.get_all(label_selector="a", name="sechs")] == ["second"]
    assert {"assign_floating_ip", "unassign_floating_ip"} <= {action.command for action in six.get_actions()}
    remove(client, server)
    four.reload()
    assert four.server is None
    for ip in [six, four]:
        assert ip.delete() is True
