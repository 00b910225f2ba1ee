-- dts.pipeline: when to run, and the one function in which work happens.
-- SPDX-License-Identifier: MIT

local gaps = require "dts.gaps"
local ingest = require "dts.ingest"
local kernel = require "dts.kernel"
local limits = require "dts.limits"
local options = require "dts.options"
local param = require "dts.param"
local place = require "dts.place"
local state = require "dts.state"

local ALLOW = options.spec("allow", {
  { "tables", "names", help = "tables of other files that it may write" },
  { "sources", "names", help = "sources of other files that it may ask" },
  { "hosts", "texts", help = 'hosts for dts.http, for example { "api.example.com" }' },
})

local SPEC = options.spec("dts.pipeline", {
  { "name", "name", required = true, help = 'for example name = "rates"' },
  { "schedule", "cron", help = 'five fields: minute hour day month weekday, for example "30 16 * * 1-5"' },
  { "recheck", "cron", help = "when missing dates are asked for again (gaps only)" },
  { "every", "duration", to = "every_ms", help = 'for example every = "15m"' },
  { "jitter", "duration", to = "jitter_ms", help = 'jobs wait up to that long, each pipeline always as long: "30s"' },
  { "timezone", "zone", help = 'of the schedule, for example "Europe/Berlin"' },
  { "params", "any", help = 'what it may be given, for example { topic = "text = data" }' },
  { "missed", { "latest", "all", "none" }, default = "latest", help = "which firings are made up for after a stop" },
  { "overlap", { "skip", "queue" }, default = "skip", help = "what a firing does while the last one still runs" },
  { "retry", "natural", default = 5, help = "how often a failed run is tried again" },
  { "batch", "count", default = 25, help = "a gaps run commits every so many rows" },
  { "gaps", "any", help = "which dates of which series are wanted" },
  { "files", "texts", help = 'for example files = "incoming/*.csv"' },
  { "ingest", "any", help = "take events at POST /api/v1/ingest/NAME" },
  { "after", "names", help = "the pipeline, or the list of them, that it follows" },
  { "on", { "success", "end" }, default = "success", help = "whether failed firings are followed too" },
  { "group", "text", help = "jobs of one group run one after the other" },
  { "limits", limits.spec, help = 'for example limits = { time = "10m", memory = "512MB" }' },
  { "allow", ALLOW, help = "what it may write and ask beyond its own file" },
  { "summary", "text", help = "one sentence about what it does" },
  { "run", "run", required = true, help = "function(ctx, input) … end" },
})

-- `schedule` goes with `gaps`; otherwise exactly one of these says when it runs, or none.
local TRIGGERS = { "schedule", "every", "gaps", "files", "ingest", "after" }

local function choose_trigger(given, what)
  if given.gaps ~= nil and given.every ~= nil then
    options.fail(what, "`gaps` needs `schedule`, not `every`: it asks for dates, once for each firing",
      'for example schedule = "0 6 * * *"; `recheck` says when dates that are still missing are asked for again')
  end
  local found = {}
  for _, name in ipairs(TRIGGERS) do
    if given[name] ~= nil and not (name == "schedule" and given.gaps ~= nil) then found[#found + 1] = name end
  end
  if #found > 1 then
    options.fail(what, ("%s exclude each other: a pipeline runs for one reason"):format(options.one_of(found, "`%s`")
      :gsub(" or ", " and ")), "write two pipelines that share a function")
  end
  return found[1] or "hand"
end

local DAY = 24 * 60 * 60 * 1000

local function check_jitter(out, given, what)
  if not out.jitter_ms then return end
  if not given.schedule and not given.every then
    options.fail(what, "`jitter` goes with `schedule` or `every`: it spreads starts that fall together")
  end
  local most = out.every_ms or DAY
  if out.jitter_ms >= most then
    options.fail(what, ("field 'jitter': less than %s expected, got %s"):format(given.every and "`every`" or "a day",
      options.shown(given.jitter)), "a start that is put off past the next one would be skipped")
  end
end

local function check_fit(out, given, what)
  if given.recheck and out.trigger ~= "gaps" then
    options.fail(what, "`recheck` asks for missing dates again: it goes with `gaps`")
  end
  if given.on and out.trigger ~= "after" then options.fail(what, "`on` goes with `after`") end
  if given.params ~= nil and (out.trigger == "gaps" or out.trigger == "files" or out.trigger == "ingest") then
    options.fail(what, ("`params` do not go with `%s`: its run receives %s"):format(out.trigger,
      ({ gaps = "a span", files = "a file", ingest = "a batch of events" })[out.trigger]))
  end
end

local function check_files(files, what)
  for _, pattern in ipairs(files or {}) do
    if pattern:find("^/") or pattern:find("..", 1, true) then
      options.fail(what, ("field 'files': a pattern inside of the project expected, got %s")
        :format(options.shown(pattern)))
    end
  end
end

local function empty_list(list) return list or kernel.list {} end

-- What a spec gives instead: dts.test { gaps = { NAME = { … } } }.
local function laid_over(declared, name)
  local over = ((kernel.start() or {}).gaps or {})[name]
  if type(declared) ~= "table" or not over then return declared end
  local out = {}
  for key, value in pairs(declared) do out[key] = value end
  for key, value in pairs(over) do out[key] = value end
  return out
end

return function(given)
  local out, what = options.check(SPEC, given)
  out.trigger = choose_trigger(given, what)
  check_fit(out, given, what)
  options.check_every(out.every_ms, given, what)
  check_jitter(out, given, what)
  check_files(out.files, what)
  out.params = param.read(out.params, what)
  if out.gaps ~= nil then out.gaps = gaps.read(laid_over(out.gaps, out.name), what) end
  if out.ingest ~= nil then out.ingest = ingest.read(out.ingest, what) end
  if out.trigger == "gaps" and not out.recheck then out.recheck = "0 */6 * * *" end
  out.limits = out.limits or {}
  local allow = out.allow or {}
  out.allow = {
    tables = empty_list(allow.tables), sources = empty_list(allow.sources), hosts = empty_list(allow.hosts),
  }
  local run = out.run
  out.run = nil
  out.run_line = place.line(run)
  state.declare("pipeline", out)
  state.pipelines[out.name] = run
  return out.name
end
