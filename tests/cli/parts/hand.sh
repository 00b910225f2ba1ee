# hand.sh -- what a run by hand leaves open: nothing. Sourced by cli_test.sh, after data.sh.
# SPDX-License-Identifier: MIT

mkdir -p "$home/hand/pipelines" && cd "$home/hand" || exit 2
held() { # held BODY: four dates of two keys, a run each
  cat >pipelines/held.lua <<LUA
local dts = require "dts"
dts.table { name = "held", key = { "id", "date" }, columns = { "id text", "date date", "n integer" } }
dts.pipeline {
  name = "held", schedule = "0 6 * * *", retry = 0,
  gaps = { table = "held", since = "2024-01-02", to = "2024-01-03", keys = { "A", "B" }, max_span = "1d" },
  run = function(ctx, span) $1 end,
}
LUA
}

# Ctrl-C: its jobs are cancelled and hold no date
held "while true do end"
interrupt 2 run held; ends "Ctrl-C of dates" 130; warns "Ctrl-C of dates" "nothing of it is left in the queue"
run plan held; says "Ctrl-C of dates" "4 missing dates in 4 spans"
run sql "select distinct state, reason from dts_job"; says "Ctrl-C of dates" "cancelled"
run sql "select count(*) as n from dts_job where state <> 'cancelled'" --csv; is "nothing else" "${out//$'\r'/}" $'n\n0'
run sql "select count(*) as n from dts_firing where state = 'open'" --csv; is "no firing is open" "${out//$'\r'/}" $'n\n0'
run sql "select sum(attempts) as n, sum(held) as h from dts_gap" --csv; is "no try counts" "${out//$'\r'/}" $'n,h\n0,0'

# beside it another command names it; killed, plan names the jobs and the next run goes on
"$dts" run held >/dev/null 2>&1 & running=$!
for _ in $(seq 100); do grep -qsx "$running" var/dts.db.lock && break; sleep 0.1; done
run status; ends "the store is held" 1
warns "the store is held" "[STORE_LOCKED]"; warns "the store is held" "it is \`dts run\`, pid $running: wait for it, or press Ctrl-C there"
sleep 1; kill -KILL $running; wait $running 2>/dev/null
run plan held; says "killed" "0 missing dates in 0 spans"; says "killed" "4 dates are held by jobs 5, 6, 7, 8: dts jobs"
held "if span.key == 'A' then ctx:put('held', { id = 'A', date = span.from, n = 1 }) end"
run run held; ends "after the kill" 0; says "after the kill" "4 runs done, 2 rows written"
says "after the kill" "; 2 dates are in quarantine: dts quarantine list"
run run held; says "nothing but quarantine" "held: nothing to do: 2 dates are in quarantine: dts quarantine list"
run run held --json; says "the same as JSON" '"quarantined": 2'
run plan held; says "plan of quarantine" "by the calendar daily; 2 dates are in quarantine: dts quarantine list"
sed -i 's/retry = 0/retry = 5/; s/"2024-01-03"/"2024-01-05"/' pipelines/held.lua
run run held; says "dates that did not come" "2 dates still missing; 2 dates are in quarantine"

# what it queued for later waits, is named, and is taken on by its next run, but by no other
mkdir -p "$home/later/pipelines" && cd "$home/later" || exit 2
cat >pipelines/later.lua <<'LUA'
local dts = require "dts"
dts.pipeline { name = "child", run = function() end }
dts.pipeline { name = "mother", run = function(ctx) ctx:enqueue("child", {}, { delay = "2s", key = "one" }) end }
dts.pipeline { name = "stranger", run = function() end }
LUA
run run mother; ends "queued for later" 0; says "queued for later" "child: 1 job is still to come, not before 2"
says "queued for later" "under dts serve, or by dts run mother after that"
sleep 2.1; run run stranger; ends "no business of it" 0; [[ $out != *child* ]]; verdict "no business of it" $?
run run mother; says "its next run" "child: 1 run done"; [[ $out != *"to come"* ]]; verdict "nothing is left" $?
cd "$home/project" || exit 2
