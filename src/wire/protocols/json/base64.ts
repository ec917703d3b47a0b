/** Decodes base64 strictly: `undefined` where `text` holds anything else, which Buffer.from would skip. */
export function decodeBase64(text: string): Buffer | undefined {
  let length = text.length;
  if (text.endsWith("==")) length -= 2;
  else if (text.endsWith("=")) length -= 1;
  if (length % 4 === 1) return undefined;
  const bytes = Buffer.from(text, "base64");
  return bytes.length === Math.floor((length * 3) / 4) ? bytes : undefined;
}
