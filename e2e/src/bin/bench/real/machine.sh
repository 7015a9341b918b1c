# By hand: a disk over the image, and qemu-system-x86_64.
#
# $1 the version of the image   $2 a directory for what is written   $3 the size of the disk in GB   $4 processors
# $5 memory in MiB   $6 the tap device   $7 its guest's hardware address   $8 the kernel's command line
set -eu
qemu-img create -q -f qcow2 -F qcow2 -b "$1/disk.qcow2" "$2/disk.qcow2" "$3G"
exec qemu-system-x86_64 -nodefaults -no-user-config -display none -machine q35 -accel tcg,thread=multi -cpu max \
    -smp "$4" -m "${5}M" -kernel "$1/vmlinuz" -initrd "$1/initrd" -append "$8" \
    -smbios type=1,manufacturer=Hetzner,product=vServer,serial=4711 \
    -drive "if=virtio,format=qcow2,file=$2/disk.qcow2" \
    -netdev "tap,id=n,ifname=$6,script=no,downscript=no" -device "virtio-net-pci,netdev=n,mac=$7,romfile=" \
    -device virtio-rng-pci -pidfile "$2/pid" -daemonize
