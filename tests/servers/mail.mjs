// A mail server on loopback (npm's smtp-server) that keeps each message it is given as one file in $MAILBOX: 1.eml,
// 2.eml … with the envelope as the first lines (X-Envelope-From, X-Envelope-To). Prints {"port":N} when it listens.
//
//   MAILBOX=DIR [PORT=0] [MAIL_USER=name MAIL_PASSWORD=word: then it asks for them]
//   [REFUSE=1: each recipient is refused with 550] [LIFETIME=900] node mail.mjs
// SPDX-License-Identifier: MIT
import { SMTPServer } from "smtp-server";
import { mkdirSync, writeFileSync, renameSync } from "node:fs";
import { join } from "node:path";

const box = process.env.MAILBOX;
if (!box) throw new Error("MAILBOX must name the folder that messages are written to");
mkdirSync(box, { recursive: true });
const { MAIL_USER: user, MAIL_PASSWORD: password } = process.env;
let count = 0;

function keep(envelope, parts) {
  count += 1;
  const head = [`X-Envelope-From: ${envelope.mailFrom.address}`, ...envelope.rcptTo.map((r) => `X-Envelope-To: ${r.address}`)];
  const name = join(box, `${count}.eml`);
  writeFileSync(`${name}.part`, Buffer.concat([Buffer.from(head.join("\r\n") + "\r\n"), ...parts]));
  renameSync(`${name}.part`, name);
}

const server = new SMTPServer({
  disabledCommands: user ? ["STARTTLS"] : ["STARTTLS", "AUTH"],
  allowInsecureAuth: true,
  authOptional: !user,
  onAuth({ username, password: given }, session, done) {
    const right = username === user && given === password;
    done(right ? null : new Error("wrong name or password"), right ? { user } : undefined);
  },
  onRcptTo(address, session, done) {
    done(process.env.REFUSE ? Object.assign(new Error(`no such mailbox: ${address.address}`), { responseCode: 550 }) : null);
  },
  onData(stream, session, done) {
    const parts = [];
    stream.on("data", (part) => parts.push(part));
    stream.on("end", () => { keep(session.envelope, parts); done(); });
  },
});
server.on("error", (error) => console.error(error.message));
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => console.log(JSON.stringify({ port: server.server.address().port })));
process.on("SIGTERM", () => process.exit(0));
setTimeout(() => process.exit(0), Number(process.env.LIFETIME ?? 900) * 1000);
