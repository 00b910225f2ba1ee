---@meta dts
-- What `require "dts"` gives, for editors: lua-language-server reads it by way of .luarc.json. It is never run.

---@alias dts.date string # YYYY-MM-DD
---@alias dts.timestamp string # YYYY-MM-DDTHH:MM:SS.mmmZ
---@alias dts.duration string # "30s", "15m", "6h", "7d"
---@alias dts.row table<string, any>
---@alias dts.where table<string, any> # a value is equality, a list any of, { from = a, to = b } both included
---@alias dts.rows dts.row|dts.row[]|fun(): dts.row?, integer?

---@class dts
---@field null any a null inside of lists and JSON
local dts = {}

-- ── nouns: what a project declares ──

--- Typed rows under a key.
---@param options dts.table.options
function dts.table(options) end

--- An address that scripts may talk to, with its manners and secrets.
---@param options dts.source.options
---@return dts.source
function dts.source(options) end

--- When to run, and the function that does the work.
---@param options dts.pipeline.options
function dts.pipeline(options) end

--- A table kept up to date from another, by period.
---@param options dts.rollup.options
function dts.rollup(options) end

--- A table computed from others in SQL.
---@param options dts.view.options
function dts.view(options) end

--- An API endpoint: { "GET /api/…", from = …, sql = … or run = … }.
---@param options dts.route.options
function dts.route(options) end

--- A page of charts, each { "line", from = …, x = …, y = … }.
---@param options dts.dashboard.options
function dts.dashboard(options) end

--- A query that must return no rows, and whom to tell.
---@param options dts.alert.options
function dts.alert(options) end

--- A calendar of its own: { "NYSE", closed = { "2025-01-09" } }.
---@param options dts.calendar.options
---@return table
function dts.calendar(options) end

-- ── talking to sources ──

---@class dts.source
local source = {}

---@param path string
---@param options? dts.request.options
---@return dts.reply
function source:get(path, options) end

---@param path string
---@param options? dts.request.options
---@return dts.reply
function source:post(path, options) end

---@param path string
---@param options? dts.request.options
---@return dts.reply
function source:put(path, options) end

---@param path string
---@param options? dts.request.options
---@return dts.reply
function source:delete(path, options) end

---@param method string
---@param path string
---@param options? dts.request.options
---@return dts.reply
function source:request(method, path, options) end

--- One reply after the other: by Link, page number, offset or cursor.
---@param path string
---@param options? dts.pages.options
---@return fun(): dts.reply?
function source:pages(path, options) end

--- A reply, a file or an archived snapshot: read alike.
---@class dts.body
local body = {}

--- Rows of CSV, TSV, JSON, NDJSON, XML or HTML tables, as a stream; yields row and line.
---@param shape? dts.rows.options
---@return fun(): dts.row?, integer?
function body:rows(shape) end

---@param options? table
---@return any
function body:json(options) end

---@param encoding? string
---@return string
function body:text(encoding) end

---@param encoding? string
---@return fun(): string?
function body:lines(encoding) end

---@return dts.document
function body:html() end

---@return dts.document
function body:xml() end

---@class dts.reply: dts.body
---@field status integer
---@field headers table<string, string> names in lower case
---@field url string
---@field unchanged boolean? the source answered that nothing changed

---@class dts.file: dts.body
---@field name string
---@field size integer
---@field sha256 string

---@class dts.snapshot: dts.body
---@field date dts.date
---@field at dts.timestamp
---@field meta table<string, any>

--- A document of HTML or XML, or an element of one.
---@class dts.document
local document = {}

--- "td"
---@return string
function document:name() end

--- As a browser shows it (HTML), or as it is written (XML).
---@return string
function document:text() end

---@return table<string, string>
function document:attrs() end

--- The line where it begins.
---@return integer
function document:line() end

---@return dts.document[]
function document:children() end

---@param selector string CSS or XPath
---@return fun(): dts.document?
function document:each(selector) end

