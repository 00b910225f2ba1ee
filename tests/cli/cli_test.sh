#!/bin/bash
# cli_test.sh -- the real program in temporary projects: what people type, what they see, exit codes.
#
#   tests/cli/cli_test.sh BUILD      (the folder that holds dts and dts-worker)
#
# Prints "N passed, M failed"; nothing leaves this machine. Ends each process that it starts, by its id.
# SPDX-License-Identifier: MIT
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "${1:-$root/build}" && pwd)
dts=$build/dts
home=$(mktemp -d)
passed=0 failed=0 engine=
export NO_COLOR=1
unset DTS_SECRET_BCB

finish() {
  [ -n "$engine" ] && kill "$engine" 2>/dev/null && wait "$engine"
  rm -rf "$home"
}
trap finish EXIT

# run ARGS...: the program with a limit on time; its output in $out and $err, its status in $status
run() {
  timeout 60 "$dts" "$@" >"$home/out" 2>"$home/err"
  status=$?
  out=$(cat "$home/out") err=$(cat "$home/err")
}
verdict() { # verdict TITLE OK
  if [ "$2" = 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s\n  status %s\n  out: %s\n  err: %s\n' "$1" "$status" "$out" "$err"
  fi
}
ends() { [ "$status" = "$2" ]; verdict "$1: ends with $2" $?; }
says() { [[ $out == *"$2"* ]]; verdict "$1: prints $2" $?; }
warns() { [[ $err == *"$2"* ]]; verdict "$1: warns $2" $?; }
is() { [ "$2" = "$3" ]; verdict "$1: $2 is $3" $?; }

# ---- without a project ----

cd "$home" || exit 2
run; ends "alone" 0; says "alone" "dts run"
run rnu; ends "misspelt command" 2
is "misspelt command" "$err" "there is no command 'rnu' [USAGE]

hint: did you mean 'dts run'?
more: dts help USAGE"
run run; ends "no word" 2
run runs --pipelin x; ends "misspelt option" 2; warns "misspelt option" "did you mean '--pipeline'?"
run runs --limit 0; ends "bad number" 2
run check; ends "no project" 1; warns "no project" "[PROJECT]"
run run gone.lua; ends "no file" 1; warns "no file" "there is no file 'gone.lua' [FILE_MISSING]"
run version; ends "version" 0; says "version" "dts 0."
run version --json; says "version" '"version"'
run help HTTP_LATER; ends "help of a code" 0; says "help of a code" "What to do:"
run help http_later; says "help of a code in small letters" "What to do:"
run help run; says "help of a command" "Usage: dts run FILE|NAME [OPTIONS]"
run help HTTP_LATR; ends "help of nothing" 2; warns "help of nothing" "did you mean 'dts help HTTP_LATER'?"

# each code that is raised somewhere in the engine has its line in `dts help`
codes=$(cd "$root" && { cat $(find engine -name '*.c') | tr '\n' ' ' |
    grep -oE '\b[a-z_]*fail\([^"();]*(\([^()]*\))?[^"();]*"[A-Z][A-Z0-9_]{2,}"' | grep -oE '"[A-Z0-9_]+"$'
  grep -rhoE 'code = "[A-Z_]+"' engine/lua connectors | grep -oE '"[A-Z_]+"'; } | tr -d '"' | sort -u)
run help codes
for code in $codes; do
  grep -q "^$code  *" "$home/out"
  verdict "code $code is explained" $?
done
[ "$(wc -w <<<"$codes")" -gt 80 ]; verdict "codes were found at all" $?

# ---- a new project ----

run new demo; ends "new" 0; says "new" "demo/pipelines/rates.lua"; says "new" "next:  cd demo && dts test && dts serve
"
run new demo; ends "new, twice" 1; warns "new, twice" "cannot be made"
run new ../x/y z; ends "new, two words" 2
run new 'a b'; ends "new, bad name" 2
cd "$home/demo" || exit 2
run test; ends "its spec passes offline" 0; says "its spec passes offline" "2 successes / 0 failures / 0 errors"
run run pipelines/rate.lua; ends "a misspelt file" 1; warns "a misspelt file" "did you mean 'pipelines/rates.lua'?"
grep -q 'function ctx:put(' .editor/dts.lua && ! for hints in .editor/*.lua; do luac5.4 -p "$hints" || echo bad; done | grep -q bad; verdict "editor hints are Lua" $?
grep -q '"workspace.library": \[".editor"\]' .luarc.json; verdict "editors find them" $?
run check; ends "its check" 0; is "its check" "$out" "1 script, 1 table, 1 source, 1 pipeline, 1 route, 1 dashboard

pipeline  trigger   file
rates     schedule  pipelines/rates.lua"
run next -n 2; says "its schedule" "Europe/Berlin"; says "its schedule" "16:30"
run next -n 2 --json; says "its schedule" '"at_ms"'
grep -q '^var/$' .gitignore; verdict "var/ is ignored" $?

# ---- the specs of the sample project ----

cp -r "$here/project" "$home/project"
cd "$home/project" || exit 2
run test; ends "specs" 0; says "specs" "9 successes / 0 failures / 0 errors"
run test specs/shop_spec.lua --filter signed; says "a spec by name" "1 success / 0 failures"
run test specs/gone_spec.lua; ends "no spec" 1
cat >specs/broken_spec.lua <<'LUA'
it("is wrong", function() assert.equal(1, 2) end)
LUA
run test specs/broken_spec.lua; ends "a failing spec" 1
rm specs/broken_spec.lua
is "nothing is left in /tmp" "$(find /tmp -maxdepth 1 -name 'dts-test-*' -newer "$home/project/dts.lua" 2>/dev/null)" ""

# ---- one run, without an engine ----

run run ticks --param count=2; ends "run" 0
[[ $out =~ ^ticks:\ 1\ run\ done,\ 2\ rows\ written,\ 0\ requests,\ .*,\ version\ [0-9a-f]{16}$ ]]; verdict "its summary" $?
warns "its log" "info  tick 2"
run run ticks --param conut=2; ends "misspelt parameter" 2; warns "misspelt parameter" "did you mean 'count'?"
run run ticks --param count=abc; ends "a parameter of another type" 2; warns "a parameter of another type" "'count': integer expected"
run run ticks --param count; ends "no value" 2; warns "no value" "--param: NAME=VALUE expected, got \"count\""
run run tikcs; ends "misspelt pipeline" 1; warns "misspelt pipeline" "did you mean 'ticks'?"
run run wrong; ends "a failing run" 1
is "a failing run" "$err" "pipelines/shop.lua:35: table 'ticks' has no column 'm' (row 1); did you mean 'n'? [COLUMN]

  35 |     ctx:put(\"ticks\", { m = 1 })

more: dts help COLUMN"
run run wrong --json; ends "a failing run, JSON" 1
is "a failing run, JSON" "$(grep -c '"code": "COLUMN"' <<<"$out")" 1
run runs; says "runs" "table 'ticks' has no column 'm'"
run runs --state done --json; says "runs, JSON" '"pipeline": "ticks"'
is "runs, JSON" "$(grep -c '"id"' <<<"$out")" 1
run logs 1; says "logs" "tick 1"
cat >pipelines/faulty.lua <<'LUA'
local dts = require "dts"
dts.pipeline { name = "faulty", run = function() local = 1 end }
LUA
run run faulty; ends "a pipeline that a fault hides" 1
is "a pipeline that a fault hides" "$(head -3 <<<"$err" | tail -2)" "
  2 | dts.pipeline { name = \"faulty\", run = function() local = 1 end }"
warns "a pipeline that a fault hides" "pipelines/faulty.lua:2:"
run run tikcs; warns "a fault that hides nothing" "note: pipelines/faulty.lua does not load"
run check; ends "one fault" 1; says "one fault" "1 fault in 1 file"; says "one fault" "ticks     hand"
rm pipelines/faulty.lua
run logs 2; is "logs of a failed run" "$out" "pipelines/shop.lua:35: table 'ticks' has no column 'm' (row 1); did you mean 'n'? [COLUMN]

  35 |     ctx:put(\"ticks\", { m = 1 })

more: dts help COLUMN"
run runs --state bogus; ends "no such state" 2; warns "no such state" "one of: running, done, failed, deferred"
run runs --state faild; warns "a misspelt state" "did you mean 'failed'?"
run runs --state "handed back"; ends "a state of two words" 0
run jobs --state bogus; ends "no such state" 2; warns "no such state" "one of: waiting, queued, leased"
for noun in runs jobs "quarantine list"; do
  run $noun --pipeline tikcs; ends "$noun: no such pipeline" 1; warns "$noun: no such pipeline" "did you mean 'ticks'?"
  run $noun --pipeline ticks; ends "$noun: of a pipeline" 0
done
run logs 99; ends "no such run" 1; warns "no such run" "there is no run 99"
run logs x; ends "no number" 2
run sql "select n, label from ticks order by n"; is "sql" "$out" "n  label
1  中文 1
2  中文 2"
run sql "select n from ticks order by n" --csv; is "sql, CSV" "$out" $'n\r\n1\r\n2\r'
run sql "select nope from ticks"; ends "wrong sql" 1; warns "wrong sql" "unknown column 'nope'"
run sql "select label from ticks where n = :n"; ends "sql, unbound" 2
warns "sql, unbound" "give it with --param n=VALUE"
run sql "select label from ticks where n = :n and :today > '2020'" --param n=2; is "sql, bound" "$out" "label
中文 2"
run sql "select 1" --param n; ends "sql, no value" 2
run sql "select random()"; ends "no chance in SQL" 1
run sql "delete from ticks"; ends "sql only reads" 1
run plan currency; ends "plan" 0; says "plan" "CURRENCY#USD"; says "plan" "by the calendar BR"
run plan ticks; ends "plan of nothing" 1; warns "plan of nothing" "has no gaps"; warns "plan of nothing" "dts explain ticks"
run quarantine list; says "quarantine" "nothing is in quarantine"
run quarantine drop job-1; ends "drop without a reason" 2; warns "drop without a reason" "for example --reason"
run quarantine lst; ends "misspelt verb" 2; warns "misspelt verb" "did you mean 'dts quarantine list'?"
run quarantine show job-99; ends "show nothing" 1
run key add ci --scope read,write; ends "key" 0; says "key" "dts_"
run key list; says "keys" "read,write"
run key revoke ci; ends "revoke" 0
run key revoke ci; ends "revoke twice" 1
run key add ci --scope everything; ends "bad scope" 1

# a script without a project: its own folder and that file alone
mkdir "$home/alone" && cat >"$home/alone/one.lua" <<'LUA'
local dts = require "dts"
dts.table { name = "t", columns = { "n integer" } }
dts.pipeline { name = "one", run = function(ctx) ctx:put("t", { n = 1 }) end }
dts.pipeline { name = "two", after = "one", run = function(ctx) ctx:put("t", { n = 2 }) end }
LUA
run run "$home/alone/one.lua"; ends "a lone script" 0; says "a lone script" "one: 1 run done, 1 row written"

# dates that are released wait for the recheck, which is named
mkdir -p "$home/late/pipelines" && cd "$home/late" || exit 2
cat >pipelines/late.lua <<'LUA'
local dts = require "dts"
dts.table { name = "late", key = { "date" }, columns = { "date date", "n integer" } }
dts.pipeline {
  name = "late", schedule = "0 20 * * *", recheck = "0 6 * * *", timezone = "Europe/Berlin", retry = 0,
  gaps = { table = "late", since = "2024-01-02", to = "2024-01-04" },
  run = function() error("no") end,
}
LUA
run run late; ends "late dates" 1
run quarantine list --json; is "late dates" "$(grep -c '"id"' <<<"$out")" 3
run quarantine show date-late//2024-01-02; says "each attempt at a date" "attempts:"; says "each attempt at a date" "failed"
[[ $out =~ at\ +[-0-9]{10}\ [:0-9]{8}\ \(UTC\) ]]; verdict "a time names its zone" $?
says "the zone of a list" "started (UTC)"
run quarantine list; says "the zone of a list" "at (UTC)"
run quarantine drop --where "id like '%/2024-01-04'" --reason "no market"; says "drop by a condition" "1 input dropped"
run quarantine list --decisions; says "what was decided" "no market"
run quarantine drop --where "1 = 1"; ends "drop all without a reason" 2
run quarantine release date-late//2024-01-02; says "release a date" "1 input released"
[[ $out =~ late:\ the\ next\ recheck,\ at\ 20..-..-..\ 06:00\ Europe/Berlin,\ takes\ its\ dates ]]; verdict "the recheck is named" $?
run quarantine release --where "nope = 1"; ends "release by a wrong condition" 1; is "release by a wrong condition" "$out" ""
run quarantine release --where "pipeline = 'late'"; says "release by a condition" "1 input released"
says "release by a condition" "takes its dates; now: dts run late"
cd "$home/project" || exit 2

# Ctrl-C: nothing of it is left in the queue
timeout 60 "$dts" run endless >"$home/out" 2>"$home/err" &
sleep 2
pid=$(pgrep -P $! -f 'run endless') && kill -INT "$pid"
wait $!; status=$? out=$(cat "$home/out") err=$(cat "$home/err")
ends "Ctrl-C" 130; warns "Ctrl-C" "[INTERRUPTED]"
run runs --limit 1; says "Ctrl-C" "handed back"
run sql "select state from dts_jobs where pipeline = 'endless'"; says "Ctrl-C" "cancelled"

# ---- beside a running engine ----

"$dts" serve --listen 127.0.0.1:0 >"$home/serve.out" 2>"$home/serve.err" &
engine=$!
for _ in $(seq 100); do [ -S var/dts.sock ] && grep -q "#key=" "$home/serve.out" && break; sleep 0.1; done
is "serve says what its address is" "$(head -1 "$home/serve.out")" "dashboard, with a key for this session:"
is "the socket is its owner's" "$(stat -c %a var/dts.sock)" 600
out=$(cat "$home/serve.out"); says "serve" "http://127.0.0.1:"; says "serve" "#key=dts_"
run run ticks --param count=4; ends "run beside it" 0; says "run beside it" "4 rows written"; warns "run beside it" "tick 4"
run run wrong; ends "failing beside it" 1; warns "failing beside it" '  35 |     ctx:put("ticks", { m = 1 })'
run sql "select count(*) as n from ticks" --json; says "sql beside it" '"n": 4'
run runs --limit 1; says "runs beside it" wrong; says "the zone of a list" "started (America/Sao_Paulo)"
run status; says "status beside it" "an engine is running"
run status --json; says "status as JSON" '"running": true'; says "status as JSON" '"stale": []'
run jobs --state failed; says "jobs beside it" "wrong"
run key list --json; ends "keys beside it" 0
run serve --listen 127.0.0.1:0; ends "a second engine" 1; warns "a second engine" "[STORE_LOCKED]"
rm var/dts.sock
for _ in $(seq 50); do [ -S var/dts.sock ] && break; sleep 0.1; done
run run ticks --param count=4; ends "a socket that was removed is made again" 0
cat >pipelines/fresh.lua <<'LUA'
require("dts").pipeline { name = "fresh", run = function() end }
LUA
run run fresh; ends "run just after saving" 0; says "run just after saving" "fresh: 1 run done"
rm pipelines/fresh.lua
port=$(sed -n 's,^http://127.0.0.1:\([0-9]*\)/.*,\1,p' "$home/serve.out")
(cd "$home/late" && timeout 20 "$dts" serve --listen "127.0.0.1:$port") >/dev/null 2>"$home/err"; status=$? err=$(cat "$home/err")
ends "a taken port" 1; warns "a taken port" "cannot listen on 127.0.0.1:$port"; [[ $err != *CivetWeb* ]]; verdict "a taken port is told once" $?
cat >pipelines/naps.lua <<'LUA'
require("dts").pipeline { name = "naps", run = function(ctx) ctx:sleep("1h") end }
LUA
for _ in $(seq 50); do "$dts" explain naps >"$home/out" 2>&1 && break; sleep 0.1; done
"$dts" run naps >"$home/out" 2>"$home/err" &
waits=$!
for _ in $(seq 50); do "$dts" jobs --pipeline naps --json | grep -q waiting && break; sleep 0.1; done
run jobs cancel "$("$dts" jobs --pipeline naps --json | sed -n 's/.*"id": \([0-9]*\).*/\1/p' | head -1)"
wait $waits; status=$? out=$(cat "$home/out") err=$(cat "$home/err")
ends "a run that another cancels" 1; says "a run that another cancels" "cancelled"
rm pipelines/naps.lua
sleep 1
sed -i 's/dts.pipeline { name = "endless"/dts.pipelin { name = "endless"/' pipelines/shop.lua
sleep 1
run check; ends "a bad edit" 1; says "a bad edit" "did you mean 'pipeline'?"
run run ticks --param count=1; ends "the last good version serves" 0
run run pipelines/shop.lua; ends "the edited file is refused" 1
err=$(cat "$home/serve.err"); warns "serve tells of a bad edit" "its last good version stays in service"
sed -i 's/dts.pipelin {/dts.pipeline {/' pipelines/shop.lua
sleep 1
run check; ends "mended" 0
echo '-- edited' >>pipelines/shop.lua
sleep 1
err=$(cat "$home/serve.err"); warns "serve tells of mending" "no script is at fault any more"
warns "serve tells of a reload" "reloaded pipelines/shop.lua"
started=$SECONDS
kill -TERM "$engine"; wait "$engine"; status=$? engine=
err=$(cat "$home/serve.err"); out=
ends "serve, asked to stop" 0
[ $((SECONDS - started)) -le 10 ]; verdict "serve stops within 10 s" $?
[ ! -e var/dts.sock ]; verdict "its socket is gone" $?

. "$here/parts/data.sh"
. "$here/parts/doctor.sh"
. "$here/parts/faults.sh"
. "$here/parts/files.sh"
. "$here/parts/hand.sh"
. "$here/parts/migrate.sh"
. "$here/parts/watch.sh"

printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
