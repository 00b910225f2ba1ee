-- Runs every check of this folder, each first on small trees that break its rule and on one that keeps it: a check that
-- cannot fail is no check. Prints `pass …` or `FAIL …` a line; ends with 1 when anything failed.
--
--   lua5.4 tests/check/run.lua [ROOT]
--
-- A check is a file that returns { about = "…", check = function(tree, fault, note) … end, breaks = {…}, keeps = {…} }:
-- `breaks` maps a part of the expected message to a tree, `keeps` is a list of trees without fault.
-- SPDX-License-Identifier: MIT

local here = arg[0]:match("^(.*)/") or "."
package.path = here .. "/?.lua;" .. package.path
local tree = require "tree"

local failed = false

local function verdict(good, what, faults)
  print((good and "pass " or "FAIL ") .. what)
  for _, fault in ipairs(good and {} or faults) do print("     " .. fault) end
  failed = failed or not good
end

local function faults_of(check, t)
  local faults, notes = {}, {}
  check.check(t, function(...) faults[#faults + 1] = string.format(...) end,
    function(...) notes[#notes + 1] = string.format(...) end)
  return faults, notes
end

local function says(faults, part)
  for _, fault in ipairs(faults) do
    if fault:find(part, 1, true) then return true end
  end
  return false
end

local function test(name, check)
  assert(next(check.breaks), name .. " has no tree that breaks its rule")
  for part, files in pairs(check.breaks) do
    local t <close> = tree.made(files)
    local faults = faults_of(check, t)
    verdict(says(faults, part), ("check %s finds: %s"):format(name, part), faults)
  end
  for i, files in ipairs(check.keeps) do
    local t <close> = tree.made(files)
    local faults = faults_of(check, t)
    verdict(#faults == 0, ("check %s passes what is right (%d)"):format(name, i), faults)
  end
end

local project = tree.at(arg[1] or here .. "/../..")
for name in project:run("ls tests/check"):gmatch("(%l+)%.lua") do
  if name ~= "run" and name ~= "tree" then
    local check = require(name)
    test(name, check)
    local faults, notes = faults_of(check, project)
    verdict(#faults == 0, ("check %s: %s"):format(name, check.about), faults)
    for _, line in ipairs(notes) do print("     " .. line) end
  end
end
os.exit(not failed, true)
