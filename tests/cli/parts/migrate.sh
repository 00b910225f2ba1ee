# migrate.sh -- a declared type that has changed: shown, then done. Sourced by cli_test.sh, after hand.sh.
# SPDX-License-Identifier: MIT

mkdir -p "$home/moved/pipelines" && cd "$home/moved" || exit 2
moved() { # moved COLUMN
  cat >pipelines/moved.lua <<LUA
local dts = require "dts"
dts.table { name = "moved", key = { "id" }, columns = { "id text", "$1" } }
dts.pipeline { name = "fill", run = function(ctx) ctx:put("moved", { id = "a", v = 1 }) end }
LUA
}

moved "v integer"
run run fill; ends "rows to migrate" 0
run migrate moved; ends "nothing to migrate" 0; says "nothing to migrate" "moved is as it is declared: nothing to do"
is "nothing to migrate says no more" "$err" ""
moved "v text"
run run fill; ends "a changed type" 1; warns "a changed type" "dts migrate moved"
run migrate moved; ends "shown" 0; says "shown" "column v: integer becomes text"; says "shown" "nothing is changed yet"
is "what is only shown is no error" "$err" ""
run sql "select typeof(v) as t from moved" --csv; is "shown, not done" "${out//$'\r'/}" $'t\ninteger'
run migrate moved --apply; ends "done" 0; is "done says no more" "$err" ""
run sql "select typeof(v) as t from moved" --csv; is "done" "${out//$'\r'/}" $'t\ntext'
