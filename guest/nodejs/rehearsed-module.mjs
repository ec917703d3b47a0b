// The function of the rehearsal as an ES module: see rehearsal.cjs.
export const handler = async (event) => event;
