---@meta
-- What dts.test gives to a spec, for editors.

---@class dts.trial
local trial = {}

--- fn(req) answers for the source: { status, headers, body or json }.
---@param source_name string
---@param fn fun(req: table): table
function trial:http(source_name, fn) end

--- Answers from a file that `dts run --record` has kept.
---@param path string
function trial:replay(path) end

---@param source_name? string
---@return table[]
function trial:requests(source_name) end

---@return table[]
function trial:alerts() end

--- Rows before a run: a list, a CSV text or a file of the project.
---@param table_name string
---@param rows dts.row[]|string
function trial:rows(table_name, rows) end

---@param sql string
---@param params? table<string, any>
---@return dts.row[]
function trial:sql(sql, params) end

---@param table_name string
---@param where? dts.where
---@param options? t.query.options
---@return dts.row[]
function trial:query(table_name, where, options) end

---@param table_name string
---@param where? dts.where
---@return integer
function trial:count(table_name, where) end

---@param pipeline? string
---@return table[]
function trial:logs(pipeline) end

--- Runs it; .state says how it ended.
---@param pipeline string
---@param params? table<string, any>
---@return { state: string, error: any, rows: integer }
function trial:run(pipeline, params) end

--- Moves the clock; what is due runs.
---@param length dts.duration
function trial:advance(length) end

--- What lies in quarantine is released; how many inputs were.
---@param pipeline? string
---@param where? string SQL over dts_quarantine
---@return integer
function trial:release(pipeline, where) end

--- The spans that runs have asked for, in order, "from/to".
---@param key? any
---@return string[]
function trial:spans(key) end

---@param pipeline string
---@param params? table<string, any>
---@param options? dts.enqueue.options
function trial:enqueue(pipeline, params, options) end

---@param pipeline string
---@param events table
---@param headers? table<string, string>
---@return table
function trial:emit(pipeline, events, headers) end

---@param name string
---@param content string
function trial:file(name, content) end

--- Asks a route: "GET /api/…".
---@param address string
---@param options? t.request.options
---@return { status: integer, headers: table<string, string>, body: string }
function trial:request(address, options) end

---@param path string
---@param params? table<string, any>
---@return any
function trial:get(path, params) end
