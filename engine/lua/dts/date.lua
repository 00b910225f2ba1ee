-- dts.date: dates "YYYY-MM-DD" and timestamps as texts, parsed, written, moved and compared.
-- SPDX-License-Identifier: MIT

local time = require "dts.time"

return {
  parse = time.parse, -- (text, format?) → date, or timestamp when the format has a time (UTC unless it has a zone)
  format = time.format, -- (date, format) → text
  add = time.add, -- (date, n, "day" "week" "month" "quarter" "year"?) or (date, "15m") → date
  diff = time.diff, -- (a, b) → a less b: days of dates, seconds of timestamps
  range = time.range, -- (from, to, step?) → a list, both ends included
  weekday = time.weekday, -- (date) → 1 for Monday … 7 for Sunday
  start = time.start, -- (date, "week" "month" …) → the first day of the period
}
