# Shortens the output of `go test -v`: packages, failures with what they
# printed, and skips, which fail the run when noskip is set.
/^=== (RUN|PAUSE|CONT|NAME)/ { name = $3; if (!(name in text)) text[name] = ""; next }
/^ *--- PASS/ { passed++; held = ""; next }
/^ *--- SKIP/ { skipped++; print; print held; held = ""; next }
/^ *--- FAIL/ { failed++; print; printf "%s", held; held = ""; next }
/^(ok|FAIL|panic|\?|fatal error|exit status)/ { if ($1 != "ok" && $1 != "?") printf "%s", held; held = ""; print; if ($1 == "FAIL" || $1 == "panic:") broken = 1; next }
/^PASS$/ { held = ""; next }
{ held = held $0 "\n"; if (length(held) > 200000) held = substr(held, 100000) }
END {
	printf "%s", held
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	if (failed || broken) exit 1
	if (noskip && skipped) { print "a skipped test fails this run"; exit 1 }
}
