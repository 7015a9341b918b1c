"""Flows with storage boxes: data, snapshots, plans, subaccounts, access. Part of flow.py."""

from hcloud.locations import Location
from hcloud.storage_box_types import StorageBoxType
from hcloud.storage_boxes import (
    StorageBoxAccessSettings,
    StorageBoxSnapshotPlan,
    StorageBoxSubaccountAccessSettings,
)

from support import refused

PASSWORD = "1-secret-PASSW0RD-=)"


def storage_boxes(client):
    types = client.storage_box_types.get_all()
    assert [kind.name for kind in types] == ["bx11", "bx21", "bx31", "bx41"] and types[0].id == 1333, types
    assert types[0].size == 1 << 40 and types[0].deprecation is None and types[0].subaccounts_limit == 100
    with refused("invalid_input"):
        client.storage_boxes.create(name="a", storage_box_type=types[0], location=Location(name="hel1"), password="weak")
    made = client.storage_boxes.create(
        name="backups",
        storage_box_type=StorageBoxType(name="bx11"),
        location=Location(name="hel1"),
        password=PASSWORD,
        labels={"key": "value"},
        access_settings=StorageBoxAccessSettings(ssh_enabled=True, zfs_enabled=True),
    )
    made.action.wait_until_finished()
    box = client.storage_boxes.get_by_name("backups")
    assert box.id == made.storage_box.id and box.status == "active" and box.snapshot_plan is None, box.status
    assert box.server == f"{box.username}.your-storagebox.de" and box.system.startswith("HEL1-BX"), box.server
    settings = box.access_settings
    assert settings.ssh_enabled and settings.zfs_enabled and not settings.webdav_enabled
    assert (box.stats.size, box.stats.size_data, box.stats.size_snapshots) == (0, 0, 0)
    assert [one.id for one in client.storage_boxes.get_all(label_selector="key=value")] == [box.id]
    change(client, box)
    snapshots(box)
    subaccounts(box)
    commands = [action.command for action in box.get_actions()]
    assert commands[0] == "create" and {"change_type", "create_snapshot", "delete_subaccount"} <= set(commands), commands
    box.delete().action.wait_until_finished()
    with refused("not_found"):
        client.storage_boxes.get_by_id(box.id)


def change(client, box):
    box.change_type(StorageBoxType(name="bx21")).wait_until_finished()
    with refused("invalid_input"):
        box.change_type(StorageBoxType(name="bx21"))
    box.reset_password("An0ther-secret!").wait_until_finished()
    box.update_access_settings(StorageBoxAccessSettings(webdav_enabled=True)).wait_until_finished()
    box.change_protection(delete=True).wait_until_finished()
    with refused("protected"):
        box.delete()
    box.change_protection(delete=False).wait_until_finished()
    box = box.update(name="archive", labels={})
    assert (box.name, box.labels) == ("archive", {}), box.name
    box.enable_snapshot_plan(StorageBoxSnapshotPlan(max_snapshots=3, hour=3, minute=30)).wait_until_finished()
    box.reload()
    plan = box.snapshot_plan
    assert (plan.max_snapshots, plan.hour, plan.day_of_week) == (3, 3, None), plan.max_snapshots
    box.disable_snapshot_plan().wait_until_finished()
    box.reload()
    assert box.snapshot_plan is None and box.storage_box_type.name == "bx21"
    assert box.access_settings.webdav_enabled and box.access_settings.ssh_enabled


def snapshots(box):
    made = box.create_snapshot(description="before", labels={"key": "value"})
    made.action.wait_until_finished()
    snapshot = box.get_snapshot_by_id(made.snapshot.id)
    assert (snapshot.description, snapshot.is_automatic) == ("before", False), snapshot.description
    assert (snapshot.stats.size, snapshot.stats.size_filesystem) == (0, 0)
    assert box.get_snapshot_by_name(snapshot.name).id == snapshot.id and box.get_snapshot_by_name("nothing") is None
    assert box.get_snapshot_all(is_automatic=True) == []
    assert snapshot.name in box.get_folders(path=".zfs/snapshot").folders
    snapshot = snapshot.update(description="after", labels={})
    assert (snapshot.description, snapshot.labels) == ("after", {}), snapshot.description
    box.create_snapshot().action.wait_until_finished()
    box.rollback_snapshot(snapshot).wait_until_finished()
    assert [one.id for one in box.get_snapshot_all()] == [snapshot.id]
    snapshot.delete().action.wait_until_finished()
    assert box.get_snapshot_all() == []


def subaccounts(box):
    made = box.create_subaccount(
        home_directory="backups/team1",
        password=PASSWORD,
        name="team1",
        access_settings=StorageBoxSubaccountAccessSettings(ssh_enabled=True, readonly=True),
    )
    made.action.wait_until_finished()
    account = box.get_subaccount_by_name("team1")
    assert account.id == made.subaccount.id and account.username == f"{box.username}-sub1", account.username
    assert account.access_settings.readonly and account.home_directory == "backups/team1"
    assert box.get_subaccount_by_username(account.username).id == account.id
    account.change_home_directory("backups/team2").wait_until_finished()
    account.reset_password("An0ther-secret!").wait_until_finished()
    changed = StorageBoxSubaccountAccessSettings(readonly=False)
    account.update_access_settings(changed).wait_until_finished()
    account = account.update(name="team2", description="moved", labels={"key": "value"})
    account = box.get_subaccount_by_id(account.id)
    assert (account.name, account.home_directory) == ("team2", "backups/team2"), account.name
    assert account.access_settings.ssh_enabled and not account.access_settings.readonly
    assert box.get_folders(path="backups").folders == ["team1", "team2"]
    account.delete().action.wait_until_finished()
    with refused("not_found"):
        box.get_subaccount_by_id(account.id)
