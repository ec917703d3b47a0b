#!/usr/bin/env node
// A runtime that attacks its Runtime API before it answers: garbage, bodies without end, answers to others' events.
import { connect } from "node:net";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const next = await fetch(`${api}/invocation/next`);
const id = next.headers.get("lambda-runtime-aws-request-id");

const raw = (text) =>
  new Promise((resolve) => {
    const socket = connect(Number(port), host, () => socket.write(text));
    socket.on("error", () => undefined).on("close", resolve);
    socket.resume().setTimeout(500, () => socket.destroy());
  });
const head = (method, path, headers) => `${method} ${path} HTTP/1.1\r\nHost: h\r\n${headers}\r\n`;
const attacks = [];
for (let round = 0; round < 50; round++) {
  attacks.push(
    raw("\0".repeat(5000)),
    raw(head("GET", "/2018-06-01/runtime/invocation/next", "")),
    raw(head("GET", "/2018-06-01/runtime/invocation/next", "X: y\r\n".repeat(20_000))),
    raw(head("POST", `/2018-06-01/runtime/invocation/${id}/response`, "Content-Length: 6000000\r\n") + "x"),
    raw(head("POST", "/2018-06-01/runtime/invocation/others/response", "Content-Length: 1\r\n") + "x"),
    raw(
      head("POST", "/2020-01-01/extension/register", "Lambda-Extension-Name: e\r\nContent-Length: 9999\r\n") +
        "{",
    ),
    raw(
      head("POST", `/2018-06-01/runtime/invocation/${id}/response`, "Transfer-Encoding: chunked\r\n") +
        "zz\r\n",
    ),
  );
}
for (let round = 0; round < 10; round++)
  attacks.push(
    fetch(`${api}/invocation/others/response`, { method: "POST", body: "x".repeat(5_000_000) }).then(
      (response) => response.text(),
      () => undefined,
    ),
  );
await Promise.all(attacks);
await fetch(`${api}/invocation/${id}/response`, { method: "POST", body: '"survived"' });
await fetch(`${api}/invocation/next`);
