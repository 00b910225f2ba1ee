---@meta
-- The tables of options, for editors; made of their declarations.

---@class dts.allow.options
---@field hosts? string|string[] the only hosts that any script may reach
---@field tables? string|string[] tables of other files that it may write
---@field sources? string|string[] sources of other files that it may ask
---@field [integer] any

---@class dts.chart.options
---@field title? string what stands above it
---@field from? string a table; {every} puts in the choice of that name
---@field sql? string a select
---@field x? string the column to the right
---@field y? string the column upwards, or an aggregate: "avg(price)"
---@field by? string the column that tells series apart
---@field value? string the column that gives the colour (heatmap)
---@field size? string the column that gives the size (scatter)
---@field columns? string[] the columns of a table
---@field order? string|string[] "-date" for the largest first, or a list
---@field limit? integer at most so many rows
---@field where? any a table of columns and values, or SQL
---@field unit? string for example unit = "R$"
---@field wide? boolean true: the whole width
---@field text? string what a text chart says
---@field [integer] any

---@class csv.encode.options
---@field columns? string|string[] the columns in their order; without them all, by name
---@field delimiter? string one character
---@field [integer] any

---@class ctx.fail.options
---@field retry? boolean false: the run is not tried again
---@field [integer] any

---@class dts.alert.options
---@field name string for example name = "rates_stale"
---@field every? dts.duration how often it is asked ("10m" unless said)
---@field hold? dts.duration tell only when it lasts so long
---@field remind? dts.duration tell again so often, for example "1d"
---@field when string a select that must return no rows
---@field to? string|string[] addresses: "mailto:ops@example.com", "https://…"; dts.lua has the default
---@field message? string what to say; {column} is filled in from the first row
---@field [integer] any

---@class dts.calendar.options
---@field closed? any dates taken out: a list, or a CSV file of the project
---@field open? any dates put in: a list, or a CSV file of the project
---@field [integer] any

---@class dts.dashboard.options
---@field name string the page's address, for example name = "rates"
---@field title? string what stands above it
---@field summary? string one sentence under the title
---@field public? boolean true: no key is needed
---@field filters? any columns, or { "every", choices = { "week", "month" } }
---@field [integer] any

---@class dts.each.options
---@field concurrency? integer how many at once (8 unless said)
---@field [integer] any

---@class dts.lua.options
---@field name? string the project's name
---@field timezone? string what "today" means, for example "America/Sao_Paulo"
---@field store? string "sqlite:var/dts.db" or "postgres://…"
---@field objects? string "file:var/objects" or "s3://bucket/prefix"
---@field listen? string for example "127.0.0.1:8080"
---@field hosts? string|string[] names that the server answers to
---@field workers? integer how many runs at once
---@field limits? dts.limits.options for every run that does not say otherwise
---@field allow? dts.allow.options a ceiling that no script exceeds
---@field sources? table<string, string> stand-ins, for example { github = "http://127.0.0.1:9001" }
---@field retention? table<string, any> how long the engine's own rows are kept
---@field alerts? table<string, any> whom to tell: { to = { "mailto:ops@example.com" } }
---@field mail? table<string, any> how mail is sent
---@field trust? string|string[] files of certificate authorities to trust beside the system's: "certs/ca.pem"
---@field env? table<string, any> layers by name
---@field [integer] any

---@class dts.pipeline.options
---@field name string for example name = "rates"
---@field schedule? string five fields: minute hour day month weekday, for example "30 16 * * 1-5"
---@field recheck? string when missing dates are asked for again (gaps only)
---@field every? dts.duration for example every = "15m"
---@field jitter? dts.duration jobs wait up to that long, each pipeline always as long: "30s"
---@field timezone? string of the schedule, for example "Europe/Berlin"
---@field params? any what it may be given, for example { topic = "text = data" }
---@field missed? "latest"|"all"|"none" which firings are made up for after a stop
---@field overlap? "skip"|"queue" what a firing does while the last one still runs
---@field retry? integer how often a failed run is tried again
---@field batch? integer a gaps run commits every so many rows
---@field gaps? any which dates of which series are wanted
---@field files? string|string[] for example files = "incoming/*.csv"
---@field ingest? any take events at POST /api/v1/ingest/NAME
---@field after? string|string[] the pipeline, or the list of them, that it follows
---@field on? "success"|"end" whether failed firings are followed too
---@field group? string jobs of one group run one after the other
---@field limits? dts.limits.options for example limits = { time = "10m", memory = "512MB" }
---@field allow? dts.allow.options what it may write and ask beyond its own file
---@field summary? string one sentence about what it does
---@field run fun(ctx: dts.ctx, input: any): any function(ctx, input) … end
---@field [integer] any

---@class dts.query.options
---@field order? string|string[] "date", "-date" for the largest first, or a list of them
---@field limit? integer at most so many rows
---@field columns? string[] the columns wanted, for example { "repo", "stars" }
---@field [integer] any

