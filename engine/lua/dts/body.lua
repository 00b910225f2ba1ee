-- What a reply, a file and a snapshot have in common: bytes, read as rows, JSON, HTML, XML, text or lines. The bytes
-- are C's (a text or a descriptor); this decides what they are, by what was said, the content type, the name, the
-- first byte.
-- SPDX-License-Identifier: MIT

local json = require "dts.json"
local kernel = require "dts.kernel"
local options = require "dts.options"
local records = require "dts.records"
local rows = require "dts.rows"

local body = {}
local methods = {}
local inside = setmetatable({}, { __mode = "k" }) -- wrapped table → { raw, name, type, file }
local shapes = setmetatable({}, { __mode = "k" }) -- iterator of rows → its shape

local NAMES = { "rows", "json", "html", "xml", "text", "lines" }

local function class_of(fields)
  local names = table.move(NAMES, 1, #NAMES, 1, {})
  for _, name in ipairs(fields) do names[#names + 1] = name end
  return {
    __index = function(self, name)
      if methods[name] then return methods[name] end
      if inside[self].fields[name] then return nil end
      options.fail(inside[self].name, ("there is no '%s'%s"):format(tostring(name), options.meant(name, names)),
        "there are " .. table.concat(names, ", "))
    end,
    __tostring = function(self) return inside[self].name end,
    __name = "body",
  }
end

-- Fields that may be absent in each kind of body; the rest are there.
local FIELDS = { "status", "headers", "url", "unchanged", "size", "name", "sha256", "date", "meta", "at", "id" }
local CLASS = class_of(FIELDS)
local MAY_BE_ABSENT = {}
for _, name in ipairs(FIELDS) do MAY_BE_ABSENT[name] = true end

-- Gives the table `fields` the methods of a body. `raw` is a text or C's body; about = { name, type, file }.
function body.wrap(fields, raw, about)
  if type(raw) == "string" then raw = kernel.body(raw) end
  inside[fields] = { raw = raw, name = about.name, type = about.type, file = about.file, fields = MAY_BE_ABSENT }
  return setmetatable(fields, CLASS)
end

-- A text, C's body or a wrapped one as something that the wire takes; nil for anything else.
function body.raw(value)
  if type(value) == "string" or type(value) == "userdata" and value ~= kernel.null then return value end
  return inside[value] and inside[value].raw
end

-- Rows are wanted, and a body is none before it is read.
function body.refuse(value)
  if not inside[value] then return end
  options.fail(inside[value].name, "rows expected, got the reply itself",
    "say how it is read: res:rows { … }, or res:json() for JSON")
end

local function check(self, method)
  local it = inside[self]
  if not it then options.fail(method, ("write a colon: res:%s(…), not res.%s(…)"):format(method, method)) end
  return it
end

-- What is read: a gzip or zstd body is unpacked, while `raw` stays as it came, to be kept or sent on.
local function readable(it)
  if not it.readable then
    local ok, got = pcall(it.raw.unpacked, it.raw)
    if not ok and kernel.is_error(got) and got.code == "PACK" then
      kernel.raise { code = "PACK", message = ("%s (%s)"):format(got.message, it.name), where = got.where }
    end
    it.readable = ok and got or error(got, 0)
  end
  return it.readable
end

local function said(it)
  return (it.type or ""):lower():match("charset%s*=%s*[\"']?([%w_%-]+)")
end

local function charset(it)
  local found = said(it)
  return found and found ~= "utf-8" and found ~= "utf8" and found or nil
end

-- "application/vnd.github+json; charset=utf-8" → json
local function by_type(kind)
  kind = (kind or ""):lower():match("^%s*([^;%s]*)")
  if kind:find("ndjson", 1, true) or kind:find("jsonl", 1, true) or kind:find("json-seq", 1,
    true) then return "ndjson" end
  if kind:find("[/+]json$") then return "json" end
  if kind:find("tab-separated", 1, true) then return "tsv" end
  if kind:find("[/-]csv$") then return "csv" end
  if kind == "text/html" or kind == "application/xhtml+xml" then return "html" end
  if kind:find("[/+]xml$") then return "xml" end
  return nil
end

local ENDINGS = {
  csv = "csv", tsv = "tsv", tab = "tsv", json = "json", geojson = "json", ndjson = "ndjson", jsonl = "ndjson",
  xml = "xml", html = "html", htm = "html",
}

local function by_name(file)
  local name = (file or ""):match("^[^?#]*"):gsub("%.gz$", ""):gsub("%.zst$", "")
  local ending = name:match("%.(%w+)$")
  return ending and ENDINGS[ending:lower()]
end

local function by_start(raw)
  local start = rows.start(raw)
  local first = start:match("^%s*(.)")
  if first == "[" then return "json" end
  if first == "{" then return rows.is_ndjson(raw) and "ndjson" or "json" end
  if first == "<" then
    local head = start:lower()
    return (head:find("<!doctype html", 1, true) or head:find("<html", 1, true) or head:find("<table", 1, true))
      and "html" or "xml"
  end
  return "csv"
end

-- A type that says nothing ("text/plain", "application/octet-stream") leaves the choice to the name and the bytes.
function body.format(it)
  return by_type(it.type) or by_name(it.file) or by_start(readable(it))
end

-- The encoding said by the script, one or several, or by the reply.
local function encoding_of(it, encoding)
  local first = type(encoding) == "table" and rawget(encoding, 1) or encoding
  if encoding ~= nil and type(first) ~= "string" then
    options.fail(it.name, ("an encoding such as \"latin1\" expected, got %s"):format(options.shown(encoding)))
  end
  return encoding or charset(it)
end

function methods:text(encoding)
  local it = check(self, "text")
  encoding = encoding_of(it, encoding)
  if encoding then return rows.text(readable(it), encoding, it.name) end
  return readable(it):text()
end

-- "it is text/html and begins \"<html>…\"": where the reply is something else than JSON, that is what went wrong.
local function refuse_json(it, text, fault)
  local first = text:match("^%s*(.)")
  local other = not by_type(it.type) or by_type(it.type) ~= "json" or first == "<"
  if not kernel.is_error(fault) or fault.code ~= "JSON" or not other or first and first:find("[%[{]") then
    error(fault, 0)
  end
  local kind = it.type and it.type:match("^%s*([^;%s]+)")
  local words = first and "begins " .. kernel.shorten((text:sub(1, 400):gsub("%s+", " "):gsub("^ ", ""))) or "is empty"
  kernel.raise {
    code = "JSON", where = fault.where,
    message = ("JSON expected: the body %s%s [%s]"):format(kind and "is " .. kind .. " and " or "", words, it.name),
    hint = first == "<"
      and "is the address right, does it want a key? A page is read by res:html(), XML by res:xml()"
      or "res:text() gives it as it is",
  }
end

function methods:json(opts)
  local it = check(self, "json")
  local text = readable(it):text()
  local ok, value = pcall(json.decode, text, opts, it.name)
  if ok then return value end
  refuse_json(it, text, value)
end

function methods:lines(encoding)
  local it = check(self, "lines")
  return rows.lines(readable(it), encoding_of(it, encoding) or "utf-8", it.name)
end

function methods:html()
  local it = check(self, "html")
  return require("dts.markup").read(readable(it), "html", said(it) or "", it.name)
end

function methods:xml()
  local it = check(self, "xml")
  return require("dts.markup").read(readable(it), "xml", said(it) or "", it.name)
end

local SHAPE = options.spec("rows", {
  { "format", { "csv", "tsv", "json", "ndjson", "xml", "html" },
    help = "what the body is, where type and name do not tell" },
  { "into", "name", help = "a table whose columns say the types" },
  { "columns", "text_map", help = 'our names and theirs: { price = "Valor de Venda" }; other columns are left out' },
  { "at", "text", help = "a path (JSON), XPath or CSS selector (XML, HTML) to the records" },
  { "header", "texts",
    help = "the columns' names, for a CSV file or an HTML table whose first row is data; {}: column_1, column_2 …" },
  { "skip", "natural", help = "lines above the header of CSV and TSV, such as titles, that are passed over" },
  { "delimiter", "text", help = 'between fields, one character: ";" or "\\t"' },
  { "decimal", { ",", "." },
    help = "the decimal mark; only where it is said thousands marks are removed, and − is a minus sign" },
  { "dates", "texts", help = 'how dates are written, for example "%d/%m/%Y"; several are tried in order' },
  { "timezone", "zone",
    help = "whose clock shows the times that have no offset, for example \"Europe/Berlin\"" },
  { "encoding", "texts", help = 'one, or several in the order in which they are tried: { "utf-8", "latin1" }' },
  { "null", "any", help = 'texts that mean nothing, for example { "-", "n/a" }' },
  { "bad", { "fail", "reject", "null" },
    help = "what a value that does not fit does (fail unless said); the others set rows without a required one aside" },
  { "ragged", { "fail", "pad", "cut" },
    help = "rows of CSV with other fields than the header: missing ones null (pad), too many left out as well (cut)" },
  { "quote", "text", help = "the quotation mark, one character" },
  { "quotes", "boolean", help = "false: quotation marks are plain characters" },
})

local function types_of(into, what)
  local declared = kernel.tables()[into]
  if not declared then
    local names = {}
    for name in pairs(kernel.tables()) do names[#names + 1] = name end
    options.fail(what, ("field 'into': there is no table '%s'%s"):format(into, options.meant(into, names)))
  end
  local types, names, required = {}, {}, {}
  for i, column in ipairs(declared.columns) do
    types[column.name], names[i] = column.type, column.name
    required[column.name] = column.not_null and column.default == nil or nil
  end
  for _, name in ipairs(declared.key or {}) do required[name] = true end
  return types, names, required
end

local function check_columns(columns, types, names, what)
  for name, theirs in pairs(columns) do
    if types and not types[name] then
      local hint = types[theirs] and ("our name stands first: { %s = %q }"):format(theirs, name) or nil
      options.fail(what, ("field 'columns': the table has no column '%s'%s"):format(name, options.meant(name, names)),
        hint)
    end
  end
end

local function null_texts(given, what)
  local list = type(given) == "table" and given or { given }
  for _, text in ipairs(list) do
    if type(text) ~= "string" then
      options.fail(what, ("field 'null': texts expected, got %s"):format(options.shown(text)))
    end
  end
  return list
end

local function check_mark(shape, name, what)
  local mark = shape[name]
  if mark and (#mark ~= 1 or mark:find(name == "quote" and "[%c%s%w]" or '["\r\n%z]')) then
    options.fail(what, ("field '%s': one character expected, got %s"):format(name, options.shown(mark)))
  end
end

local function check_marks(shape, what)
  check_mark(shape, "delimiter", what)
  check_mark(shape, "quote", what)
  if shape.quote and shape.quote == (shape.delimiter or ",") then
    options.fail(what, "fields 'quote' and 'delimiter' are the same character")
  end
end

local MOST_DATES = 8 -- rows_cell.h

local function check_dates(shape, what)
  for i, format in ipairs(shape.dates or {}) do
    local wrong = require("dts.time").check_format(format) or i > MOST_DATES and "at most 8 can be tried"
    if wrong then
      options.fail(what, ("field 'dates': a format such as \"%%d/%%m/%%Y\" expected (%s)"):format(wrong))
    end
  end
end

-- What C's readers want to know, from what the analyst wrote.
local function plan(it, given)
  local shape, what = options.check(SHAPE, given or {}, "rows")
  check_marks(shape, what)
  check_dates(shape, what)
  if shape.timezone then shape.zone = require("dts.zones")(shape.timezone, what) end
  if shape.null ~= nil then shape.null = null_texts(shape.null, what) end
  if shape.into then
    local names
    shape.types, names, shape.needs = types_of(shape.into, what)
    check_columns(shape.columns or {}, shape.types, names, what)
  end
  shape.origin = it.name
  shape.format = shape.format or body.format(it)
  if shape.at and not (given or {}).format and shape.format == "ndjson" then shape.format = "json" end
  if shape.format == "tsv" then shape.delimiter = shape.delimiter or "\t" end
  shape.encoding = shape.encoding or charset(it) and { charset(it) } or nil
  return shape
end

local readers = {}

function readers.csv(it, shape) return rows.csv(readable(it), shape) end
readers.tsv = readers.csv

function readers.json(it, shape)
  return records.shaped(rows.json(readable(it), shape.at, shape.encoding, it.name), shape)
end

function readers.ndjson(it, shape)
  return records.shaped(rows.ndjson(readable(it), shape.encoding, it.name), shape)
end

-- Where a page has no such records, it is often one that tells why: its first words are the hint.
local function records_of(document, shape)
  local ok, next = pcall(document.records, document, shape.at, shape.header)
  if ok then return next end
  local words = shape.format == "html" and kernel.is_error(next) and next.code == "ROWS" and document:text() or ""
  if words == "" then error(next, 0) end
  kernel.raise { code = next.code, message = next.message, where = next.where,
    hint = "the page says " .. kernel.shorten(words:sub(1, 400)) }
end

function readers.html(it, shape)
  local markup = require "dts.markup"
  local document = markup.read(readable(it), shape.format, shape.encoding or said(it) or "", it.name)
  local from = shape.format == "html" and not shape.at and shape.columns and records.table_of(document, shape)
  return records.shaped(records_of(from or document, shape), shape)
end
readers.xml = readers.html

local NOT_FOR = {
  json = { "header", "skip", "delimiter", "quotes", "quote", "ragged" },
  ndjson = { "header", "skip", "delimiter", "quotes", "quote", "ragged", "at" },
  xml = { "header", "skip", "delimiter", "quotes", "quote", "ragged" },
  html = { "skip", "delimiter", "quotes", "quote", "ragged" }, csv = { "at" }, tsv = { "at" },
}

-- An answer without a body has no rows; an empty file was to have some.
local function is_empty_reply(self, it)
  return rawget(self, "status") ~= nil and readable(it):size() == 0
end

function methods:rows(given)
  local it = check(self, "rows")
  local shape = plan(it, given)
  for _, name in ipairs(NOT_FOR[shape.format]) do
    if given and given[name] ~= nil then
      options.fail("rows", ("`%s` does not go with %s (%s)"):format(name, shape.format:upper(), it.name))
    end
  end
  shape.offered = {}
  if shape.bad and shape.bad ~= "fail" then
    shape.reject, shape.required = require("dts.ctx").reject, shape.needs
  end
  shape.headed = shape.columns and not shape.header and not is_empty_reply(self, it) or nil
  local next = readers[shape.format](it, shape)
  shapes[next] = shape
  return next
end

-- Rows that go into their table as they are read: one that lacks what the table requires, and what all rows share does
-- not give, is refused here, where file, line and the source's own name are known.
function body.put(next, name, also)
  local shape = shapes[next]
  if not shape or shape.into ~= name or not shape.needs then return end
  local required = {}
  for column in pairs(shape.needs) do required[column] = (also or {})[column] == nil or nil end
  shape.required = required
end

-- rows over bytes that no run received: dts.csv.decode and the like.
function body.of(text, name)
  return body.wrap({}, text, { name = name })
end

return body
