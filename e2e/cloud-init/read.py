"""Lets stock cloud-init read a metadata service, and prints what it made of it as one JSON object.

Arguments: the service's address up to /hetzner/v1, and the serial number that the machine's firmware would tell. Only what
needs a real machine is replaced: firmware, the search for an interface, and the DHCP lease.
"""

import contextlib
import json
import sys
import tempfile
from unittest import mock

from cloudinit import helpers, settings
from cloudinit.net import network_state
from cloudinit.sources import DataSourceHetzner as hetzner

base, serial = sys.argv[1:]
service = {"metadata_url": base + "/metadata", "userdata_url": base + "/userdata", "retries": 0, "timeout": 10}
config = dict(settings.CFG_BUILTIN, datasource={"Hetzner": service})

with contextlib.ExitStack() as stack:
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    for name, replacement in {
        "dmi.read_dmi_data": {"system-manufacturer": "Hetzner", "system-serial-number": serial}.get,
        "net.find_fallback_nic": lambda: "eth0",
        "EphemeralDHCPv4": lambda *args, **kwargs: contextlib.nullcontext(),
    }.items():
        stack.enter_context(mock.patch("cloudinit.sources.DataSourceHetzner." + name, replacement))
    distro = mock.MagicMock()
    distro.get_tmp_exec_path = lambda: folder
    source = hetzner.DataSourceHetzner(config, distro, helpers.Paths({"run_dir": folder, "cloud_dir": folder}))
    recognised = source.get_data()
    state = network_state.parse_net_config_data(source.network_config)
    print(
        json.dumps(
            {
                "recognised": recognised,
                "instance_id": source.get_instance_id(),
                "hostname": source.get_hostname().hostname,
                "public_keys": source.get_public_ssh_keys(),
                "user_data": source.get_userdata_raw().decode(),
                "vendor_data": source.get_vendordata_raw(),
                "metadata": source.metadata_full,
                "interfaces": list(state.iter_interfaces()),
            }
        )
    )
