# doctor.sh -- dts doctor, colours and widths on a terminal. Sourced by cli_test.sh.
# SPDX-License-Identifier: MIT

mkdir -p "$home/sick/pipelines" && cd "$home/sick" || exit 2
cat >pipelines/one.lua <<'LUA'
local dts = require "dts"
dts.table { name = "t", key = { "n" }, columns = { "n integer" } }
local s = dts.source { name = "s", url = "https://example.org", headers = { A = "{secret:TOKEN}", B = "{secret?:OTHER}" } }
dts.pipeline { name = "one", run = function(ctx) ctx:put("t", { n = 1 }) return s and nil end }
LUA
run run one; ends "one" 0
echo 'local settings = { name = "sick" }' >dts.lua; run check; ends "settings, not returned" 1
warns "settings, not returned" 'begin with `return {`'
echo '{ name = "sick" }' >dts.lua; run check; warns "settings without return" 'begin with `return {`'
rm dts.lua
mkdir specs alone && cp "$dts" alone/dts && dts=$home/sick/alone/dts && run test; dts=$build/dts
ends "specs without a worker" 1; warns "specs without a worker" "hint: dts-worker belongs beside dts"
rm -r specs alone
run doctor; ends "a secret is absent" 1
says "a secret is absent" "fail  secrets   TOKEN is named in pipelines/one.lua and is not there"
says "an optional one" "warn  secrets   OTHER is named in pipelines/one.lua and is not there; the header is left out"
says "a worker" "pass  worker"; says "its cage" "pass  cage"
mkdir secrets && echo x >secrets/TOKEN && chmod 644 secrets/TOKEN
run doctor; says "a secret that others can read" "fail  modes     others may read secrets/TOKEN (mode 644), so it is not used"
chmod 600 secrets/TOKEN
run doctor; ends "all is well but one" 0; says "all is well" "1 to look at, 0 failed"
run doctor --json; says "doctor, JSON" '"verdict": "pass"'
touch var/dts.sock && mkdir var/dry-999999999
run doctor; says "a stale socket" "var/dts.sock is there and no engine answers"; says "a stale copy" "var/dry-999999999 was left"
run run one --dry-run; [ ! -e var/dry-999999999 ]; verdict "a stale copy is removed" $?
rm var/dts.sock
printf 'x' | dd of=var/dts.db bs=1 seek=5000 conv=notrunc 2>/dev/null
head -c 2000 /dev/zero | tr '\0' 'x' | dd of=var/dts.db bs=1 seek=8192 conv=notrunc 2>/dev/null
run doctor; ends "a damaged store" 1; says "a damaged store" "fail  store"
run backup damaged.tar; ends "no backup of a damaged store" 1; [ ! -e damaged.tar ]; verdict "it is not there" $?
run help --color sometimes; ends "no such colour" 2
NO_COLOR='' run doctor --color always; [[ $out == *$'\033[32mpass'* ]]; verdict "colours when asked for" $?
run doctor; [[ $out != *$'\033'* ]]; verdict "no colours in a file" $?

# on a terminal: the width is kept, long cells go on below, progress is one line that is rewritten
cd "$home/data" || exit 2
terminal() { # terminal COLUMNS ARGS...: what a terminal would be sent, in $out
  out=$(TERM=xterm python3 - "$@" <<'PY'
import fcntl, os, pty, struct, sys, termios, time
pid, fd = pty.fork()
if pid == 0:
    time.sleep(0.1)
    os.execvp(sys.argv[2], sys.argv[2:])
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, int(sys.argv[1]), 0, 0))
sent = b""
while True:
    try: piece = os.read(fd, 65536)
    except OSError: break
    if not piece: break
    sent += piece
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])) if not sys.stdout.buffer.write(sent) else None
PY
  )
}
if command -v python3 >/dev/null; then
  for columns in 80 120; do
    terminal $columns "$dts" explain currency
    widest=$(tr -d '\r' <<<"$out" | awk '{ if (length($0) > n) n = length($0) } END { print n }')
    [ "$widest" -le $columns ]; verdict "explain fits $columns columns ($widest)" $?
    [[ $out == *"(absent)"* ]]; verdict "explain is whole at $columns columns" $?
  done
  terminal 80 "$dts" run fill
  [[ $out == *$'\r\033[K'*"rows · 0 requests"* ]]; verdict "progress is one line" $?
else
  echo "python3 is not there: no terminal was tried"
fi
