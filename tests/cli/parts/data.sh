# data.sh -- catalog, explain, export, emit, backfill, notes, backup, dry runs. Sourced by cli_test.sh.
# SPDX-License-Identifier: MIT

cp -r "$here/project" "$home/data" && cd "$home/data" || exit 2
mkdir schemas && cat >schemas/readings.json <<'JSON'
{ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } }
JSON
cat >pipelines/readings.lua <<'LUA'
local dts = require "dts"
dts.table {
  name = "readings", key = { "id" },
  columns = { "id text", "n integer not null default 0 -- as measured", "note text", "more json" },
}
dts.pipeline {
  name = "readings", ingest = { id = "id", schema = "schemas/readings.json" }, limits = { time = "1m" },
  run = function(ctx, events)
    for _, e in ipairs(events) do ctx:put("readings", { id = e.id, n = e.data.n }) end
  end,
}
dts.rollup { name = "daily", from = "rates", time = "date", by = { "id" }, every = { "month" }, measures = { "count(*) as n" } }
dts.table { name = "rates", key = { "id", "date" }, keep = "90d", columns = { "id text", "date date", "v real" } }
dts.view { name = "large", sql = "select id, n from readings where n > 1" }
dts.pipeline {
  name = "fill", params = { n = "integer = 3" },
  run = function(ctx, p)
    for i = 1, p.n do ctx:put("readings", { id = "k" .. i, n = i, note = i == 2 and 'a,"b"\n' or nil, more = { i } }) end
    if p.n > 3 then
      ctx:checkpoint({ at = p.n })
      ctx:delete("readings", { id = "k1" })
      ctx:put("readings", { id = "k2", n = 22 })
      ctx:reject({ id = "bad" }, "not wanted")
    end
  end,
}
LUA

# a dry run keeps nothing, and tells what would change
run run fill --dry-run; ends "dry run, empty store" 0
says "dry run, empty store" "readings: 3 rows to be added"
says "dry run, empty store" '  + k1: n: 1, more: "[1]"'
run sql "select count(*) as n from dts_runs"; is "dry run keeps no run" "$out" "n
0"
run run fill; ends "fill" 0
run run fill --dry-run; says "dry run, the same rows" "readings: 3 rows unchanged"
run run fill --param n=4 --dry-run; says "dry run, checkpoint and delete" "readings: 1 row to be added, 1 row to be changed, 1 row unchanged, 1 row to be removed"
says "dry run, an example" '  ~ k2: n: 2 → 22'
says "dry run" "a dry run: nothing of this was kept"
run run fill --param n=4 --dry-run --json; says "dry run, JSON" '"changed": 1'
run run wrong --dry-run; ends "dry run that fails" 1; says "dry run that fails" "no row would be written"
run run fill --dry-run --record x; ends "dry run and record" 2
run sql "select id, n from readings order by id"; is "dry runs changed nothing" "$out" "id  n
k1  1
k2  2
k3  3"
is "no copy is left" "$(ls var | grep -c '^dry-')" 0

# what there is
run catalog; says "catalog" "readings"; says "catalog" "daily_month"; says "catalog" "large"
run catalog readings; ends "catalog of one" 0; says "catalog of one" "as measured"
says "catalog of one" "default 0"
[[ $out =~ id\ +text\ +key\ +no ]]; verdict "a key is never null" $?
run catalog rates; says "retention" "kept for 90 d"
run catalog --json; is "catalog, JSON" "$(grep -c '"kind": "rollup"' <<<"$out")" 1
run catalog reading; ends "catalog of nothing" 1; warns "catalog of nothing" "did you mean 'readings'?"
run explain readings; ends "explain" 0
[[ $out =~ time\ +1\ m\ +script ]]; verdict "a limit of the script" $?
[[ $out =~ memory\ +256\ MB\ +default ]]; verdict "a limit by default" $?
[[ $out =~ may\ reach\ +no\ host ]]; verdict "no host" $?
run explain currency; says "explain" "secret BCB (absent)"; says "explain" "Monday to Friday at 20:00"
run explain curency; ends "explain nothing" 1; warns "explain nothing" "did you mean 'currency'?"
sed -i 's/name = "cli"/name = "cli", limits = { memory = "128MB" }/' dts.lua
run explain readings; [[ $out =~ memory\ +128\ MB\ +dts.lua ]]; verdict "a limit of dts.lua" $?

