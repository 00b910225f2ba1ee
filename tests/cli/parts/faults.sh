# faults.sh -- scripts that do not load, names that are not there, secrets that are absent. Sourced by
# cli_test.sh.
# SPDX-License-Identifier: MIT

mkdir -p "$home/faults/pipelines" && cd "$home/faults" || exit 2
echo 'return { name = "faults" }' >dts.lua
cat >pipelines/load.lua <<'LUA'
local dts = require "dts"
dts.table { name = "load", key = { "at" }, columns = { "at timestamp", "v real" } }
dts.pipeline { name = "load", schedule = "0 1 * * *", run = function() local = 1 end }
LUA
for words in "plan load" "backfill load --from 2024-01-01 --to 2024-01-02" "explain load" "next load" next \
  catalog "catalog load" "catalog load_week" "export load" "run load"; do
  run $words; ends "$words, hidden by a fault" 1
  warns "$words, hidden by a fault" "pipelines/load.lua:3: <name> expected near '='"
  is "$words, hidden by a fault" "$out" ""
done
noted="note: pipelines/load.lua does not load, line 3: <name> expected near '='"
run next other; ends "a name that no fault hides" 1; warns "a name that no fault hides" "$noted"
warns "a name that no fault hides" "there is no pipeline named 'other'"

cat >pipelines/fine.lua <<'LUA'
local dts = require "dts"
dts.table { name = "days", key = { "day" }, columns = { "day date", "v real" } }
dts.source {
  name = "s", url = "https://example.com",
  headers = { a = "{secret:DTS_TEST_NOPE}", b = "{secret?:DTS_TEST_OPTIONAL}" },
}
dts.rollup { name = "days", from = "days", time = "day", every = { "week" }, measures = { "sum(v) as v" } }
dts.rollup { name = "more", from = "days", time = "day", every = { "month" }, measures = { "sum(v) as v" } }
dts.pipeline {
  name = "fill", schedule = "0 1 * * *",
  run = function(ctx) ctx:put("days", { day = "2024-01-01", v = 2 }) end,
}
dts.pipeline {
  name = "past", gaps = { table = "days", since = "2024-01-01", to = "2024-01-03" },
  run = function(ctx, span) ctx:put("days", { day = span.from, v = 1 }) end,
}
LUA
run next; ends "next beside a fault" 0; says "next beside a fault" "fill"; warns "next beside a fault" "$noted"
run catalog --json; ends "catalog beside a fault" 0; says "catalog beside a fault" '"days_week"'
warns "catalog beside a fault" "$noted"
rm pipelines/load.lua

run next; is "next without a fault" "$err" ""
run explain past; [[ $out =~ to\ +2024-01-03\ +script ]]; verdict "explain tells gaps.to" $?
run run fill; ends "a roll-up of its table's name" 0
run sql "select v from days_week union all select v from more_month" --csv
is "a roll-up of its table's name" "$out" $'v\r\n2.0\r\n2.0\r'
run check; ends "an absent secret" 0; says "an absent secret" "1 table, 1 source, 2 pipelines, 2 rollups"
says "an absent secret" "note: pipelines/fine.lua: secret DTS_TEST_NOPE is asked for and absent
      set DTS_SECRET_DTS_TEST_NOPE or write secrets/DTS_TEST_NOPE"
is "a secret that may be absent" "$(grep -c OPTIONAL <<<"$out")" 0
DTS_SECRET_DTS_TEST_NOPE=x run check; is "a secret that is there" "$(grep -c NOPE <<<"$out")" 0

cat >pipelines/fine.lua <<'LUA'
local dts = require "dts"
dts.table { name = "days", key = { "day" }, columns = { "day date", "v real" } }
dts.dashboard { name = "d", { "line", title = "T", from = "dayz", x = "day", y = "v" } }
LUA
run check; ends "a chart of no table" 1; says "a chart of no table" "chart 1 'T': unknown table 'dayz' [SQL]"
says "a chart of no table" "hint: did you mean 'days'?"
cat >pipelines/fine.lua <<'LUA'
local dts = require "dts"
dts.table { name = "days", key = { "day" }, columns = { "day date", "v real" } }
dts.pipeline { name = "g", gaps = { table = "dayz", since = "2024-01-01" }, run = function() end }
LUA
run check; ends "gaps of no table" 1; says "gaps of no table" "gaps.table names 'dayz', which no script declares"
says "gaps of no table" "hint: did you mean 'days'?"

# What Lua itself says comes with what most often lies behind it.
try_line() {
  printf 'local dts = require "dts"\ndts.pipeline { name = "line", run = function()\n  local none, list = {}, dts.csv.decode("a\\n1\\n")\n  %s\nend }\n' "$1" >pipelines/line.lua
  run run line; ends "$1" 1; warns "$1" "pipelines/line.lua:4: attempt to"; warns "$1" "hint: $2"
}
try_line 'for row in list do print(row) end' "a list is gone through by: for _, row in ipairs(list) do"
try_line 'print(none.a.b)' "what stands before the dot is not there"
try_line 'print(none.a + 1, none)' "a null is nil: leave the row out"
try_line 'print("a" .. none.a)' 'a null is nil: (x or "")'
try_line 'print(list[1].a < 2)' "tonumber(text) makes a number of a text"
try_line 'print(list:put())' "there is no such method"
rm pipelines/line.lua
