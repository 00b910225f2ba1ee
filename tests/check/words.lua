-- Words that have no place in the repository: notes of work left undone, folders of one machine, hosts of package
-- registries (lock files name packages by their hashes; whoever installs chooses the registry).
-- SPDX-License-Identifier: MIT

-- The words are put together here so that this file is no fault itself.
local UNDONE = { "TO" .. "DO", "FIX" .. "ME" }
local FOLDERS = { "/wo" .. "rk/", "/ho" .. "me/%l", "/ro" .. "ot/", "/Us" .. "ers/%l", "bash_" .. "jobs" }
local HOSTS = {
  "npm" .. "js%.org", "npm" .. "js%.com", "yarn" .. "pkg%.com", "pypi" .. "%.org", "python" .. "hosted%.org",
  "lua" .. "rocks%.org", "crates" .. "%.io", "proxy%.gol" .. "ang%.org", "deb%.deb" .. "ian%.org", "ghcr" .. "%.io",
}

local function search(fault, at, line, patterns, what)
  for _, pattern in ipairs(patterns) do
    local first, last = line:find(pattern)
    if first then fault("%s: %s: %s", at, what, line:sub(first, last)) end
  end
end

local function undone(fault, at, line)
  for _, word in ipairs(UNDONE) do
    if line:find("%f[%w]" .. word .. "%f[%W]") then fault("%s: work left undone: %s", at, word) end
  end
end

local function is_text(text)
  return not text:sub(1, 8000):find("\0", 1, true)
end

local function check(t, fault)
  for path in t:each(".") do
    if is_text(t:read(path)) then
      for number, line in t:lines(path) do
        local at = ("%s:%d"):format(path, number)
        undone(fault, at, line)
        search(fault, at, line, FOLDERS, "a folder of one machine")
        search(fault, at, line, HOSTS, "the host of a package registry")
      end
    end
  end
end

return {
  about = "nothing left undone, no folder of one machine, no host of a package registry",
  check = check,
  breaks = {
    ["a.c:2: work left undone"] = { ["a.c"] = "int a;\n// " .. UNDONE[1] .. ": mend this\n" },
    ["b.lua:1: work left undone"] = { ["b.lua"] = "-- " .. UNDONE[2] .. "\n" },
    ["docs/a.md:1: a folder of one machine"] = { ["docs/a.md"] = "see /wo" .. "rk/main\n" },
    ["a.json:1: the host of a package registry"] = { ["a.json"] = '{"resolved":"https://registry.npm' .. 'js.org/a"}' },
    ["the host of a package registry: pypi"] = { ["README.md"] = "from pypi" .. ".org\n" },
  },
  keeps = { { ["a.c"] = "/* a framework/mastodonte, todos */\n", ["b.bin"] = "\0" .. UNDONE[1] .. "\n" } },
}