# rows out
run export readings --columns id,n,note; is "export, CSV" "$out" $'id,n,note\r\nk1,1,\r\nk2,2,"a,""b""\n"\r\nk3,3,\r'
run export readings --format ndjson --where "n > 2"; is "export, NDJSON" "$out" '{"id":"k3","n":3,"note":null,"more":[3]}'
run export large; is "export of a view" "$(head -1 <<<"$out")" $'id,n\r'
run export quotes; is "export of no row" "$out" $'info_type,date,value\r'
run export readings --output all.csv; ends "export to a file" 0; warns "export to a file" "3 rows written to all.csv"
is "export to a file" "$(wc -l <all.csv)" 5
run export reading; ends "export of nothing" 1; warns "export of nothing" "did you mean 'readings'?"
run export readings --columns idd; ends "export, no column" 2; warns "export, no column" "did you mean 'id'?"
run export readings --where "nope = 1"; ends "export, wrong condition" 1; warns "export, wrong condition" "nope"
run export readings --where "1) union select name, 1, 1, 1 from dts_key --"; ends "export reads one table" 1
run export readings --format parquet --output all.parquet; ends "export, Parquet" 0; warns "export, Parquet" "3 rows written to all.parquet"
is "export, Parquet" "$(head -c 4 all.parquet)$(tail -c 4 all.parquet)" PAR1PAR1
run export quotes --format parquet --output none.parquet; ends "Parquet of no row" 0; warns "Parquet of no row" "0 rows written"
run export readings --columns n,n --format parquet; ends "Parquet, one name twice" 2; warns "Parquet, one name twice" "asked for twice"
run export readings --format parkuet; ends "export, no format" 2; warns "export, no format" "parquet"
if command -v script >/dev/null; then
  out=$(script -qec "'$dts' export readings --format parquet" /dev/null) status=$? err=
  ends "Parquet on a terminal" 2; says "Parquet on a terminal" "--output readings.parquet"
fi
"$dts" export readings | true; is "a reader that leaves" "${PIPESTATUS[0]}" 0
"$dts" sql "with recursive c(n) as (select 1 union all select n + 1 from c where n < 300000) select n from c" --csv 2>"$home/err" | head -1 >/dev/null
is "a reader that leaves early" "${PIPESTATUS[0]}" 0; is "nothing is said" "$(cat "$home/err")" ""

# Ctrl-C leaves nothing behind, here and beside
interrupt() { # interrupt SECONDS ARGS...: the program, with SIGINT after so long; its status in $status
  local after=$1; shift
  "$dts" "$@" >"$home/out" 2>"$home/err" & local pid=$!
  sleep "$after"; kill -INT $pid 2>/dev/null
  wait $pid; status=$? out=$(cat "$home/out") err=$(cat "$home/err")
}
interrupt 2 run endless --dry-run; ends "Ctrl-C in a dry run" 130; warns "Ctrl-C in a dry run" "nothing of this was kept"
is "its copy is gone" "$(ls var | grep -c '^dry-')" 0
cat >pipelines/endless_view.lua <<'LUA'
require "dts".view { name = "without_end", sql = "with recursive c(n) as (select 1 union all select n + 1 from c) select n from c" }
LUA
interrupt 2 export without_end --output without_end.csv; ends "Ctrl-C in an export" 130
is "no part of it is left" "$(ls | grep -c 'without_end.csv')" 0
interrupt 2 export without_end --format parquet --output without_end.parquet; ends "Ctrl-C in an export, Parquet" 130
is "no part of it is left" "$(ls | grep -c 'without_end.parquet')" 0
rm pipelines/endless_view.lua

