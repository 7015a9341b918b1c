# Makes a root file system of a copy of a disk, in a mount namespace that ends with it.
# $1 a directory to hide   $2 the copy   $3 the root file system of the image   $4 where to
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t tmpfs -o mode=0700,size=1m wolke "$1"
mkdir "$1/disk" "$1/lower" "$1/rootfs"
mount --bind "$3" "$1/lower"
mount -t ext4 -o loop,nodev,noatime,noinit_itable "$2" "$1/disk"
mount -t overlay -o "nodev,lowerdir=$1/lower,upperdir=$1/disk/upper,workdir=$1/disk/work,redirect_dir=on,index=off,metacopy=off" \
    overlay "$1/rootfs"
# Owners, times, links, holes and attributes; through the overlay, so layers and whiteouts are resolved.
cp --archive --reflink=auto "$1/rootfs" "$4"
du --summarize --block-size=1M "$4"
