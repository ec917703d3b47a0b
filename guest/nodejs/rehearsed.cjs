// The function of the rehearsal: see rehearsal.cjs.
"use strict";

exports.handler = async (event) => event;
