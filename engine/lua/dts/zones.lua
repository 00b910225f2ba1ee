-- The time zone of a name, opened once: the engine reads its file, since a caged worker opens none.
-- SPDX-License-Identifier: MIT

local kernel = require "dts.kernel"
local options = require "dts.options"

local zones = {} -- opened ones, by name

return function(name, what)
  if type(name) ~= "string" then
    options.fail(what, ("a time zone such as \"Europe/Berlin\" expected, got %s"):format(options.shown(name)))
  end
  if not zones[name] then zones[name] = require("dts.zone").read(name, kernel.call("zone", { name = name }).bytes) end
  return zones[name]
end
