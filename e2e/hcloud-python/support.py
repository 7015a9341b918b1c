"""What every flow uses: a server with the usual type and image, its end, and the refusals of the API."""

from contextlib import contextmanager

from hcloud import APIException
from hcloud.images import Image
from hcloud.server_types import ServerType

IMAGE = "ubuntu-24.04"
SERVER_TYPE = "cpx22"


@contextmanager
def refused(code):
    """Asserts that the API refuses what is done inside, with that code, a message and a correlation id."""
    caught = []
    try:
        yield caught
    except APIException as error:
        assert error.code == code, error
        assert error.message and error.correlation_id, error
        caught.append(error)
    else:
        raise AssertionError(f"expected {code}")


def create(client, name, **more):
    """Creates a server, waits for every action of the answer and reads it again."""
    more = {"image": Image(name=IMAGE), "server_type": ServerType(name=SERVER_TYPE), **more}
    made = client.servers.create(name=name, **more)
    assert made.action.command == "create_server", made.action.command
    for action in [made.action, *made.next_actions]:
        action.wait_until_finished()
    made.server.reload()
    return made.server, made.root_password


def remove(client, server):
    server.delete().wait_until_finished()
    with refused("not_found"):
        client.servers.get_by_id(server.id)
