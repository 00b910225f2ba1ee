-- A value in words for a log, about as JSON: names sorted, at most 1 KB, whatever the table holds (itself, functions).
-- SPDX-License-Identifier: MIT

local json = require "dts.json"
local kernel = require "dts.kernel"

local LIMIT, DEPTH = 1024, 16

local function by_kind_and_value(a, b)
  local one, other = type(a), type(b)
  if one ~= other then return one < other end
  if one == "number" or one == "string" then return a < b end
  return tostring(a) < tostring(b)
end

local function sorted(map)
  local names = {}
  for name in next, map do names[#names + 1] = name end
  table.sort(names, by_kind_and_value)
  return names
end

local function add(out, text)
  out[#out + 1], out.size = text, out.size + #text
end

-- Only so much of a text as can be shown, cut between characters.
local function quoted(text)
  if #text > LIMIT then
    local cut = LIMIT
    while cut > 0 and text:byte(cut + 1) & 0xC0 == 0x80 do cut = cut - 1 end
    text = text:sub(1, cut)
  end
  local ok, shown = pcall(json.encode, text)
  return ok and shown or kernel.shorten(text)
end

local write

local function write_items(map, out, inside)
  local list = #map > 0
  for i = 1, #map do
    if out.size > LIMIT then return end
    if i > 1 then add(out, ",") end
    write(map[i], out, inside)
  end
  for _, name in ipairs(sorted(map)) do
    if not (math.type(name) == "integer" and name >= 1 and name <= #map) then
      if out.size > LIMIT then return end
      if list or out[#out] ~= "{" then add(out, ",") end
      add(out, (type(name) == "string" and quoted(name) or tostring(name)) .. ":")
      write(map[name], out, inside)
      list = false
    end
  end
end

local function write_table(map, out, inside)
  local meta = getmetatable(map)
  local plain = type(meta) == "table" and rawget(meta, "__plain")
  if plain then return write(plain(map), out, inside) end
  if type(meta) == "table" and rawget(meta, "__tostring") then return add(out, tostring(map)) end
  if inside[map] then return add(out, "(itself)") end
  if inside.depth == DEPTH then return add(out, "(more)") end
  inside[map], inside.depth = true, inside.depth + 1
  local list = #map > 0 or next(map) == nil and json.encode(map) == "[]"
  local names = 0
  for _ in next, map do names = names + 1 end
  list = list and names == #map
  add(out, list and "[" or "{")
  write_items(map, out, inside)
  add(out, list and "]" or "}")
  inside[map], inside.depth = nil, inside.depth - 1
end

function write(value, out, inside)
  local kind = type(value)
  if value == kernel.null then
    add(out, "null")
  elseif kind == "table" and not kernel.is_error(value) then
    write_table(value, out, inside)
  elseif kind == "string" then
    add(out, quoted(value))
  elseif kind == "function" or kind == "userdata" or kind == "thread" then
    add(out, "(" .. kind .. ")")
  else
    add(out, tostring(value))
  end
end

local function cut(text)
  if #text <= LIMIT then return text end
  local at = LIMIT
  while at > 0 and text:byte(at + 1) & 0xC0 == 0x80 do at = at - 1 end
  return text:sub(1, at) .. "…"
end

return function(value)
  local out = { size = 0 }
  write(value, out, { depth = 0 })
  return cut(table.concat(out))
end
