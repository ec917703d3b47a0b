// Where this runtime lies on the host is nobody's business but the operator's: error documents and logs go to callers.
"use strict";

const { pathToFileURL } = require("node:url");

const OWN_PATH = `${__dirname}/`;
const OWN_URL = pathToFileURL(OWN_PATH).href;
/** What stands in AWS's "Require stack" where the runtime itself asked for the module. */
const AWS_RUNTIME = "/var/runtime/index.mjs";

const FRAME = /^\s+at /;
const REQUIRED_BY = "- ";

function isOwn(line) {
  return line.includes(OWN_URL) || line.includes(OWN_PATH);
}

/** @returns the lines of a stack or of a message with one, without this runtime's frames and paths */
function publicLines(text) {
  const lines = text.split("\n");
  if (!isOwn(text)) return lines;
  return lines
    .filter((line) => !(FRAME.test(line) && isOwn(line)))
    .map((line) => (line.startsWith(REQUIRED_BY) && isOwn(line) ? REQUIRED_BY + AWS_RUNTIME : line));
}

/** The same for a text as a whole; costs one search where there is nothing to hide. */
function publicText(text) {
  return isOwn(text) ? publicLines(text).join("\n") : text;
}

module.exports = {
  publicLines,
  publicText,
};
