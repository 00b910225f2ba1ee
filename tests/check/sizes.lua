-- Sizes: a C function of more than 60 lines and a source file of more than 500 are refused; nearly all functions are
-- meant to stay within 40, and how many do is reported. Code keeps to 100 columns by clang-format, prose to 120 here.
-- Pipelines are held to 40 lines and connectors to 80.
-- SPDX-License-Identifier: MIT

local FUNCTION, WISHED, FILE, COLUMNS = 60, 40, 500, 120
local SCRIPTS = { { "^pipelines/.*%.lua$", 40 }, { "^connectors/.*%.lua$", 80 } }
local SOURCES = { "%.c$", "%.h$", "%.lua$", "%.mjs$", "%.js$", "%.tsx?$", "%.css$", "^dev$" }

local function count(t, path)
  local n = 0
  for number in t:lines(path) do n = number end
  return n
end

local function files(t, fault)
  for path in t:each(table.unpack(SOURCES)) do
    local n = count(t, path)
    if n > FILE then fault("%s has %d lines, %d at most", path, n, FILE) end
  end
  for _, rule in ipairs(SCRIPTS) do
    for path in t:each(rule[1]) do
      local n = count(t, path)
      if n > rule[2] then fault("%s has %d lines, %d at most for a script of its kind", path, n, rule[2]) end
    end
  end
end

local function columns(t, fault)
  for path in t:each("^engine/.*%.[ch]$", "^tests/.*%.[ch]$") do
    for number, line in t:lines(path) do
      local width = utf8.len(line) or #line
      if width > COLUMNS then fault("%s:%d has %d columns, %d at most", path, number, width, COLUMNS) end
    end
  end
end

-- Functions of all C files as ctags sees them: path, name, first line, last line.
local function functions(t)
  local tags = t:run("find engine tests -path '*/node_modules' -prune -o -name '*.[ch]' -print 2>/dev/null | "
    .. "ctags -L - -f - --languages=C --langmap=C:.c.h --kinds-C=f --fields=ne --excmd=number 2>/dev/null")
  local more = tags:gmatch("([^\t\n]+)\t([^\t]+)\t[^\n]-line:(%d+)[^\n]-end:(%d+)")
  return function()
    local name, path, first, last = more()
    if name then return path, name, tonumber(first), tonumber(last) end
  end
end

local function check(t, fault, note)
  files(t, fault)
  columns(t, fault)
  local all, wished, production, kept = 0, 0, 0, 0
  for path, name, first, last in functions(t) do
    local lines = last - first + 1
    if lines > FUNCTION then fault("%s:%d: %s has %d lines, %d at most", path, first, name, lines, FUNCTION) end
    all, wished = all + 1, wished + (lines <= WISHED and 1 or 0)
    if path:find("^engine/") then production, kept = production + 1, kept + (lines <= WISHED and 1 or 0) end
  end
  if production > 0 then
    note("%d C functions in engine/, %.1f %% of them within %d lines; %.1f %% with the tests'", production,
      100 * kept / production, WISHED, 100 * wished / all)
  end
end

local function body(lines)
  return "int f(int a) {\n" .. ("  a++;\n"):rep(lines - 3) .. "  return a;\n}\n"
end

return {
  about = "no C function is over 60 lines, no file over 500, no line of C over 120 columns",
  check = check,
  breaks = {
    ["engine/base/a.c:1: f has 61 lines, 60 at most"] = { ["engine/base/a.c"] = body(61) },
    ["tests/engine/base/a.c:2: f has 75 lines, 60 at most"] = { ["tests/engine/base/a.c"] = "\nstatic " .. body(75) },
    ["engine/lua/a.lua has 501 lines, 500 at most"] = { ["engine/lua/a.lua"] = ("x = 1\n"):rep(501) },
    ["pipelines/a/a.lua has 41 lines, 40 at most for a script"] = { ["pipelines/a/a.lua"] = ("x = 1\n"):rep(41) },
    ["connectors/a.lua has 81 lines, 80 at most for a script"] = { ["connectors/a.lua"] = ("x = 1\n"):rep(81) },
    ["engine/base/a.h:2 has 121 columns"] = { ["engine/base/a.h"] = "int a;\n// " .. ("x"):rep(118) .. "\n" },
  },
  keeps = { {
    ["engine/base/a.c"] = body(60) .. body(60):gsub("f", "g"), ["engine/base/a.lua"] = ("x = 1\n"):rep(500),
  } },
}
