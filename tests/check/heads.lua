-- The head of a file: every source names its licence in one line, and every C file opens with a comment that says what
-- the file is for; a .c file whose header stands beside it may leave that to the header.
-- SPDX-License-Identifier: MIT

local LICENCE = "SPDX-License-Identifier: " .. "MIT"
local SOURCES = { "%.c$", "%.h$", "%.lua$", "%.mjs$", "%.js$", "%.tsx?$", "%.css$", "%.sh$", "^dev$", "^%.ci/run$" }
local FEWEST_WORDS = 6
-- What `dts new` copies is the analyst's own from then on, and a project that a test runs stands for such a one.
local NOT_SOURCES = { "^engine/command/template/", "^tests/cli/project/" }

local function words_of_purpose(text)
  local comment = text:match("^/%*(.-)%*/") or text:match("^(//[^\n]*\n[/%s][^\0]-)\n[^/]") or text:match("^(//[^\n]*)")
  local n = 0
  for word in (comment or ""):gsub(LICENCE, ""):gmatch("%S+") do n = n + (word:find("%a%a") and 1 or 0) end
  return n
end

local function is_source(path)
  for _, pattern in ipairs(NOT_SOURCES) do
    if path:find(pattern) then return false end
  end
  return true
end

local function check(t, fault)
  for path in t:each(table.unpack(SOURCES)) do
    local text = t:read(path)
    if is_source(path) and not text:sub(1, 4000):find(LICENCE, 1, true) then
      fault("%s has no line '%s' at its head", path, LICENCE)
    end
    local left_to_header = path:find("%.c$") and t:has((path:gsub("c$", "h")))
    if path:find("%.[ch]$") and not left_to_header and words_of_purpose(text) < FEWEST_WORDS then
      fault("%s does not open with a comment that says what it is for", path)
    end
  end
end

local GOOD = "/* a.h -- what this is, and its one idea.\n *\n * " .. LICENCE .. " */\nint a;\n"

return {
  about = "every source names its licence, every C file says what it is for",
  check = check,
  breaks = {
    ["a.lua has no line"] = { ["connectors/a.lua"] = "return {}\n" },
    ["a.c has no line"] = { ["engine/base/a.c"] = "/* a.c -- what this is, and its one idea. */\nint a;\n" },
    ["a.h does not open with a comment"] = { ["engine/base/a.h"] = "/* " .. LICENCE .. " */\nint a;\n" },
    ["c.c does not open with a comment"] = { ["engine/base/c.c"] = "/* c.c " .. LICENCE .. " */\n" },
    ["b.h does not open with a comment"] = { ["engine/base/b.h"] = "#pragma once\n" .. GOOD },
  },
  keeps = { {
    ["engine/base/a.h"] = GOOD, ["engine/base/a.c"] = "/* a.c " .. LICENCE .. " */\n",
    ["connectors/a.lua"] = "-- What it is.\n-- " .. LICENCE .. "\n", ["a.json"] = "{}",
    ["engine/command/template/dts.lua"] = "return {}\n",
  } },
}
