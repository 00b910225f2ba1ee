-- The layering rule: which folder of engine/ may include which, and which alone includes an outside library. What is
-- not named here is refused, so that a new arrow is a decision, not an accident. The picture is in engine/README.md.
-- SPDX-License-Identifier: MIT

local function set(text)
  local names = {}
  for name in text:gmatch("%S+") do names[name] = true end
  return names
end

local ARROWS = {
  base = set "",
  regex = set "base", pack = set "base", crypto = set "base", markup = set "base",
  format = set "base regex",
  core = set "base format",
  wire = set "base format",
  store = set "base format core pack crypto", net = set "base format core pack crypto",
  flow = set "base format core regex pack crypto wire store net",
  serve = set "base format core regex pack crypto wire store net flow",
  command = set "base format core regex pack crypto wire store net flow serve",
  script = set "base format pack markup wire",
}

-- The rooms of flow/, and which of them each may include. The kernel puts them together, so it knows those that it
-- opens; the others know the kernel by its accessors. An arrow that is not here is a decision to be made.
local ROOMS = {
  kernel = set "alerts calls control inputs jobs reload rollups runs",
  control = set "alerts gaps jobs kernel reload runs",
  jobs = set "control gaps kernel reload runs",
  runs = set "calls control gaps inputs jobs kernel reload",
  calls = set "kernel reload runs",
  gaps = set "jobs",
  inputs = set "jobs kernel",
  rollups = set "kernel reload",
  alerts = set "kernel",
  reload = set "gaps kernel rollups runs",
  trial = set "kernel",
}

-- Outside headers by pattern, the folder that may include them, and in how many files.
local OUTSIDE = {
  { "^sqlite3%.h$", "store" }, { "^libpq", "store" }, { "^curl/", "net" }, { "^civetweb%.h$", "serve", 2 },
  { "^lua%.h$", "script" }, { "^lauxlib%.h$", "script" }, { "^lualib%.h$", "script" },
  { "^lua%-cjson%.h$", "script" },
  { "^seccomp%.h$", "script" }, { "^libxml/", "markup" }, { "^pcre2%.h$", "regex" }, { "^openssl/", "crypto" },
  { "^zstd", "pack" }, { "^zlib%.h$", "pack" }, { "^brotli/", "pack" },
}
local LIBC = set [[ assert ctype dirent dlfcn endian errno fcntl fenv float fnmatch ftw getopt glob ifaddrs inttypes
  langinfo limits link locale malloc
  math netdb poll pthread pwd sched semaphore signal spawn stdalign stdarg stdatomic stdbool stddef stdint
  stdio stdlib string strings syslog termios time unistd wchar ]]

local function is_libc(header)
  return LIBC[header:match("^(%l+)%.h$")] or header:find("^sys/") or header:find("^linux/") or header:find("^netinet/")
    or header:find("^net/if") or header == "arpa/inet.h"
end

local function between_rooms(fault, at, from, header)
  local room, to = from:match("^engine/flow/(%l+)/"), header:match("^flow/(%l+)/")
  if room and to and room ~= to and not (ROOMS[room] and ROOMS[room][to]) then
    fault("%s: flow/%s may not include flow/%s (%s)", at, room, to, header)
  end
end

local function ours(t, fault, at, folder, header)
  local to = header:match("^(%l+)/")
  if not to then
    if not t:has(("engine/%s/%s"):format(folder, header)) then
      fault("%s: there is no %s in engine/%s", at, header, folder)
    end
  elseif to ~= folder and not ARROWS[folder][to] then
    fault("%s: %s may not include %s (%s)", at, folder, to, header)
  end
end

local function outside(fault, counts, at, folder, header)
  for _, rule in ipairs(OUTSIDE) do
    if header:find(rule[1]) then
      if folder ~= rule[2] then fault("%s: only %s includes <%s>", at, rule[2], header) end
      counts[rule] = (counts[rule] or 0) + 1
      return
    end
  end
  if not is_libc(header) then fault("%s: <%s> is an outside library that no folder is named for", at, header) end
end

local function look(t, fault, counts, path, folder)
  for number, line in t:lines(path) do
    local directive = line:match("^%s*#%s*include%s+(.*)")
    local own, other = (directive or ""):match('^"([^"]+)"'), (directive or ""):match("^<([^>]+)>")
    local at = ("%s:%d"):format(path, number)
    if own then
      ours(t, fault, at, folder, own)
      between_rooms(fault, at, path, own)
    elseif other then outside(fault, counts, at, folder, other)
    elseif directive then fault("%s: an include that names no file: %s", at, directive) end
  end
end

local function check(t, fault)
  local counts = {}
  for path in t:each("^engine/.*%.[ch]$") do
    local folder = path:match("^engine/(%l+)/[^/]+$") or path:match("^engine/(flow)/%l+/[^/]+$")
    if ARROWS[folder] then look(t, fault, counts, path, folder)
    else fault("%s: engine/ has no such folder (see its README.md)", path) end
  end
  for rule, count in pairs(counts) do
    if count > (rule[3] or math.huge) then fault("%s is included in %d files, %d at most", rule[1], count, rule[3]) end
  end
end

return {
  about = "folders of engine/ include along the arrows, and one folder includes each outside library",
  check = check,
  breaks = {
    ["core may not include store"] = { ["engine/core/a.c"] = '#include "store/store.h"\n' },
    ["store may not include net"] = { ["engine/store/a.c"] = '#  include "net/url.h"\n' },
    ["flow may not include markup"] = { ["engine/flow/a.h"] = '#include "markup/html.h"\n' },
    ["script may not include core"] = { ["engine/script/a.c"] = '#include "core/job.h"\n' },
    ["flow/gaps may not include flow/alerts"] =
      { ["engine/flow/gaps/a.c"] = '#include "flow/alerts/alerts.h"\n' },
    ["only store includes <sqlite3.h>"] = { ["engine/flow/a.c"] = "#include <sqlite3.h>\n" },
    ["only script includes <lua.h>"] = { ["engine/command/a.c"] = "#include <lua.h>\n" },
    ["only net includes <curl/curl.h>"] = { ["engine/script/a.c"] = "#include <curl/curl.h>\n" },
    ["is included in 3 files, 2 at most"] = { ["engine/serve/a.c"] = "#include <civetweb.h>\n",
      ["engine/serve/b.c"] = "#include <civetweb.h>\n", ["engine/serve/c.c"] = "#include <civetweb.h>\n" },
    ["<uv.h> is an outside library"] = { ["engine/flow/a.c"] = "#include <uv.h>\n" },
    ["names no file"] = { ["engine/flow/a.c"] = "#include HEADER\n" },
    ["no such folder"] = { ["engine/util/a.c"] = "int a;\n" },
    ["there is no gone.h"] = { ["engine/base/a.c"] = '#include "gone.h"\n' },
  },
  keeps = { {
    ["engine/store/a.c"] = '#include <sqlite3.h>\n#include <sys/stat.h>\n#include "core/job.h"\n',
    ["engine/serve/a.c"] = '#include <civetweb.h>\n#include "flow/kernel/kernel.h"\n#include "base/error.h"\n',
    ["engine/script/a.c"] = '#include <lauxlib.h>\n#include "wire/op.h"\n#include "markup/html.h"\n',
    ["engine/base/a.c"] = '#include "a.h"\n#include <stdint.h>\n', ["engine/base/a.h"] = "int a;\n",
  } },
}
