-- `gaps = { … }` of a pipeline: which dates of which series are wanted, and what counts as there.
-- SPDX-License-Identifier: MIT

local calendar = require "dts.calendar"
local kernel = require "dts.kernel"
local options = require "dts.options"

local gaps = {}

local SPEC = options.spec("gaps", {
  { "table", "name", required = true, help = "the table whose dates are looked at" },
  { "complete", "sql", help = 'when a row counts, as SQL: "value > 0"; without it when no column is null' },
  { "calendar", "any", help = '"daily", "weekdays", "BR", "NYSE" … or dts.calendar { … }' },
  { "since", "date", required = true, help = 'the first date wanted, for example "2015-01-02"' },
  { "to", "date", help = "the last date wanted, today less `lag` at most" },
  { "lag", "days", to = "lag_days", default = 1, help = 'how late a source is, for example "1d"' },
  { "refresh", "days", to = "refresh_days", default = 0, help = 'the last days are read again, for example "7d"' },
  { "max_span", "days", to = "max_span_days", help = 'the longest range of one run, for example "3650d"' },
  { "bridge", "natural", default = 0, help = "a span may run across so many dates that are there" },
  { "empty", { "retry", "ok" }, default = "retry", help = '"ok": a date answered for without a row is closed' },
  { "keys", "any", help = 'a list, a map from key to settings, or SQL with one row a key' },
})

local KEY = options.spec("key", {
  { "calendar", "any", help = "instead of the pipeline's" },
  { "since", "date", help = "instead of the pipeline's" },
  { "to", "date", help = "instead of the pipeline's" },
})

local function settings_of(settings, what)
  local own, with = {}, {}
  for name, value in pairs(settings) do
    if KEY.fields[name] then own[name] = value else with[name] = value end
  end
  local out = options.check(KEY, own, what)
  if out.calendar ~= nil then out.calendar = calendar.read(out.calendar, what) end
  out.with = with
  return out
end

local function read_map(keys, what)
  local list = {}
  for key, settings in pairs(keys) do
    local here = ("%s: key %s"):format(what, options.shown(key))
    if type(settings) ~= "table" then
      options.fail(here, ("a table of settings expected, got %s"):format(options.shown(settings)))
    end
    local out = settings_of(settings, here)
    out.key = tostring(key)
    list[#list + 1] = out
  end
  table.sort(list, function(a, b) return a.key < b.key end)
  return list
end

local function read_list(keys, what)
  local list = {}
  for i, key in ipairs(keys) do
    if type(key) ~= "string" and type(key) ~= "number" and not options.types.map(key) then
      options.fail(what, ("field 'keys': a text or a table of columns expected, got %s"):format(options.shown(key)))
    end
    list[i] = { key = type(key) == "number" and tostring(key) or key, with = {} }
  end
  return list
end

local function read_keys(out, what)
  local keys = out.keys
  out.keys = nil
  if keys == nil then return end
  if type(keys) == "string" then
    out.keys_sql = options.types.sql(keys)
    if not out.keys_sql then options.fail(what, "field 'keys': SQL expected, got an empty text") end
    return
  end
  if type(keys) ~= "table" or next(keys) == nil then
    options.fail(what, ("field 'keys': a list, a map from key to settings or SQL expected, got %s")
      :format(type(keys) == "table" and "an empty table" or options.shown(keys)))
  end
  out.keys = kernel.list(#keys > 0 and read_list(keys, what) or read_map(keys, what))
end

function gaps.read(given, pipeline)
  local out, what = options.check(SPEC, given, ("%s: gaps"):format(pipeline))
  out.calendar = calendar.read(out.calendar == nil and "daily" or out.calendar, what)
  if out.to and out.to < out.since then
    options.fail(what, ("`to` (%s) lies before `since` (%s)"):format(out.to, out.since))
  end
  if out.max_span_days == 0 then options.fail(what, 'field \'max_span\': "1d" or more expected, got "0d"') end
  read_keys(out, what)
  return out
end

return gaps
