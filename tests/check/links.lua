-- Links of the documentation lead somewhere: to a file of the project, and to a heading in it. Addresses elsewhere are
-- not asked for (tests reach no network).
-- SPDX-License-Identifier: MIT

-- A heading as a fragment, the way that forges and the manual's readers make it.
local function fragment(heading)
  local kept = heading:lower():gsub("[`*]", ""):gsub("[^%w%s%-_\128-\255]", "")
  return (kept:gsub("^%s+", ""):gsub("%s+$", ""):gsub("%s", "-"))
end

local function headings(t, path)
  local found, fenced = {}, false
  for _, line in t:lines(path) do
    if line:find("^```") then fenced = not fenced end
    local heading = not fenced and line:match("^#+%s+(.*)")
    if heading then found[fragment(heading)] = true end
  end
  return found
end

local function joined(folder, target)
  local parts = {}
  for part in (folder .. target):gmatch("[^/]+") do
    if part == ".." then parts[#parts] = nil elseif part ~= "." then parts[#parts + 1] = part end
  end
  return table.concat(parts, "/")
end

local function follow(t, fault, at, path, link)
  local target, anchor = link:match("^([^#]*)#?(.*)$")
  local file = target == "" and path or joined(path:match("^(.*/)") or "", target)
  if not t:has(file) then return fault("%s: there is no %s", at, file) end
  if anchor ~= "" and not (file:find("%.md$") and headings(t, file)[anchor]) then
    fault("%s: %s has no heading for #%s", at, file, anchor)
  end
end

local function check(t, fault)
  for path in t:each("%.md$") do
    local fenced = false
    for number, line in t:lines(path) do
      if line:find("^```") then fenced = not fenced end
      for link in (fenced and "" or line:gsub("`[^`]*`", "")):gmatch("%]%(([^%s)]+)%)") do
        if not link:find("^%a+:") then follow(t, fault, ("%s:%d"):format(path, number), path, link) end
      end
    end
  end
end

return {
  about = "links of the documentation lead to files and headings that are there",
  check = check,
  breaks = {
    ["README.md:1: there is no docs/gone.md"] = { ["README.md"] = "[a](docs/gone.md)\n" },
    ["docs/a.md:1: there is no gone/b.md"] = { ["docs/a.md"] = "see [b](../gone/b.md#x)\n" },
    ["docs/b.md has no heading for #two"] = {
      ["docs/a.md"] = "[b](b.md#two)\n", ["docs/b.md"] = "# One\n```sh\n# Two\n```\n",
    },
  },
  keeps = { {
    ["README.md"] = "[a](docs/a.md) [t](engine/) [web](https://example.org)\n```\n[no](gone.md)\n```\n`[no](x.md)`\n",
    ["engine/a.c"] = "int a;\n",
    ["docs/a.md"] = "# Files, and `rows`\n[up](../README.md) [here](#files-and-rows)\n",
  } },
}
