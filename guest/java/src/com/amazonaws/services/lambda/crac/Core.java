package com.amazonaws.services.lambda.crac;

/**
 * Where functions register for snapshots. AWS's Java runtimes have these types, and the library {@code org.crac} finds
 * them by the system property {@code org.crac.Core.Compat} (AWS Lambda Developer Guide, "Lambda SnapStart runtime hooks for
 * Java").
 */
public final class Core {
    private static final Context<Resource> GLOBAL = new Registered();

    private Core() {}

    public static Context<Resource> getGlobalContext() {
        return GLOBAL;
    }

    /** A function does not decide itself when its snapshot is taken. */
    public static void checkpointRestore() {
        throw new UnsupportedOperationException();
    }
}
