# cfgvault dead-man: the device's side of one change. It runs under any POSIX
# shell (dash, busybox ash, bash) and lies in the change's own folder, whose
# name is the change's id, beside what the driver staged:
#
#   prepare.sh   saves what rollback needs; changes nothing
#   apply.sh     makes the staged configuration the running one
#   rollback.sh  puts back what prepare saved; may run more than once
#   save.sh      makes the running configuration the startup one; may run more than once
#
# Exactly one file named after the phase exists, and only rename(2) moves it on,
# so that of the timer, Confirm and Discard only one can win:
#
#   staged -> armed -> fired -> rolledback | failed
#               '----> confirmed -> saved
#
# Every operation ends with a line "cfgvault rc N".
set -u
umask 077
LC_ALL=C
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin
export LC_ALL PATH
trap '' HUP PIPE
dir=${0%/*}
id=${dir##*/}
base=${dir%/*}
etc=/etc
cd "$dir" 2>/dev/null || exit 70

end() {
	echo "cfgvault rc $1"
	exit "$1"
}

# show FILE: on whole lines, so that the last one stays ours.
show() {
	cat "$1"
	echo
}

uptime() {
	read -r up _ </proc/uptime
	echo "${up%%.*}"
}

nap() { sleep 0.1 2>/dev/null || sleep 1; }

phase() {
	for p in saved confirmed rolledback failed fired armed staged; do
		[ -e "$p" ] && { echo "$p"; return; }
	done
	echo none
}

# alive FILE: the process whose id is in FILE runs and is this change's.
alive() {
	[ -s "$1" ] && read -r pid <"$1" && [ -r "/proc/$pid/cmdline" ] && tr '\000' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q -F "$dir/deadman.sh"
}

# spawn OPERATION: as a process that outlives this one, its session and its login.
spawn() {
	case $(cat runner) in
	systemd) systemd-run --quiet --collect --unit="cfgvault-$id-$1" /bin/sh "$dir/deadman.sh" "$1" >/dev/null 2>&1 </dev/null ;;
	# The name matches no process: with none, one shell would keep the next from starting.
	start-stop-daemon) start-stop-daemon -S -b -n "cfgvault-$id-$1" -a /bin/sh -- "$dir/deadman.sh" "$1" >/dev/null 2>&1 </dev/null ;;
	*) setsid sh "$dir/deadman.sh" "$1" >/dev/null 2>&1 </dev/null & ;;
	esac
}

lock() {
	ln -s "change:$id" "$base/current" 2>/dev/null && return
	holder=$(readlink "$base/current")
	[ "$holder" = "change:$id" ] && return
	[ -n "$holder" ] && [ -d "$base/${holder#change:}" ] && return 1
	rm -f "$base/current" # its change is gone
	ln -s "change:$id" "$base/current" 2>/dev/null
}

unlock() { [ "$(readlink "$base/current" 2>/dev/null)" = "change:$id" ] && rm -f "$base/current"; }

# The job that rolls back after a reboot, where files are startup.
arm_boot() {
	case $(cat boot) in
	systemd)
		{
			printf '[Unit]\nDescription=cfgvault: roll back the unconfirmed change %s\nDefaultDependencies=no\nAfter=local-fs.target\nBefore=network-pre.target\nWants=network-pre.target\n' "$id"
			printf '[Service]\nType=oneshot\nExecStart=/bin/sh %s/deadman.sh boot\n[Install]\nWantedBy=sysinit.target\n' "$dir"
		} >"$etc/systemd/system/cfgvault-$id.service" &&
			mkdir -p "$etc/systemd/system/sysinit.target.wants" &&
			ln -sf "../cfgvault-$id.service" "$etc/systemd/system/sysinit.target.wants/cfgvault-$id.service" &&
			chmod 644 "$etc/systemd/system/cfgvault-$id.service" ;;
	procd) # before the network starts
		printf '#!/bin/sh /etc/rc.common\nSTART=12\nboot() { sh %s/deadman.sh boot; }\nstart() { :; }\n' "$dir" >"$etc/init.d/cfgvault-$id" &&
			chmod 755 "$etc/init.d/cfgvault-$id" && ln -sf "../init.d/cfgvault-$id" "$etc/rc.d/S12cfgvault-$id" ;;
	cron) printf '@reboot root /bin/sh %s/deadman.sh boot\n' "$dir" >"$etc/cron.d/cfgvault-$id" && chmod 644 "$etc/cron.d/cfgvault-$id" ;;
	rc.local)
		cp -p "$etc/rc.local" "$etc/.rc.local-$id" && {
			head -n 1 "$etc/rc.local" && echo "[ ! -e $dir/deadman.sh ] || sh $dir/deadman.sh boot || true # cfgvault-$id" && tail -n +2 "$etc/rc.local"
		} >"$etc/.rc.local-$id" && mv "$etc/.rc.local-$id" "$etc/rc.local" ;;
	*) true ;;
	esac
}

disarm_boot() {
	case $(cat boot 2>/dev/null) in
	systemd) rm -f "$etc/systemd/system/cfgvault-$id.service" "$etc/systemd/system/sysinit.target.wants/cfgvault-$id.service" ;;
	procd) rm -f "$etc/rc.d/S12cfgvault-$id" "$etc/init.d/cfgvault-$id" ;;
	cron) rm -f "$etc/cron.d/cfgvault-$id" ;;
	rc.local)
		rm -f "$etc/.rc.local-$id"
		grep -q -F "# cfgvault-$id" "$etc/rc.local" 2>/dev/null && cp -p "$etc/rc.local" "$etc/.rc.local-$id" &&
			{ grep -v -F "# cfgvault-$id" "$etc/rc.local" || true; } >"$etc/.rc.local-$id" && mv "$etc/.rc.local-$id" "$etc/rc.local" ;;
	esac
	return 0
}

# finish STATE: leave nothing behind but a marker, and of those only eight.
finish() {
	disarm_boot
	unlock
	printf '%s\n' "$1" >"$base/$id.tmp" && mv "$base/$id.tmp" "$base/$id.done" || return 0 # a full disk: the phase file still tells
	ls -t "$base" | grep '\.done$' | tail -n +9 | while read -r old; do rm -f "$base/$old"; done
	cd /
	mv "$dir" "$dir.part" && rm -rf "$dir.part" # whoever asks meanwhile sees all of it or nothing
}

# halt FILE: end the process group that FILE names, if it is ours.
halt() {
	alive "$1" || return 0
	read -r pid <"$1"
	kill -TERM "-$pid" 2>/dev/null
	n=0
	while alive "$1" && [ $n -lt 20 ]; do
		n=$((n + 1))
		nap
	done
	alive "$1" && kill -KILL "-$pid" 2>/dev/null
	return 0
}

# rollback: fired is ours. The result is rolledback, or failed with a log that stays.
rollback() {
	rm -f reserve
	echo $$ >rollback.pid
	alive timer.pid && [ "$pid" != $$ ] && kill -TERM "-$pid" 2>/dev/null
	[ -e apply.rc ] || halt apply.pid
	if sh ./rollback.sh "${1:-now}" >>log 2>&1 </dev/null; then
		mv fired rolledback
		finish rolledback
		return 0
	fi
	echo "rollback.sh ended with status $?" >>log
	mv fired failed
	return 1
}

# await_rollback: another process rolls back; wait for the end of it.
await_rollback() {
	while [ -e fired ]; do
		alive rollback.pid || alive timer.pid || return 1
		nap
	done
	[ ! -e failed ]
}

case ${1-} in
status)
	p=$(phase)
	if [ "$p" = none ] && [ -f "$dir.done" ]; then # it ended while we asked
		echo "cfgvault done $(cat "$dir.done")"
		end 70
	fi
	echo "cfgvault phase $p"
	case $p in
	armed)
		left=$(($(cat deadline) - $(uptime)))
		echo "cfgvault left $left"
		alive timer.pid && echo "cfgvault timer alive"
		[ "$(cat bootid 2>/dev/null)" = "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)" ] || echo "cfgvault rebooted yes"
		;;
	fired) { alive rollback.pid || alive timer.pid; } && echo "cfgvault timer alive" ;;
	esac
	end 0
	;;
commit)
	# within SECONDS: save, arm, apply in a process of its own, and wait for that.
	within=$2
	case $(phase) in
	staged) ;;
	none) end 66 ;;
	*) end 75 ;;
	esac
	lock || end 75
	# Room for what a rollback writes is taken now, not when it is needed.
	if ! { sh ./prepare.sh >prepare.log 2>&1 </dev/null; }; then
		show prepare.log
		unlock
		end 78
	fi
	if ! { echo "$(($(uptime) + within))" >deadline && dd if=/dev/zero of=reserve bs=1024 count=64 2>/dev/null && cat /proc/sys/kernel/random/boot_id >bootid && [ -s deadline ]; }; then
		unlock
		end 73
	fi
	mv staged armed || { unlock; end 70; }
	if ! arm_boot; then
		mv armed staged
		disarm_boot
		unlock
		end 73
	fi
	rm -f timer.pid
	spawn timer
	n=0
	until alive timer.pid; do
		n=$((n + 1))
		[ -e armed ] || end 76 # a slow device: the timer came, ran out and went
		[ $n -gt 150 ] && { mv armed staged; disarm_boot; unlock; end 77; }
		nap
	done
	spawn apply
	while [ ! -e apply.rc ]; do
		[ -e armed ] || end 76
		nap
	done
	show apply.log
	rc=$(cat apply.rc)
	[ "$rc" = 0 ] || end 79
	[ -e armed ] || end 76
	end 0
	;;
apply)
	echo $$ >apply.pid
	[ -e armed ] || exit 0
	sh ./apply.sh >apply.log 2>&1 </dev/null
	echo $? >apply.tmp && mv apply.tmp apply.rc
	;;
timer)
	echo $$ >timer.pid
	while [ -e armed ]; do
		left=$(($(cat deadline) - $(uptime)))
		[ $left -le 0 ] && break
		[ $left -gt 5 ] && left=5
		sleep $left
	done
	mv armed fired 2>/dev/null || exit 0 # Confirm was first
	rollback
	;;
boot)
	mv armed fired 2>/dev/null || [ -e fired ] || exit 0
	rollback boot
	;;
fire)
	mv armed fired 2>/dev/null || mv failed fired 2>/dev/null || exit 0
	rollback
	;;
confirm)
	case $(phase) in
	armed)
		if [ "${2-}" = reboot ] && [ "$(cat bootid)" != "$(cat /proc/sys/kernel/random/boot_id)" ]; then
			mv armed rolledback && finish rolledback
			end 76
		fi
		[ -e apply.rc ] || ! alive apply.pid || end 75 # it is still being applied
		[ "$(cat apply.rc 2>/dev/null)" = 0 ] || end 79
		mv armed confirmed 2>/dev/null || end 76
		alive timer.pid && kill -TERM "-$pid" 2>/dev/null # else it would notice within 5 s
		;;
	confirmed) ;;
	saved) finish confirmed; end 0 ;;
	fired | rolledback) end 76 ;;
	failed) end 74 ;;
	staged) end 65 ;;
	*) end 66 ;;
	esac
	# A session that was lost may have left a first save at work.
	n=0
	while alive save.pid && [ "$pid" != $$ ] && [ $n -lt 300 ]; do
		n=$((n + 1))
		nap
	done
	[ -e confirmed ] || { [ -e saved ] && finish confirmed; end 0; }
	echo $$ >save.pid
	sh ./save.sh >save.log 2>&1 </dev/null || { rm -f save.pid; show save.log; end 72; }
	mv confirmed saved
	finish confirmed
	end 0
	;;
discard)
	case $(phase) in
	armed | failed | fired)
		if [ -e armed ] || [ -e failed ] || ! { alive rollback.pid || alive timer.pid; }; then
			if [ -e armed ] || [ -e failed ]; then
				spawn fire
			else # whoever rolled back died of it
				mv fired failed
				spawn fire
			fi
			n=0
			while { [ -e armed ] || [ -e failed ]; } && [ $n -lt 50 ]; do
				n=$((n + 1))
				nap
			done
		fi
		await_rollback || end 74
		n=0
		while [ -e "$dir/deadman.sh" ] && [ $n -lt 50 ]; do # until it has cleaned up
			n=$((n + 1))
			nap
		done
		end 0
		;;
	rolledback) finish rolledback ;;
	confirmed | saved) finish confirmed ;;
	*) unlock; cd / && rm -rf "$dir" ;;
	esac
	end 0
	;;
*) end 64 ;;
esac
