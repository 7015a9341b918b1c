"""Flows with certificates: uploaded ones, and managed ones for a domain of a zone. Part of flow.py."""

from pathlib import Path

from hcloud.actions import ActionFailedException
from hcloud.certificates import Certificate

from support import refused

FILES = Path(__file__).parents[2] / "crates/wolke-control/tests/certificates"


def certificates(client):
    chain = (FILES / "rsa.pem").read_text() + (FILES / "intermediate.pem").read_text()
    key = (FILES / "rsa.pkcs8.key").read_text()
    uploaded = client.certificates.create(name="web", certificate=chain, private_key=key, labels={"a": "b"})
    assert (uploaded.type, uploaded.status) == (Certificate.TYPE_UPLOADED, None), uploaded.status
    assert uploaded.certificate == chain and uploaded.domain_names == ["example.com", "www.example.com"]
    assert len(uploaded.fingerprint) == 95 and uploaded.not_valid_after.year == 2076
    with refused("uniqueness_error"):
        client.certificates.create(name="web", certificate=chain, private_key=key)
    with refused("invalid_input") as caught:
        client.certificates.create(name="bad", certificate=chain, private_key=(FILES / "p256.sec1.key").read_text())
    assert [field["name"] for field in caught[0].details["fields"]] == ["private_key"], caught[0].details
    with refused("unsupported_error"):
        uploaded.retry_issuance()
    assert uploaded.get_actions() == []
    uploaded = uploaded.update(name="renamed", labels={})
    assert client.certificates.get_by_name("renamed").id == uploaded.id
    managed(client)
    assert uploaded.delete()
    with refused("not_found"):
        client.certificates.get_by_id(uploaded.id)


def managed(client):
    early = client.certificates.create_managed(name="early", domain_names=["www.example.com"])
    assert early.action.command == "create_certificate", early.action.command
    try:
        early.action.wait_until_finished()
    except ActionFailedException as error:
        assert error.action.error["code"] == "dns_zone_not_found", error.action.error
    else:
        raise AssertionError("there is no zone")
    early = client.certificates.get_by_id(early.certificate.id)
    assert (early.status.issuance, early.status.renewal) == ("failed", "unavailable")
    assert early.status.error.code == "dns_zone_not_found" and early.certificate is None

    zone = client.zones.create(name="example.com", mode="primary")
    zone.action.wait_until_finished()
    action = early.retry_issuance()
    action.wait_until_finished()
    assert action.command == "issue_certificate", action.command
    early = client.certificates.get_by_id(early.id)
    assert (early.status.issuance, early.status.renewal, early.status.error) == ("completed", "unavailable", None)
    assert early.certificate.startswith("-----BEGIN CERTIFICATE-----")
    assert (early.not_valid_after - early.not_valid_before).days == 89
    commands = [action.command for action in early.get_actions(sort="id")]
    assert commands == ["create_certificate", "issue_certificate"], commands
    assert client.certificates.actions.get_by_id(action.id).id == action.id
    with refused("unsupported_error"):
        early.retry_issuance()
    assert early.delete()
    zone.zone.delete().action.wait_until_finished()
