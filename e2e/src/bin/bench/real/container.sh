# By hand: a disk over the image, and lxc-start.
#
# $1 the version of the image   $2 a directory for what is written; holds lxc's config, and seed/ for cloud-init
# $3 the size of the disk in GB
set -eu
mkdir -p "$2/skeleton/upper" "$2/skeleton/work"
chown --reference="$1/rootfs" "$2/skeleton/upper"
chmod --reference="$1/rootfs" "$2/skeleton/upper"
truncate -s "$3G" "$2/disk.img"
mkfs.ext4 -q -F -m 0 -J size=32 -E lazy_itable_init=1,lazy_journal_init=1,nodiscard -d "$2/skeleton" "$2/disk.img"
# In a view of its own, so that what is mounted goes with the container.
exec unshare --mount --propagation slave -- sh -eu -c '
    mkdir -p /run/lxc
    mount -t tmpfs -o mode=0711 bench /mnt
    mkdir /mnt/disk /mnt/lower /mnt/rootfs /mnt/run /mnt/seed /mnt/by-hand
    mount --bind "$2" /mnt/run
    mount --bind "$1/rootfs" /mnt/lower
    mount -t ext4 -o loop,noatime "$2/disk.img" /mnt/disk
    mount -t overlay -o lowerdir=/mnt/lower,upperdir=/mnt/disk/upper,workdir=/mnt/disk/work overlay /mnt/rootfs
    if [ -d "$2/seed" ]; then
        cp "$2"/seed/* /mnt/seed/
        chown -R --reference=/mnt/lower /mnt/seed
    fi
    exec env -i PATH=/usr/sbin:/sbin /usr/bin/lxc-start --daemon --name by-hand --lxcpath /mnt \
        --rcfile /mnt/run/config --pidfile /mnt/run/pid </dev/null >/mnt/run/log 2>&1
' sh "$1" "$2"
