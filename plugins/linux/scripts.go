package linux

import "github.com/cfgvault/cfgvault/plugins/deadman"

// lib is common to all scripts, which run as root in the change's folder.
//
//	plan      one line per file that changes: put|drop TAB mode TAB owner TAB group TAB path below /
//	folders   one line per folder of a file that is put: mode TAB owner TAB group TAB path below /
//	actions   what to make the system read again: hostname sysctl nft networkd ifupdown sshd
//	new/ old/ the files as they will be and as they were
//
// A file is replaced by rename, so that whoever reads it sees the old or the
// new one. Where something is mounted on it, as in containers, rename is not
// possible and it is written over.
const lib = `LC_ALL=C; PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export LC_ALL PATH
tab=$(printf '\t')
has() { command -v "$1" >/dev/null 2>&1; }
wants() { grep -q -x "$1" actions; }
there() { [ -e "$1" ] || [ -L "$1" ]; }
put() { # FROM PATH
	[ -L "$2" ] || [ ! -d "$2" ] || { echo "$2 is a folder"; return 1; }
	(umask 022 && mkdir -p "${2%/*}") && cp -a "$1" "${2%/*}/.cfgvault-new" || { rm -f "${2%/*}/.cfgvault-new"; return 1; }
	mv -f "${2%/*}/.cfgvault-new" "$2" 2>/dev/null && return
	rm -f "${2%/*}/.cfgvault-new"
	[ ! -L "$1" ] && cat "$1" >"$2"
}
equal() { # FILE FILE
	if [ -L "$1" ] || [ -L "$2" ]; then [ "$(readlink "$1")" = "$(readlink "$2")" ]; else cmp -s "$1" "$2"; fi
}
sysctl_files() { for x in /etc/sysctl.d/*.conf /etc/sysctl.conf; do [ ! -e "$x" ] || echo "$x"; done; }
reread() { # how: now or boot
	bad=0
	if wants hostname && [ -s /etc/hostname ]; then hostname "$(head -n 1 /etc/hostname)" || bad=1; fi
	[ "$1" = boot ] && [ -d /run/systemd/system ] && return $bad # systemd reads the rest after us
	if wants sysctl && has sysctl; then
		sysctl_files | while read -r x; do sysctl -q -e -p "$x" || echo "sysctl does not take all of $x"; done
	fi
	if wants networkd && has networkctl && [ -d /run/systemd/netif ]; then networkctl reload || bad=1; fi
	if wants ifupdown && has ifreload; then ifreload -a || bad=1; fi
	if wants sshd; then
		if [ -d /run/systemd/system ]; then systemctl reload ssh 2>/dev/null || systemctl reload sshd || bad=1
		elif pid=$(cat /run/sshd.pid 2>/dev/null); then kill -HUP "$pid" || bad=1
		fi
	fi
	return $bad
}
`

func scripts() deadman.Scripts {
	return deadman.Scripts{
		Prepare: lib + `
rm -rf old && mkdir old && : >old.sysctl && : >old.folders || exit 1
while IFS=$tab read -r mode owner group path; do
	[ ! -d "/$path" ] || stat -c "%a$tab%u$tab%g$tab$path" "/$path" >>old.folders || exit 1
done <folders
while IFS=$tab read -r how mode owner group path; do
	there "/$path" || continue
	case $path in */*) mkdir -p "old/${path%/*}" || exit 1 ;; esac
	cp -a "/$path" "old/$path" || exit 1
done <plan
if wants sysctl && has sysctl; then
	{ sysctl_files; find new/etc -name '*.conf' -path '*sysctl*' 2>/dev/null; } | while read -r x; do sed -n 's/^[ \t]*-*\([a-z][^=#; \t]*\)[ \t]*=.*/\1/p' "$x"; done | sort -u | while read -r key; do
		value=$(sysctl -n "$key" 2>/dev/null) && printf '%s = %s\n' "$key" "$value" >>old.sysctl
	done
fi
if wants nft && has nft; then { echo 'flush ruleset'; nft list ruleset; } >old.nft || exit 1; fi
exit 0
`,
		Apply: lib + `
while IFS=$tab read -r mode owner group path; do
	(umask 022 && mkdir -p "/$path") || exit 1
	chown "$owner:$group" "/$path" 2>/dev/null || chown 0:0 "/$path" || exit 1
	chmod "$mode" "/$path" || exit 1
done <folders
while IFS=$tab read -r how mode owner group path; do
	case $how in
	put)
		if [ ! -L "new/$path" ]; then
			chown "$owner:$group" "new/$path" 2>/dev/null || chown 0:0 "new/$path" || exit 1
			chmod "$mode" "new/$path" || exit 1
		fi
		put "new/$path" "/$path" || { echo "/$path cannot be written"; exit 1; } ;;
	drop) rm -f "/$path" || exit 1 ;;
	esac
done <plan
if wants nft && has nft; then
	if [ -s /etc/nftables.conf ]; then nft -f /etc/nftables.conf || exit 1; else nft flush ruleset || exit 1; fi
fi
reread now
`,
		Rollback: lib + `
failed=0
while IFS=$tab read -r mode owner group path; do
	chown "$owner:$group" "/$path" && chmod "$mode" "/$path" || failed=1
done <old.folders
while IFS=$tab read -r how mode owner group path; do
	if there "old/$path"; then put "old/$path" "/$path" || failed=1; else rm -f "/$path" || failed=1; fi
done <plan
[ ! -s old.nft ] || ! has nft || nft -f old.nft || failed=1
reread "$1" || failed=1
[ "$1" = boot ] || [ ! -s old.sysctl ] || sysctl -q -e -p old.sysctl || failed=1
exit $failed
`,
		Save: lib + `
while IFS=$tab read -r how mode owner group path; do
	case $how in
	put) equal "new/$path" "/$path" || { echo "/$path is not as it was put"; exit 1; } ;;
	drop) ! there "/$path" || { echo "/$path is there again"; exit 1; } ;;
	esac
done <plan
sync
`,
	}
}

// checkScript asks the programs that read the files what they think of the
// staged ones. The lines say paths below new/.
const checkScript = lib + deadman.Frames + `
sshd_check() {
	conf=new/etc/ssh/sshd_config
	[ -e "$conf" ] || conf=/etc/ssh/sshd_config
	mkdir -p check new/etc/ssh/sshd_config.d
	cp -a /etc/ssh/sshd_config.d/. check/ 2>/dev/null
	grep "${tab}etc/ssh/sshd_config.d/" plan | while IFS=$tab read -r how mode owner group path; do rm -f "check/${path##*/}"; [ "$how" = drop ] || cp "new/$path" "check/${path##*/}"; done
	sed "s#/etc/ssh/sshd_config\.d/#$PWD/check/#g" "$conf" >sshd_config && sshd -t -f "$PWD/sshd_config" 2>&1
}
nft_check() {
	nft list ruleset >/dev/null 2>&1 || return 0 # the kernel has no nftables
	nft -c -f new/etc/nftables.conf 2>&1
}
if wants sshd && has sshd; then f sshd sshd_check; fi
if wants nft && has nft && [ -s new/etc/nftables.conf ]; then f nft nft_check; fi
echo @end
`
