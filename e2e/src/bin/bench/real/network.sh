# By hand: a link for one guest, a DHCP server and a metadata service on it.
#
# $1 the device on our side   $2 "tap", or the name of the device for the guest   $3 the guest's hardware address
# $4 its IPv4 address   $5 its IPv6 network   $6 a directory for what is written   $7 the documents of the metadata service
set -eu
if [ "$2" = tap ]; then
    ip tuntap add dev "$1" mode tap
else
    ip link add "$1" type veth peer name "$2" address "$3"
fi
ip address add 172.31.1.1/32 dev "$1"
ip address add 169.254.169.254/32 dev "$1"
ip -6 address add fe80::1/64 dev "$1" nodad
ip link set "$1" up
ip route add "$4/32" dev "$1"
ip -6 route add "$5/64" dev "$1"
cat >"$6/udhcpd.conf" <<END
interface $1
start $4
end $4
max_leases 1
lease_file $6/leases
pidfile $6/udhcpd.pid
option subnet 255.255.255.255
option router 172.31.1.1
option staticroutes 172.31.1.1/32 0.0.0.0, 0.0.0.0/0 172.31.1.1
END
: >"$6/leases"
busybox udhcpd -S "$6/udhcpd.conf" </dev/null >/dev/null 2>&1
busybox httpd -f -p 169.254.169.254:80 -h "$7" </dev/null >/dev/null 2>&1 &
echo $! >"$6/httpd.pid"
