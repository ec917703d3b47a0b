package thaw.runtime;

/** A function's handler, ready to take events. */
interface Handler {
    /** @param context the function's own {@code Context}, or null where its package has no such interface */
    byte[] handle(byte[] event, Object context) throws Throwable;
}
