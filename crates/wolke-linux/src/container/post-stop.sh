# Called by LXC when everything of a container has ended. The file `ended` says that it went off by itself or was switched off;
# without it, it was lost. This works when nobody watches.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
cd "$(dirname "$0")" || exit 0
if [ "$LXC_TARGET" = reboot ]; then
    # A guest that reboots for ever must not fill the disk.
    : >lxc.log
    exit 0
fi
# An init that was killed from outside, or by a lack of memory, has not gone off.
# The kernel ends the init of one that has gone off with SIGINT (reboot(2), "Behavior inside PID namespaces").
if grep -q 'ended on signal' lxc.log && ! grep -q 'ended on signal Interrupt(2)' lxc.log; then exit 0; fi
# Neither has one that ends because the machine does.
if [ -d /run/systemd/system ]; then
    case "$(systemctl is-system-running 2>/dev/null)" in stopping | offline | unknown | '') exit 0 ;; esac
fi
: >ended
sync ended
exit 0
