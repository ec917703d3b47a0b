/**
 * How old an environment may become: its variables hold its role's credentials, which end after twelve hours, and the
 * last invocation that it begins must still be able to use them. What takes its place has new ones.
 */
export const MAX_AGE_MS = 10 * 3_600_000;
