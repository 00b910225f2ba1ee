-- Figures for the stand-in sources: made up, but always the same for a name and a day, so that asking twice gives one
-- answer. They wander around a level as prices do; some days are left out, as sources leave days out.
-- SPDX-License-Identifier: MIT

local dts = require "dts"

local EPOCH = "1970-01-05" -- a Monday
local HOLES = 0.004

local figures = {}

local function seed(name)
  local sum = 0
  for i = 1, #name do sum = (sum * 31 + name:byte(i)) % 9973 end
  return sum
end

-- A number from 0 to 1 for a name and a day, without memory.
local function chance(name, n)
  local x = math.sin(seed(name) * 12.9898 + n * 78.233) * 43758.5453
  return x - x // 1
end

-- Days since a Monday long ago.
function figures.number(date)
  return dts.date.diff(date, EPOCH)
end

function figures.price(name, level, date)
  local n, at = figures.number(date), seed(name)
  local wave = 0.12 * math.sin(n / 140 + at) + 0.04 * math.sin(n / 23 + at) + 0.008 * (chance(name, n) - 0.5)
  return level * math.exp(wave)
end

-- Working days from one date to another, both included, but the holes.
function figures.days(name, from, to)
  local list = {}
  local date = from
  while date <= to do
    local n = figures.number(date)
    if n % 7 < 5 and chance(name .. " hole", n) >= HOLES then list[#list + 1] = date end
    date = dts.date.add(date, 1)
  end
  return list
end

return figures
