/**
 * Whether a name has the form of a region's. AWS adds regions now and then, so that no list is kept: an area, one or more
 * directions or partitions, and a number, such as `us-gov-west-1`.
 */
export function isRegion(name: string): boolean {
  return /^[a-z]{2,4}(?:-[a-z]+){1,2}-\d{1,2}$/.test(name);
}
