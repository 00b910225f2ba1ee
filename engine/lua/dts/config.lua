-- dts.lua, the project file: one table, checked. Sizes and durations are normalised; `env` is laid over the rest by the
-- engine, and so checked against the same fields.
-- SPDX-License-Identifier: MIT

local limits = require "dts.limits"
local options = require "dts.options"

local config = {}

local ALLOW = options.spec("allow", {
  { "hosts", "texts", help = "the only hosts that any script may reach" },
})
local FIELDS = {
  { "name", "text", help = "the project's name" },
  { "timezone", "zone", help = 'what "today" means, for example "America/Sao_Paulo"' },
  { "store", "text", help = '"sqlite:var/dts.db" or "postgres://…"' },
  { "objects", "text", help = '"file:var/objects": a folder for uploads and snapshots' },
  { "listen", "text", help = 'for example "127.0.0.1:8080"' },
  { "hosts", "texts", help = "names that the server answers to" },
  { "workers", "count", help = "how many runs at once" },
  { "limits", limits.spec, help = "for every run that does not say otherwise" },
  { "allow", ALLOW, help = "a ceiling that no script exceeds" },
  { "sources", "text_map", help = 'stand-ins, for example { github = "http://127.0.0.1:9001" }' },
  { "retention", "map", help = "how long the engine's own rows are kept" },
  { "alerts", "map", help = 'whom to tell: { to = { "mailto:ops@example.com" } }' },
  { "mail", "map", help = "how mail is sent" },
  { "trust", "texts", help = 'files of certificate authorities to trust beside the system\'s: "certs/ca.pem"' },
}
local LAYER = options.spec("dts.lua", FIELDS)
local SPEC = options.spec("dts.lua", table.move({ { "env", "map", help = "layers by name" } }, 1, 1, #FIELDS + 1,
  table.move(FIELDS, 1, #FIELDS, 1, {})))

local function read_map_of_durations(map, what)
  local out = {}
  for name, value in pairs(map) do
    local ms, expected = options.types.duration(value)
    if not ms then options.fail(what, ("'%s': %s expected, got %s"):format(name, expected, options.shown(value))) end
    out[name .. "_ms"] = ms
  end
  return out
end

local function finish(out, what)
  if out.alerts then
    local to, expected = options.types.texts(out.alerts.to or {})
    if not to then options.fail(what, ("alerts.to: %s expected"):format(expected)) end
    out.alerts.to = to
  end
  if out.retention then out.retention = read_map_of_durations(out.retention, what .. ": retention") end
  return out
end

-- The table that dts.lua returned, in; the same, checked and normalised, out.
function config.read(given, file)
  local what = file or "dts.lua"
  if type(given) ~= "table" then
    options.fail(what, ("it returns one table: return { name = … }, got %s"):format(options.shown(given)),
      given == nil and "begin with `return {`" or nil)
  end
  local out = finish(options.check(SPEC, given, what, true), what)
  for name, layer in pairs(out.env or {}) do
    local at = ("%s: env '%s'"):format(what, tostring(name))
    out.env[name] = finish(options.check(LAYER, layer, at, true), at)
  end
  return out
end

return config
