#!/usr/bin/env node
// An external extension that subscribes to telemetry (as AWS's nodejs-example-telemetry-api-extension) and writes what it
// is sent to a file of the test's, TELEMETRY_FILE, or else to its log.
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { basename } from "node:path";

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}`;
const name = basename(process.argv[1]);
const file = process.env.TELEMETRY_FILE;
const kept = (text) => (file === undefined ? console.log(text) : appendFileSync(file, `${text}\n`));

const registered = await fetch(`${api}/2020-01-01/extension/register`, {
  method: "POST",
  headers: { "Lambda-Extension-Name": name },
  body: JSON.stringify({ events: ["INVOKE", "SHUTDOWN"] }),
});
const me = { "Lambda-Extension-Identifier": registered.headers.get("lambda-extension-identifier") };

const tcp = process.env.TELEMETRY_PROTOCOL === "TCP";
let server;
if (tcp) {
  server = createTcpServer((socket) => {
    let text = "";
    socket.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      const lines = text.split("\n");
      text = lines.pop();
      for (const line of lines) kept(line);
    });
  });
} else {
  server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    for (const event of JSON.parse(text)) kept(JSON.stringify(event));
    response.end();
  });
}
await new Promise((resolve) =>
  server.listen(0, process.env.TELEMETRY_HOST ?? "sandbox.localdomain", resolve),
);
const { port } = server.address();
const path = process.env.TELEMETRY_API === "Logs" ? "2020-08-15/logs" : "2022-07-01/telemetry";
const subscribed = await fetch(`${api}/${path}`, {
  method: "PUT",
  headers: { ...me, "Content-Type": "application/json" },
  body: JSON.stringify({
    schemaVersion: process.env.TELEMETRY_SCHEMA,
    types: file === undefined ? ["platform"] : ["platform", "function", "extension"],
    buffering: { maxItems: 1000, maxBytes: 262144, timeoutMs: 25 },
    destination: tcp
      ? { protocol: "TCP", port }
      : { protocol: "HTTP", URI: `http://sandbox.localdomain:${port}/sink` },
  }),
});
kept(JSON.stringify({ type: "subscribed", record: [subscribed.status, await subscribed.text()] }));
console.log("extension speaks");
for (;;) {
  const event = await (await fetch(`${api}/2020-01-01/extension/event/next`, { headers: me })).json();
  // What goes to the log is told until the end.
  if (event.eventType !== "SHUTDOWN" || file === undefined) continue;
  // Whatever was sent before this event has been read when the server has nothing left to do.
  setTimeout(() => process.exit(0), 100);
  break;
}
