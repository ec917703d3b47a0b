/** Whether a log event's message matches. */
export type LogFilter = (message: string) => boolean;
