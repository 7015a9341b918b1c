# Starts a container: builds its view of the file system in a mount namespace of its own, in which LXC's monitor then lives.
# Whatever kills the monitor ends the namespace, and with it every mount and loop device: nothing has to be found again.
#
# $1 a public directory that is hidden behind the container's own   $2 the directory of the server: one start at a time
# $3 the directory of its run   $4 the disk   $5 the root file system of the image   $6 the name   $7 the path for LXC
# $8 the token of this start: an older one that was held up finds another and ends
# $9 how many files cloud-init reads. They come on the standard input, each as a line `NAME SIZE` and so many bytes: they hold
# secrets, so they never lie anywhere but in memory.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec 9<"$2"
flock -w 60 9
[ "$(cat "$3/token")" = "$8" ]

# LXC keeps its locks there; ours are nobody else's business.
mkdir -p /run/lxc
mount -t tmpfs -o mode=0711,size=1m wolke /run/lxc

# The container's root has to reach these paths, and must not have to reach the state directory.
mount -t tmpfs -o mode=0711,size=4m wolke "$1"
cd "$1"
mkdir disk lower rootfs run seed
mkdir -p "$7/$6"
mount --bind "$3" run
mount --bind "$5" lower
mount -t ext4 -o loop,nodev,noatime,discard,noinit_itable "$4/disk.img" disk
mount -t overlay -o "nodev,lowerdir=$1/lower,upperdir=$1/disk/upper,workdir=$1/disk/work,redirect_dir=on,index=off,metacopy=off" \
    overlay rootfs
files=0
while [ "$files" -lt "$9" ]; do
    read -r name size
    (umask 077 && head -c "$size" >"seed/$name")
    # Whoever sent them may have died half way.
    [ "$(stat -c %s "seed/$name")" = "$size" ]
    files=$((files + 1))
done
chmod 0700 seed
# To root inside, as everything of the image.
chown -R --reference=lower seed

# What the loop device has done for others before.
device=$(findmnt -n -o SOURCE --mountpoint "$1/disk")
cat "/sys/block/${device#/dev/}/stat" >run/disk.before

# Without newuidmap in its path LXC maps ids by itself and needs no entry in /etc/subuid.
exec env -i PATH=/usr/sbin:/sbin /usr/bin/lxc-start --daemon --name "$6" --lxcpath "$7" --rcfile "$1/run/config" \
    --logfile "$1/run/lxc.log" --logpriority DEBUG --pidfile "$1/run/pid" </dev/null >run/start.log 2>&1
