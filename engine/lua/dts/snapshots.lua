-- dts.archive(source, from?, to?): the raw snapshots kept under a name, oldest first, as bodies with .date and .meta.
-- SPDX-License-Identifier: MIT

local body = require "dts.body"
local kernel = require "dts.kernel"
local options = require "dts.options"

local function check_date(date, which)
  if date ~= nil and not options.types.date(date) then
    options.fail("dts.archive", ("a date such as 2024-02-29 expected as %s, got %s"):format(which, options.shown(date)))
  end
end

local function wrap(entry)
  local found = kernel.call("object", { id = entry.id })
  local fields = { id = entry.id, date = entry.date, at = entry.at, meta = entry.meta, size = entry.size }
  return body.wrap(fields, found.body or "", { name = ("snapshot %s"):format(tostring(entry.id)), type = entry.type })
end

return function(source, from, to)
  if type(source) ~= "string" then
    options.fail("dts.archive", ("the name of a source expected first, got %s"):format(options.shown(source)))
  end
  check_date(from, "the first")
  check_date(to, "the last")
  local entries, i = nil, 0
  return function()
    entries = entries or kernel.call("archived", { source = source, from = from, to = to })
    i = i + 1
    return entries[i] and wrap(entries[i])
  end
end
