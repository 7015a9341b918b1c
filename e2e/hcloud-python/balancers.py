"""The flow with load balancers. Part of flow.py."""

from datetime import datetime, timedelta, timezone

from hcloud.load_balancer_types import LoadBalancerType
from hcloud.load_balancers import (
    LoadBalancerAlgorithm,
    LoadBalancerCreatePublicNetwork,
    LoadBalancerHealthCheck,
    LoadBalancerService,
    LoadBalancerTarget,
    LoadBalancerTargetLabelSelector,
)
from hcloud.locations import Location
from hcloud.networks import NetworkSubnet

from support import create, refused, remove


def load_balancers(client):
    net = client.networks.create(
        name="net",
        ip_range="10.0.0.0/16",
        subnets=[NetworkSubnet(type="cloud", network_zone="eu-central", ip_range="10.0.1.0/24")],
    )
    one, _ = create(client, "one", labels={"app": "web"}, location=Location(name="fsn1"))
    two, _ = create(client, "two", location=Location(name="fsn1"), networks=[net])
    selector = LoadBalancerTarget(
        type="label_selector", label_selector=LoadBalancerTargetLabelSelector(selector="app=web")
    )
    made = client.load_balancers.create(
        name="front",
        load_balancer_type=LoadBalancerType(name="lb11"),
        location=Location(name="fsn1"),
        algorithm=LoadBalancerAlgorithm(type="round_robin"),
        services=[LoadBalancerService(protocol="tcp", listen_port=80, destination_port=8080)],
        targets=[selector],
        labels={"a": "b"},
    )
    made.action.wait_until_finished()
    front = client.load_balancers.get_by_name("front")
    assert front.public_net.enabled and front.public_net.ipv4.ip and front.public_net.ipv6.ip
    assert front.services[0].health_check.protocol == "tcp" and front.services[0].health_check.port == 8080
    [web] = front.targets
    assert [(target.server.id, target.health_status[0].status) for target in web.targets] == [(one.id, "healthy")]
    with refused("uniqueness_error"):
        client.load_balancers.create(name="front", load_balancer_type=LoadBalancerType(name="lb11"), location=front.location)
    with refused("source_port_already_used"):
        front.add_service(LoadBalancerService(protocol="tcp", listen_port=80, destination_port=81))

    # Whoever gets the label is behind it, and whoever is off is unhealthy.
    two = two.update(labels={"app": "web"})
    two.power_off().wait_until_finished()
    front.reload()
    states = {target.server.id: target.health_status[0].status for target in front.targets[0].targets}
    assert states == {one.id: "healthy", two.id: "unhealthy"}, states
    two.power_on().wait_until_finished()

    check = LoadBalancerHealthCheck(protocol="tcp", port=8081, interval=20, timeout=5, retries=2)
    front.update_service(LoadBalancerService(listen_port=80, health_check=check)).wait_until_finished()
    front.reload()
    service = front.services[0]
    assert (service.destination_port, service.health_check.port, service.health_check.retries) == (8080, 8081, 2)
    front.change_algorithm(LoadBalancerAlgorithm(type="least_connections")).wait_until_finished()
    front.change_type(LoadBalancerType(name="lb21")).wait_until_finished()
    front.change_dns_ptr(front.public_net.ipv4.ip, "front.example.com").wait_until_finished()

    named = LoadBalancerTarget(type="server", server=two, use_private_ip=True)
    with refused("load_balancer_not_attached_to_network"):
        front.add_target(named)
    front.attach_to_network(net, ip="10.0.1.100").wait_until_finished()
    front.add_target(named).wait_until_finished()
    with refused("target_already_defined"):
        front.add_target(named)
    front.reload()
    assert front.private_net[0].ip == "10.0.1.100" and front.algorithm.type == "least_connections"
    assert front.load_balancer_type.name == "lb21" and front.public_net.ipv4.dns_ptr == "front.example.com"
    now = datetime.now(timezone.utc)
    metrics = front.get_metrics(type=["open_connections", "bandwidth"], start=now - timedelta(hours=1), end=now).metrics
    assert set(metrics.time_series) == {"open_connections", "bandwidth.in", "bandwidth.out"}, metrics.time_series

    with refused("targets_without_use_private_ip"):
        front.disable_public_interface()
    front.remove_target(selector).wait_until_finished()
    front.disable_public_interface().wait_until_finished()
    front.reload()
    assert not front.public_net.enabled
    front.enable_public_interface().wait_until_finished()
    front.remove_target(named).wait_until_finished()
    front.detach_from_network(net).wait_until_finished()
    front.delete_service(LoadBalancerService(listen_port=80)).wait_until_finished()
    front.change_protection(delete=True).wait_until_finished()
    with refused("protected"):
        front.delete()
    front.change_protection(delete=False).wait_until_finished()
    front = front.update(name="edge", labels={})
    assert client.load_balancers.get_by_name("edge").labels == {} and front.services == []
    commands = [action.command for action in client.load_balancers.get_actions(front, sort=["id"])]
    assert commands[0] == "create_load_balancer" and "change_load_balancer_type" in commands, commands
    kept_addresses(client, front)
    assert client.load_balancers.get_by_name("edge") is None
    remove(client, one)
    remove(client, two)
    assert net.delete() is True


def kept_addresses(client, front):
    """Deletes a load balancer whose addresses came along, and makes others that have one of ours."""
    own = front.public_net.ipv4.primary_ip
    own.reload()
    assert (own.assignee_type, own.assignee_id, own.auto_delete) == ("load_balancer", front.id, True)
    assert own.ip == front.public_net.ipv4.ip and own.dns_ptr[0]["dns_ptr"] == front.public_net.ipv4.dns_ptr
    front.public_net.ipv6.primary_ip.reload()
    with refused("unsupported_error"):
        own.unassign()
    with refused("must_be_unassigned"):
        own.delete()
    front.delete().action.wait_until_finished()
    with refused("not_found"):
        client.primary_ips.get_by_id(own.id)

    fsn1 = Location(name="fsn1")
    ours = client.primary_ips.create(type="ipv4", name="ours", location=fsn1).primary_ip
    far = client.primary_ips.create(type="ipv4", name="far", location=Location(name="hel1")).primary_ip

    def build(name, **addresses):
        return client.load_balancers.create(
            name=name,
            load_balancer_type=LoadBalancerType(name="lb11"),
            location=fsn1,
            public_net=LoadBalancerCreatePublicNetwork(**addresses),
        )

    with refused("primary_ip_datacenter_mismatch"):
        build("keeper", ipv4=far)
    with refused("primary_ip_version_mismatch"):
        build("keeper", ipv6=ours)
    for name in ["keeper", "keeper-again"]:
        made = build(name, ipv4=ours)
        made.action.wait_until_finished()
        keeper = made.load_balancer
        assert keeper.public_net.ipv4.ip == ours.ip and keeper.public_net.ipv4.primary_ip.id == ours.id
        assert keeper.public_net.ipv4.blocked is False and keeper.public_net.ipv6.ip.endswith("::1")
        ours.reload()
        assert (ours.assignee_type, ours.assignee_id) == ("load_balancer", keeper.id)
        ours.change_dns_ptr(ours.ip, f"{name}.example.com").wait_until_finished()
        keeper.reload()
        assert keeper.public_net.ipv4.dns_ptr == f"{name}.example.com"
        with refused("primary_ip_assigned"):
            build("other", ipv4=ours)
        keeper.delete().action.wait_until_finished()
        ours.reload()
        assert ours.assignee_id is None
    assert ours.delete() is True and far.delete() is True
