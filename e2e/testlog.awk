# Shortens the output of `go test -v`: packages, failures with what they
# printed, and skips, which fail the run when noskip is set.
function show(name,    t) { t = text[name]; if (length(t) > 60000) t = substr(t, 1, 30000) "\n…\n" substr(t, length(t) - 30000); printf "%s", t }
/^=== (RUN|PAUSE|CONT|NAME)/ { name = $3; next }
/^ *--- PASS/ { passed++; delete text[$3]; name = $3; next }
/^ *--- SKIP/ { skipped++; print; show($3); name = $3; next }
/^ *--- FAIL/ { failed++; print; show($3); name = $3; next }
/^(ok|FAIL|panic|\?|fatal error|exit status)/ {
	if ($1 != "ok" && $1 != "?") { broken = 1; show("") ; if ($1 == "panic:" || $1 == "fatal") show(name) }
	print; fflush(); delete text[""]; next
}
/^PASS$/ { name = ""; next }
{ text[name] = text[name] $0 "\n" }
END {
	if (broken && !failed) for (n in text) printf "%s", text[n]
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	if (failed || broken) exit 1
	if (noskip && skipped) { print "a skipped test fails this run"; exit 1 }
}
