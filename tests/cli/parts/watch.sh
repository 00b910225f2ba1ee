# parts/watch.sh -- what `dts serve` says it watches; a release with another content, and its place in the audit.
# Sourced by cli_test.sh.
# SPDX-License-Identifier: MIT
mkdir -p "$home/watch/pipelines" "$home/watch/in" && cd "$home/watch" || exit 2
cat >pipelines/sold.lua <<'EOS'
local dts = require "dts"
dts.table { name = "sold", key = { "day" }, columns = { "day date", "n integer" } }
dts.pipeline {
  name = "sold", files = "in/sold-*.csv", retry = 0,
  run = function(ctx, file) ctx:put("sold", file:rows { into = "sold" }) end,
}
EOS
printf 'day,n\n2026-03-02,x\n' >in/sold-1.csv
"$dts" serve --listen 127.0.0.1:0 >"$home/serve.out" 2>"$home/serve.err" &
engine=$!
for _ in $(seq 100); do "$dts" quarantine list 2>/dev/null | grep -q sold-1 && break; sleep 0.1; done
grep -qx "sold takes files: in/sold-\*.csv" "$home/serve.out"; verdict "serve says what it watches" $?
id=$("$dts" sql "select id from dts_quarantine" --csv | tail -1 | tr -d '\r')
printf 'day,n\n2026-03-02,7\n' >mended.csv
run quarantine release "$id" --with mended.csv --reason "a slip"; says "release with another content" "1 input released"
run quarantine list --decisions; says "the audit names it" "a slip; with mended.csv"

# each column of the engine's own views has words, and each view is known
for view in dts_runs dts_jobs dts_gaps dts_quarantine dts_files dts_refused dts_stale dts_decisions; do
  run catalog $view --json; ends "catalog $view" 0; is "words of $view" "$(grep -c '"doc": null' <<<"$out")" 0
done
run catalog dts_quarantine; says "a view's columns" "retry_count  how many retries are used up"
run catalog dts_quarantin; ends "a misspelt view" 1; warns "a misspelt view" "did you mean 'dts_quarantine'?"
kill -TERM "$engine"; wait "$engine"; status=$? engine=
cd "$home/project" || exit 2
