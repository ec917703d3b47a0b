/** What a request's path names. @param path beginning with the bucket, even where that came in the host's name */
export function resourceOf(path: string): { readonly bucket: string; readonly key: string | undefined } {
  const [, bucket = "", ...key] = path.split("/");
  return { bucket: decoded(bucket), key: key.length === 0 ? undefined : decoded(key.join("/")) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
