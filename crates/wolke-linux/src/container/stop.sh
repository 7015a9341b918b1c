# Called by LXC when the init of a container has ended, before its control groups go: a reboot must not lose the processor time.
# $1 the file that counts it   $2 the word before the number, if any   $3 its units in a millisecond
PATH=/usr/sbin:/usr/bin:/sbin:/bin
[ "$LXC_TARGET" = reboot ] || exit 0
used=0
while read -r first second; do
    if [ -z "$2" ]; then used=$first; elif [ "$first" = "$2" ]; then used=$second; fi
done <"$1"
cd "$(dirname "$0")" || exit 0
before=0
[ ! -s cpu.before ] || read -r before <cpu.before
echo $((before + used / $3)) >cpu.before.new && mv cpu.before.new cpu.before
exit 0
