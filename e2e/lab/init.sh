#!/bin/bash
# The first process of a lab device: it makes the device's own view of the
# machine, boots it, and lives until its standard input ends. Called with
# "reboot" by a second process of the device, it ends all others and boots again;
# with "daemons" it starts the FRR daemons that do not run.
# Environment: KIND (frr or linux), DIR, NAME, ADDR, GATEWAY.
set -u

network() {
	hostname "$(cat /etc/hostname)"
	ip link set lo up
	ip link set eth0 up
	ip addr replace "$ADDR/24" dev eth0
	ip route replace default via "$GATEWAY"
}

# wait_for COMMAND...: until it succeeds; a bound against a daemon that never comes.
wait_for() {
	for _ in {1..400}; do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.02
	done
	echo "$NAME: timed out: $*" >&2
	return 1
}

daemons() {
	mkdir -p /run/frr && chown frr:frr /run/frr && chmod 775 /run/frr
	for d in zebra staticd $(sed -n 's/^\([a-z0-9]*d\)=yes.*/\1/p' /etc/frr/daemons); do
		[ -S "/run/frr/$d.vty" ] || /usr/lib/frr/"$d" -d -A 127.0.0.1 >/dev/null 2>&1 </dev/null
		wait_for test -S "/run/frr/$d.vty" || return 1
	done
	vtysh -b >/dev/null 2>&1 </dev/null
	return 0
}

boot() {
	mkdir -p /run/sshd /run/lock && chmod 755 /run/sshd && chmod 1777 /run/lock
	network || return 1
	if [ "$KIND" = frr ]; then daemons || return 1; fi
	/usr/sbin/sshd </dev/null || return 1
	wait_for bash -c 'exec 3<>/dev/tcp/127.0.0.1/22' || return 1
	if [ -x /etc/rc.local ]; then /etc/rc.local >/dev/null 2>&1 </dev/null; fi
	return 0
}

if [ "${1-}" = daemons ]; then
	. /etc/.lab-environment
	daemons
	exit
fi
if [ "${1-}" = reboot ]; then
	. /etc/.lab-environment
	kill -9 -1
	find /run /tmp -xdev -mindepth 1 -delete
	ip addr flush dev eth0
	boot
	exit
fi

read -r _ || exit 1
mount --make-rprivate / || exit 1
mount -t proc proc /proc || exit 1
# A sysfs of its own shows its own interfaces; the board below it says the device's serial.
if mount -t sysfs sysfs /sys; then
	mkdir "$DIR/net" && mount --bind /sys/class/net "$DIR/net" && mount -t tmpfs tmpfs /sys/class &&
		mkdir -p /sys/class/net /sys/class/dmi/id && mount --bind "$DIR/net" /sys/class/net && mount --bind "$DIR/dmi" /sys/class/dmi/id
fi
cp "$DIR/init.sh" "$DIR/etc/.lab-init.sh"
declare -p KIND DIR NAME ADDR GATEWAY PATH > "$DIR/etc/.lab-environment"
mount --bind "$DIR/etc" /etc || exit 1
mount --bind "$DIR/home" /home && mount --bind "$DIR/root" /root || exit 1
mount --bind "$DIR/vartmp" /var/tmp && mount --bind "$DIR/varlog" /var/log && mount --bind "$DIR/varspool" /var/spool || exit 1
mount -t tmpfs -o mode=1777 tmpfs /tmp && mount -t tmpfs -o mode=755 tmpfs /run || exit 1
mount --bind "$DIR/varlib" /var/lib || exit 1 # last: DIR itself is below it
boot || exit 1
echo ready
while read -r _; do :; done