--- What :rows { at = selector } gives, as texts; without a selector the first table of a page.
---@param selector? string CSS or XPath
---@param header? string[] the columns' names of a table whose first row is data
---@return fun(): table<string, string>?, integer?
function document:records(selector, header) end

---@param selector string CSS or XPath
---@return dts.document[]
function document:select(selector) end

---@param selector string CSS or XPath
---@return dts.document?
function document:first(selector) end

---@param name string
---@return string?
function document:attr(name) end

-- ── a run ──

---@class dts.ctx
---@field run integer
---@field attempt integer
---@field pipeline string
---@field trigger string
---@field date dts.date in the pipeline's zone, fixed when the job was queued
---@field window { from: dts.timestamp?, to: dts.timestamp? } the period that a firing stands for
---@field state any what the last checkpoint kept, or nil
local ctx = {}

--- Upserts whole rows: one row, a list or an iterator.
---@param table_name string
---@param rows dts.rows
---@param also? dts.row columns that all rows share
function ctx:put(table_name, rows, also) end

--- Touches the columns given, of the row with that key.
---@param table_name string
---@param row dts.row
function ctx:update(table_name, row) end

--- Puts rows and deletes what else `where` covers.
---@param table_name string
---@param rows dts.rows
---@param where dts.where
function ctx:replace(table_name, rows, where) end

--- Deletes; {} covers every row.
---@param table_name string
---@param where dts.where
function ctx:delete(table_name, where) end

--- Commits what is staged; a repeated run finds `state` in ctx.state.
---@param state? any
function ctx:checkpoint(state) end

--- The result of `fn`, kept: a repeated run takes it from the store.
---@generic T
---@param name string
---@param options dts.step.options
---@param fn fun(): T
---@return T
---@overload fun(self: dts.ctx, name: string, fn: function): any
function ctx:step(name, options, fn) end

--- Waits; a repeated run does not wait again.
---@param length dts.duration
function ctx:sleep(length) end

--- Keeps a raw snapshot: compressed, dated, never overwritten.
---@param source_name string
---@param content string|dts.body
---@param meta? table<string, any>
function ctx:archive(source_name, content, meta) end

--- Queues a job when this run commits.
---@param pipeline string
---@param params? table<string, any>
---@param options? dts.enqueue.options
function ctx:enqueue(pipeline, params, options) end

--- Sets one row aside and goes on.
---@param row dts.row
---@param reason string
function ctx:reject(row, reason) end

--- Ends the run.
---@param reason string
---@param options? ctx.fail.options
function ctx:fail(reason, options) end

--- What `dts run` and the dashboard show.
---@param done number
---@param total? number
function ctx:progress(done, total) end

--- What a gaps run receives.
---@class dts.span
---@field key any
---@field from dts.date
---@field to dts.date
---@field dates dts.date[]
---@field with table<string, any>

--- What an ingest run receives, a list of them.
---@class dts.event
---@field id string
---@field type string?
---@field time dts.timestamp
---@field data any

--- What a route's function receives; parameters stand in it by their names.
---@class dts.req
---@field method string
---@field headers table<string, string>
---@field body string?
---@field key { name: string, scopes: string[] }?
---@field [string] any

-- ── functions ──

--- Rows of a table or view: a list that is read when it is looked at; q:rows() streams.
---@param table_name string
---@param where? dts.where
---@param options? dts.query.options
---@return dts.row[]
function dts.query(table_name, where, options) end

--- Rows of a select; :name binds a parameter.
---@param text string
---@param params? table<string, any>
---@return dts.row[]
function dts.sql(text, params) end

--- One row by its key, remembered for this run; nil when absent.
---@param table_name string
---@param key any
---@return dts.row?
function dts.lookup(table_name, key) end

--- Many at once, results in order; the first error stops the rest.
---@generic T, R
---@param list T[]
---@param options dts.each.options
---@param fn fun(item: T, i: integer): R
---@return R[]
---@overload fun(list: any[], fn: function): any[]
function dts.each(list, options, fn) end

