-- dts.alert: a query that must return no rows, and whom to tell when it does.
-- SPDX-License-Identifier: MIT

local options = require "dts.options"
local state = require "dts.state"

local SPEC = options.spec("dts.alert", {
  { "name", "name", required = true, help = 'for example name = "rates_stale"' },
  { "every", "duration", to = "every_ms", default = 600000, help = 'how often it is asked ("10m" unless said)' },
  { "hold", "duration", to = "hold_ms", default = 0, help = "tell only when it lasts so long" },
  { "remind", "duration", to = "remind_ms", help = 'tell again so often, for example "1d"' },
  { "when", "sql", required = true, help = "a select that must return no rows" },
  { "to", "texts", help = 'addresses: "mailto:ops@example.com", "https://…"; dts.lua has the default' },
  { "message", "text", help = "what to say; {column} is filled in from the first row" },
})

return function(given)
  local out, what = options.check(SPEC, given)
  options.check_every(out.every_ms, given, what)
  for _, address in ipairs(out.to or {}) do
    if not address:find("^mailto:[^@%s]+@[^@%s]+$") and not address:find("^https?://[^%s]+$") then
      options.fail(what, ("field 'to': \"mailto:name@host\" or \"https://…\" expected, got %s")
        :format(options.shown(address)))
    end
  end
  state.declare("alert", out)
  return out.name
end
