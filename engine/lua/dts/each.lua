-- dts.each: many at once, results in order. A task belongs to the step in which dts.each was called.
-- SPDX-License-Identifier: MIT

local kernel = require "dts.kernel"
local options = require "dts.options"
local query = require "dts.query"
local state = require "dts.state"

local each = {}
local counts = setmetatable({}, { __mode = "k" }) -- results → how many, also where the last are nil

local SPEC = options.spec("dts.each", {
  { "concurrency", "count", default = 8, help = "how many at once (8 unless said)" },
})

-- dts.each(list, opts?, fn)
function each.each(list, opts, fn)
  if fn == nil and type(opts) == "function" then opts, fn = {}, opts end
  if type(fn) ~= "function" then
    options.fail("dts.each", ("a function expected as the last argument, got %s"):format(options.shown(fn)))
  end
  if type(list) ~= "table" and type(list) ~= "function" then
    options.fail("dts.each", ("a list or an iterator expected, got %s"):format(options.shown(list)))
  end
  local checked, step = options.check(SPEC, opts, "dts.each"), state.step()
  local results = kernel.tasks(query.plain(list), checked.concurrency, function(item, i)
    local task = coroutine.running()
    state.steps[task] = step or false
    return fn(item, i)
  end)
  counts[results], results.n = results.n, nil
  return results
end

-- A step's result as it will come out of the store: places without a value hold null.
function each.kept(results)
  local n = counts[results]
  if not n then return results end
  for i = 1, n do
    if results[i] == nil then results[i] = kernel.null end
  end
  return kernel.list(results)
end

return each
