-- A tree of files as the checks see it: the project, or a small one made for a check's own test. Paths are relative to
-- its root and sorted. What is built, downloaded or written by a running engine is no part of it.
-- SPDX-License-Identifier: MIT

local tree = {}
tree.__index = tree

local NOT_OURS = { "node_modules", ".git", "build", "build-*", "dist", "var" }

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function output(command)
  local pipe <close> = assert(io.popen(command))
  return pipe:read("a")
end

local function names(root)
  local prune = {}
  for i, name in ipairs(NOT_OURS) do prune[i] = "-name " .. quoted(name) end
  local found = output(("cd %s && find . -mindepth 1 \\( %s \\) -prune -o -type f -print | LC_ALL=C sort")
    :format(quoted(root), table.concat(prune, " -o ")))
  local list = {}
  for path in found:gmatch("%./([^\n]+)") do list[#list + 1] = path end
  return list
end

function tree.at(root)
  return setmetatable({ root = root, paths = names(root), texts = {} }, tree)
end

-- A tree in a temporary folder from { ["path"] = "text" }; removed by `remove` or when it goes out of scope.
function tree.made(files)
  local root = output("mktemp -d"):gsub("\n$", "")
  for path, text in pairs(files) do
    os.execute(("mkdir -p %s"):format(quoted(root .. "/" .. (path:match("^(.*)/") or ""))))
    local file <close> = assert(io.open(root .. "/" .. path, "w"))
    file:write(text)
  end
  return setmetatable(tree.at(root), { __index = tree, __close = tree.remove })
end

function tree:remove()
  os.execute("rm -rf " .. quoted(self.root))
end

function tree:read(path)
  if not self.texts[path] then
    local file <close> = assert(io.open(self.root .. "/" .. path, "rb"))
    self.texts[path] = file:read("a")
  end
  return self.texts[path]
end

function tree:has(path)
  return os.execute(("test -e %s"):format(quoted(self.root .. "/" .. path))) == true
end

-- Each path that one of the Lua patterns finds.
function tree:each(...)
  local patterns, i = { ... }, 0
  return function()
    while i < #self.paths do
      i = i + 1
      for _, pattern in ipairs(patterns) do
        if self.paths[i]:find(pattern) then return self.paths[i] end
      end
    end
  end
end

-- The lines of a file: number, text.
function tree:lines(path)
  local number = 0
  local more = (self:read(path) .. "\n"):gsub("\n\n$", "\n"):gmatch("(.-)\n")
  return function()
    local line = more()
    if line then number = number + 1; return number, line end
  end
end

-- What a command says that runs in the root of the tree.
function tree:run(command)
  return output(("cd %s && %s"):format(quoted(self.root), command))
end

return tree
