-- dts.log "…": a line of the run's log, at a level: dts.log.debug info warn error. Tables are shown by their content.
-- SPDX-License-Identifier: MIT

local kernel = require "dts.kernel"
local options = require "dts.options"
local show = require "dts.show"

local function words(...)
  local parts = table.pack(...)
  for i = 1, parts.n do
    local part = parts[i]
    parts[i] = type(part) == "table" and not kernel.is_error(part) and show(part) or tostring(part)
  end
  return table.concat(parts, " ")
end

local function at(level)
  return function(...) kernel.send("log", { level = level, message = words(...) }) end
end

local LEVELS = { "debug", "info", "warn", "error" }
local log = {}
for _, level in ipairs(LEVELS) do log[level] = at(level) end

return setmetatable(log, {
  __call = function(_, ...) log.info(...) end,
  __index = function(_, name)
    options.fail("dts.log", ("there is no level '%s'%s"):format(tostring(name), options.meant(name, LEVELS)),
      "the levels are " .. table.concat(LEVELS, ", "))
  end,
})
