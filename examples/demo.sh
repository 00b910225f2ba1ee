#!/usr/bin/env bash
# The fuel system at work, without a network: stand-ins on loopback answer as the real sources do, real runs find the
# holes and fetch them, and the dashboard shows what came. The figures are the test data's where TEST_DATA names them,
# else those of examples/upstream, which is a dts project itself. Called by `./dev demo`; with --once it looks at pages
# and routes, and ends. The project stays in build/demo: killed in the middle and started again, it goes on where it was.
#
# SPDX-License-Identifier: MIT
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
DTS=${DTS:-$ROOT/build/dts}
FOLDER=$ROOT/build/demo
ONCE=${1:-}
STARTED=()

stop_all() {
  local pid
  for pid in "${STARTED[@]}"; do { kill "$pid" && wait "$pid"; } 2>/dev/null || true; done
  [[ $ONCE != --once ]] || rm -rf "$FOLDER"
}
trap stop_all EXIT
trap 'exit 130' INT TERM

# starts a server in the background and leaves the first address that it prints, after its PATTERN, in `address`
start() { # FOLDER PATTERN COMMAND…
  local folder=$1 pattern=$2 log tries
  shift 2
  log=$FOLDER/server-${#STARTED[@]}.log
  : >"$log"
  (cd "$folder" && exec "$@") >>"$log" 2>&1 &
  STARTED+=($!)
  for ((tries = 0; tries < 300; tries++)); do
    address=$(sed -nE "s|.*$pattern.*|\\1|p" "$log" | head -1)
    [[ -z $address ]] || return 0
    kill -0 "$!" 2>/dev/null || break
    sleep 0.1
  done
  cat "$log" >&2
  return 1
}

start_sources() {
  if [[ -n ${TEST_DATA:-} ]]; then
    LIFETIME=86400 start "$ROOT" '"port":([0-9]+)' node tests/servers/sources.mjs
    sources=http://127.0.0.1:$address
  else
    mkdir -p "$FOLDER/upstream"
    cp -r "$ROOT"/examples/upstream/{dts.lua,pipelines,connectors} "$FOLDER/upstream/"
    start "$FOLDER/upstream" '(http://127\.0\.0\.1:[0-9]+).*' "$DTS" serve --listen 127.0.0.1:0
    sources=$address
  fi
}

# The shipped scripts; only their dates are cut to what the sources can answer.
cut_dates() {
  local pipelines=$FOLDER/fuel/pipelines
  if [[ -n ${TEST_DATA:-} ]]; then
    sed -i 's/since = "2020-06-04"/since = "2020-06-04", to = "2023-12-29"/' "$pipelines/quotes.lua"
    sed -i 's/since = "2023-03-03"/since = "2023-03-03", to = "2024-03-01"/' "$pipelines/stocks.lua"
    sed -i -E '/UGPA3|SHEL/d; s/(symbol = "PETR[34].SA", calendar = "B3")/\1, since = "2020-06-01", to = "2020-07-07"/' "$pipelines/stocks.lua"
    sed -i 's/since = "2023-01-02"/since = "2023-12-04", to = "2023-12-25"/' "$pipelines/pump.lua"
  else
    sed -i "s/since = \"2023-01-02\"/since = \"$(date -d '-180 days' +%F)\"/" "$pipelines/pump.lua"
  fi
}

make_project() {
  mkdir -p "$FOLDER/fuel/pipelines"
  cp "$ROOT"/pipelines/fuel/{quotes,stocks,pump,weeks,analysis,page}.lua "$FOLDER/fuel/pipelines/"
  cp -r "$ROOT/connectors" "$FOLDER/fuel/"
  [[ -n ${TEST_DATA:-} ]] || cp "$ROOT/pipelines/fuel/currencies.lua" "$FOLDER/fuel/pipelines/"
  cut_dates
  printf 'return {\n  name = "fuel", timezone = "America/Sao_Paulo",\n  sources = {' >"$FOLDER/fuel/dts.lua"
  printf ' %s = "%s",' bcb "$sources" yahoo "$sources" stooq "$sources" anp "$sources" >>"$FOLDER/fuel/dts.lua"
  printf ' },\n}\n' >>"$FOLDER/fuel/dts.lua"
}

show() { # TITLE SQL
  local found
  printf '\n%s\n\n' "$1"
  found=$(dts sql --csv "$2")
  if [[ $(wc -l <<<"$found") -lt 2 ]]; then printf 'none\n'; else dts sql "$2"; fi
}

dts() { (cd "$FOLDER/fuel" && "$DTS" "$@"); }

run_pipelines() {
  local name names=(currency stocks pump)
  [[ -n ${TEST_DATA:-} ]] || names=(currency currencies stocks pump)
  for name in "${names[@]}"; do
    printf '\n$ dts run %s\n' "$name"
    dts run "$name" || printf '(its dates are tried again later, and quarantined past the limit)\n'
  done
}

look() {
  show "What there is of each price and rate:" \
    "select info_type, count(*) as days, min(date) as first, max(date) as last from quotes group by info_type order by 1"
  show "What fuel costs, newest week first:" \
    "select period, product, round(avg(price), 2) as price from fuel_week group by period, product order by 1 desc, 2 limit 8"
  show "Dates that did not come:" \
    "select pipeline, state, count(*) as dates from dts_gaps where state <> 'filled' group by pipeline, state order by 1, 2"
}

answers() { # PATH TEXT: the engine answers there, and what it says has the text
  curl -sSf -H "Authorization: Bearer $key" "$page$1" | grep -q "$2" || {
    printf 'demo: %s did not answer with %s\n' "$1" "$2" >&2
    return 1
  }
  printf 'answered: %s\n' "$1"
}

serve() {
  start "$FOLDER/fuel" '(http://127\.0\.0\.1:[0-9]+/#key=[^ ]+)' "$DTS" serve --listen "127.0.0.1:${PORT:-0}"
  page=${address%%/#*} key=${address##*#key=}
  printf '\nThe dashboard: %s\n' "$address"
  if [[ $ONCE == --once ]]; then
    answers / '<html'
    answers /healthz ok
    answers "/api/quotes?info_type=CURRENCY%23USD&limit=5" CURRENCY
    answers /api/v1/pages/fuel '"charts"'
    answers /api/v1/pages/fuel/charts/0 '"rows"'
    answers /api/v1/overview currency
  else
    printf 'Ctrl-C ends it; ./dev demo goes on from here.\n'
    wait "${STARTED[-1]}"
  fi
}

[[ $ONCE != --once ]] || FOLDER=$(mktemp -d)
mkdir -p "$FOLDER"
start_sources
make_project
run_pipelines
look
serve
