-- The editor hints that `dts new` writes are what the engine takes: options.lua has one class for each table of
-- options that engine/lua/dts declares, and is made of them; dts.lua and trial.lua are written by hand, and whatever a
-- script can call has its line there. `lua5.4 tests/check/hints.lua write`, in the project's folder, makes options.lua
-- anew.
-- SPDX-License-Identifier: MIT

package.path = (arg[0]:match("^(.*)/") or ".") .. "/?.lua;" .. package.path
local specs_of = require("reference").specs_of

local FOLDER, LUA = "engine/command/template/editor/", "engine/lua/dts/"
local HEAD, TRIAL, OUT = FOLDER .. "dts.lua", FOLDER .. "trial.lua", FOLDER .. "options.lua"
local TYPES = {
  text = "string", sql = "string", name = "string", boolean = "boolean", integer = "integer", count = "integer",
  natural = "integer", duration = "dts.duration", days = "dts.duration", date = "dts.date", size = "string",
  rate = "string", cron = "string", zone = "string", run = "function", map = "table<string, any>", any = "any",
  texts = "string|string[]", names = "string|string[]", dates = "dts.date[]", columns = "string[]",
  text_map = "table<string, string>", order = "string|string[]",
}
local OWN = {
  ["dts.pipeline run"] = "fun(ctx: dts.ctx, input: any): any", ["dts.route run"] = "fun(req: dts.req): any",
}

local function class_of(title)
  local name = title:gsub("^the ", "test "):gsub("[:%s]", ".")
  return (name:find(".", 1, true) and name or "dts." .. name) .. ".options"
end

local function type_of(title, field)
  local kind = field[2]
  if OWN[title .. " " .. field[1]] then return OWN[title .. " " .. field[1]] end
  if type(kind) == "string" then return TYPES[kind] or "any" end
  if kind.title then return class_of(kind.title) end
  local choices = {}
  for i, choice in ipairs(kind) do
    choices[i] = type(choice) == "string" and ('"%s"'):format(choice) or tostring(choice)
  end
  return table.concat(choices, "|")
end

local function render(t)
  local titles, specs, out, known = {}, specs_of(t), {}, {}
  out[1] = "---@meta\n-- The tables of options, for editors; made of their declarations.\n"
  for title in pairs(specs) do titles[#titles + 1] = title end
  table.sort(titles)
  for _, title in ipairs(titles) do
    local lines = { "---@class " .. class_of(title) }
    for _, field in ipairs(specs[title]) do
      local key = title .. " " .. field[1]
      lines[#lines + 1] = not known[key] and ("---@field %s%s %s%s"):format(field[1], field.required and "" or "?",
        type_of(title, field), field.help and " " .. field.help:gsub("\n", " ") or "") or nil
      known[key] = true
    end
    lines[#lines + 1] = "---@field [integer] any"
    out[#out + 1] = table.concat(lines, "\n") .. "\n"
  end
  return table.concat(out, "\n")
end

local function each_name(t, path, pattern, fault, shown, file)
  if not t:has(path) then return end
  for name in t:read(path):gmatch(pattern) do
    local line = shown:format(name)
    if not t:read(file):find(line, 1, true) then fault("%s: nothing says '%s', which %s has", file, line, path) end
  end
end

local function check_calls(t, fault)
  each_name(t, LUA .. "init.lua", "\n  (%l+) = [mf]%l+", fault, "dts.%s", HEAD)
  each_name(t, LUA .. "ctx.lua", "\nfunction methods:(%l+)", fault, "function ctx:%s(", HEAD)
  each_name(t, LUA .. "body.lua", "\nfunction methods:(%l+)", fault, "function body:%s(", HEAD)
  for path in t:each("^" .. LUA .. "spec[_%l]*%.lua$") do
    each_name(t, path, "\nfunction methods%.(%l+)%(it", fault, "function trial:%s(", TRIAL)
  end
end

local function check(t, fault)
  for _, path in ipairs { HEAD, TRIAL } do
    if not t:has(path) then return fault("%s is missing", path) end
    local good, why = load(t:read(path), "=" .. path)
    if not good then fault("%s is no Lua: %s", path, why) end
  end
  if not t:has(OUT) or t:read(OUT) ~= render(t) then
    fault("%s is not what the declarations say; make it anew: lua5.4 tests/check/hints.lua write", OUT)
  end
  check_calls(t, fault)
end

if arg[1] == "write" and arg[0]:find("hints%.lua$") then
  local tree = require "tree"
  local file <close> = assert(io.open(OUT, "w"))
  file:write(render(tree.at(".")))
end

local DECLARED = 'local options = require "dts.options"\nlocal S = options.spec("dts.thing", {\n'
  .. '  { "wait", "duration", help = "so long" } })\nreturn S\n'
local WRITTEN = "---@meta\n-- The tables of options, for editors; made of their declarations.\n\n"
  .. "---@class dts.thing.options\n---@field wait? dts.duration so long\n---@field [integer] any\n"
local NOTHING = "---@meta\n-- The tables of options, for editors; made of their declarations.\n"

return {
  about = "the editor hints of a new project are what the engine takes",
  check = check,
  breaks = {
    ["is not what the declarations say"] = {
      [HEAD] = "", [TRIAL] = "", [LUA .. "thing.lua"] = DECLARED, [OUT] = WRITTEN:gsub("so long", "so short"),
    },
    ["nothing says 'function ctx:leap('"] = {
      [HEAD] = "", [TRIAL] = "", [OUT] = NOTHING, [LUA .. "ctx.lua"] = "\nfunction methods:leap()\nend\n",
    },
    ["is no Lua"] = { [HEAD] = "local dts = {\n", [TRIAL] = "", [OUT] = NOTHING },
  },
  keeps = { { [HEAD] = "", [TRIAL] = "", [LUA .. "thing.lua"] = DECLARED, [OUT] = WRITTEN } },
}
