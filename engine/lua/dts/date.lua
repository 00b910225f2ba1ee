-- dts.date: dates "YYYY-MM-DD" and timestamps as texts, parsed, written, moved and compared; and what a wall in some
-- time zone shows. Without a zone everything is UTC.
-- SPDX-License-Identifier: MIT

local time = require "dts.time"
local zone = require "dts.zones"

local date = {
  add = time.add, -- (date, n, "day" "week" "month" "quarter" "year"?) or (date, "15m") → date
  diff = time.diff, -- (a, b) → a less b: days of dates, seconds of timestamps
  range = time.range, -- (from, to, days or "month" …?) → a list, both ends included
  weekday = time.weekday, -- (date) → 1 for Monday … 7 for Sunday
  start = time.start, -- (date, "week" "month" …) → the first day of the period
  last = time.last, -- (date, "week" "month" …) → the last day of the period
}

local PARTS = "%Y %m %d %q %u %j %G %V %H %M %S"
-- "2026-03-02T10:00", without an offset: what a wall shows.
local function wall_of(text)
  local day, minute, rest = tostring(text):match("^(%d+%-%d+%-%d+)[T ](%d+:%d+)([:%d%.]*)$")
  return day and time.parse(day .. "T" .. minute .. (rest == "" and ":00" or rest) .. "Z")
end

-- parse(text, format?, zone?) → date, or timestamp when the format has a time. A time without a zone of its own is one
-- on the wall of `zone`: where the wall shows it twice, the first, "repeated", the second; where never, the end of the
-- gap, "missing".
function date.parse(text, format, zone_name)
  if zone_name == nil then return time.parse(text, format) end
  local z = zone(zone_name, "date.parse")
  local found = format == nil and wall_of(text)
  if not found then
    found = time.parse(text, format)
    if not time.is_instant(found) or format == nil or time.has_zone(format) then return found end
  end
  return z:instant(found)
end

-- format(date or timestamp, format, zone?) → text, of what the wall in the zone shows.
function date.format(moment, format, zone_name)
  if zone_name == nil or not time.is_instant(moment) then return time.format(moment, format) end
  local wall, offset = zone(zone_name, "date.format"):wall(moment)
  return time.format(wall, format, offset)
end

-- of(timestamp, zone?) → the date there.
function date.of(moment, zone_name)
  return date.format(moment, "%F", zone_name)
end

-- parts(date or timestamp, zone?) → its numbers, by name.
function date.parts(moment, zone_name)
  local n = {}
  for number in date.format(moment, PARTS, zone_name):gmatch("%d+") do n[#n + 1] = math.tointeger(number) end
  local parts = {
    year = n[1], month = n[2], day = n[3], quarter = n[4], weekday = n[5], yearday = n[6],
    week_year = n[7], week = n[8],
  }
  if time.is_instant(moment) then parts.hour, parts.minute, parts.second = n[9], n[10], n[11] end
  return parts
end

return date
