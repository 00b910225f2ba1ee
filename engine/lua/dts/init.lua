-- require "dts": everything that a script may use besides ctx. A name that is not here is an error that names the
-- nearest; modules are loaded when first used, so that a run pays only for what it needs.
-- SPDX-License-Identifier: MIT

local kernel = require "dts.kernel"

local dts = { null = kernel.null }

local function module(name) return function() return require(name) end end

local makers = {
  table = module "dts.table", source = module "dts.source", pipeline = module "dts.pipeline",
  rollup = module "dts.rollup", view = module "dts.view", route = module "dts.route",
  dashboard = module "dts.dashboard", alert = module "dts.alert",
  calendar = function() return require("dts.calendar").make end,
  query = function() return require("dts.query").query end,
  sql = function() return require("dts.query").sql end,
  lookup = function() return require("dts.query").lookup end,
  each = function() return require("dts.each").each end,
  archive = module "dts.snapshots",
  http = function() return require("dts.http").plain() end,
  json = module "dts.json", csv = module "dts.csv",
  html = function() return require("dts.document")("html") end,
  xml = function() return require("dts.document")("xml") end,
  validate = module "dts.validate", date = module "dts.date", log = module "dts.log",
  hash = module "dts.hash",
  reply = function() return require("dts.request").reply end,
  now = function() return require("dts.clock").now end,
  today = function() return require("dts.clock").today end,
  uuid = function() return require("dts.clock").uuid end,
  enqueue = module "dts.enqueue",
  test = function()
    local start = kernel.start()
    return not start and require("dts.spec").open or nil
  end,
}

local names = { "null" }
for name in pairs(makers) do
  if name ~= "test" then names[#names + 1] = name end
end
table.sort(names)

return setmetatable(dts, {
  __index = function(_, name)
    local make = makers[name]
    if not make then
      local options = require "dts.options"
      options.fail("dts", ("there is no '%s'%s"):format(tostring(name), options.meant(name, names)),
        "there are " .. table.concat(names, ", "))
    end
    local value = make()
    rawset(dts, name, value)
    return value
  end,
  __newindex = function(_, name)
    require("dts.options").fail("dts", ("'%s' cannot be set"):format(tostring(name)), "declare it: local name = …")
  end,
})
