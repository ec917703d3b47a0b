/** The validator that AWS publishes for receivers of notifications; it comes without types. */
declare module "sns-validator" {
  export default class MessageValidator {
    constructor(hostPattern?: RegExp, encoding?: string);
    validate(message: string | object, done: (error: Error | null, message?: object) => void): void;
  }
}
