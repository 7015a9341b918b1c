//! System containers: LXC, unprivileged, each in a user namespace.
