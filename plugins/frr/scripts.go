package frr

import "github.com/cfgvault/cfgvault/plugins/deadman"

// lib is common to all scripts, which run in the change's folder. What is put
// in force lies there as DIR/frr.conf beside a DIR/vtysh.conf, and DIR is given
// as the configuration folder: frr-reload.py saves to startup after a reload
// unless the file it loads is the frr.conf of that folder (measured, FRR 8.4.4).
const lib = `LC_ALL=C; PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export LC_ALL PATH
d=$PWD
reload() { # --test|--reload DIR
	python3 /usr/lib/frr/frr-reload.py "$1" --stdout --confdir "$d/$2" --rundir "$d" "$d/$2/frr.conf"
}
running() { # FILE
	vtysh -c 'show running-config' >"$1" && grep -q '^end' "$1"
}
lines() { # FILE: what says something, in an order that depends on nothing
	sed -e '1,/^Current configuration:/{/^Building configuration/d;/^Current configuration:/d;}' "$1" | grep -v -e '^frr version ' -e '^hostname ' -e '^ *!* *$' -e '^end' | sort
}
same() { # FILE FILE
	lines "$1" >same.1 && lines "$2" >same.2 && cmp -s same.1 same.2
}
inforce() { # DIR: make DIR/frr.conf the running configuration; lists may need a second pass
	for pass in 1 2 3; do
		reload --reload "$1" >reload.log 2>&1
		running now.raw && same now.raw "$1/frr.conf" && return 0
	done
	reload --test "$1" >left.log 2>/dev/null && ! grep -q . left.log && return 0 # FRR itself sees no difference
	grep -e ERROR -e WARN -e '^%' -e '^line' reload.log
	cat left.log
	return 1
}
startup_kept() { [ ! -e startup.old ] || cmp -s startup.old /etc/frr/frr.conf; }
`

// scripts are the four steps of a change.
func scripts() deadman.Scripts {
	return deadman.Scripts{
		Prepare: lib + `
running old.raw || { echo "the running configuration cannot be read"; exit 1; }
mkdir -p old && sed '1,/^Current configuration:/d' old.raw >old/frr.conf && [ -s old/frr.conf ] || exit 1
[ ! -e conf/vtysh.conf ] || cp conf/vtysh.conf old/vtysh.conf || exit 1
vtysh -C -f old/frr.conf >parse.log 2>&1 || { echo "FRR does not accept its own running configuration; it could not be put back"; exit 1; }
[ ! -r /etc/frr/frr.conf ] || cp /etc/frr/frr.conf startup.old || exit 1
`,
		Apply: lib + `
inforce conf || exit 1
startup_kept || { echo "the device saved its startup configuration by itself"; exit 1; }
`,
		Rollback: lib + `
for try in 1 2 3 4 5; do
	if inforce old && running now.raw && same now.raw old/frr.conf; then
		startup_kept || cat startup.old >/etc/frr/frr.conf || exit 1
		exit 0
	fi
	sleep 1
done
exit 1
`,
		Save: lib + `
put() { # NAME: atomically, with the mode that the file has
	[ -f "files/$1" ] && ! cmp -s "files/$1" "/etc/frr/$1" || return 0
	{ [ ! -e "/etc/frr/$1" ] || cp -p "/etc/frr/$1" "/etc/frr/.cfgvault.$1"; } && cat "files/$1" >"/etc/frr/.cfgvault.$1" && mv -f "/etc/frr/.cfgvault.$1" "/etc/frr/$1"
}
put daemons && put vtysh.conf || { echo "/etc/frr cannot be written"; exit 1; }
vtysh -c 'write memory' || exit 1
running now.raw && same now.raw /etc/frr/frr.conf || { echo "frr.conf is not what runs"; exit 1; }
`,
	}
}

// checkScript asks the device what it thinks of a staged change.
const checkScript = lib + deadman.Frames + `
[ ! -r /etc/frr/vtysh.conf ] || cp /etc/frr/vtysh.conf conf/vtysh.conf
[ -e conf/vtysh.conf ] || echo 'service integrated-vtysh-config' >conf/vtysh.conf
f tools sh -c 'command -v python3 && ls /usr/lib/frr/frr-reload.py'
parse() { vtysh -C -f conf/frr.conf 2>&1; }
f parse parse
f show vtysh -c 'show daemons'
f off grep -x -h 'no service integrated-vtysh-config' /etc/frr/vtysh.conf
# The host name is the machine's: FRR prints it and cannot set it. The lines of
# this machine stand in for those of the one the configuration came from.
f own uname -n
running now.raw && { grep '^hostname ' now.raw; grep -v '^hostname ' conf/frr.conf; } >conf/with && mv conf/with conf/frr.conf
test_only() { reload --test conf 2>test.err; }
f test test_only
f test.err cat test.err
f writable test -w /etc/frr
f watchfrr sh -c 'vtysh -c "show daemons" | grep -w watchfrr'
for x in daemons vtysh.conf; do f "same/$x" cmp -s "files/$x" "/etc/frr/$x"; done
echo @end
`
