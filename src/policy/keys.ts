/**
 * Looks a condition key up by its name in lower case, such as `aws:principaltag/team`. `undefined` where the request
 * does not have it; a key with several values, such as `aws:TagKeys`, may have none at all.
 */
export type ConditionKeys = (name: string) => readonly string[] | undefined;