---@class dts.reply.options
---@field status? integer for example status = 404
---@field headers? table<string, string> headers of the reply
---@field json? any a value, sent as JSON
---@field text? any a text, sent as it is
---@field query? any what dts.query or dts.sql gave
---@field [integer] any

---@class dts.rollup.options
---@field name string its tables are NAME_PERIOD, for example name = "repo_trend"
---@field from string the table, or roll-up's table, that it is made from
---@field time string the column that says when
---@field by? any columns, or "expression as name", that tell rows apart
---@field every string|string[] one or several of minute, hour, day, week, month, quarter, year
---@field measures string|string[] for example { "last(stars) as stars", "count(*) as days" }
---@field where? string rows that count, as SQL
---@field timezone? string whose days they are, for example "Europe/Berlin"
---@field [integer] any

---@class dts.route.options
---@field summary? string one sentence for the API's documentation
---@field public? boolean true: no key is needed
---@field params? any for example { from = "date?", limit = "integer = 100" }
---@field from? string a table; parameters that match its columns filter
---@field columns? string[] the columns wanted
---@field order? string|string[] "date", "-date" for the largest first, or a list of them
---@field limit? integer at most so many rows
---@field where? any a table of columns and values, or SQL
---@field sql? string a select; :name binds a parameter
---@field run? fun(req: dts.req): any function(req) … end
---@field cache? dts.duration keep a reply that reads the clock or headers so long: "1m"
---@field timeout? dts.duration for example "5s" (2 s unless said)
---@field limits? dts.limits.options for example limits = { memory = "512MB" }
---@field [integer] any

---@class dts.source.options
---@field name string how scripts, limits and logs call it, for example name = "ecb"
---@field url string where paths begin, for example url = "https://api.github.com"
---@field rate? string at most so many requests, shared by all runs: "5/s", "60/m", "5000/h"
---@field concurrency? integer connections at once, shared by all runs (8 unless said)
---@field headers? table<string, string> sent with each request; {secret:NAME} is filled in by the engine
---@field query? table<string, string> sent with each request; {secret:NAME} is filled in by the engine
---@field timeout? dts.duration of one try, for example "30s"
---@field connect? dts.duration of that, to connect: "10s" unless said
---@field stall? dts.duration ends a try that has hardly brought a byte for so long: "20s"
---@field largest? string a decoded body at most: "512MB" unless said
---@field [integer] any

---@class dts.table.options
---@field name string the table's name, for example name = "rates"
---@field key? string[] the columns that tell rows apart; without a key rows are only appended
---@field columns any a list such as { "currency text", "date date", "rate real" }
---@field index? any lists of columns that are searched by, for example { { "product", "date" } }
---@field rows? string a CSV file of the project with rows for it, for example "data/teams.csv"
---@field keep? dts.duration how long rows are kept, for example "400d"
---@field private? boolean true: only the pipelines that write it may read it
---@field [integer] any

---@class dts.test.options
---@field file? string one file of the project; without it all of them
---@field now? string the clock, for example "2026-03-10T10:00-03:00"
---@field gaps? table<string, any> settings of `gaps` to use instead, by pipeline
---@field config? table<string, any> settings of dts.lua to use instead
---@field alerts? boolean true: alerts are looked at as the clock moves; t:alerts() is what they tell
---@field replay? string a recording that answers, and whose clock it is unless `now` is given
---@field [integer] any

---@class dts.view.options
---@field name string for example name = "relations"
---@field sql string a select
---@field keep? boolean true: stored, and replaced after a commit to a table that it reads
---@field [integer] any

---@class dts.enqueue.options
---@field key? string a job of this key is queued once
---@field delay? dts.duration not before so long, for example "5m"
---@field group? string jobs of one group run one after the other
---@field [integer] any

---@class dts.filter.options
---@field choices? string|string[] what may be chosen; the first is the default
---@field [integer] any

---@class dts.gaps.options
---@field table string the table whose dates are looked at
---@field complete? string when a row counts, as SQL: "value > 0"; without it when no column is null
---@field calendar? any "daily", "weekdays", "BR", "NYSE" … or dts.calendar { … }
---@field since dts.date the first date wanted, for example "2015-01-02"
---@field to? dts.date the last date wanted; without it today less `lag`
---@field lag? dts.duration how late a source is, for example "1d"
---@field refresh? dts.duration the last days are read again, for example "7d"
---@field max_span? dts.duration the longest range of one run, for example "3650d"
---@field bridge? integer a span may run across so many dates that are there
---@field empty? "retry"|"ok" "ok": a date answered for without a row is closed
---@field keys? any a list, a map from key to settings, or SQL with one row a key
---@field [integer] any

---@class dts.ingest.options
---@field id? string where an event's id is: "header:x-delivery" or a field's path
---@field type? string where its type is: "header:x-event" or a field's path
---@field time? string where its time is; without it the time when it came
---@field schema? string|string[] JSON Schema files; {type} and {data.field} are filled in: the first that exists counts
---@field archive? boolean true: keep each body raw
---@field signature? dts.signature.options refuse what is not signed
---@field window? dts.duration an id counts as seen for so long ("24h")
---@field batch? integer events of one run at most
---@field wait? dts.duration how long a batch waits to fill ("1s")
---@field [integer] any