--- Raw snapshots, oldest first.
---@param source_name string
---@param from? dts.date
---@param to? dts.date
---@return fun(): dts.snapshot?
function dts.archive(source_name, from, to) end

--- True, or nil, path and message.
---@param schema table|string a schema, or a file of the project
---@param value any
---@return boolean?, string?, string?
function dts.validate(schema, value) end

---@param value any
---@return string sha256
function dts.hash(value) end

---@return string
function dts.uuid() end

---@return dts.timestamp
function dts.now() end

---@return dts.date
function dts.today() end

--- A route's answer: { status = 404, json = … }.
---@param options dts.reply.options
---@return table
function dts.reply(options) end

--- Queues a job: a route at once, a run when it commits.
---@param pipeline string
---@param params? table<string, any>
---@param options? dts.enqueue.options
function dts.enqueue(pipeline, params, options) end

--- A throw-away store with its clock and network in a spec's hands.
---@param options? dts.test.options
---@return dts.trial
function dts.test(options) end

---@class dts.log
---@field debug fun(...)
---@field info fun(...)
---@field warn fun(...)
---@field error fun(...)
---@overload fun(...)
dts.log = {}

---@type dts.source # for whole addresses of allow = { hosts = … }
dts.http = nil

dts.json = {}

---@param text string
---@param options? { nulls: boolean?, duplicates: string?, depth: integer? }
---@return any
function dts.json.decode(text, options) end

---@param value any
---@return string
function dts.json.encode(value) end

dts.csv = {}

---@param text string
---@param shape? dts.rows.options
---@return fun(): dts.row?, integer?
function dts.csv.decode(text, shape) end

---@param rows dts.row[]
---@param options? csv.encode.options
---@return string
function dts.csv.encode(rows, options) end

dts.html = {}

---@param text string
---@return dts.document
function dts.html.decode(text) end

---@param text string
---@return string
function dts.html.encode(text) end

dts.xml = {}

---@param text string
---@return dts.document
function dts.xml.decode(text) end

---@param text string
---@return string
function dts.xml.encode(text) end

dts.date = {}

--- Without a zone, or an offset in the format, times are UTC's. Where the wall of a zone shows a time twice: the first
--- timestamp, "repeated", the second; where never: the end of the gap, "missing".
---@param text string|number
---@param format? string such as "%d/%m/%Y"
---@param zone? string such as "Europe/Berlin"
---@return string date_or_timestamp, string? trouble, dts.timestamp? second
function dts.date.parse(text, format, zone) end

---@param date string
---@param format string
---@param zone? string such as "Europe/Berlin"
---@return string
function dts.date.format(date, format, zone) end

--- The date of a timestamp, in a zone or UTC.
---@param moment dts.timestamp
---@param zone? string
---@return dts.date
function dts.date.of(moment, zone) end

--- year, quarter, month, day, weekday, yearday, week, week_year; of a timestamp also hour, minute, second.
---@param date string
---@param zone? string
---@return table<string, integer>
function dts.date.parts(date, zone) end

---@param date string
---@param n integer|dts.duration
---@param unit? "day"|"week"|"month"|"quarter"|"year"
---@return string
function dts.date.add(date, n, unit) end

--- Days of dates, seconds of timestamps.
---@param a string
---@param b string
---@return number
function dts.date.diff(a, b) end

---@param from dts.date
---@param to dts.date
---@param step? integer|"day"|"week"|"month"|"quarter"|"year" days, or a period
---@return dts.date[]
function dts.date.range(from, to, step) end

---@param date string
---@return integer # 1 for Monday … 7 for Sunday
function dts.date.weekday(date) end

---@param date string
---@param period "day"|"week"|"month"|"quarter"|"year"
---@return dts.date
function dts.date.start(date, period) end

---@param date string
---@param period "day"|"week"|"month"|"quarter"|"year"
---@return dts.date
function dts.date.last(date, period) end

return dts