# events in
printf '{"id":"a","n":1}\n{"id":"b","n":"x"}\n{"id":"a","n":1}\nnot json\n' >events.ndjson
run emit readings events.ndjson; ends "emit" 1; says "emit" "1 event accepted, 1 duplicate, 2 refused"
warns "emit" 'expected integer, got "x"'; [[ $err == *" 4 "* ]]; verdict "the line of a refusal" $?
run emit readings events.ndjson --json; says "emit, JSON" '"duplicates": 2'
echo '[{"id":"c","n":5},{"id":"d","n":6}]' >events.json
run emit readings events.json; ends "emit an array" 0; says "emit an array" "2 events accepted"
echo '[{"id":"e","n":5},' >broken.json
run emit readings broken.json; ends "emit what is broken" 1; warns "emit what is broken" "nothing was sent"
run emit readings gone.json; ends "emit no file" 1
run emit ticks events.json; ends "emit to another kind" 1; warns "emit to another kind" "takes no events"
run sql "select count(*) as n from dts_event where pipeline = 'readings'"; is "events are kept" "$out" "n
3"

# a range of dates
run backfill currency --from 2024-01-01 --to 2024-01-31; ends "backfill" 0; says "backfill" "44 dates queued in 2 jobs"
run backfill currency --from 2024-01-01 --to 2024-01-31; says "backfill, twice" "0 dates queued"
run backfill currency --from 2024-02-01; ends "backfill, no end" 2; warns "backfill, no end" "--to is needed"
run backfill currency --from 2024-13-01 --to 2024-02-01; ends "backfill, no date" 2
run backfill currency --from 2024-03-01 --to 2024-02-01; ends "backfill, backwards" 2
run backfill ticks --from 2024-01-01 --to 2024-01-02; ends "backfill of nothing" 1; warns "backfill of nothing" "has no gaps"

# rows set aside, and the error for programs
run run fill --param n=4; says "a row set aside" "1 set aside"
id=$(timeout 60 "$dts" sql "select max(id) as id from dts_runs" --csv | tail -1 | tr -d '\r')
run logs "$id"; says "logs name them" "1 row set aside; --notes lists them"
run logs "$id" --notes; says "logs list them" "not wanted"
run logs "$id" --json; says "logs, JSON" '"set_aside"'; says "logs, JSON" '"reason": "not wanted"'
run quarantine list --notes; says "notes of inputs that are done" "not wanted"
run run wrong; run logs $((id + 1)) --json; says "logs hold the error" '"code": "COLUMN"'

# a copy, and back
sh -c 'exit 0' & gone=$!; wait $gone
: >"copy.tar.part-$gone"; : >"copy.tar.store-$gone-journal"; : >"copy.tar.part-notes"
run backup copy.tar; ends "backup" 0; says "backup" "copy.tar: the store,"
run backup copy.tar; ends "backup, twice" 1; warns "backup, twice" "is there already"
is "its mode" "$(stat -c %a copy.tar)" 600
is "what a killed backup left is gone" "$(ls copy.tar*)" "copy.tar
copy.tar.part-notes"
rm copy.tar.part-notes
before=$(timeout 60 "$dts" export readings --format ndjson)
mv var var.before && tar -xf copy.tar
is "what was backed up is back" "$(timeout 60 "$dts" export readings --format ndjson)" "$before"
is "no part is left" "$(ls | grep -c 'copy.tar\.')" 0

# texts that would drive a terminal
run sql "select char(27) || '[31m' || char(10) || char(0x202e) || 'x' as a"
is "control characters are shown" "$out" "a
\\x1B[31m\\n\\u202Ex"
