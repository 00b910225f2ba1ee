# parts/files.sh -- files that two pipelines want; a file mended in its folder; the line at fault of a file.
# Read by cli_test.sh, which knows run, says, warns, is.
# SPDX-License-Identifier: MIT
mkdir -p "$home/files/pipelines" "$home/files/in" && cd "$home/files" || exit 2
cat >dts.lua <<'EOF'
return { listen = "127.0.0.1:0" }
EOF
cat >pipelines/bank.lua <<'EOF'
local dts = require "dts"
dts.table { name = "bank", key = { "day" }, columns = { "day text", "total real not null" } }
local function take(ctx, file) ctx:put("bank", file:rows { into = "bank" }) end
dts.pipeline { name = "bank", files = "in/bank-*.csv", run = take }
dts.pipeline { name = "stock", files = "in/*.csv", run = take }
EOF
run check; says "patterns that share names" "wanted by two pipelines, 'bank' (in/bank-*.csv) and 'stock' (in/*.csv)"
run doctor; is "doctor without such a file" "$(grep -c 'warn *files' <<<"$out")" 0
printf 'day,total\n2026-01-01,5\n' >in/bank-1.csv
run doctor; says "doctor with such a file" "1 lies there: bank-1.csv"
sed -i 's|"in/\*.csv"|"in/stock-*.csv"|' pipelines/bank.lua
run check; is "narrower patterns" "$(grep -c 'two pipelines' <<<"$out")" 0

lie_held() { # lie_held COUNT: waits until so many lie in quarantine and none is to run
  for _ in $(seq 100); do
    run sql "select count(*) as n from dts_quarantine" --csv && [[ $out == *"$1"* ]] &&
      run jobs --state queued && [[ $out == "no job"* ]] && break
    sleep 0.1
  done
}
"$dts" serve >"$home/serve.out" 2>"$home/serve.err" &
engine=$!
for _ in $(seq 100); do [ -S var/dts.sock ] && break; sleep 0.1; done
printf 'day,total\n2026-02-01,x\n' >in/bank-may.csv
printf 'day,total\n2026-03-01,7\n2026-03-02,\xe4\x1b[31m\n2026-03-03,4\n' >in/bank-june.csv
lie_held 2
run quarantine list; is "nothing newer" "$(grep -c 'older content' <<<"$out")" 0
id=$("$dts" sql "select id from dts_quarantine where name = 'bank-june.csv'" --csv | tail -1 | tr -d '\r')
run quarantine show "$id"
says "a byte that is no text" 'attempts     1'
says "the line at fault" '>      3 | 2026-03-02,\xE4\x1B[31m'
says "its neighbours" '       4 | 2026-03-03,4'
printf 'day,total\n2026-02-01,8\n' >in/bank-may.csv
for _ in $(seq 100); do run sql "select count(newer) as n from dts_quarantine" --csv; [[ $out == *1* ]] && break; sleep 0.1; done
id=$("$dts" sql "select id from dts_quarantine where name = 'bank-may.csv'" --csv | tail -1 | tr -d '\r')
run quarantine list; says "mended in its folder" "$id holds an older content of bank-may.csv; a newer one is done (job-"
run quarantine show "$id"; says "show tells of the newer one" "dts quarantine drop $id --reason"
run quarantine release "$id"; says "release does too" "1 input released
$id holds an older content of bank-may.csv"
lie_held 2
run quarantine drop --where "newer is not null" --reason "mended"; says "drop what was mended" "1 input dropped"
kill -TERM "$engine"; wait "$engine"; status=$? engine=
cd "$home" || exit 2
