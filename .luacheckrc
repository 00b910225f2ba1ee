-- What luacheck holds every Lua file of the project to. No file may switch a warning off for itself.
std = "lua54"
max_line_length = 120
exclude_files = { "build/**", "build-*/**", "**/node_modules/**", "engine/command/template/editor/**" }

files["tests/specs"] = { std = "+busted" }
files["**/specs/**"] = { std = "+busted" }
