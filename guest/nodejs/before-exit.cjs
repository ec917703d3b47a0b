// "The event loop is empty" as Node tells it: reading the next event does not keep the loop alive, so `beforeExit` fires.
"use strict";

let listener = () => {};

process.on("beforeExit", () => listener());

/** @param then called when nothing is left on the event loop; replaces what was set before */
function watchExit(then) {
  listener = then;
}

function unwatchExit() {
  listener = () => {};
}

module.exports = {
  watchExit,
  unwatchExit,
};