---@class dts.key.options
---@field calendar? any instead of the pipeline's
---@field since? dts.date instead of the pipeline's
---@field to? dts.date instead of the pipeline's
---@field [integer] any

---@class dts.limits.options
---@field time? dts.duration of one run, for example "5m"
---@field cpu? dts.duration for example "60s"
---@field memory? string for example "256MB"
---@field rows? integer rows of one transaction
---@field requests? integer requests of one run
---@field log? string what one run may log, for example "10MB"
---@field [integer] any

---@class dts.pages.options
---@field query? table<string, any> what stands after ? in the address; a list repeats its name
---@field headers? table<string, any> headers of this request
---@field body? any a text or a body to send
---@field json? any a value to send as JSON
---@field form? table<string, any> a table to send as a form
---@field accept? any statuses of 400 and more that are no error, for example { 404 }
---@field timeout? dts.duration of one try, for example "30s"
---@field largest? string a decoded body at most, for example "2GB"
---@field cache? dts.duration share the reply for so long, for example "1h"
---@field archive? string keep the reply raw under this name, for example "github/search"
---@field meta? table<string, any> kept beside the archived reply
---@field idempotency? any true or a key: POST and PATCH may be tried again
---@field max? integer pages at most (100 unless said, and then more is an error)
---@field page? string the query name of a page number, for example page = "page"
---@field offset? string the query name of an offset, for example offset = "offset"
---@field cursor? string the query name of a cursor, for example cursor = "after"; `next` says where it comes from
---@field next? string the path of the next cursor in the JSON reply, for example next = "meta.next"
---@field at? string the path of the records in the JSON reply, for example at = "items": an empty page is the last
---@field [integer] any

---@class dts.request.options
---@field query? table<string, any> what stands after ? in the address; a list repeats its name
---@field headers? table<string, any> headers of this request
---@field body? any a text or a body to send
---@field json? any a value to send as JSON
---@field form? table<string, any> a table to send as a form
---@field accept? any statuses of 400 and more that are no error, for example { 404 }
---@field timeout? dts.duration of one try, for example "30s"
---@field largest? string a decoded body at most, for example "2GB"
---@field cache? dts.duration share the reply for so long, for example "1h"
---@field archive? string keep the reply raw under this name, for example "github/search"
---@field meta? table<string, any> kept beside the archived reply
---@field idempotency? any true or a key: POST and PATCH may be tried again
---@field [integer] any

---@class dts.rows.options
---@field format? "csv"|"tsv"|"json"|"ndjson"|"xml"|"html" what the body is, where type and name do not tell
---@field into? string a table whose columns say the types
---@field columns? table<string, string> our names and theirs: { price = "Valor de Venda" }; other columns are left out
---@field at? string a path (JSON), XPath or CSS selector (XML, HTML) to the records
---@field header? string|string[] the columns' names, for a CSV file or an HTML table whose first row is data; {}: column_1, column_2 …
---@field delimiter? string between fields, one character: ";" or "\t"
---@field decimal? ","|"." the decimal mark; thousands marks are removed then, and − is a minus sign
---@field dates? string|string[] how dates are written, for example "%d/%m/%Y"; several are tried in order
---@field encoding? string|string[] one, or several in the order in which they are tried: { "utf-8", "latin1" }
---@field null? any texts that mean nothing, for example { "-", "n/a" }
---@field bad? "fail"|"reject"|"null" what a value that does not fit does (fail unless said)
---@field ragged? "fail"|"pad"|"cut" rows of CSV with other fields than the header: missing ones null (pad), too many left out as well (cut)
---@field quote? string the quotation mark, one character
---@field quotes? boolean false: quotation marks are plain characters
---@field [integer] any

---@class dts.signature.options
---@field header string for example "x-hub-signature-256"
---@field secret string the secret's name
---@field [integer] any

---@class dts.step.options
---@field retry? integer how often it is tried again
---@field timeout? dts.duration of one try, for example "5s"
---@field [integer] any

---@class t.http.options
---@field status? integer 200 unless said
---@field headers? table<string, any> for example { ["Retry-After"] = 120 }
---@field body? any a text
---@field json? any a value, sent as JSON
---@field file? string a file of the project, sent as it is
---@field error? string no reply: the network's fault, for example "connection refused"
---@field delay? dts.duration how long it takes on the test's clock
---@field [integer] any

---@class t.query.options
---@field order? string|string[] "date", "-date" for the largest first, or a list of them
---@field limit? integer at most so many rows
---@field columns? string[] the columns wanted
---@field [integer] any

---@class t.request.options
---@field query? table<string, any> what stands after ? in the address
---@field headers? table<string, string> headers of the request
---@field body? any a text
---@field json? any a value, sent as JSON
---@field [integer] any
