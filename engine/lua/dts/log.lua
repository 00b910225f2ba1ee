-- dts.log "…": a line of the run's log, at a level: dts.log.debug info warn error. Tables are shown as JSON.
-- SPDX-License-Identifier: MIT

local json = require "dts.json"
local kernel = require "dts.kernel"
local options = require "dts.options"

local function words(...)
  local parts = table.pack(...)
  for i = 1, parts.n do
    local part = parts[i]
    if type(part) == "table" and not kernel.is_error(part) then
      local ok, text = pcall(json.encode, part)
      part = ok and text or part
    end
    parts[i] = tostring(part)
  end
  return table.concat(parts, "\t")
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
