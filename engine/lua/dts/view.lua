-- dts.view: a table computed from others in SQL, when read or (keep = true) after each commit to one of them.
-- SPDX-License-Identifier: MIT

local options = require "dts.options"
local state = require "dts.state"

local SPEC = options.spec("dts.view", {
  { "name", "name", required = true, help = 'for example name = "relations"' },
  { "sql", "sql", required = true, help = "a select" },
  { "keep", "boolean", default = false, help = "true: stored, and replaced after a commit to a table that it reads" },
})

return function(given)
  local out = options.check(SPEC, given)
  state.declare("view", out)
  return out.name
end
